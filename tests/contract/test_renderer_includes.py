"""What every renderer does with other prompts: the same texts, the same errors, in this process and outside of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from cuewire.model.errors import TemplateError, TemplateLimitExceeded
from cuewire.model.includes import IncludedText, Includes, Mention
from cuewire.ports import Renderer
from cuewire.template.pool import RenderPool
from cuewire.template.render import TemplateRenderer

AT = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
INPUTS: Mapping[str, Any] = {"name": "Ada", "days": ["mon", "tue"], "n": 0, "loop": "an input"}
BASE = "<{% block head %}base{% endblock %}|{% block body %}{{ name }}{% endblock %}>{{ extra | default('') }}"
TEXTS = {
    "style@7": IncludedText(text="Be kind, {{ name }}."),
    "style@8": IncludedText(text="Be brief."),
    "item@1": IncludedText(text="- {{ day }}{{ ', ' ~ loop if loop is string }}"),
    "clock@1": IncludedText(text="{{ now.year }} {{ today }} {{ name is defined }}"),
    "base@1": IncludedText(text=BASE),
    "middle@2": IncludedText(
        text="{% extends 'base' %}{% block head %}[{{ super() }}]{% endblock %}", pins={"base": "base@1"}
    ),
    "outer@1": IncludedText(
        text="({% include 'style@old' %} {{ prompt('style', version=8) }})",
        pins={"style@old": "style@7", "style@8": "style@8"},
    ),
    "faulty@3": IncludedText(text="fine\n  {{ name.first }}"),
    "missing@1": IncludedText(text="{% include 'deep' %}", pins={"deep": "deep@1"}),
    "deep@1": IncludedText(text="a\n\n {{ absent }}"),
    "divides@1": IncludedText(text="\n{{ 1 / n }}"),
    "long@1": IncludedText(text="x" * 200_000),
}
PINS = {reference.partition("@")[0]: reference for reference in TEXTS} | {
    "style": "style@8",
    "style@7": "style@7",
    "style@candidate": "style@7",
}
INCLUDES = Includes(pins=PINS, texts=TEXTS)
TEMPLATES = {
    "{% include 'style@7' %} {% include 'style' %} {% include 'style@candidate' %}": (
        "Be kind, Ada. Be brief. Be kind, Ada."
    ),
    "{% for day in days %}{% include 'item' %}{% endfor %}": "- mon, an input- tue, an input",
    "{% set name = 'Bob' %}{% include 'style@7' %}{% with name = 'Eve' %}{% include 'style@7' %}{% endwith %}": (
        "Be kind, Bob.Be kind, Eve."
    ),
    "{% include 'clock' %} / {% include 'clock' without context %}": "2026 2026-01-31 True / 2026 2026-01-31 False",
    "{% include 'outer' with context %}": "(Be kind, Ada. Be brief.)",
    "{{ prompt('style', 7) | upper }}|{{ prompt('style', label='candidate') | length }}": "BE KIND, ADA.|13",
    "{% set text = prompt('style@7') %}{{ text ~ text }}": "Be kind, Ada.Be kind, Ada.",
    "{% for day in days %}{{ prompt('item') }}{% endfor %}": "- mon, an input- tue, an input",
    "{% extends 'base' %}": "<base|Ada>",
    "{% extends 'base' %}{% set extra = 1 %}lost{% block body %}{{ extra }}{% include 'style' %}{% endblock %}": (
        "<base|1Be brief.>1"
    ),
    "{% extends 'middle' %}{% block head %}{{ super() }}+{{ super.super() }}{% endblock %}": "<[base]+base|Ada>",
    "{% block body %}own {% endblock %}{% include 'middle' %}": "own <[base]|Ada>",
}
FAILURES = {
    "{% include 'faulty' %}": ("template_undefined", "in 'faulty@3': ", 2, 10, "/templates/0"),
    "{{ prompt('missing') }}": ("template_undefined", "in 'deep@1': ", 3, 5, "/inputs/absent"),
    "{% include 'divides' %}": ("template_error", "in 'divides@1': division", 2, 0, "/templates/0"),
    "\n{% include 'unknown' %}": ("template_forbidden", "the text of 'unknown'", 2, 4, "/templates/0"),
    "{% extends 'base' %}{% block head %}{{ super.super() }}{% endblock %}": (
        "template_undefined",
        "there is no parent block",
        1,
        0,
        "/templates/0",
    ),
    "{% include 'long' %}" * 6: ("template_limit_exceeded", "the text is longer", 0, 0, "/templates/0"),
}


class IncludesContract:
    """The contract; a subclass gives the renderer."""

    @pytest.mark.contract("S3-084")
    @pytest.mark.parametrize("template", TEMPLATES)
    async def test_other_prompts_give_their_text(self, renderer: Renderer, template: str) -> None:
        (text,) = await renderer.render((template,), INPUTS, key=template, at=AT, includes=INCLUDES)

        assert text == TEMPLATES[template]

    @pytest.mark.parametrize("template", FAILURES)
    async def test_failures_say_in_which_text_and_where(self, renderer: Renderer, template: str) -> None:
        with pytest.raises(TemplateError) as caught:
            await renderer.render((template,), INPUTS, key=template, at=AT, includes=INCLUDES)

        error = caught.value
        code, message, line, column, field = FAILURES[template]
        assert (error.code, error.line, error.column, error.field) == (code, line, column, field)
        assert error.message.startswith(message)
        assert error.hint

    async def test_versions_do_not_see_the_texts_of_each_other(self, renderer: Renderer) -> None:
        others = Includes(pins={"style": "style@1"}, texts={"style@1": IncludedText(text="Hello")})

        first = await renderer.render(("{% include 'style' %}",), {}, key="first", includes=others)
        second = await renderer.render(("{% include 'style' %}",), {}, key="second", includes=INCLUDES)

        assert first + second == ("Hello", "Be brief.")

    async def test_the_time_of_a_text_is_that_of_each_render(self, renderer: Renderer) -> None:
        template = "{% include 'clock' without context %}"
        years = [AT, AT.replace(year=2027)]

        texts = [await renderer.render((template,), {}, key="time", at=at, includes=INCLUDES) for at in years]

        assert [text[:4] for (text,) in texts] == ["2026", "2027"]

    async def test_the_limit_on_output_counts_what_is_taken_in(self, renderer: Renderer) -> None:
        with pytest.raises(TemplateLimitExceeded, match="longer than"):
            await renderer.render(
                ("{% include 'long' %}{{ prompt('long') }}",) * 3, {}, key="sum", at=AT, includes=INCLUDES
            )

    @pytest.mark.contract("S0-05")
    async def test_variables_are_those_of_what_is_taken_in_too(self, renderer: Renderer) -> None:
        names = await renderer.variables(("{{ a }}{% include 'outer' %}{{ b }}",), includes=INCLUDES)

        assert list(names) == ["a", "name", "b"]

    async def test_a_fault_in_what_is_taken_in_fails_its_variables(self, renderer: Renderer) -> None:
        includes = Includes(pins={"a": "a@1"}, texts={"a@1": IncludedText(text="\n{{ x y }}")})

        with pytest.raises(TemplateError, match="in 'a@1': expected") as caught:
            await renderer.variables(("{% include 'a' %}",), includes=includes)

        assert (caught.value.line, caught.value.column) == (2, 6)

    async def test_references_are_found_in_order(self, renderer: Renderer) -> None:
        found = await renderer.references(("{% include 'b' %}\n{{ prompt('a', version=3) }}", "{% extends 'c@d' %}"))

        assert list(found) == [Mention("b", 1, 4), Mention("a@3", 2, 4), Mention("c@d", 1, 4)]

    async def test_texts_that_include_each_other_are_refused(self, renderer: Renderer) -> None:
        texts = {
            "a@1": IncludedText(text="{% include 'b' %}", pins={"b": "b@1"}),
            "b@1": IncludedText(text="{% include 'a' %}", pins={"a": "a@1"}),
        }

        with pytest.raises(TemplateLimitExceeded, match="include each other|includes itself"):
            await renderer.render(
                ("{% include 'a' %}",), {}, key="circle", includes=Includes(pins={"a": "a@1"}, texts=texts)
            )


class TestInThisProcess(IncludesContract):
    @pytest.fixture
    async def renderer(self) -> AsyncIterator[Renderer]:
        renderer = TemplateRenderer()
        yield renderer
        await renderer.close()


class TestInThePool(IncludesContract):
    @pytest.fixture
    async def renderer(self) -> AsyncIterator[Renderer]:
        pool = RenderPool()
        yield pool
        await pool.close()
