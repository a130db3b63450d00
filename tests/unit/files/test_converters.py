"""Mustache and the texts of `str.format` say the same in Jinja2."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.files.fstring import from_fstring
from cuewire.files.losses import Losses
from cuewire.files.mustache import MAX_SECTIONS, from_mustache
from cuewire.files.names import PromptNames
from cuewire.model.errors import InvalidInput
from cuewire.template.environment import prompt_environment

ADA = {"name": "Ada", "tags": ["x", "y"], "boss": {"name": "Bo"}, "items": ["i"]}


def mustache(text: str) -> tuple[str, Losses]:
    losses = Losses()
    return from_mustache(text, losses=losses, names=PromptNames(losses)), losses


def rendered(template: str, inputs: dict[str, Any]) -> str:
    return prompt_environment().from_string(template).render(inputs)


@pytest.mark.parametrize(
    ("text", "inputs", "expected"),
    [
        ("Hi {{name}}, {{{name}}} & {{& name }}!", {"name": "<b>"}, "Hi <b>, <b> & <b>!"),
        ("{{a.b.c}}", {"a": {"b": {"c": 1}}}, "1"),
        ("{{^on}}no{{/on}}", {"on": []}, "no"),
        ("{{#list}}<{{.}}>{{/list}}", {"list": [1, 2]}, "<1><2>"),
        ("{{#list}}<{{.}}>{{/list}}", {"list": "text"}, "<text>"),
        ("{{#list}}<{{.}}>{{/list}}", {"list": ""}, ""),
        ("{{#p}}{{name}} of {{team}} {{gone}}{{/p}}", {"p": ADA, "team": "T"}, "Ada of T "),
        ("{{#on}}{{team}}{{/on}}", {"on": True, "team": "T"}, "T"),
        ("{{#on}}{{team}}{{/on}}", {"on": False, "team": "T"}, ""),
        ("{{#ps}}{{name}}:{{#tags}}{{.}}{{name}} {{/tags}}{{/ps}}", {"ps": [ADA]}, "Ada:xAda yAda "),
        ("{{#ps}}{{boss.name}}{{/ps}}", {"ps": [ADA, {"name": "Cy"}]}, "Bo"),
        ("{{#ps}}{{#items}}{{.}}{{/items}}{{/ps}}", {"ps": [ADA]}, "i"),
        ("{{#ps}}{{^tags}}{{name}}{{/tags}}{{/ps}}", {"ps": [ADA, {"name": "Cy"}]}, "Cy"),
        ("a\n{{#list}}\n{{.}}\n{{/list}}\nc\n", {"list": [1, 2]}, "a\n1\n2\nc\n"),
        ("a\n{{! gone }}\nb{{! gone\ntoo }}c", {}, "a\nbc"),
        ("{{=<% %>=}}<% a %> {{a}} <%={{ }}=%>{{a}}", {"a": 1}, "1 {{a}} 1"),
        ("{{item}}{{#list}}{{.}}{{item}}{{/list}}", {"item": "I", "list": ["x"]}, "IxI"),
        ("{% if %} {# no #} {", {}, "{% if %} {# no #} {"),
    ],
)
def test_mustache_says_the_same(text: str, inputs: dict[str, Any], expected: str) -> None:
    template, losses = mustache(text)

    assert rendered(template, inputs) == expected
    assert losses.all() == ()


@pytest.mark.parametrize(
    ("text", "inputs", "expected"),
    [
        ("{{#on}}yes{{/on}}{{^on}}no{{/on}}", {"on": True}, "yes"),
        ("{{#on}}yes{{/on}}{{^on}}no{{/on}}", {"on": []}, "no"),
        ("{{#on}}Hi {{on}}{{/on}}", {"on": "Ada"}, "Hi Ada"),
        ("a\n{{#on}}\nb\n{{/on}}\nc", {"on": True}, "a\nb\nc"),
        ("a\n  {{#on}}\n  b\n  {{/on}}\nc", {"on": True}, "a\n  b\nc"),
        ("a {{#on}}\nb{{/on}}\nc", {"on": True}, "a \nb\nc"),
        ("  {{#on}}b{{/on}} c", {"on": True}, "  b c"),
        ("{{#on}}-{{/on}}", {"on": [1, 2]}, "-"),
    ],
)
def test_a_section_that_reads_nothing_of_an_item_is_taken_for_a_condition_and_told(
    text: str, inputs: dict[str, Any], expected: str
) -> None:
    template, losses = mustache(text)

    assert rendered(template, inputs) == expected
    assert [(loss.what, "once, also for a list" in loss.why) for loss in losses.all()] == [("{{#on}}", True)]


def test_a_partial_is_another_prompt() -> None:
    template, losses = mustache("a {{> House Style }}\n{{#list}}{{>row}}{{.}}{{/list}}")

    assert template.startswith('a {% include "house-style" +%}\n')
    assert [loss.what for loss in losses.all()] == ["House Style", "{{> row}}"]


@pytest.mark.parametrize("tag", ["{{<parent}}", "{{$block}}", "{{*name}}", "{{a b}}", "{{}}"])
def test_what_is_no_name_stays_as_it_is_and_is_told(tag: str) -> None:
    template, losses = mustache(f"x\n{tag}")

    assert rendered(template, {}) == f"x\n{tag}"
    assert [loss.place for loss in losses.all()] == ["line 2"]


@pytest.mark.parametrize(
    "text",
    [
        "{{#a}}",
        "{{/a}}",
        "{{#a}}{{#b}}{{/a}}{{/b}}",
        "{{a",
        "{{{a}}",
        "{{=x=}}",
        "{{#a}}" * (MAX_SECTIONS + 1),
        "{{#.}}{{/.}}",
    ],
)
def test_mustache_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"line 1|nothing closes"):
        mustache(text)


TEXTS = st.text(alphabet=st.sampled_from("ab {}%#\n'\"") | st.characters(exclude_characters="\r{}", codec="utf-8"))
FIELDS = st.sampled_from(["{name}", "{user[name]}", "{list[0]}"])
INPUTS: dict[str, Any] = {"name": "N", "user": {"name": "U"}, "list": ["L"]}


@given(parts=st.lists(TEXTS.map(lambda text: text.replace("{", "{{").replace("}", "}}")) | FIELDS))
def test_a_text_of_str_format_says_the_same(parts: list[str]) -> None:
    text, losses = "".join(parts), Losses()

    template = from_fstring(text, losses=losses)

    assert rendered(template, INPUTS) == text.format_map(INPUTS)
    assert losses.all() == ()


@pytest.mark.parametrize(
    ("text", "template", "lost"),
    [
        ("{a!r}", "{{ a }}", "{a!r}"),
        ("{a:>{width}}", "{{ a }}", "{a:>{width}}"),
        ("{}", "{{ input_0 }}", "{}"),
        ('{"a": 1', '{"a": 1', "{"),
        ("a}", "a}", "}"),
        ("{in}", "{{ in_ }}", "in"),
    ],
)
def test_what_str_format_does_beyond_that_is_told(text: str, template: str, lost: str) -> None:
    losses = Losses()

    assert from_fstring(text, losses=losses) == template
    assert [loss.what for loss in losses.all()] == [lost]
