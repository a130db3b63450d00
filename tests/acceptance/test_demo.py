"""`cuewire demo`, on the real model: every answer is recorded, and the verdict claims no more than was seen."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import cuewire
from cuewire.cli.demo_prompt import NAME, sentences
from cuewire.config import load
from tests.support.command_line import CommandLine, Ended


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def ended(folder: Path) -> Ended:
    """How the demo ended, on a terminal of 80 columns."""
    return asyncio.run(CommandLine(folder).on_terminal("demo", deadline_s=110))


def test_the_demo_ends_well_and_fits_the_terminal(ended: Ended) -> None:
    assert ended.code == 0
    assert [line for line in ended.out.splitlines() if len(line) > 80 and not line.startswith("  ")] == []


async def test_both_versions_answered_every_sentence_and_each_answer_has_its_outcome(
    folder: Path, ended: Ended
) -> None:
    assert ended.code == 0
    async with cuewire.open(f"sqlite:///{folder}/demo.db", settings=load(environment={}, folder=folder)) as app:
        records = (await app.executions.list(limit=1_000, prompt=NAME)).items
        reported = [[outcome.name for outcome in await app.executions.outcomes(record.id)] for record in records]

    assert len(records) == 2 * len(sentences()) + 1  # one to warm up
    assert {record.error_code for record in records} <= {None, "output_invalid"}
    assert {record.version for record in records} == {1, 2}
    assert reported == [["correct"]] * len(records)


async def test_the_few_shot_version_scores_higher_by_the_record(folder: Path, ended: Ended) -> None:
    assert ended.code == 0
    async with cuewire.open(f"sqlite:///{folder}/demo.db", settings=load(environment={}, folder=folder)) as app:
        records = (await app.executions.list(limit=1_000, prompt=NAME)).items
        correct = {1: 0, 2: 0}
        for record in records:
            (outcome,) = await app.executions.outcomes(record.id)
            correct[record.version] += outcome.value is True

    assert correct[2] > correct[1]


def test_the_table_and_the_verdict_claim_no_winner_on_forty_sentences(ended: Ended) -> None:
    for expected in ("1 zero-shot", "2 few-shot", "p50 / p95 ms", "Too early to tell: 40 sentences", "$0.00"):
        assert expected in ended.out
    assert "is better" not in ended.out


async def test_the_commands_that_it_ends_with_work(folder: Path, ended: Ended) -> None:
    cue = CommandLine(folder, {"CUEWIRE_DATABASE_URL": f"sqlite:///{folder}/demo.db"})
    lines = [line.strip().removeprefix("python -m cuewire.cli ") for line in ended.out.splitlines()]
    commands = [line.split() for line in lines if line.startswith(("executions show", "prompts "))]

    codes = [(await cue(*command)).code for command in commands]

    assert codes == [0, 0, 0]
