"""The record holds whatever happens; and where it cannot be written, nothing is lost and nothing is hidden."""

from __future__ import annotations

import os
import resource
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

import cuewire
from cuewire.model.errors import CuewireError, InvalidInput, RateLimited, RecordNotWritten
from cuewire.model.requests import ModelRequest
from cuewire.providers.scripted import Reply, Scripted
from cuewire.wiring import connect
from tests.acceptance.conftest import SettingsMaker
from tests.support.cuewire_server import CuewireServer
from tests.support.model_server import ModelServer, completion, plain

Answer: TypeAlias = Callable[[ModelRequest], Reply]
LARGE = "x" * 2_000_000


@contextmanager
def no_room(path: Path, process: int) -> Iterator[None]:
    """Let no file of a process grow much larger than the database, or its log, is now."""
    soft, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
    largest = max(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
    resource.prlimit(process, resource.RLIMIT_FSIZE, (largest + 500_000, hard))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def answers() -> list[Answer]:
    """What the model does, in order; tests append to it."""
    return []


@pytest.fixture
async def local_app(make_local_settings: SettingsMaker, answers: list[Answer]) -> AsyncIterator[cuewire.App]:
    """Open Cuewire in this process, with a model that is a function."""
    model = Scripted(lambda request: answers.pop(0)(request))
    app = await connect(settings=make_local_settings(), providers={"scripted": model})
    await app.prompts.publish("greet", "Hello {{ name }}", model="scripted/any")
    yield app
    await app.close()


@pytest.mark.parametrize("way", ["library", "server"], indirect=True)
async def test_an_answer_whose_record_finds_no_room_is_handed_over_with_the_error(
    app: cuewire.App, server: ModelServer, tmp_path: Path, servers: list[CuewireServer]
) -> None:
    server.script(plain(completion(LARGE)), plain(completion("short")))
    process = servers[0].pid if servers else os.getpid()

    with no_room(tmp_path / "cue.db", process), pytest.raises(RecordNotWritten) as caught:
        await app.run("triage", {"text": "x"})

    error = caught.value
    assert error.text == LARGE
    assert error.execution_id is not None
    assert str(error).startswith(f"the record of execution {error.execution_id} could not be written: ")
    assert error.hint == "make room, then try again"
    result = await app.run("triage", {"text": "x"})
    assert [one.id for one in (await app.executions.list(status="succeeded")).items] == [result.id]


@pytest.mark.parametrize("way", ["library"], indirect=True)
async def test_a_failure_whose_record_finds_no_room_is_told_behind_that(
    local_app: cuewire.App, answers: list[Answer], tmp_path: Path
) -> None:
    answers.append(lambda _: Reply(text=LARGE, error=RateLimited("slow down")))

    with no_room(tmp_path / "cue.db", os.getpid()), pytest.raises(RecordNotWritten) as caught:
        await local_app.stream("greet", {"name": "Ada"}).result()

    assert caught.value.text == LARGE
    assert caught.value.execution_id is not None
    assert isinstance(caught.value.__cause__, RateLimited)


@pytest.mark.parametrize("way", ["library", "postgres"], indirect=True)
async def test_a_fault_inside_is_recorded_by_its_kind_and_says_nothing_else(
    local_app: cuewire.App, answers: list[Answer]
) -> None:
    def fail(_: ModelRequest) -> Reply:
        raise LookupError("canary-of-an-inner-state")

    answers.append(fail)

    with pytest.raises(LookupError):
        await local_app.run("greet", {"name": "Ada"})

    (found,) = (await local_app.executions.list()).items
    record = await local_app.executions.get(found.id)
    assert (record.status, record.error_code) == ("failed", "internal_error")
    assert record.error_message == "LookupError inside Cuewire"
    assert "canary" not in str(record)


@pytest.mark.parametrize("way", ["library", "postgres"], indirect=True)
async def test_unstorable_text_inside_json_is_kept_with_marks(local_app: cuewire.App, answers: list[Answer]) -> None:
    text = r'{"a\ud800": ["b\udfff", 1, null, {"c": true}]}'
    answers.append(lambda _: Reply(text=text))
    await local_app.prompts.publish("json", "Hello", model="scripted/any", output="json")

    result = await local_app.run("json")

    record = await local_app.executions.get(result.id)
    assert record.text == text
    assert result.value == record.value == {"a\ufffd": ["b\ufffd", 1, None, {"c": True}]}


async def test_a_key_whose_request_was_wrong_brings_the_same_error_back(app: cuewire.App) -> None:
    errors: list[CuewireError] = []
    for _ in range(2):
        with pytest.raises(InvalidInput) as caught:
            await app.run("triage", {}, idempotency_key="k")
        errors.append(caught.value)

    first, again = errors
    assert first is not again
    assert (again.message, again.hint, again.field) == (first.message, first.hint, "/inputs/text")
    assert again.execution_id == first.execution_id is not None
    assert len((await app.executions.list()).items) == 1


async def test_executions_are_listed_by_a_status_that_exists(app: cuewire.App) -> None:
    with pytest.raises(InvalidInput, match="pending.+running.+succeeded") as caught:
        await app.executions.list(status="done")  # type: ignore[arg-type]  # what a caller may do

    assert caught.value.field == "/status"
