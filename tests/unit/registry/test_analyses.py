"""Content is looked through as a whole: every message, what is declared, and what its type usually reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from cuewire.model.analyses import Analysis
from cuewire.model.errors import InvalidInput, PromptNotFound, TemplateLimitExceeded
from cuewire.model.includes import MAX_BYTES
from cuewire.model.outputs import TextOutput
from cuewire.model.prompts import Image, Message, MessageTemplate, Placeholder, PromptVersion, Variable
from cuewire.model.references import Reference
from cuewire.registry.analyses import analyse
from cuewire.registry.drafts import make_draft
from cuewire.template.catalogue import TEMPLATE_TYPES
from cuewire.template.render import TemplateRenderer


@pytest.fixture
async def renderer() -> AsyncIterator[TemplateRenderer]:
    made = TemplateRenderer()
    yield made
    await made.close()


async def find(reference: Reference) -> PromptVersion:
    if reference.name != "tone":
        raise PromptNotFound(f"there is no prompt '{reference.name}'", hint="publish it")
    return PromptVersion(
        id=1,
        prompt_id=1,
        prompt="tone",
        number=2,
        messages=(Message("user", "Be {{ mood }}."),),
        variables={"mood": Variable()},
        model=None,
        parameters={},
        output=TextOutput(),
        content_hash="",
        note="",
        created_at=datetime(2026, 1, 31, tzinfo=UTC),
    )


def places(analysis: Analysis) -> list[tuple[str, int, int]]:
    return [(each.code, each.index, each.line) for each in analysis.problems]


def warnings(analysis: Analysis) -> list[tuple[str, str]]:
    return [(each.code, each.name) for each in analysis.warnings]


async def test_sound_content_has_no_problems(renderer: TemplateRenderer) -> None:
    content: list[MessageTemplate] = [
        Message("system", "Be kind, {{ tone | default('as ever') }}."),
        Placeholder("past"),
        Message("user", ("Hello {{ user.name | upper }}", Image("photo"), "and {{ user.mail }}")),
    ]

    found = await analyse(content, renderer=renderer)

    assert found.is_valid
    assert not found.warnings
    assert list(found.inputs) == ["tone", "past", "user", "photo"]
    assert found.inputs["user"].variable.json_schema == {"type": "object", "required": ["mail", "name"]}
    assert (found.inputs["user"].index, found.inputs["user"].line, found.inputs["user"].column) == (2, 1, 10)
    assert [each.variable.kind for each in found.inputs.values()] == ["value", "messages", "value", "image"]
    assert found.filters == ("default", "upper")
    assert found.tokens == 6


async def test_problems_of_all_messages_are_told(renderer: TemplateRenderer) -> None:
    content = [Message("system", "\n{{ a b }}{{ c | nope }}"), Message("user", ("fine", "{% if d %}"))]

    found = await analyse(content, renderer=renderer)

    assert not found.is_valid
    assert places(found) == [("template_syntax", 0, 2), ("template_syntax", 0, 2), ("template_syntax", 1, 1)]
    assert list(found.inputs) == ["c", "d"]


async def test_an_input_of_two_kinds_or_no_name_is_a_problem(renderer: TemplateRenderer) -> None:
    content: list[MessageTemplate] = [Message("user", "{{ past }}"), Placeholder("past"), Placeholder("no name")]

    found = await analyse(content, renderer=renderer)

    assert places(found) == [("invalid_input", 1, 0), ("invalid_input", 2, 0)]
    assert found.problems[0].name == "past"


async def test_what_is_no_content_is_refused(renderer: TemplateRenderer) -> None:
    with pytest.raises(InvalidInput):
        await analyse([{"role": "king", "content": "x"}], renderer=renderer)


async def test_what_is_included_is_looked_up(renderer: TemplateRenderer) -> None:
    found = await analyse("{% include 'tone' %}{{ a }}", renderer=renderer, find=find)

    assert found.is_valid
    assert list(found.inputs) == ["mood", "a"]


async def test_what_cannot_be_included_is_a_problem_of_its_message(renderer: TemplateRenderer) -> None:
    content = [Message("system", "fine"), Message("user", "{% include 'gone' %}{{ a }}")]

    found = await analyse(content, renderer=renderer, find=find)

    assert places(found) == [("prompt_not_found", 1, 0)]
    assert list(found.inputs) == ["a"]


async def test_what_includes_itself_is_a_problem_with_its_place(renderer: TemplateRenderer) -> None:
    found = await analyse("a\n{% include 'tone' %}", renderer=renderer, find=find, name="tone")

    assert places(found) == [("template_limit_exceeded", 0, 2)]


async def test_each_prompt_is_looked_up_once_for_all_messages(renderer: TemplateRenderer) -> None:
    asked: list[Reference] = []

    async def counted(reference: Reference) -> PromptVersion:
        asked.append(reference)
        return await find(reference)

    found = await analyse([Message("user", "{% include 'tone' %}")] * 5, renderer=renderer, find=counted)

    assert found.is_valid
    assert [reference.name for reference in asked] == ["tone"]


async def test_what_is_over_a_limit_only_in_sum_is_a_problem_where_it_is_exceeded(renderer: TemplateRenderer) -> None:
    async def long(reference: Reference) -> PromptVersion:
        text = Message("user", "x" * (MAX_BYTES // 2))
        return replace(await find(Reference(name="tone")), prompt=reference.name, messages=(text,), variables={})

    content = [Message("user", f"fine\n{{% include 'long-{number}' %}}") for number in range(4)]
    one = await analyse(content[:2], renderer=renderer, find=long)
    all_of_them = await analyse(content, renderer=renderer, find=long)

    assert one.is_valid
    assert places(all_of_them) == [("template_limit_exceeded", 2, 2)]
    with pytest.raises(TemplateLimitExceeded):
        await make_draft("sum", content, renderer=renderer, find=long)


async def test_a_syntax_error_beside_an_include_is_told_once(renderer: TemplateRenderer) -> None:
    found = await analyse("{% include 'gone' %}{{ a b }}", renderer=renderer, find=find)

    assert places(found) == [("template_syntax", 0, 1)]


async def test_declarations_are_compared_with_what_is_read(renderer: TemplateRenderer) -> None:
    declared: dict[str, dict[str, Any]] = {"name": {"type": "string"}, "age": {}, "size": {"type": "large"}}

    found = await analyse("{{ name }}{{ other }}{{ size }}", renderer=renderer, variables=declared)

    assert warnings(found) == [("unused", "age"), ("undefined", "other")]
    assert [(each.code, each.name) for each in found.problems] == [("invalid_input", "size")]
    assert found.inputs["name"].variable.json_schema == {"type": "string"}
    assert [(each.line, each.column) for each in found.warnings] == [(0, 0), (1, 14)]


@pytest.mark.contract("S3-076")
async def test_variables_of_the_type_are_known(renderer: TemplateRenderer) -> None:
    content = "{{ symbol }} {{ rsi }} {{ analysis_daily }} {{ colour }} {{ today }}"

    analysis = await analyse(content, renderer=renderer, template_type=TEMPLATE_TYPES["analysis"])
    decision = await analyse(content, renderer=renderer, template_type=TEMPLATE_TYPES["decision"])
    untyped = await analyse(content, renderer=renderer)

    assert warnings(analysis) == [("volatile", ""), ("undefined", "analysis_daily"), ("undefined", "colour")]
    assert warnings(decision) == [("volatile", ""), ("undefined", "colour")]
    assert warnings(untyped) == [("volatile", "")]


async def test_warnings_name_their_message(renderer: TemplateRenderer) -> None:
    content = [Message("system", "fine"), Message("user", "{{ a ** 2 }}{{ now }}")]

    found = await analyse(content, renderer=renderer)

    assert [(each.code, each.index) for each in found.warnings] == [("unbounded", 1), ("volatile", 1)]
