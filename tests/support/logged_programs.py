"""This process as a program that logs its executions: its database, what it said in the log, and what it lost."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

import cuewire
from cuewire.compat.prompt_templates import close_database, lost_records
from cuewire.model.executions import ExecutionDetail

TEMPLATE = "nlu_extraction_gemini_25"


@dataclass
class LoggedProgram:
    """What came of the calls since its begin."""

    log: pytest.LogCaptureFixture
    lost_before: Counter[str]

    @property
    def lost(self) -> dict[str, int]:
        """How many records were lost, by reason."""
        return dict(Counter(lost_records()) - self.lost_before)

    @property
    def lines(self) -> list[Any]:
        """The structured records, as values."""
        return [json.loads(one.getMessage()) for one in self.log.records if one.name == "cuewire.executions"]

    @property
    def warnings(self) -> list[str]:
        """The names of whoever warned, of all that this process has."""
        return [one.name for one in self.log.records if one.levelno >= logging.WARNING]


@contextmanager
def logged_program(url: str, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture) -> Iterator[LoggedProgram]:
    """Let this process log into a database; it has let go of that when the block ends."""
    monkeypatch.setenv("DATABASE_URL", url)
    log.set_level(logging.INFO, "cuewire.executions")
    close_database()
    try:
        yield LoggedProgram(log, Counter(lost_records()))
    finally:
        close_database()


async def stored(app: cuewire.App, execution_id: str | None) -> ExecutionDetail:
    assert execution_id is not None
    return await app.executions.get(execution_id)
