"""`log_prompt_execution` given nonsense, or a log that fails: it raises nothing, and a loss is never silent."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cuewire
from cuewire.compat.prompt_templates import log_prompt_execution, logger, lost_records
from tests.support.logged_programs import TEMPLATE, LoggedProgram, stored

pytestmark = [pytest.mark.parametrize("kind", ["sqlite"], indirect=True), pytest.mark.usefixtures("app")]

NONSENSE: dict[str, dict[str, Any]] = {
    "no template": {"template_key": None},
    "template with a surrogate": {"template_key": "\ud800"},
    "empty template": {"template_key": ""},
    "success as a word": {"success": "yes"},
    "time that is no number": {"response_time_ms": float("nan")},
    "time without end": {"response_time_ms": float("inf")},
    "time below zero": {"response_time_ms": -0.1},
    "time as text": {"response_time_ms": "5"},
    "time beyond all bounds": {"response_time_ms": 10**400},
    "tokens below zero": {"input_token_count": -1},
    "tokens in part": {"output_token_count": 1.5},
    "too many tokens": {"input_token_count": 10**30},
    "cost below zero": {"cost_usd": -0.01},
    "cost that is no number": {"cost_usd": float("nan")},
    "an error that is no text": {"error_message": ValueError("no")},
    "metadata that is a list": {"metadata": ["a"]},
    "metadata that is no JSON": {"metadata": {"a": object()}},
    "metadata with a number for a key": {"metadata": {1: "a"}},
    "metadata with no number": {"metadata": {"a": float("nan")}},
    "metadata with a NUL": {"metadata": {"a\x00": "b"}},
}


@pytest.mark.contract("S1-05")
@pytest.mark.parametrize("wrong", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused_with_a_warning_and_raises_nothing(program: LoggedProgram, wrong: dict[str, Any]) -> None:
    assert log_prompt_execution(**{"template_key": TEMPLATE, "success": True, "response_time_ms": 5.0, **wrong}) is None

    assert program.lost == {"invalid_input": 1}
    assert program.warnings == ["cuewire.executions"]
    assert program.lines[0]["reason"] == "invalid_input"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
    max_leaves=10,
)


@pytest.mark.contract("S1-05")
def test_whatever_it_is_given_it_returns_an_id_or_counts_a_loss(program: LoggedProgram) -> None:
    usual: list[Any] = [TEMPLATE, True, 5.0, 1, 1, 0.5, "no", {"a": [1]}]

    @given(st.tuples(*[st.just(value) | ANYTHING for value in usual]))
    def log(told: tuple[Any, ...]) -> None:
        before = sum(lost_records().values())
        execution_id = log_prompt_execution(*told)
        assert (execution_id is None) == (sum(lost_records().values()) == before + 1)

    log()

    assert {line["event"] for line in program.lines} == {"execution.logged", "execution.lost"}
    assert program.lost.keys() <= {"invalid_input", "prompt_not_found"}


class Failing(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise OSError("nobody listens")


@contextmanager
def listening(handler: logging.Handler) -> Iterator[None]:
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


@pytest.mark.contract("S1-05")
async def test_a_log_that_fails_harms_neither_the_row_nor_the_program(app: cuewire.App, program: LoggedProgram) -> None:
    with listening(Failing()):
        execution_id = log_prompt_execution(TEMPLATE, True, 1.0)
        lost = log_prompt_execution("absent", True, 1.0)

    assert (await stored(app, execution_id)).success
    assert (lost, program.lost) == (None, {"prompt_not_found": 1})


def test_a_line_is_one_line_of_ascii_json(program: LoggedProgram) -> None:
    log_prompt_execution(TEMPLATE, False, 1.0, error_message="a\nb\u2028c", metadata={"é": "d\r\n"})

    (message,) = [one.getMessage() for one in program.log.records]
    assert message.isascii()
    assert len(message.splitlines()) == 1
    assert json.loads(message)["error_message"] == "a\nb\u2028c"
