"""What every renderer does with what is missing where that is no error, and what it tells of templates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from cuewire.model.errors import TemplateError, TemplateLimitExceeded
from cuewire.model.includes import IncludedText, Includes
from cuewire.model.prompts import Inputs
from cuewire.ports import Renderer
from cuewire.template.parse import MAX_SOURCE_BYTES
from cuewire.template.pool import RenderPool
from cuewire.template.render import FEW_CHARS, TemplateRenderer

AT = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
INCLUDES = Includes(pins={"tone": "tone@2"}, texts={"tone@2": IncludedText(text="Be {{ mood }}.")})
BOMBS = {
    "time": "{% for i in range(9999) %}{% for j in range(9999) %}{{ x }}{% endfor %}{% endfor %}",
    "length": "{{ x }}{{ 'a' * 9999999 }}",
}


class MissingContract:
    """The contract; a subclass gives the renderer."""

    @pytest.mark.parametrize(
        ("template", "text"),
        [
            ("Hi {{ name }}{{ user.mail }}!", "Hi !"),
            ("{{ price | round(2) }} {{ price | currency(missing='-') }}", "N/A -"),
            ("{% for d in docs %}{{ d }}{% else %}none{% endfor %}{% if docs | length > 2 %}many{% endif %}", "none"),
            ("{{ x ** 2 }}{% if x > 3 %}a{% endif %}{{ y.z.w | default('d') }}", "d"),
            ("{% include 'tone' %}", "Be ."),
        ],
    )
    async def test_what_is_missing_can_be_empty(self, renderer: Renderer, template: str, text: str) -> None:
        inputs: Inputs = {"user": {}, "unread": 1}

        texts = await renderer.render((template,), inputs, key=template, includes=INCLUDES, missing="empty")

        assert texts == (text,)

    async def test_strict_and_lenient_renders_of_the_same_text_stay_apart(self, renderer: Renderer) -> None:
        for _ in range(2):
            assert await renderer.render(("{{ a }}",), {}, key="both", missing="empty") == ("",)
            with pytest.raises(TemplateError):
                await renderer.render(("{{ a }}",), {}, key="both")

    async def test_a_preview_marks_what_is_missing(self, renderer: Renderer) -> None:
        templates = ("Hi {{ name }} {{ user.mail | upper }}", "{% include 'tone' %} {{ price | round(2) }} {{ now }}")

        marked = await renderer.preview(templates, {"name": "Ada", "user": {}}, at=AT, includes=INCLUDES)

        assert marked.texts == (
            "Hi Ada \u27e6mail\u27e7",
            "Be \u27e6mood\u27e7. \u27e6price\u27e7 2026-01-31T23:30:00+00:00",
        )
        assert marked.names == ("mail", "mood", "price")

    async def test_a_preview_has_limits_and_errors_with_places(self, renderer: Renderer) -> None:
        with pytest.raises(TemplateLimitExceeded):
            await renderer.preview((BOMBS["time"],), {"x": "y"})
        with pytest.raises(TemplateLimitExceeded):
            await renderer.preview((BOMBS["length"],), {})
        with pytest.raises(TemplateError) as caught:
            await renderer.preview(("fine", "a\n{{ n / 0 }}"), {"n": 1})

        assert (caught.value.field, caught.value.line) == ("/templates/1", 2)

    async def test_all_that_is_wrong_with_a_template_is_told(self, renderer: Renderer) -> None:
        told = await renderer.analyse("{{ a b }}\n{{ c.d | nope }}{{ e }}")

        assert [(each.code, each.line) for each in told.problems] == [("template_syntax", 1), ("template_syntax", 2)]
        assert list(told.inputs) == ["c", "e"]

    async def test_all_that_is_known_of_a_template_is_told(self, renderer: Renderer) -> None:
        told = await renderer.analyse("{% include 'tone' %}{{ a ** 2 }}{{ now }}", includes=INCLUDES)

        assert not told.problems
        assert [each.code for each in told.warnings] == ["unbounded", "volatile"]
        assert {name: each.variable.json_schema for name, each in told.inputs.items()} == {
            "mood": {},
            "a": {"type": ["number", "boolean"]},
        }

    async def test_templates_of_any_size_are_told_of(self, renderer: Renderer) -> None:
        large = await renderer.analyse("x" * FEW_CHARS + "{{ a b }}")
        many = await renderer.analyse("{{ a }}" * 1_200 + "{{ a b }}")
        wrong = await renderer.analyse("{{ a b }}" * 1_000)
        huge = await renderer.analyse("x" * (MAX_SOURCE_BYTES + 1))

        assert [each.code for each in large.problems + many.problems] == ["template_syntax"] * 2
        assert len(wrong.problems) >= 1
        assert [each.code for each in huge.problems] == ["template_limit_exceeded"]

    async def test_what_is_asked_of_inputs_is_told_of_variables(self, renderer: Renderer) -> None:
        found = await renderer.variables(("{{ a.b }}", "{{ a.c }}{{ d | default(1) }}"))

        assert found["a"].json_schema == {"type": "object", "required": ["b", "c"]}
        assert (found["d"].json_schema, found["d"].required) == ({}, False)


class TestInTheServer(MissingContract):
    @pytest.fixture
    async def renderer(self) -> AsyncIterator[Renderer]:
        renderer = TemplateRenderer()
        yield renderer
        await renderer.close()


class TestInThePool(MissingContract):
    @pytest.fixture
    async def renderer(self) -> AsyncIterator[Renderer]:
        pool = RenderPool()
        yield pool
        await pool.close()
