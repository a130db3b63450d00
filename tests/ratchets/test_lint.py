"""Code lints clean, and every function says what it takes and gives; that the types are right, `make types` proves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.ratchets.sources import PACKAGE, ROOT

GIVEN_TYPES = ("--isolated", "--select", "ANN001,ANN002,ANN003,ANN2")


def faults(*arguments: str) -> str:
    """Return what the linter finds."""
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--quiet", "--output-format", "concise", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


@pytest.mark.contract("S3-128")
def test_the_linter_finds_nothing() -> None:
    assert faults("src", "tests") == ""


@pytest.mark.contract("S3-128")
def test_every_function_gives_its_types_and_says_so_to_type_checkers() -> None:
    assert faults(*GIVEN_TYPES, "src") == ""
    assert (ROOT / PACKAGE / "py.typed").is_file()


def test_an_absent_type_and_an_unused_import_are_found(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import os\ndef f(a) -> None: ...\ndef g():\n    return 1\n")

    assert "F401" in faults("--isolated", str(wrong))
    assert [code in faults(*GIVEN_TYPES, str(wrong)) for code in ("ANN001", "ANN201")] == [True, True]
