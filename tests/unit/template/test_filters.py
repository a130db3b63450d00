"""What holds for all filters of our own, beside their golden files."""

from __future__ import annotations

import decimal
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Undefined
from jinja2.exceptions import UndefinedError

from cuewire.model.errors import TemplateError, TemplateLimitExceeded
from cuewire.template.compiled import CompiledTemplate
from cuewire.template.environment import prompt_environment
from cuewire.template.filters import ALIASES, CUSTOM, FAMILIES, catalogue
from cuewire.template.filters.entry import Filter
from cuewire.template.parse import parse

AT = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
GIVEN = {"change": "(1)", "pluck": "('a')", "top": "(1)", "truncate_words": "(1)", "truncate_tokens": "(1)"}
PIECES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30),
    st.lists(st.sampled_from(["{", "}", "%", "#", "`", "<data>", "</data", "a b"])).map("".join),
)
SEVERAL = "{{ x | number(3) }} {{ x | compact }} {{ [x, 1] | stdev | round(3) }} {{ x | change(3) }}"


def render(source: str, **inputs: Any) -> str:
    return CompiledTemplate(parse(source)).render(inputs)


@pytest.mark.contract("S3-087")
def test_there_are_the_filters_that_the_design_names() -> None:
    named = """
        round percent currency upper date datetime time number signed abs r_multiple compact basis_points
        default_if_none truncate_words truncate_tokens tokens json from_json table bullets numbered
        yaml csv quote escape_braces slug ago duration trend_label signal_label pluck top mean median stdev change
        round_decimal format_percent format_currency datetimeformat dateformat
    """

    assert set(named.split()) == CUSTOM.keys() | ALIASES.keys()


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.name)
def test_each_filter_is_described(entry: Any) -> None:
    assert entry.signature.startswith(f"{entry.name}(")
    assert entry.description.endswith(".")
    assert f"{entry.name}" in entry.example or entry.family == "Other names"


@pytest.mark.parametrize("name", sorted(CUSTOM.keys() - {"default_if_none"}))
def test_what_is_missing_gives_the_missing_argument(name: str) -> None:
    arguments = GIVEN.get(name, "()")[1:-1]
    use = f"{name}({arguments}{', ' if arguments else ''}missing='-')"

    assert [render("{{ x | " + use + " }}", x=value) for value in (None, float("nan"), float("-inf"))] == ["-"] * 3


@pytest.mark.parametrize("name", sorted(CUSTOM.keys() - {"ago", "default_if_none"}))
def test_what_is_not_defined_is_missing_only_to_the_lenient(name: str) -> None:
    arguments = [1] if name in GIVEN else []

    assert CUSTOM[name].call(Undefined(), *arguments, missing="-") == "-"
    with pytest.raises(UndefinedError):
        CUSTOM[name].call(prompt_environment().undefined(name="x"), *arguments)


@pytest.mark.contract("S3-085")
def test_numbers_do_not_depend_on_the_decimals_of_the_program_around() -> None:
    context = decimal.Context(prec=2, rounding=decimal.ROUND_DOWN, traps=[decimal.Inexact, decimal.Rounded])

    with decimal.localcontext(context):
        text = render(SEVERAL, x=12345.6785)

    assert text == "12,345.679 12.3K 8729.006 411422.61666666664"


def test_numbers_made_by_a_template_are_held_to_the_range() -> None:
    for source in ("{{ (10 ** 250) | number }}", "{{ (7 ** 20000) | abs }}", "{{ [10 ** 250] | mean }}"):
        with pytest.raises(TemplateLimitExceeded, match="digits"):
            render(source)


@given(st.floats(-1e100, 1e100) | st.integers(-(10**30), 10**30) | st.decimals(-(10**9), 10**9).map(str))
@settings(max_examples=200)
def test_rounding_is_half_up_on_what_is_written(value: Any) -> None:
    number = decimal.Decimal(value if isinstance(value, str) else repr(value))
    with decimal.localcontext(decimal.Context(prec=500)):
        exact = number.quantize(decimal.Decimal("0.01"), decimal.ROUND_HALF_UP) + 0

    assert render("{{ x | number }}", x=value) == f"{exact:,f}"


@given(PIECES)
def test_text_of_others_cannot_leave_its_quotes(text: str) -> None:
    fenced = render("{{ x | quote }}", x=text)
    fence = fenced[: len(fenced) - len(fenced.lstrip("`"))]
    tagged = render("{{ x | quote('xml') }}", x=text)

    assert fence not in fenced[len(fence) + 1 : -len(fence)]
    assert len(re.findall(r"</\s*data\b", tagged)) == 1
    assert all(line.startswith("> ") for line in render("{{ x | quote('block') }}", x=text).splitlines())


@given(PIECES)
def test_text_without_its_braces_is_no_template(text: str) -> None:
    apart = render("{{ x | escape_braces }}", x=text)

    assert render(apart) == apart.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    assert apart.replace(" ", "") == text.replace(" ", "")


@given(PIECES, st.integers(0, 12), st.sampled_from(["", "...", " etc."]))
def test_text_cut_at_tokens_has_no_more_of_them(text: str, n: int, end: str) -> None:
    cut = CUSTOM["truncate_tokens"].call(text, n, end=end)

    assert CUSTOM["tokens"].call(cut) <= max(n, CUSTOM["tokens"].call(end))
    assert cut == text or text.startswith(cut.removesuffix(end))


def test_the_second_way_to_give_the_time_is_refused() -> None:
    with pytest.raises(TemplateError, match="at"):
        render("{{ x | ago(at=1) }}{{ now }}", x="2026-01-01")


def test_no_filter_is_in_two_families() -> None:
    entries = [value for module in FAMILIES.values() for value in vars(module).values() if isinstance(value, Filter)]

    assert len(entries) == len(CUSTOM)


USES = st.sampled_from([entry.name + GIVEN.get(entry.name, "") for entry in catalogue()])
VALUES = st.sampled_from([0.5, "2026-01-31", [{"a": 1, "b": "x"}, {"b": 2}], {"b": [1], "a": None}, [3, 1.5, None]])


@given(st.lists(USES, min_size=1, max_size=3), VALUES)
@settings(max_examples=150)
def test_at_one_instant_a_render_gives_the_same_each_time(uses: list[str], value: Any) -> None:
    template = "{{ " + " | ".join(["x", *uses]) + " }}{{ now }}"

    def outcome() -> str:
        try:
            return CompiledTemplate(parse(template)).render({"x": value}, at=AT)
        except TemplateError as error:
            return str(error)

    assert len({outcome() for _ in range(3)}) == 1
