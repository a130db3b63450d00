"""This process as a program that loads its templates: where from, what it said in the log, and what failed."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cuewire.compat.prompt_templates import close_database, failed_loads, get_template

FILE = "---\nmodel: openai/of-the-file\nparameters:\n  temperature: 0.5\n---\nOf the file: {{ text }}\n"


@dataclass
class LoadingProgram:
    """What came of the calls since its begin, and the means to change its surroundings."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    log: pytest.LogCaptureFixture
    failed_before: Counter[str]

    @property
    def failed(self) -> dict[str, int]:
        """How often something failed, by reason."""
        return dict(Counter(failed_loads()) - self.failed_before)

    @property
    def lines(self) -> list[Any]:
        """The structured records, as values."""
        return [json.loads(one.getMessage()) for one in self.log.records if one.name == "cuewire.templates"]

    @property
    def warned(self) -> list[str]:
        """The events that the program was warned of, and by nobody else."""
        found = [one for one in self.log.records if one.levelno >= logging.WARNING]
        assert {one.name for one in found} <= {"cuewire.templates"}
        return [json.loads(one.getMessage())["event"] for one in found]

    def told(self, templates: object) -> None:
        """Let the environment tell of templates: text as it is, all else in JSON."""
        text = templates if isinstance(templates, str) else json.dumps(templates)
        self.monkeypatch.setenv("CUEWIRE_PROMPT_TEMPLATES", text)

    def filed(self, name: str, text: str = FILE) -> None:
        """Let there be a prompt file in the folder of the program."""
        path = self.folder / f"{name}.prompt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.monkeypatch.setenv("CUEWIRE_PROMPT_FOLDER", str(self.folder))

    def move(self, url: str) -> None:
        """Let the database be elsewhere."""
        self.monkeypatch.setenv("DATABASE_URL", url)
        close_database()


@contextmanager
def loading_program(
    url: str, folder: Path, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> Iterator[LoadingProgram]:
    """Let this process load templates from a database; it has let go of that when the block ends."""
    monkeypatch.setenv("CUEWIRE_DATA_FOLDER", str(folder / "data"))
    log.set_level(logging.INFO, "cuewire.templates")
    program = LoadingProgram(folder / "prompts", monkeypatch, log, Counter(failed_loads()))
    program.move(url)
    try:
        yield program
    finally:
        close_database()


def loaded(key: str) -> Mapping[str, Any]:
    """Return a template, which there has to be."""
    found = get_template(key)
    assert found is not None
    return found
