"""A preview shows a prompt as it would be sent, with marks for what is missing, within all limits of a render."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from cuewire.model.analyses import Preview
from cuewire.model.errors import InvalidInput, TemplateError, TemplateUndefined
from cuewire.model.outputs import TextOutput
from cuewire.model.prompts import Image, Message, Placeholder, PromptVersion, Variable
from cuewire.registry.previews import of_version, preview, previewable
from cuewire.template.catalogue import TEMPLATE_TYPES
from cuewire.template.render import TemplateRenderer

AT = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
CHAT = [
    Message("system", "Be {{ tone | default('kind') }}."),
    Placeholder("past"),
    Message("user", ("{{ question }}", Image("photo"), "{{ price | round(2) }}")),
]


@pytest.fixture
async def renderer() -> AsyncIterator[TemplateRenderer]:
    made = TemplateRenderer()
    yield made
    await made.close()


async def shown(renderer: TemplateRenderer, content: Any, inputs: Any = None, **options: Any) -> Preview:
    of_content = {name: options.pop(name) for name in ("variables", "lenient") if name in options}
    subject = await previewable(content, renderer=renderer, **of_content)
    return await preview(subject, inputs, renderer=renderer, at=AT, **options)


def texts(made: Preview) -> list[str]:
    return [message.text for message in made.messages]


def warned(made: Preview) -> list[tuple[str, str]]:
    return [(each.code, each.name) for each in made.warnings]


async def test_what_is_missing_is_marked_and_warned_of(renderer: TemplateRenderer) -> None:
    made = await shown(renderer, CHAT)

    assert texts(made) == ["Be kind.", "\u27e6past\u27e7", "\u27e6question\u27e7\n\u27e6photo\u27e7\n\u27e6price\u27e7"]
    assert [message.role for message in made.messages] == ["system", "user", "user"]
    assert warned(made) == [("missing", name) for name in ("past", "question", "price", "photo")]
    assert made.tokens > 5


async def test_what_is_given_stands_in_its_place(renderer: TemplateRenderer) -> None:
    past = [
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "Hello"}, {"type": "image", "url": "https://a/b.png"}],
        },
    ]

    made = await shown(
        renderer,
        CHAT,
        {"past": past, "question": "{{ 7 * 7 }}", "photo": "https://c/d.png", "price": 1.005, "tone": "brief"},
    )

    assert texts(made) == ["Be brief.", "Hi", "Hello\nhttps://a/b.png", "{{ 7 * 7 }}\nhttps://c/d.png\n1.01"]
    assert not made.warnings


async def test_what_a_run_would_refuse_is_a_warning(renderer: TemplateRenderer) -> None:
    made = await shown(
        renderer,
        [*CHAT, Message("user", "{{ user.name }}{{ user.mail }}")],
        {"past": "x", "user": {"name": "Ada"}, "extra": 1},
    )

    assert warned(made) == [
        ("surplus", "extra"),
        ("wrong_type", "past"),
        ("missing", "question"),
        ("missing", "price"),
        ("missing", "photo"),
        ("wrong_type", "user"),
        ("missing", "mail"),
    ]
    assert texts(made)[-1] == "Ada\u27e6mail\u27e7"
    assert "extra" not in made.inputs


async def test_fields_of_what_is_missing_are_not_warned_of_twice(renderer: TemplateRenderer) -> None:
    made = await shown(renderer, "{{ user.name }} {{ rows[0].x }}")

    assert texts(made) == ["\u27e6user.name\u27e7 \u27e6rows[0].x\u27e7"]
    assert warned(made) == [("missing", "user"), ("missing", "rows")]


async def test_examples_fill_in_for_what_is_missing(renderer: TemplateRenderer) -> None:
    made = await shown(
        renderer,
        "{{ symbol }} {{ rsi }} {{ tone }} {{ name }} {{ x | default('-') }}",
        {"name": "Ada"},
        examples=True,
        template_type=TEMPLATE_TYPES["analysis"],
        variables={"rsi": {"type": "number", "examples": [70.5, 30]}, "name": {"examples": ["Bob"]}},
    )

    assert texts(made) == ["AAPL 70.5 \u27e6tone\u27e7 Ada -"]
    assert warned(made) == [("missing", "tone")]
    assert made.inputs == {"symbol": "AAPL", "rsi": 70.5, "name": "Ada"}


async def test_a_strict_preview_is_as_a_run(renderer: TemplateRenderer) -> None:
    made = await shown(renderer, "{{ a }} {{ b }} {{ now }}", {"a": 1}, strict=True, variables={"b": {"default": 2}})

    assert texts(made) == ["1 2 2026-01-31T23:30:00+00:00"]
    with pytest.raises(InvalidInput) as caught:
        await shown(renderer, "{{ a.b }} {{ c }}", {"a": 1, "d": 2}, strict=True)
    assert [pointer for pointer, _ in caught.value.problems] == ["/inputs/d", "/inputs/a", "/inputs/c"]
    with pytest.raises(TemplateUndefined) as undefined:
        await shown(renderer, "{% if c %}\n{{ a.b }}{% endif %}", {"a": {}, "c": 1}, strict=True)
    assert (undefined.value.field, undefined.value.line, undefined.value.column) == ("/content/0", 2, 5)


async def test_a_default_of_null_is_null_and_none_at_all_leaves_the_template_to_its_own(
    renderer: TemplateRenderer,
) -> None:
    content = "{% if a %}a{% else %}no a{% endif %}, {{ a is none }}, {{ b | default('own') }}"

    made = await shown(renderer, content, strict=True, variables={"a": {"default": None}, "b": {"default": None}})

    assert texts(made) == ["no a, True, own"]
    assert made.inputs == {"a": None}


async def test_a_strict_preview_of_lenient_content_has_gaps(renderer: TemplateRenderer) -> None:
    made = await shown(renderer, "{{ a }}-{{ b.c }}-{{ d | round }}", {"x": 1}, strict=True, lenient=True)

    assert texts(made) == ["--N/A"]


async def test_errors_point_to_the_message(renderer: TemplateRenderer) -> None:
    content = [Message("system", "fine"), Placeholder("past"), Message("user", ("fine", "\n{{ n / 0 }}"))]

    for strict in (True, False):
        with pytest.raises(TemplateError) as caught:
            await shown(renderer, content, {"past": [], "n": 1}, strict=strict)
        assert (caught.value.field, caught.value.line) == ("/content/2", 2)


async def test_inputs_that_are_no_json_are_refused(renderer: TemplateRenderer) -> None:
    with pytest.raises(InvalidInput):
        await shown(renderer, "{{ a }}", {"a": float("nan")})
    with pytest.raises(InvalidInput):
        await shown(renderer, "{{ a }}", ["a"])


async def test_a_version_is_previewed_with_what_it_holds(renderer: TemplateRenderer) -> None:
    version = PromptVersion(
        id=1,
        prompt_id=1,
        prompt="greet",
        number=2,
        messages=(Message("user", "Hi {{ name }}{{ tail }}"),),
        variables={"name": Variable(), "tail": Variable(required=False, default="!")},
        model=None,
        parameters={},
        output=TextOutput(),
        content_hash="",
        note="",
        created_at=AT,
    )

    made = await preview(of_version(version), {"name": "Ada"}, renderer=renderer)

    assert texts(made) == ["Hi Ada!"]
    assert made.inputs == {"name": "Ada", "tail": "!"}
