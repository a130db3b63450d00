"""Decisions are numbered and complete; the list of contracts is whole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tests.ratchets.sources import ROOT

SECTIONS = ["Context", "Decision", "Consequences", "What would change it"]
MAX_DECISION_LINES = 60
CONTRACTS = {"S0": 35, "S1": 58, "S2": 58, "S3": 148, "S4": 40}


def decision_faults(texts: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with the decisions, given as file name to text, in order."""
    for number, (name, text) in enumerate(texts.items()):
        if not re.fullmatch(rf"{number:04}-[a-z0-9-]+\.md", name):
            yield f"{name} should begin with {number:04}-"
        if re.findall(r"^## (.+)$", text, re.MULTILINE) != SECTIONS:
            yield f"{name} should have the sections {', '.join(SECTIONS)}"
        if text.count("\n") > MAX_DECISION_LINES or not text.startswith("# "):
            yield f"{name} should have a title and fit a page"


def contract_faults(lines: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the list of contracts."""
    ids = [line.partition("\t")[0] for line in lines]
    digits = {group: 3 if count > 99 else 2 for group, count in CONTRACTS.items()}
    if ids != [f"{group}-{n:0{digits[group]}}" for group, count in CONTRACTS.items() for n in range(1, count + 1)]:
        yield f"the ids are not consecutive, or the counts differ: {Counter(name[:2] for name in ids)}"
    for line in lines:
        title = line.partition("\t")[2]
        if not title or len(title) > 80 or "\t" in title or title != title.strip():
            yield f"the title should be one short text: {line}"


def test_every_decision_is_numbered_and_has_its_sections() -> None:
    texts = {path.name: path.read_text() for path in sorted((ROOT / "docs/adr").iterdir())}

    assert len(texts) > 1
    assert list(decision_faults(texts)) == []


def test_every_contract_is_listed_once() -> None:
    lines = (ROOT / "docs/contracts.tsv").read_text().splitlines()

    assert len(lines) == 339
    assert list(contract_faults(lines)) == []


def test_a_gap_a_missing_section_and_a_long_decision_are_found() -> None:
    whole = "# Title\n" + "".join(f"## {section}\n" for section in SECTIONS)
    texts = {
        "0000-a.md": whole,
        "0002-b.md": whole,
        "0002-c.md": "# Title\n## Context\n",
        "0003-d.md": whole + "\n" * 60,
    }

    assert [fault.split(" ", 1)[0] for fault in decision_faults(texts)] == ["0002-b.md", "0002-c.md", "0003-d.md"]


def test_a_missing_contract_and_a_bad_title_are_found() -> None:
    lines = (ROOT / "docs/contracts.tsv").read_text().splitlines()

    assert len(list(contract_faults(lines[1:]))) == 1
    assert len(list(contract_faults([lines[0] + "x" * 80, *lines[1:]]))) == 1
