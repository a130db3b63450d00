"""Functions and tests of our own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from jinja2 import Undefined

from cuewire.model.errors import TemplateError
from cuewire.template.compiled import CompiledTemplate
from cuewire.template.functions import GUIDE, is_blank
from cuewire.template.parse import parse

AT = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)


def render(source: str, **inputs: Any) -> str:
    return CompiledTemplate(parse(source)).render(inputs, at=AT)


@pytest.mark.contract("S3-086")
@pytest.mark.parametrize("entry", GUIDE, ids=lambda entry: entry[0])
def test_the_guide_says_what_a_function_gives(entry: tuple[str, str, str, str, str]) -> None:
    assert render(entry[3]) == entry[4]


@pytest.mark.parametrize("source", ["sum(['a'])", "sum([[1]], [])", "sum('ab')", "min()", "max([1, 'a'])", "len(1)"])
def test_what_a_function_cannot_do_is_a_typed_error(source: str) -> None:
    with pytest.raises(TemplateError):
        render("{{ " + source + " }}")


@pytest.mark.parametrize("value", [None, "", " \n", [], {}, float("nan")])
def test_missing_and_empty_values_are_blank(value: Any) -> None:
    assert render("{{ x is blank }}", x=value) == "True"


@pytest.mark.parametrize("value", [0, False, "a", [None], {"a": None}])
def test_other_values_are_not(value: Any) -> None:
    assert render("{{ x is blank }}", x=value) == "False"


def test_what_is_not_defined_is_blank_only_to_the_lenient() -> None:
    assert is_blank(Undefined())
    with pytest.raises(TemplateError, match="not given"):
        render("{{ x is blank }}")


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        ("1.5", "True False"),
        (1, "True True"),
        ("2026-01-31", "False True"),
        (None, "False False"),
        (True, "False False"),
        ("nan", "False False"),
        ("9" * 500, "False False"),
        ([], "False False"),
    ],
)
def test_values_are_told_apart_by_what_filters_take(value: Any, kinds: str) -> None:
    assert render("{{ x is number_like }} {{ x is date_like }}", x=value) == kinds
