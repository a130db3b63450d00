"""What docs/clients.md shows of a client is run as it stands: its files are written, its programs and commands run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from checks.clients.environments import PROJECT
from checks.clients.processes import run

PAGE = PROJECT / "docs" / "clients.md"
ENDS_WITHIN_S = 120
_BLOCK = re.compile(r"^```(?P<language>\w+) ?(?P<file>[\w.-]*)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
_ADDRESS = "http://127.0.0.1:8470"
"""Stands in files for the server's address."""
_GIVEN = 'import os\n\nCUE, KEY = os.environ["CUE"], os.environ["KEY"]\n'


def section(title: str) -> str:
    """Give the text below a heading of the page."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{PAGE.name} has no section {title!r}"
    return found[1]


def faults(title: str, *, folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Run the blocks of a section in a folder; yield for each program or command what is wrong, nothing if it works."""
    for block in _BLOCK.finditer(section(title)):
        language, file, text = block.groups()
        if file:
            (folder / file).write_text(text.replace(_ADDRESS, environment["CUE"]))
        elif language == "python":
            yield _fault(["python", "-c", _GIVEN + text], folder, environment)
        elif language == "sh":
            yield _fault(["bash", "-euc", text], folder, environment)


def _fault(command: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    ended = run(command, folder=folder, environment=environment, within_s=ENDS_WITHIN_S)
    return ended.fault or ("" if ended.out.strip() else "it printed nothing")
