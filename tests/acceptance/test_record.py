"""The record holds whatever happens; and where it cannot be written, nothing is lost and nothing is hidden."""

from __future__ import annotations

import resource
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

import cuewire
from cuewire.model.errors import CuewireError, InvalidInput, RateLimited, RecordNotWritten, StoreFull
from cuewire.model.requests import ModelRequest
from cuewire.providers.scripted import Reply, Scripted
from cuewire.wiring import connect
from tests.acceptance.conftest import SettingsMaker

Answer: TypeAlias = Callable[[ModelRequest], Reply]
LARGE = "x" * 2_000_000


@contextmanager
def no_room(path: Path) -> Iterator[None]:
    """Let no file of this process grow larger than the database is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def answers() -> list[Answer]:
    """What the model does, in order; tests append to it."""
    return []


@pytest.fixture
async def app(make_settings: SettingsMaker, answers: list[Answer]) -> AsyncIterator[cuewire.App]:
    model = Scripted(lambda request: answers.pop(0)(request))
    app = await connect(settings=make_settings(), providers={"scripted": model})
    await app.prompts.publish("greet", "Hello {{ name }}", model="scripted/any")
    yield app
    await app.close()


async def test_an_answer_whose_record_finds_no_room_is_handed_over_with_the_error(
    app: cuewire.App, answers: list[Answer], tmp_path: Path
) -> None:
    answers += [lambda _: Reply(text=LARGE), lambda _: Reply(text="short")]

    with no_room(tmp_path / "cue.db"), pytest.raises(RecordNotWritten) as caught:
        await app.run("greet", {"name": "Ada"})

    error = caught.value
    assert error.text == LARGE
    assert isinstance(error.__cause__, StoreFull)
    assert error.execution_id is not None
    assert str(error).startswith(f"the record of execution {error.execution_id} could not be written: ")
    assert error.hint == "make room, then try again"
    result = await app.run("greet", {"name": "Ada"})
    assert [one.id for one in (await app.executions.list(status="succeeded")).items] == [result.id]


async def test_a_failure_whose_record_finds_no_room_is_told_behind_that(
    app: cuewire.App, answers: list[Answer], tmp_path: Path
) -> None:
    answers.append(lambda _: Reply(text=LARGE, error=RateLimited("slow down")))

    with no_room(tmp_path / "cue.db"), pytest.raises(RecordNotWritten) as caught:
        await app.stream("greet", {"name": "Ada"}).result()

    assert caught.value.text == LARGE
    assert caught.value.execution_id is not None
    assert isinstance(caught.value.__cause__, RateLimited)


async def test_a_fault_inside_is_recorded_by_its_kind_and_says_nothing_else(
    app: cuewire.App, answers: list[Answer]
) -> None:
    def fail(_: ModelRequest) -> Reply:
        raise LookupError("canary-of-an-inner-state")

    answers.append(fail)

    with pytest.raises(LookupError):
        await app.run("greet", {"name": "Ada"})

    (found,) = (await app.executions.list()).items
    record = await app.executions.get(found.id)
    assert (record.status, record.error_code) == ("failed", "internal_error")
    assert record.error_message == "LookupError inside Cuewire"
    assert "canary" not in str(record)


async def test_unstorable_text_inside_json_is_kept_with_marks(app: cuewire.App, answers: list[Answer]) -> None:
    text = r'{"a\ud800": ["b\udfff", 1, null, {"c": true}]}'
    answers.append(lambda _: Reply(text=text))
    await app.prompts.publish("json", "Hello", model="scripted/any", output="json")

    result = await app.run("json")

    record = await app.executions.get(result.id)
    assert record.text == text
    assert record.value == {"a\ufffd": ["b\ufffd", 1, None, {"c": True}]}


async def test_a_key_whose_request_was_wrong_brings_the_same_error_back(app: cuewire.App) -> None:
    errors: list[CuewireError] = []
    for _ in range(2):
        with pytest.raises(InvalidInput) as caught:
            await app.run("greet", {}, idempotency_key="k")
        errors.append(caught.value)

    first, again = errors
    assert first is not again
    assert (again.message, again.hint, again.field) == (first.message, first.hint, "/inputs/name")
    assert again.execution_id == first.execution_id is not None
    assert len((await app.executions.list()).items) == 1


async def test_executions_are_listed_by_a_status_that_exists(app: cuewire.App) -> None:
    with pytest.raises(InvalidInput, match="'done' is not a status; one of pending, running, succeeded") as caught:
        await app.executions.list(status="done")  # type: ignore[arg-type]  # what a caller may do

    assert caught.value.field == "/status"
