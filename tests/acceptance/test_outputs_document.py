"""The page about outputs tells of every kind, and each answer that it shows is taken, or not, as it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from cuewire.engine.check import parse_answer
from cuewire.files import yaml
from cuewire.model.errors import OutputError
from cuewire.model.outputs import JsonOutput, OutputKind, parse_output
from cuewire.model.results import Answer
from cuewire.model.usage import Usage

PAGE = (Path(__file__).parents[2] / "docs/outputs.md").read_text()
ROW = re.compile(r"^\| `(?P<output>[^`]+)` \| `(?P<answer>[^`]+)` \| (?P<value>not valid|`.+`) \|$", re.MULTILINE)
ROWS = [found.groups() for found in ROW.finditer(PAGE)]


def value_of(output: str, text: str) -> Any:
    """Return the value of an answer where an author wrote this output, "not valid" if it has none."""
    try:
        return parse_answer(Answer(text=text, finish_reason="stop", usage=Usage()), parse_output(yaml.read(output)))
    except OutputError:
        return "not valid"


@pytest.mark.parametrize(("output", "answer", "value"), ROWS)
def test_each_answer_on_the_page_is_taken_as_it_says(output: str, answer: str, value: str) -> None:
    assert value_of(output, answer) == (value if value == "not valid" else msgspec.json.decode(value.strip("`")))


def test_the_page_shows_every_kind_and_an_answer_that_is_not_valid() -> None:
    shown = {type(parse_output(yaml.read(output))) for output, _, _ in ROWS}

    assert shown | {type(parse_output(None))} == set(get_args(OutputKind))
    assert sum(value == "not valid" for _, _, value in ROWS) > 5


def test_the_example_on_the_page_means_the_schema_that_the_marks_say() -> None:
    (written,) = re.findall(r"```json\n(.+?)\n```", PAGE, re.DOTALL)

    kind = parse_output(msgspec.json.decode(written))

    assert isinstance(kind, JsonOutput)
    assert sorted(kind.json_schema["properties"]) == ["due", "severity", "tags", "title"]
    assert kind.json_schema["required"] == ["title", "severity", "tags"]
