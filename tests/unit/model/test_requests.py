from __future__ import annotations

from typing import Any

import pytest

from cuewire.model.errors import InvalidInput
from cuewire.model.orders import parse_order
from cuewire.model.outcomes import check_outcome
from cuewire.model.outputs import BooleanOutput, ChoiceOutput, JsonOutput, NumberOutput, TextOutput, parse_output
from cuewire.model.requests import ModelRef, check_parameters, parse_model
from cuewire.model.usage import Usage


@pytest.mark.parametrize(
    ("text", "provider", "model"),
    [
        ("openai/gpt-4o-mini", "openai", "gpt-4o-mini"),
        ("openrouter/google/gemini-2.5-pro:free", "openrouter", "google/gemini-2.5-pro:free"),
        ("ollama/llama3.2:1b@sha", "ollama", "llama3.2:1b@sha"),
    ],
)
def test_a_model_is_split_at_the_first_slash(text: str, provider: str, model: str) -> None:
    parsed = parse_model(text)

    assert parsed == ModelRef(provider=provider, model=model)
    assert str(parsed) == text


@pytest.mark.parametrize(
    "text", ["", "gpt-4o", "/x", "openai/", "Open AI/x", "openai/x\r\nX-Evil: 1", "openai/ü", None]
)
def test_other_texts_are_no_model(text: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_model(text)

    assert caught.value.field == "/model"


def test_parameters_that_are_sensible_or_unknown_pass() -> None:
    parameters = {"temperature": 0, "top_p": 1.0, "max_tokens": 1, "seed": 7, "reasoning_effort": "low"}

    check_parameters(parameters)

    assert parameters["temperature"] == 0


def test_all_unusable_parameters_are_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_parameters({"temperature": 3, "api_base": "http://evil", "max_tokens": True, "X-Y": 1, "top_p": "a"})

    assert [pointer for pointer, _ in caught.value.problems] == [
        "/parameters/temperature",
        "/parameters/api_base",
        "/parameters/max_tokens",
        "/parameters/X-Y",
        "/parameters/top_p",
    ]
    assert "temperature must be a number from 0 to 2" in caught.value.message


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"prompt": "No"}, "/prompt"),
        ({"inputs": ["a"]}, "/inputs"),
        ({"inputs": {"a": float("nan")}}, "/inputs/a"),
        ({"model": "gpt"}, "/model"),
        ({"parameters": {"n": 2}}, "/parameters/n"),
        ({"metadata": {"a": "\x00"}}, "/metadata/a"),
        ({"idempotency_key": ""}, "/idempotency_key"),
        ({"idempotency_key": "x" * 256}, "/idempotency_key"),
        ({"timeout_s": 0}, "/timeout_s"),
        ({"timeout_s": float("nan")}, "/timeout_s"),
    ],
)
def test_an_order_is_refused_with_the_place_that_is_wrong(given: dict[str, Any], field: str) -> None:
    options = {"prompt": "greet", "inputs": {}} | given

    with pytest.raises(InvalidInput) as caught:
        parse_order(options.pop("prompt"), options.pop("inputs"), **options)

    assert caught.value.field == field


def test_an_order_keeps_what_was_asked_for() -> None:
    order = parse_order("greet@2", {"name": "Ada"}, model="scripted/echo", timeout_s=5, idempotency_key="k")

    assert (str(order.reference), order.inputs, order.model) == ("greet@2", {"name": "Ada"}, "scripted/echo")
    assert (order.parameters, order.metadata, order.timeout_s, order.idempotency_key) == ({}, {}, 5, "k")
    assert parse_order("greet", None).inputs == {}


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (None, TextOutput()),
        ("text", TextOutput()),
        ("number", NumberOutput()),
        ("boolean", BooleanOutput()),
        ("json", JsonOutput(json_schema={})),
        (["bug", "idea"], ChoiceOutput(choices=("bug", "idea"))),
        ({"type": "object"}, JsonOutput(json_schema={"type": "object"})),
    ],
)
def test_an_output_kind_is_a_name_choices_or_a_schema(spec: Any, kind: object) -> None:
    assert parse_output(spec) == kind


@pytest.mark.parametrize(
    "spec", ["xml", ["one"], ["a", "A"], ["a", " b"], ["a", ""], ["a", 1], {"a": b""}, ["a", "\x00"]]
)
def test_other_output_kinds_are_refused(spec: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_output(spec)

    assert caught.value.field.startswith("/output")


@pytest.mark.parametrize(("name", "value"), [("correct", True), ("stars", 4), ("score", 0.5), ("reason", "late")])
def test_an_outcome_is_a_plain_fact(name: str, value: Any) -> None:
    assert check_outcome(name, value) == value


@pytest.mark.parametrize(
    ("name", "value"), [("Correct", True), ("a", None), ("a", [1]), ("a", float("nan")), ("a", "\x00")]
)
def test_other_outcomes_are_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidInput):
        check_outcome(name, value)


@pytest.mark.contract("S1-12")
@pytest.mark.parametrize(
    ("usage", "total"),
    [
        (Usage(input_tokens=100, output_tokens=50), 150),
        (Usage(input_tokens=100), 100),
        (Usage(output_tokens=50), 50),
        (Usage(), None),
        (Usage(input_tokens=0, output_tokens=0), 0),
    ],
)
def test_total_tokens_count_a_missing_side_as_zero_and_two_as_unknown(usage: Usage, total: int | None) -> None:
    assert usage.total_tokens == total
