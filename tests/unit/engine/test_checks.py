"""Test cases of a version: what passes, what fails, and why."""

from __future__ import annotations

from typing import Any

import pytest

from cuewire.engine.checks import why_failed
from cuewire.model.results import Result
from cuewire.model.reviews import Check
from cuewire.model.usage import Usage


def result(value: Any, text: str = "") -> Result:
    return Result(
        id="01890000-0000-7000-8000-000000000000",
        value=value,
        text=text,
        prompt="greet",
        version=2,
        model="scripted/echo",
        finish_reason="stop",
        usage=Usage(),
        cost_usd=None,
        cost_basis="unknown",
        duration_ms=1.0,
        first_token_ms=None,
    )


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        (None, "anything"),
        ("bug", "bug"),
        (1, 1.0),
        (True, True),
        ({"a": [1, {"b": None}]}, {"a": [1.0, {"b": None}]}),
        ([], []),
    ],
)
def test_an_equal_value_passes_whatever_form_its_numbers_have(expected: Any, value: Any) -> None:
    assert why_failed(Check(name="c", expected=expected), result(value)) == ""


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("bug", "idea"),
        (1, True),
        (False, 0),
        ([1], [True]),
        ([1, 2], [1]),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1}, [["a", 1]]),
        ("1", 1),
    ],
)
def test_another_value_fails_and_both_are_named(expected: Any, value: Any) -> None:
    why = why_failed(Check(name="c", expected=expected), result(value))

    assert repr(value) in why
    assert repr(expected) in why


def test_the_answer_must_hold_each_text() -> None:
    check = Check(name="c", contains=("Hello", "Ada", "Bob"))

    assert why_failed(check, result("x", text="Hello Ada and Bob")) == ""
    assert why_failed(check, result("x", text="Hello")) == "the answer does not hold 'Ada', 'Bob'"


def test_a_reason_stays_short() -> None:
    check = Check(name="c", expected="x" * 10_000, contains=("y" * 10_000,))

    assert len(why_failed(check, result("z" * 10_000))) < 500
