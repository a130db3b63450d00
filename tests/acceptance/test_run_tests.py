"""The tests can be run one file at a time, and show what they cover as pages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ONE = "tests/unit/model/test_ids.py"


def run_tests(*arguments: str, folder: Path, **said: str) -> str:
    said |= {"PYTHON": sys.executable, "PATH": os.environ["PATH"], "COVERAGE_FILE": str(folder / "coverage")}
    process = subprocess.run(
        [ROOT / "run_tests.sh", *arguments, "-p", "no:cacheprovider"],
        cwd=folder,
        env=said,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


@pytest.mark.contract("S3-101")
def test_one_file_is_run_and_shown_as_pages(tmp_path: Path) -> None:
    pages = tmp_path / "pages"

    plain = run_tests(ONE, folder=tmp_path)
    covered = run_tests("--html", ONE, folder=tmp_path, PAGES=str(pages))

    assert " passed" in plain.splitlines()[-1]
    assert " passed" in covered.splitlines()[-1]
    shown = re.sub(r"<[^>]*>|&#8201;|\s", "", (pages / "index.html").read_text())
    assert "src/cuewire/model/orders.py" in shown


@pytest.mark.contract("S3-101")
def test_the_settings_of_the_tests_have_a_file_of_their_own() -> None:
    said = (ROOT / "pytest.ini").read_text()

    assert said.startswith("[pytest]\n")
    assert "filterwarnings = error" in said
