"""What stands around prompts is the same here on either database and on a server, with and without await."""

from __future__ import annotations

from pathlib import Path

import pytest

import cuewire
from cuewire.model.errors import (
    IdempotencyMismatch,
    InvalidInput,
    PromptNotFound,
    ReviewDecided,
    ReviewNotFound,
    ReviewRequired,
    ScopeExists,
    ScopeNotFound,
    StillInUse,
    TemplateSyntaxError,
    TemplateTypeNotFound,
)
from cuewire.model.reviews import Check, LabelRule
from cuewire.model.template_types import CatalogueVariable, TemplateType

VARIABLES = {"who": {"type": "string", "examples": ["Ada"]}}


async def test_strategies_and_configurations_are_kept(app: cuewire.App) -> None:
    base = await app.configurations.add("base", description="all", parameters={"a": 1, "b": [1, None]})
    top = await app.configurations.add("top", parent="base", parameters={"a": 2}, is_default=True)
    swing = await app.strategies.add("swing")
    await app.prompts.publish("entry", "Own", strategy="swing")

    assert (base.effective, top.effective) == ({"a": 1, "b": [1, None]}, {"a": 2, "b": [1, None]})
    assert await app.configurations.get(str(top.id)) == top
    assert [each.name for each in await app.configurations.list()] == ["base", "top"]
    assert [*await app.strategies.list()] == [swing]
    changed = await app.configurations.edit("top", parent=None, description="alone")
    assert (changed.parent, changed.effective, changed.is_default) == (None, {"a": 2}, True)
    await app.configurations.remove("base")
    with pytest.raises(StillInUse):
        await app.strategies.remove("swing")
    with pytest.raises(ScopeExists):
        await app.strategies.add("swing")
    with pytest.raises(ScopeNotFound):
        await app.configurations.get("base")
    with pytest.raises(InvalidInput):
        await app.strategies.edit("swing", parent="swing")


async def test_a_strategy_and_a_language_of_one_name_are_two_orders(app: cuewire.App) -> None:
    await app.strategies.add("de")
    await app.prompts.publish("greet", "Hello", model="scripted/echo")

    await app.run("greet", strategy="de", idempotency_key="k")

    assert (await app.run("greet", strategy="de", idempotency_key="k")).stored
    with pytest.raises(IdempotencyMismatch):
        await app.run("greet", language="de", idempotency_key="k")


async def test_a_review_waits_for_test_cases_and_moves_the_label(app: cuewire.App) -> None:
    prompt = await app.prompts.find("triage")
    checks = (Check(name="answers", inputs={"text": "It crashes"}, contains=("bug",)),)
    rule = LabelRule(label="production", prompt_id=prompt.id, checks=checks)
    await app.reviews.protect(rule)
    version = await app.prompts.publish("triage", "Which? {{ text }}", model="openai/gpt-4o-mini", publish=True)
    (review,) = await app.reviews.list("triage", status="pending")

    with pytest.raises(ReviewRequired):
        await app.reviews.approve(review.id)
    checked = await app.reviews.check(review.id)

    assert [*await app.reviews.rules("triage")] == [rule]
    assert [*await app.reviews.rules()] == []
    assert "production" not in version.labels
    (found,) = checked.checks
    assert found.execution_id is not None
    assert (await app.executions.get(found.execution_id)).metadata == {"purpose": "check", "review": review.id}
    assert await app.reviews.get(review.id) == checked
    await app.reviews.protect(LabelRule(label="production", prompt_id=prompt.id, needs_review=False))
    approved = await app.reviews.approve(review.id, comment="so be it")
    assert (approved.status, approved.comment) == ("approved", "so be it")
    assert (await app.prompts.get("triage")).number == 2
    assert await app.reviews.unprotect("production", prompt.id)
    assert not await app.reviews.unprotect("production", prompt.id)
    with pytest.raises(ReviewDecided):
        await app.reviews.reject(review.id)
    with pytest.raises(ReviewNotFound):
        await app.reviews.get(review.id + 1)
    with pytest.raises(InvalidInput):
        await app.reviews.get(0)
    with pytest.raises(PromptNotFound):
        await app.reviews.rules("absent")


