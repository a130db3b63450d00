from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.engine.check import asked_again, parse_answer
from cuewire.model.errors import OutputError
from cuewire.model.outputs import (
    BooleanOutput,
    ChoiceOutput,
    DateOutput,
    JsonOutput,
    NumberOutput,
    OutputKind,
    TextOutput,
    parse_output,
)
from cuewire.model.requests import ToolCall
from cuewire.model.results import Answer
from cuewire.model.usage import Usage

SCHEMA = {
    "type": "object",
    "properties": {"stars": {"type": "integer", "minimum": 1}, "tag": {"type": "string", "pattern": "^(a+)+$"}},
    "required": ["stars"],
}


def answer(text: str) -> Answer:
    return Answer(text=text, finish_reason="stop", usage=Usage())


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (" as it came\n", TextOutput(), " as it came\n"),
        ("bug", ChoiceOutput(choices=("bug", "idea")), "bug"),
        (' "Bug".\n', ChoiceOutput(choices=("bug", "idea")), "bug"),
        ("**IDEA**", ChoiceOutput(choices=("bug", "idea")), "idea"),
        ("n/a.", ChoiceOutput(choices=("n/a.", "ok")), "n/a."),
        ("12", NumberOutput(), 12),
        (" -1.5e3 ", NumberOutput(), -1500.0),
        (".5", NumberOutput(), 0.5),
        ("12.", NumberOutput(), 12),
        ('**"12"**.', NumberOutput(), 12),
        ("`-0.5`\n", NumberOutput(), -0.5),
        ("2026-11-21", DateOutput(), "2026-11-21"),
        (' "2026-11-21".\n', DateOutput(), "2026-11-21"),
        ("**2026-11-21 14:30**", DateOutput(), "2026-11-21T14:30:00"),
        ("2026-11-21T14:30:00+01:00", DateOutput(), "2026-11-21T13:30:00Z"),
        ("Yes.", BooleanOutput(), True),
        ("0", BooleanOutput(), False),
        ('{"stars": 4}', JsonOutput(json_schema=SCHEMA), {"stars": 4}),
        ('```json\n{"stars": 4}\n```', JsonOutput(json_schema=SCHEMA), {"stars": 4}),
        ("[1, null]", JsonOutput(json_schema={}), [1, None]),
    ],
)
def test_an_answer_of_its_kind_has_a_value(text: str, kind: OutputKind, value: Any) -> None:
    parsed = parse_answer(answer(text), kind)

    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("text", "kind", "problem"),
    [
        ("It is a bug", ChoiceOutput(choices=("bug", "idea")), "none of: bug, idea"),
        ("", ChoiceOutput(choices=tuple(f"c{n}" for n in range(11))), "none of: c0"),
        ("12 apples", NumberOutput(), "not a number"),
        ("1,234", NumberOutput(), "not a number"),
        ("1.234,5", NumberOutput(), "not a number"),
        ("12,5", NumberOutput(), "not a number"),
        ("1 234", NumberOutput(), "not a number"),
        ("1_234", NumberOutput(), "not a number"),
        ("1'234", NumberOutput(), "not a number"),
        ("12 %", NumberOutput(), "not a number"),
        ("$12", NumberOutput(), "not a number"),
        ("12...", NumberOutput(), "not a number"),
        (".", NumberOutput(), "not a number"),
        ("0x10", NumberOutput(), "not a number"),
        ("on 2026-11-21", DateOutput(), "not an ISO 8601 date"),
        ("2026-02-30", DateOutput(), "not an ISO 8601 date"),
        ("21.11.2026", DateOutput(), "not an ISO 8601 date"),
        ("20261121", DateOutput(), "not an ISO 8601 date"),
        ("", DateOutput(), "not an ISO 8601 date"),
        ('{"due": "soon"}', parse_output({"example": {"due:date": None}}), "schema at /due"),
        ('{"name": "Ada"}', parse_output({"example": {"name": "Ada", "age": 36}}), "schema at /"),
        ("1e999", NumberOutput(), "not a number"),
        ("NaN", NumberOutput(), "not a number"),
        ("maybe", BooleanOutput(), "neither yes nor no"),
        ("{stars: 4}", JsonOutput(json_schema={}), "not JSON"),
        ('{"a": NaN}', JsonOutput(json_schema={}), "NaN"),
        ('{"a": 1e999}', JsonOutput(json_schema={}), "too large"),
        ('{"a": 1, "a": 2}', JsonOutput(json_schema={}), "same key twice"),
        ("[" * 100_000, JsonOutput(json_schema={}), "nested too deeply"),
        ('{"stars": 0}', JsonOutput(json_schema=SCHEMA), "schema at /stars"),
        ("{}", JsonOutput(json_schema=SCHEMA), "schema at /"),
        ('{"stars": 1, "tag": "' + "a" * 50_000 + '!"}', JsonOutput(json_schema=SCHEMA), "schema at /tag"),
    ],
)
def test_an_answer_of_another_kind_is_refused_and_kept(text: str, kind: OutputKind, problem: str) -> None:
    with pytest.raises(OutputError) as caught:
        parse_answer(answer(text), kind)

    assert problem in caught.value.message
    assert caught.value.text == text
    assert len(caught.value.message) < 500


def test_tool_calls_are_not_held_to_the_output_kind() -> None:
    asked = Answer(
        text="", finish_reason="tool_calls", usage=Usage(), tool_calls=(ToolCall(id="1", name="f", arguments="{}"),)
    )

    assert parse_answer(asked, NumberOutput()) == ""


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (ChoiceOutput(choices=("bug", "idea")), "exactly one of these: bug, idea"),
        (NumberOutput(), "one number, of digits and at most one decimal point"),
        (BooleanOutput(), "yes or no"),
        (DateOutput(), "one ISO 8601 date or date-time, such as 2026-11-21"),
        (JsonOutput(json_schema={}), "with JSON and nothing else"),
        (
            parse_output({"example": {"age": 36}}),
            'schema: {"type": "object", "properties": {"age": {"type": "number"}}',
        ),
        (TextOutput(), "with text and nothing else"),
    ],
)
def test_a_model_is_told_what_was_wrong_and_what_is_wanted(kind: OutputKind, wanted: str) -> None:
    told = asked_again(OutputError("it is no good", text="x"), kind)

    assert told.startswith("This answer cannot be used: it is no good. Answer again, with ")
    assert wanted in told


ANSWERS = st.text() | st.from_regex(r"[\"'`*]?[0-9T:. Zz+-]{0,26}[.]?") | st.from_regex(r"\{.*\}")


@given(
    ANSWERS,
    st.sampled_from(
        [
            *(ChoiceOutput(choices=("a", "b")), NumberOutput(), BooleanOutput(), DateOutput()),
            *(JsonOutput(json_schema={}), parse_output({"example": {"due:date": None, "tags?:[1+]": ["a"]}})),
        ]
    ),
)
def test_any_answer_gives_a_value_or_one_typed_error(text: str, kind: OutputKind) -> None:
    outcomes = []
    for _ in range(2):
        try:
            outcomes.append((parse_answer(answer(text), kind), ""))
        except OutputError as error:
            outcomes.append((None, error.text))

    assert outcomes[0] == outcomes[1]
    assert outcomes[0][1] in ("", text)
