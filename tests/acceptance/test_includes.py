"""Prompts are made of other prompts, as those were when they were published."""

from __future__ import annotations

import pytest

import cuewire
from cuewire.model.errors import InvalidInput, PromptNotFound, TemplateLimitExceeded, TemplateUndefined
from tests.support.model_server import ModelServer, completion, plain

MODEL = "openai/gpt-4o-mini"
BASE = "You judge {{ symbol }}.\n{% block task %}Say buy or sell.{% endblock %}\n{% include 'house-style' %}"


async def sent(app: cuewire.App, server: ModelServer, prompt: str, inputs: dict[str, str]) -> str:
    """Run a prompt and return the text that went to the model."""
    server.script(plain(completion()))
    await app.run(prompt, inputs)
    return str(server.received[-1].json["messages"][0]["content"])


@pytest.mark.contract("S3-084")
async def test_a_prompt_keeps_the_texts_that_it_was_published_with_until_it_is_published_again(
    app: cuewire.App, server: ModelServer
) -> None:
    await app.prompts.publish("house-style", "Be {{ tone }}.")
    await app.prompts.publish("base", BASE)
    child = "{% extends 'base' %}{% block task %}{{ super() }} {% if why %}Say why.{% endif %}{% endblock %}"
    inputs = {"symbol": "ACME", "tone": "brief", "why": "yes"}
    first = await app.prompts.publish("judge", child, model=MODEL)

    before = await sent(app, server, "judge", inputs)
    await app.prompts.publish("house-style", "Be rude.", publish=True)
    await app.prompts.publish(
        "base", "{% block task %}{% endblock %} {{ symbol }} {% include 'house-style' %}", publish=True
    )
    unchanged = await sent(app, server, "judge", inputs)
    second = await app.prompts.publish("judge", child, model=MODEL, publish=True)
    after = await sent(app, server, "judge", {"symbol": "ACME", "why": ""})
    old = await sent(app, server, "judge@1", inputs)

    assert before == unchanged == old == "You judge ACME.\nSay buy or sell. Say why.Be brief."
    assert after == "  ACME Be rude."
    assert (first.number, second.number) == (1, 2)
    assert first.includes.pins == {"base": "base@1"}
    assert sorted(first.includes.texts) == ["base@1", "house-style@1"]
    assert list(first.variables) == ["symbol", "tone", "why"]


async def test_labels_and_numbers_say_which_version_is_taken_in(app: cuewire.App, server: ModelServer) -> None:
    await app.prompts.publish("style", "first")
    await app.prompts.publish("style", "second", labels=["candidate"])
    content = "{% include 'style' %} {% include 'style@candidate' %} {{ prompt('style', version=2) | upper }}"

    version = await app.prompts.publish("mixed", content, model=MODEL)

    assert version.includes.pins == {"style": "style@1", "style@candidate": "style@2", "style@2": "style@2"}
    assert await sent(app, server, "mixed", {}) == "first second SECOND"


async def test_what_cannot_be_taken_in_is_refused_before_anything_is_stored(app: cuewire.App) -> None:
    await app.prompts.publish("a", "first")
    await app.prompts.publish("b", "{% include 'a' %}")
    await app.prompts.publish("chat", [cuewire.Message("system", "Be kind"), cuewire.Message("user", "Hi")])

    with pytest.raises(TemplateLimitExceeded, match="a -> b@1 -> a@1"):
        await app.prompts.publish("a", "{% include 'b' %}")
    with pytest.raises(InvalidInput, match="'chat' is not one text"):
        await app.prompts.publish("c", "{% include 'chat' %}")
    with pytest.raises(PromptNotFound) as caught:
        await app.prompts.publish("c", "\n{{ prompt('absent') }}")

    assert (caught.value.field, "line 2, column 4" in caught.value.message) == ("/content/0", True)
    assert [version.number for version in await app.prompts.versions("a")] == [1]
    assert "c" not in [prompt.name for prompt in (await app.prompts.list()).items]


async def test_a_text_that_is_taken_in_names_itself_when_it_fails(app: cuewire.App) -> None:
    await app.prompts.publish("style", "fine\n{{ mood.name }}")
    await app.prompts.publish("judge", "{% include 'style' %}", model=MODEL)

    with pytest.raises(TemplateUndefined, match=r"in 'style@1': .* \(line 2, column 8\)"):
        await app.run("judge", {"mood": {}})


async def test_the_variables_of_content_that_is_not_published_are_those_of_what_it_takes_in_too(
    app: cuewire.App,
) -> None:
    await app.prompts.publish("style", "Be {{ tone | default('kind') }}.")

    listed = await app.prompts.variables("{% include 'style' %} {{ text }}")

    assert {name: variable.required for name, variable in listed.items()} == {"tone": False, "text": True}