async def test_templates_are_looked_through_and_previewed(app: cuewire.App) -> None:
    content = "Hi {{ who }} {{ odd | upper }}"
    await app.prompts.publish("greeting", content, variables=VARIABLES)

    found = await app.templates.analyse(content, variables=VARIABLES)
    shown = await app.templates.preview(content, {"odd": "x"}, variables=VARIABLES, examples=True)
    stored = await app.templates.preview_version("greeting", {"odd": "x"}, examples=True)

    assert (found.is_valid, found.filters, [*found.inputs]) == (True, ("upper",), ["who", "odd"])
    assert [(each.code, each.name) for each in found.warnings] == [("undefined", "odd")]
    assert [each.text for each in shown.messages] == ["Hi Ada X"]
    assert stored == shown
    assert not (await app.templates.analyse("{% if %}")).is_valid
    with pytest.raises(TemplateSyntaxError) as refused:
        await app.templates.preview("{% if %}")
    assert (refused.value.line, refused.value.field) == (1, "/content/0")
    with pytest.raises(InvalidInput) as wrong:
        await app.templates.preview_version("greeting", {"who": 1, "more": 2}, strict=True)
    assert {pointer for pointer, _ in wrong.value.problems} == {"/inputs/who", "/inputs/odd", "/inputs/more"}
    with pytest.raises(TemplateTypeNotFound):
        await app.templates.analyse("x", template_type="absent")


async def test_types_of_templates_and_words_are_told(app: cuewire.App) -> None:
    kind = TemplateType(name="mail", description="d", variables=(CatalogueVariable(name="x", aliases=("y",)),))

    assert await app.templates.set_type(kind) == kind
    assert kind in await app.templates.types()
    assert {word.kind for word in await app.templates.words()} == {"filter", "function", "test"}


async def test_prompts_are_counted_and_what_happened_is_told(app: cuewire.App) -> None:
    stats = await app.prompts.stats()
    events = await app.events.list(limit=1000)

    assert (stats.prompts, stats.versions, stats.by_status) == (1, 1, {"active": 1})
    assert [event.action for event in events if event.prompt_id is not None][:2] == [
        "prompt.created",
        "version.published",
    ]
    assert [*await app.events.list(after=events[-1].id)] == []


def test_a_program_without_a_loop_does_the_same(tmp_path: Path) -> None:
    with cuewire.open(f"sqlite:///{tmp_path}/cue.db") as app:
        app.configurations.add("base", parameters={"a": 1})
        app.strategies.add("swing")
        prompt = app.prompts.publish("greet", "Hi {{ who }}", model="scripted/echo")
        app.reviews.protect(LabelRule(label="production", prompt_id=prompt.prompt_id, checks=(Check(name="none"),)))
        app.prompts.publish("greet", "Ho {{ who }}", model="scripted/echo", publish=True)
        (review,) = app.reviews.list("greet")
        app.configurations.edit("base", parameters={"a": 2})

        assert app.configurations.get("base").effective == {"a": 2}
        assert app.reviews.check(review.id).checks[0].reason.startswith("invalid_input: ")
        assert app.reviews.get(review.id).status == "pending"
        assert [rule.label for rule in app.reviews.rules("greet")] == ["production"]
        assert app.reviews.reject(review.id).status == "withdrawn"
        assert app.reviews.unprotect("production", prompt.prompt_id)
        with pytest.raises(ReviewDecided):
            app.reviews.approve(review.id)
        assert app.templates.analyse("{{ x }}").is_valid
        assert app.templates.preview("Hi {{ x }}", {"x": 1}).messages[0].text == "Hi 1"
        assert app.templates.preview_version("greet").messages[0].text == "Hi ⟦who⟧"
        assert app.templates.set_type(TemplateType(name="t", description="")) in app.templates.types()
        assert app.templates.words()
        assert app.prompts.stats().prompts == 1
        assert app.events.list(limit=1)[0].id == 1
        app.strategies.remove("swing")
        assert app.strategies.list() == []


async def test_what_reads_the_time_differs_only_where_it_is_written_otherwise(app: cuewire.App) -> None:
    for greeting in ("Hello", "Good day"):
        await app.prompts.publish("clock", f"{{{{ now }}}}\n{greeting} {{{{ who }}}}", model="openai/gpt-4o-mini")

    diff = await app.prompts.diff("clock", 1, 2, inputs={"who": "Ada"})

    assert diff.rendered is not None
    assert [(line.kind, line.text) for line in diff.rendered[0].lines if line.kind != "same"] == [
        ("removed", "Hello Ada"),
        ("added", "Good day Ada"),
    ]
