"""What no file of the project may hold: a machine's own paths, a package registry, a wish without an issue."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.ratchets.sources import Source, project_files, violations

FORBIDDEN = {
    "a machine's path": re.compile(r"(?<![\w.:~}-])/(?:root|home|Users|work|opt|mnt|var/folders)/[\w.]"),
    "a registry address": re.compile(r"pypi\.org|pythonhosted|registry\.npmjs|index-url|find-links|/simple\b"),
    "a to-do without an issue": re.compile(r"\b(?:TO[D]O|FIX[M]E)\b(?!\(#\d+\))"),
}


def forbidden_texts(file: Source) -> Iterator[str]:
    for number, line in enumerate(file.text.splitlines(), start=1):
        for what, pattern in FORBIDDEN.items():
            if match := pattern.search(line):
                yield f"{file.path}:{number} holds {what}: {match[0]}"


def test_no_file_holds_a_forbidden_text() -> None:
    files = [file for file in project_files() if file.path != "tests/ratchets/test_texts.py"]

    assert violations(forbidden_texts, files) == []


@pytest.mark.parametrize(
    "text", ["open('/root/a')", "cd /work/main", "a /home/ada/b", "--index-url x", "from pypi.org", "# TODO later"]
)
def test_a_forbidden_text_is_found(text: str) -> None:
    assert len(list(forbidden_texts(Source("a.py", text)))) == 1


@pytest.mark.parametrize("text", ["# TODO(#12) later", "https://example.com/work/a", "src/home/a", "GET /workers"])
def test_a_harmless_text_passes(text: str) -> None:
    assert list(forbidden_texts(Source("a.py", text))) == []
