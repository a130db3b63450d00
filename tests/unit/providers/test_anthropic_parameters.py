from __future__ import annotations

from typing import Any

import pytest

from cuewire.model.errors import InvalidInput
from cuewire.providers.anthropic_parameters import DEFAULT_MAX_TOKENS, translated, wanted_schema

ADD = {"type": "function", "function": {"name": "add", "description": "Adds", "parameters": {"type": "object"}}}


def made(**parameters: Any) -> dict[str, Any]:
    """Return what becomes of the parameters, without the bound that is always there."""
    body = translated(parameters)
    assert body.pop("max_tokens") == DEFAULT_MAX_TOKENS
    return body


@pytest.mark.parametrize(
    ("parameters", "bound"),
    [
        ({}, DEFAULT_MAX_TOKENS),
        ({"max_tokens": None}, DEFAULT_MAX_TOKENS),
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 7}, 7),
        ({"max_tokens": 5, "max_completion_tokens": 7}, 7),
    ],
)
def test_bound_on_the_answer_has_one_name(parameters: dict[str, Any], bound: int) -> None:
    assert translated(parameters) == {"max_tokens": bound}


def test_sampling_is_sent_as_it_is() -> None:
    assert made(temperature=1, top_p=0.9, top_k=40) == {"temperature": 1, "top_p": 0.9, "top_k": 40}


@pytest.mark.parametrize(("stop", "sequences"), [("END", ["END"]), (["A", "B"], ["A", "B"])])
def test_stop_becomes_stop_sequences(stop: object, sequences: list[str]) -> None:
    assert made(stop=stop) == {"stop_sequences": sequences}


@pytest.mark.parametrize("stop", [None, "", []])
def test_stop_that_stops_nothing_is_left_out(stop: object) -> None:
    assert made(stop=stop) == {}


def test_seed_is_dropped_and_what_concerns_storage_too() -> None:
    assert made(seed=7, store=True, prompt_cache_key="k", prompt_cache_retention="24h") == {}


@pytest.mark.parametrize(
    ("parameters", "user"),
    [
        ({"user": "u1"}, "u1"),
        ({"user": "u1", "safety_identifier": "s1"}, "s1"),
        ({"user": "u1", "metadata": {"user_id": "m1", "team": "x"}}, "m1"),
    ],
)
def test_user_becomes_metadata(parameters: dict[str, Any], user: str) -> None:
    assert made(**parameters) == {"metadata": {"user_id": user}}


def test_labels_of_a_request_are_left_out() -> None:
    assert made(metadata={"team": "x"}) == {}


def test_functions_become_tools() -> None:
    strict = {"type": "function", "function": {"name": "now", "strict": True}}
    own = {"type": "web_search_20250305", "name": "web_search"}

    assert made(tools=[ADD, strict, own])["tools"] == [
        {"name": "add", "description": "Adds", "input_schema": {"type": "object"}},
        {"name": "now", "strict": True, "input_schema": {"type": "object", "properties": {}}},
        own,
    ]


@pytest.mark.parametrize(
    ("choice", "theirs"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ({"type": "function", "function": {"name": "add"}}, {"type": "tool", "name": "add"}),
        ({"type": "any"}, {"type": "any"}),
    ],
)
def test_tool_choice_is_translated(choice: object, theirs: dict[str, Any]) -> None:
    assert made(tools=[ADD], tool_choice=choice)["tool_choice"] == theirs


@pytest.mark.parametrize(
    ("choice", "theirs"),
    [
        ({}, {"type": "auto", "disable_parallel_tool_use": True}),
        ({"tool_choice": "required"}, {"type": "any", "disable_parallel_tool_use": True}),
        ({"tool_choice": "none"}, {"type": "none"}),
    ],
)
def test_one_tool_at_a_time_is_said_with_the_choice(choice: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert made(tools=[ADD], parallel_tool_calls=False, **choice)["tool_choice"] == theirs


def test_tools_side_by_side_need_no_word() -> None:
    assert "tool_choice" not in made(tools=[ADD], parallel_tool_calls=True)
    assert made(parallel_tool_calls=False) == {}


@pytest.mark.parametrize(
    ("effort", "theirs"),
    [("minimal", "low"), ("low", "low"), ("medium", "medium"), ("high", "high"), ("xhigh", "xhigh")],
)
def test_reasoning_effort_becomes_effort(effort: str, theirs: str) -> None:
    assert made(reasoning_effort=effort) == {"output_config": {"effort": theirs}}


def test_no_effort_switches_thinking_off() -> None:
    own = {"type": "adaptive"}

    assert made(reasoning_effort="none") == {"thinking": {"type": "disabled"}}
    assert made(reasoning_effort="none", thinking=own) == {"thinking": own}


def test_names_of_anthropics_own_are_sent_as_they_are() -> None:
    own = {"thinking": {"type": "adaptive"}, "cache_control": {"type": "ephemeral"}, "service_tier": "auto"}

    assert made(**own) == own


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("frequency_penalty", 0.5),
        ("presence_penalty", -1),
        ("logit_bias", {"50256": -100}),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("modalities", ["audio"]),
        ("verbosity", "low"),
        ("functions", [{"name": "f"}]),
        ("temperature", 1.5),
        ("system", "Be brief"),
        ("tools", "add"),
        ("tools", 7),
        ("tool_choice", "sometimes"),
        ("tool_choice", {"type": "allowed_tools"}),
        ("tool_choice", 7),
        ("reasoning_effort", "immense"),
        ("reasoning_effort", ["low"]),
        ("output_config", "high"),
    ],
)
def test_what_has_no_equivalent_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        translated({name: value})

    assert (caught.value.field, f"'{name}'" in caught.value.message) == (f"/parameters/{name}", True)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [("frequency_penalty", 0), ("presence_penalty", 0.0), ("logprobs", False), ("logit_bias", {}), ("verbosity", None)],
)
def test_value_that_changes_nothing_is_left_out(name: str, value: object) -> None:
    assert made(**{name: value}) == {}


@pytest.mark.parametrize(
    ("form", "schema"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, {}),
        ({"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "string"}}}, {"type": "string"}),
    ],
)
def test_response_format_asks_for_a_schema(form: dict[str, Any], schema: object) -> None:
    assert wanted_schema(form) == schema
    assert made(response_format=form) == {}


@pytest.mark.parametrize("form", [{"type": "xml"}, {"type": "json_schema", "json_schema": {}}, "json", None])
def test_response_format_that_is_not_known_is_refused(form: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        wanted_schema(form)

    assert caught.value.field == "/parameters/response_format"
