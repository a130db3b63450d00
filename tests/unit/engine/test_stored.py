"""What an idempotency key brings back: the result or the error of the execution that holds it, once that has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from cuewire.engine.stored import StoredResults
from cuewire.model.errors import (
    ContextLengthExceeded,
    CuewireError,
    InvalidInput,
    ModelNotFound,
    OutputError,
    RequestRejected,
    StillRunning,
    TemplateUndefined,
)
from cuewire.model.executions import Execution, ExecutionDetail, Failure, Status
from cuewire.model.pages import Page
from tests.support.hurry import hurried
from tests.support.stores import NOON, execution_id

HELD = ExecutionDetail(
    id=execution_id(),
    prompt="greet",
    version=3,
    label="production",
    model="scripted/echo",
    status="running",
    started_at=NOON,
    ended_at=None,
    duration_ms=250.0,
    first_token_ms=None,
    input_tokens=12,
    output_tokens=5,
    total_tokens=17,
    cost_usd=0.5,
    cost_basis="prices of today",
    finish_reason="stop",
    error_code=None,
    error_message=None,
    metadata={},
    inputs={},
    messages=None,
    text=None,
    value=None,
    tool_calls=(),
    calls=(),
    failure=None,
    sanitised=0,
    idempotency_key="key-1",
    request_hash="a" * 64,
)


class Store:
    """An execution store that shows one execution as each of the states in turn; the last one stays."""

    def __init__(self, *states: ExecutionDetail) -> None:
        self._states = list(states)

    async def get(self, execution_id: str) -> ExecutionDetail:
        assert execution_id == HELD.id
        return self._states.pop(0) if len(self._states) > 1 else self._states[0]

    async def list(
        self,
        *,
        limit: int,
        after: str | None = None,
        prompt: str | None = None,
        status: Status | None = None,
        among: Sequence[str] | None = None,
    ) -> Page[Execution]:
        raise NotImplementedError


def ended(status: Status, failure: Failure | None = None, text: str | None = None) -> ExecutionDetail:
    return msgspec.structs.replace(HELD, status=status, failure=failure, text=text, value=text)


def replayed_error(end: ExecutionDetail) -> CuewireError:
    with pytest.raises(CuewireError) as caught:
        asyncio.run(StoredResults(Store(end)).replay(HELD.id, listener=None))
    return caught.value


@pytest.mark.parametrize(("text", "heard"), [("Hello", ["Hello"]), (None, [])])
def test_one_that_still_runs_is_waited_for_and_heard_at_once(text: str | None, heard: Sequence[str]) -> None:
    texts: list[str] = []

    async def listen(text: str) -> None:
        texts.append(text)

    store = Store(HELD, HELD, HELD, ended("succeeded", text=text))

    result = hurried(StoredResults(store).replay(HELD.id, listener=listen))

    assert result
    assert (result.id, result.text, result.version, result.stored) == (HELD.id, text or "", 3, True)
    assert (result.usage.total_tokens, result.cost_usd, result.duration_ms) == (17, 0.5, 250.0)
    assert texts == heard


def test_after_two_minutes_the_caller_is_told_that_it_still_runs() -> None:
    async def waited_s() -> float:
        begun = asyncio.get_running_loop().time()
        with pytest.raises(StillRunning, match=f"{HELD.id} holds this idempotency key and still runs; ask again"):
            await StoredResults(Store(HELD)).replay(HELD.id, listener=None)
        return asyncio.get_running_loop().time() - begun

    assert 120 <= hurried(waited_s()) < 122


@pytest.mark.parametrize(
    "kind",
    [InvalidInput, ModelNotFound, OutputError, TemplateUndefined, RequestRejected, ContextLengthExceeded],
)
def test_a_failure_comes_back_as_the_error_that_it_was(kind: type[CuewireError]) -> None:
    failure = Failure(code=kind.code, message="'a' is wrong", hint="mend it", field="/inputs/a", detail="longer")

    error = replayed_error(ended("failed", failure))

    assert type(error) is kind
    assert (error.message, error.hint, error.field) == ("'a' is wrong", "mend it", "/inputs/a")
    assert error.execution_id == HELD.id


def test_a_template_error_comes_back_with_its_place() -> None:
    error = replayed_error(ended("failed", Failure(code=TemplateUndefined.code, message="absent", line=2, column=7)))

    assert isinstance(error, TemplateUndefined)
    assert (error.line, error.column) == (2, 7)


@pytest.mark.parametrize("code", ["internal_error", "code_of_a_later_cuewire"])
def test_a_failure_of_a_kind_that_is_not_known_is_told_all_the_same(code: str) -> None:
    error = replayed_error(ended("failed", Failure(code=code, message="it broke")))

    assert (type(error), error.message, error.execution_id) == (CuewireError, "it broke", HELD.id)


@pytest.mark.parametrize("status", ["cancelled", "interrupted"])
def test_one_that_was_cut_short_while_it_was_waited_for_brings_back_nothing(status: Status) -> None:
    store = Store(HELD, HELD, ended(status))

    assert hurried(StoredResults(store).replay(HELD.id, listener=None)) is None
