"""Prompts go out in each format, come back as far as it goes, and what it cannot say is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cuewire.files.formats import read, write
from cuewire.model.bundles import BundledVersion, Format
from cuewire.model.errors import InvalidInput
from cuewire.model.examples import date_schema
from cuewire.model.includes import IncludedText, Includes
from cuewire.model.prompt_files import PromptFile
from cuewire.model.prompts import Image, Message, Placeholder
from cuewire.model.text import is_storable
from tests.support.policies import STATED_POLICIES

WORDS = st.sampled_from(["", "a", "Ada's", "no", "1", "x\ny", "ü"])
TEXTS = st.text().filter(is_storable)
FILES = st.builds(
    PromptFile,
    prompt=st.just("team/check"),
    messages=st.lists(
        st.builds(Message, st.sampled_from(["system", "user"]), TEXTS | st.just((Image("photo"), "{{ a }}")))
        | st.just(Placeholder("history")),
        min_size=1,
    ).map(tuple),
    model=st.none() | st.just("openai/gpt-4o-mini"),
    output=st.none()
    | st.just("json")
    | st.just(["yes", "no"])
    | st.just({"type": "object", "b": {}, "a": {}})
    | st.just("date")
    | st.just({"example": {"b?:date": None, "a*": {}}}),
    parameters=st.dictionaries(st.sampled_from(["temperature", "seed"]), st.integers(0, 1)),
    variables=st.dictionaries(st.sampled_from(["a", "b"]), st.dictionaries(WORDS, st.none() | WORDS | st.floats(0, 1))),
    lenient=st.booleans(),
    policy=STATED_POLICIES,
    note=TEXTS,
)
TIMES = st.integers(0, 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
INCLUDES = Includes(
    pins={"b": "b@2", "a": "a@1"}, texts={"b@2": IncludedText("x", {"a": "a@1"}), "a@1": IncludedText("y")}
)


@st.composite
def histories(draw: st.DrawFn) -> list[BundledVersion]:
    """Some versions of some prompts, as a registry gives them."""
    made = []
    for name, language in draw(st.sets(st.tuples(st.sampled_from("ab"), st.sampled_from(["en", "de"])), min_size=1)):
        details = {"description": draw(WORDS), "category": draw(WORDS), "strategy": draw(st.none() | st.just("slow"))}
        for number in range(1, draw(st.integers(1, 3)) + 1):
            file = replace(draw(FILES), prompt=name, language=language, tags=("t",), **details)
            labels = tuple(sorted(draw(st.sets(st.sampled_from(["beta", "production"])))) if number == 1 else ())
            includes = draw(st.sampled_from([Includes(), INCLUDES]))
            made.append(
                BundledVersion(file=file, number=number, labels=labels, created_at=draw(TIMES), includes=includes)
            )
    return made


def place(version: BundledVersion) -> tuple[str, str, int]:
    return version.file.prompt, version.file.language, version.number


@given(versions=histories())
def test_a_bundle_brings_back_all_that_went_into_it(versions: list[BundledVersion]) -> None:
    written = write(versions)
    back = read(written.data)

    assert sorted(back.versions, key=place) == sorted(versions, key=place)
    assert (written.losses, back.losses) == ((), ())
    assert write(back.versions) == written


@given(versions=histories())
def test_equal_prompts_are_equal_bytes(versions: list[BundledVersion]) -> None:
    def shuffled(version: BundledVersion) -> BundledVersion:
        file = version.file
        members: dict[str, Any] = {
            name: dict(reversed(getattr(file, name).items())) for name in ("parameters", "variables")
        }
        return replace(version, file=replace(file, **members))

    of_name: dict[tuple[str, str], list[BundledVersion]] = {}
    for version in versions:
        of_name.setdefault((version.file.prompt, version.file.language), []).append(shuffled(version))
    others = [version for history in reversed(of_name.values()) for version in history]

    assert write(others).data == write(versions).data


PLAIN = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="{}@\0")).filter(is_storable)
SIMPLE = st.lists(
    PLAIN | st.sampled_from(["{{ name }}", '{% include "house-style" %}', "{% raw %}{{{% endraw %}"])
).map("".join)


@given(texts=st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), SIMPLE), min_size=1))
def test_langfuse_brings_back_variables_and_includes(texts: list[tuple[Any, str]]) -> None:
    file = PromptFile(
        prompt="a",
        messages=tuple(Message(role, text) for role, text in texts),
        model="openai/x",
        note="why",
        tags=("t",),
    )
    (back,) = read(write([BundledVersion(file=file, number=3, labels=("beta",))], format="langfuse").data).versions

    again = write([back], format="langfuse")
    assert (back.number, back.labels) == (3, ("beta",))
    assert replace(back.file, messages=()) == replace(file, messages=())
    assert read(again.data).versions == (back,)


def version(*messages: Message | Placeholder, **more: Any) -> BundledVersion:
    return BundledVersion(file=PromptFile(prompt="a", messages=messages, **more))


PROMPTY = version(
    Message("system", "Be {{ tone }}.\nsystem:\nno\n\\user:\n{% if x %}{% include 'b' %}{% endif %}"),
    Placeholder("history"),
    Message("user", (Image("photo"), "What is {{ text }} {{ more }}?")),
    description="Looks",
    tags=("t",),
    model="openai/gpt-4o",
    parameters={"temperature": 0.5, "max_tokens": 9, "stop": ["x"], "verbosity": "low"},
    output=["yes", "no"],
    variables={
        "tone": {"type": "string", "enum": ["kind", "brief"], "default": "kind", "description": "how"},
        "text": {"type": "number", "examples": [1]},
        "more": {"default": None},
    },
)


def test_a_prompt_for_prompty_comes_back() -> None:
    written = write([PROMPTY], format="prompty")
    back = read(written.data)

    assert back.versions == (PROMPTY,)
    assert b"kind: thread" in written.data
    assert b"required: false" in written.data
    assert [loss.what for loss in written.losses] == ["{% include 'b' %}", "system:", "\\user:"]


@pytest.mark.parametrize("format", ["prompty", "promptfoo", "langfuse"])
def test_a_date_comes_back_from_other_tools_and_an_example_as_the_schema_that_it_means(format: Format) -> None:
    schema = {"type": "object", "properties": {"due": date_schema()}, "required": ["due"]}

    def back_of(output: Any) -> Any:
        written = write([version(Message("user", "x"), model="openai/x", output=output)], format=format)
        assert written.losses == ()
        return read(written.data).versions[0].file.output

    assert back_of("date") == "date"
    assert back_of({"example": {"due:date": None}}) == schema


@pytest.mark.parametrize("format", ["prompty", "promptfoo", "langfuse"])
def test_what_another_tool_has_no_policy_for_is_told(format: Format) -> None:
    policy = {"parallel": {"mode": "static_count", "count": 3}}

    written = write([version(Message("user", "{{ text }}"), policy=policy)], format=format)

    assert [(loss.what, "has no place for it" in loss.why) for loss in written.losses] == [(f"policy: {policy}", True)]


def test_a_bundle_with_a_policy_that_cannot_be_is_refused() -> None:
    data = write([version(Message("user", "x"), policy={"at_once": 2})]).data

    with pytest.raises(InvalidInput, match="a, version 1: policy: Expected `int` >= 1"):
        read(data.replace(b'"at_once": 2', b'"at_once": 0'))


def test_examples_go_to_promptfoo_as_variables_and_come_back() -> None:
    file = version(
        Message("system", "Be {{ tone }}."),
        Message("user", ("Look: {{ text }}", Image("photo"))),
        model="openai/gpt-4o",
        parameters={"temperature": 0.5},
        output="json",
        variables={"text": {"examples": ["x", "y"]}, "tone": {"examples": ["kind"]}},
    )

    written = write([file], format="promptfoo")

    assert read(written.data).versions == (file,)
    assert written.losses == ()


def test_an_example_that_is_a_list_comes_back_from_promptfoo_as_one() -> None:
    file = version(Message("user", "{{ tags }}"), variables={"tags": {"examples": [["a", "b"], [], "c"]}})

    assert read(write([file], format="promptfoo").data).versions == (file,)


def test_prompts_that_share_a_variable_share_its_examples_in_promptfoo_which_is_told() -> None:
    def named(name: str, *examples: str) -> BundledVersion:
        variables: dict[str, dict[str, Any]] = {"text": {"examples": [*examples]}} if examples else {"text": {}}
        return BundledVersion(
            file=PromptFile(prompt=name, messages=(Message("user", "{{ text }}"),), variables=variables)
        )

    written = write([named("none"), named("a", "x"), named("b", "x"), named("c", "y", "x")], format="promptfoo")

    assert {str(each.file.variables) for each in read(written.data).versions} == {"{'text': {'examples': ['x', 'y']}}"}
    assert [(loss.place, loss.what) for loss in written.losses] == [("c", "text: examples ['y', 'x']")]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('{{ "{{" }}x}}', "{{x}}"),
        ("{{ '' }}{% raw %}{{{% endraw %}{# so #}x}}\n", "{{ '' }}{{x}}"),
        ('a {{ "{" }}{{ "{" }}x}}', "a {{x}}"),
    ],
)
def test_braces_that_langfuse_takes_for_a_variable_are_told(template: str, text: str) -> None:
    written = write([version(Message("user", template))], format="langfuse")

    assert msgspec.json.decode(written.data)[0]["prompt"] == text
    assert "Langfuse takes it for a variable" in [loss.why for loss in written.losses]


def test_langfuse_gets_the_white_space_that_is_written() -> None:
    text = "a\n  {% include 'b' %}\nc\n{%+ include 'd@2' +%}\n{{ x -}}\n"

    (item,) = msgspec.json.decode(write([version(Message("user", text))], format="langfuse").data)
    assert item["prompt"] == (
        "a\n@@@langfusePrompt:name=b|label=production@@@c\n@@@langfusePrompt:name=d|version=2@@@\n{{x}}"
    )


@pytest.mark.parametrize("format", ["langfuse", "promptfoo"])
def test_prompts_of_one_name_are_told_apart_where_names_are_all_there_is(format: Format) -> None:
    variants: list[dict[str, Any]] = [{}, {"strategy": "slow"}, {"language": "pt-BR"}, {"strategy": "slow-pt-br"}]
    versions = [
        version(Message("user", str(each)), **each) for each in [*variants, {"strategy": "slow", "language": "de"}]
    ]
    other = replace(versions[1], file=replace(versions[1].file, prompt="other"))

    written = write([*versions, other], format=format)

    assert [each.file.prompt for each in read(written.data).versions] == [
        "a",
        "a-slow",
        "a-pt-br",
        "a-slow-pt-br",
        "a-slow-de",
        "other",
    ]
    assert "others are called 'a' too; this one is called 'a-slow' there" in [loss.why for loss in written.losses]


@pytest.mark.parametrize(
    ("format", "lost"),
    [
        ("langfuse", ["description: Looks", "{% if x %}", "the parts of a message of user", "variables:"]),
        ("prompty", ["1 other versions", "{% include 'b' %}", "note: second"]),
        ("promptfoo", ["1 other versions", "description: Looks", "messages history", "tone: default"]),
    ],
)
def test_what_a_format_cannot_say_is_told(format: Format, lost: list[str]) -> None:
    second = replace(PROMPTY, file=replace(PROMPTY.file, note="second"), labels=("production",))

    told = "\n".join(loss.what for loss in write([PROMPTY, second], format=format).losses)

    assert [what for what in lost if what not in told] == []


def test_a_file_that_holds_one_prompt_takes_no_two() -> None:
    other = replace(PROMPTY, file=replace(PROMPTY.file, prompt="b"))

    with pytest.raises(InvalidInput, match="holds one prompt, not 2"):
        write([PROMPTY, other], format="prompty")
    with pytest.raises(InvalidInput, match="nothing is written as 'fstring'"):
        write([PROMPTY], format="fstring")
    assert msgspec.json.decode(write([], format="bundle").data)["prompts"] == []
