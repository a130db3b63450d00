from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from cuewire.model.errors import InvalidInput
from cuewire.model.outputs import JsonOutput
from cuewire.model.prompts import Image, Message, Placeholder, Variable, VersionDraft
from cuewire.registry.drafts import make_draft
from cuewire.template.render import TemplateRenderer


@pytest.fixture
async def renderer() -> AsyncIterator[TemplateRenderer]:
    made = TemplateRenderer()
    yield made
    await made.close()


async def draft(renderer: TemplateRenderer, content: Any, **options: Any) -> VersionDraft:
    return await make_draft("greet", content, renderer=renderer, **options)


@pytest.mark.contract("S0-05")
async def test_the_inputs_of_a_version_are_found_in_its_templates(renderer: TemplateRenderer) -> None:
    content = [
        Message("system", "Be {{ tone | default('kind') }}"),
        Placeholder("past"),
        Message("user", ("Hello {{ name }}, {{ tone }}", Image("photo"))),
    ]

    made = await draft(renderer, content)

    assert made.variables == {
        "tone": Variable(required=True),
        "past": Variable(kind="messages"),
        "name": Variable(),
        "photo": Variable(kind="image"),
    }


async def test_an_input_with_a_default_may_be_left_out(renderer: TemplateRenderer) -> None:
    variables = {"name": {"type": "string", "default": "you"}, "past": {"default": []}}

    made = await draft(renderer, [Placeholder("past"), Message("user", "Hello {{ name }}")], variables=variables)

    assert made.variables["name"] == Variable(json_schema={"type": "string"}, required=False, default="you")
    assert made.variables["past"] == Variable(kind="messages", required=False, default=[])


async def test_a_history_and_an_image_can_be_explained_and_nothing_else_is_said_of_them(
    renderer: TemplateRenderer,
) -> None:
    content = [Placeholder("past"), Message("user", (Image("photo"),))]
    said = {"description": "What was said so far", "examples": [[]]}
    variables = {"past": {**said, "default": []}, "photo": {"title": "A photo"}}

    made = await draft(renderer, content, variables=variables)

    assert made.variables == {
        "past": Variable(kind="messages", json_schema=said, required=False, default=[]),
        "photo": Variable(kind="image", json_schema={"title": "A photo"}),
    }
    for wrong in ({"photo": {"default": "x"}}, {"photo": {"type": "string"}}, {"past": {"default": None}}):
        with pytest.raises(InvalidInput, match="takes only description, examples, title"):
            await draft(renderer, content, variables=wrong)


async def test_equal_content_has_equal_hashes_whatever_its_form(renderer: TemplateRenderer) -> None:
    as_text = await draft(renderer, "Hello {{ name }}", parameters={"seed": 1, "temperature": 0}, note="one")
    as_message = await draft(
        renderer,
        [{"role": "user", "content": "Hello {{ name }}"}],
        parameters={"temperature": 0, "seed": 1},
        note="two",
    )

    assert as_text.content_hash == as_message.content_hash


@pytest.mark.parametrize(
    "change",
    [
        {"model": "openai/gpt-4o"},
        {"parameters": {"seed": 2}},
        {"output": "number"},
        {"variables": {"name": {"type": "string"}}},
    ],
)
async def test_each_part_of_a_version_changes_its_hash(renderer: TemplateRenderer, change: dict[str, Any]) -> None:
    before = await draft(renderer, "Hello {{ name }}")

    after = await draft(renderer, "Hello {{ name }}", **change)

    assert before.content_hash != after.content_hash


@pytest.mark.parametrize(
    ("output", "content_hash"),
    [
        (None, "b19ad4e0d18ff43b43aeb457f2c0997e6f0de663d805a8a59ee79902dd9e72f7"),
        ("number", "9f1100712ac3dc2b31581c2f737214fea260e5f30e9607b02c87e15dcbff2d8f"),
        ("boolean", "9bb9e0a7cd94d0bf73c22ad879ebf0dfc0669196a8b68a7d5bc9eebdfbb555a6"),
        ("json", "0b288ae40271be8325b67bbdaeb483226642ab55912b8daa17cfe2da7587eb92"),
        (["bug", "idea"], "767924986c7bb7fea7d99f0055844df72370236a293c4985781b7103bfe154b5"),
        (
            {"type": "object", "properties": {"stars": {"type": "integer"}}, "required": ["stars"]},
            "1a491ec6974af3a21f534dc5a6da8db0549d840fc90c56bbe9aa4c99960d3bce",
        ),
    ],
)
async def test_versions_of_earlier_releases_keep_their_hashes(
    renderer: TemplateRenderer, output: Any, content_hash: str
) -> None:
    made = await draft(renderer, "A bug?", output=output)

    assert made.content_hash == content_hash


async def test_an_example_is_kept_beside_the_schema_that_is_made_of_it(renderer: TemplateRenderer) -> None:
    made = await draft(renderer, "A bug?", output={"example": {"stars:integer": 4}})

    schema = {"type": "object", "properties": {"stars": {"type": "integer"}}, "required": ["stars"]}
    assert made.output == JsonOutput(json_schema=schema, example={"stars:integer": 4})
    assert made.content_hash != (await draft(renderer, "A bug?", output=schema)).content_hash


@pytest.mark.parametrize(
    ("content", "options", "field"),
    [
        (7, {}, "/content"),
        ([7], {}, "/content/0"),
        ([{"role": "user", "content": "x"}, {"type": "messages", "input": "not a name"}], {}, "/content/1"),
        ([{"role": "user", "content": [{"type": "image", "input": "ü"}]}], {}, "/content/0"),
        ([Message("user", "{{ a }}"), Placeholder("a")], {}, "/content/1"),
        ([Message("user", (Image("a"),))], {"variables": {"a": {"type": "string"}}}, "/variables/a"),
        ([Placeholder("a")], {"variables": {"a": {"default": ["x"]}}}, "/variables/a"),
        ("x", {"output": {"$ref": "https://example.com/schema"}}, "/output"),
        ("x", {"output": {"type": "example", "example": {}}}, "/output"),
        ("x", {"output": {"example": {"stars:many": 4}}}, "/output/example/stars:many"),
    ],
)
async def test_what_cannot_be_a_version_is_refused_with_its_place(
    renderer: TemplateRenderer, content: Any, options: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await draft(renderer, content, **options)

    assert caught.value.field == field


async def test_what_templates_ask_of_inputs_is_kept_with_the_version(renderer: TemplateRenderer) -> None:
    content = [Message("system", "{{ user.name }}"), Message("user", "{{ user.mail }}{{ price | round(2) }}{{ text }}")]

    made = await draft(renderer, content, variables={"price": {"type": "number"}})

    assert made.variables == {
        "user": Variable(json_schema={"type": "object", "required": ["mail", "name"]}),
        "price": Variable(json_schema={"type": "number"}),
        "text": Variable(),
    }


async def test_of_a_lenient_version_only_what_the_author_says_is_kept(renderer: TemplateRenderer) -> None:
    content = "{{ user.name }}{{ price | round(2) }}"

    made = await draft(renderer, content, variables={"price": {"type": "number"}}, lenient=True)

    assert made.lenient
    assert made.variables == {"user": Variable(), "price": Variable(json_schema={"type": "number"})}
