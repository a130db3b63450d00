"""A prompt file reads well, and says exactly what it was written from."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.files.prompt_text import from_text, to_text
from cuewire.model.errors import InvalidInput
from cuewire.model.prompt_files import PromptFile
from cuewire.model.prompts import AuthoredRole, Image, Message, Placeholder
from cuewire.model.text import is_storable
from tests.support.policies import STATED_POLICIES

LINES = st.text().filter(is_storable) | st.sampled_from(
    [
        "---",
        "[[user]]",
        "\\[[user]]",
        "\\\\[[image: a]]",
        "[[messages]]",
        "[[system]] ",
        "[[ user ]]",
        "",
        "a\r",
        "[[image: 1]]",
    ]
)
TEXTS = st.lists(LINES, min_size=1).map("\n".join)
NAMES = st.sampled_from(["text", "history", "a_1", "_"])
IMAGES = NAMES.map(lambda name: Image(input=name))
PARTS = st.lists(TEXTS | IMAGES, min_size=1).map(tuple)
MESSAGES = st.builds(Message, st.sampled_from(get_args(AuthoredRole)), TEXTS | PARTS) | st.builds(Placeholder, NAMES)
FILES = st.builds(
    PromptFile,
    prompt=st.just("a/b"),
    messages=st.lists(MESSAGES, min_size=1).map(tuple),
    model=st.none() | st.just("openai/gpt-4o-mini"),
    output=st.none()
    | st.just({})
    | st.just("number")
    | st.just(["yes", "no"])
    | st.just({"type": "object"})
    | st.just("date")
    | st.just({"example": {"due?:date": "2026-11-21", "tags:[1+]": ["a"], "more*": None, "no": 1.0}}),
    parameters=st.just({}) | st.just({"temperature": 0, "stop": ["\n"]}),
    variables=st.just({}) | st.just({"text": {"type": "string", "default": None}}),
    note=st.just("") | st.just("why: because\n"),
    description=st.just("") | st.just("Sorts: bugs\nfrom ideas"),
    template_type=st.just("") | st.just("analysis"),
    category=st.just("") | st.just("no"),
    tags=st.just(()) | st.just(("a", "2026-01-01")),
    language=st.just("en") | st.just("no"),
    strategy=st.none() | st.just("7"),
    lenient=st.booleans(),
    policy=STATED_POLICIES,
)


@given(file=FILES)
def test_what_is_written_is_read_again(file: PromptFile) -> None:
    assert from_text(file.prompt, to_text(file)) == file


def test_it_reads_well() -> None:
    messages = (
        Message("system", "You sort what users write.\n\nBe brief."),
        Placeholder(input="history"),
        Message("user", ("Look:\n[[user]]", Image(input="photo"))),
    )
    file = PromptFile(prompt="triage", messages=messages, model="openai/gpt-4o-mini", output=["bug", "idea"])

    assert (
        to_text(file)
        == """---
model: openai/gpt-4o-mini
output: [bug, idea]
---
[[system]]
You sort what users write.

Be brief.
[[messages: history]]
[[user]]
[[text]]
Look:
\\[[user]]
[[image: photo]]
"""
    )


def test_a_policy_is_written_without_what_goes_without_saying() -> None:
    said = "policy:\n  parallel:\n    mode: static_count\n    count: 3\n  selection:\n    method: consensus\n"
    read = from_text("a", f"---\n{said}    quorum: 0\n  at_once: 8\n---\nBug or idea? {{{{ text }}}}\n")

    assert read.policy == {
        "parallel": {"mode": "static_count", "count": 3},
        "selection": {"method": "consensus"},
    }
    assert to_text(read) == f"---\n{said}---\nBug or idea? {{{{ text }}}}\n"


def test_a_file_by_hand_needs_no_more_than_a_text() -> None:
    read = from_text("a", "---\n---\nBug or idea? {{ text }}\n")

    assert read == PromptFile(prompt="a", messages=(Message("user", "Bug or idea? {{ text }}"),))
    assert from_text("a", "---\n---\nBug or idea? {{ text }}") == read


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "line 1"),
        ("Bug or idea?", "line 1"),
        ("---\nmodel: a/b\n", "line 1"),
        ("---\n- a\n---\nx", "line 2: no settings"),
        ("---\nmodle: a/b\n---\nx", "line 2: unknown settings: modle"),
        ("---\nmodel: [a]\n---\nx", "model"),
        ("---\nvariables: {text: 1}\n---\nx", "variables"),
        ("---\npolicy: {at_once: 0}\n---\nx", "policy: Expected `int` >= 1"),
        ("---\npolicy: {models: [{model: a/b}, {model: a/b}]}\n---\nx", "'a/b' is bound twice"),
        ("---\na: 1\nb: {c: 1, c: 2}\n---\nx", "line 3: a key stands there twice"),
        ("---\n---\nx\n[[user]]\ny", "line 3: what stands here belongs to no message"),
        ("---\n---\n[[text]]\ny", "line 3: what stands here belongs to no message"),
        ("---\n---\n[[messages]]", "line 3: say which input"),
        ("---\n---\n[[messages: a]]\ny", "line 3: no text may follow"),
        ("---\n---\n[[user]]\ny\n[[image: a]]", "line 3: no text may follow"),
        ("---\n---\n[[user]]\n[[image: a]]\ny", "line 4: no text may follow"),
        ("---\n---\n[[user]]\n[[image]]", "line 4: say which input"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, fault: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        from_text("a", text)

    assert fault in refused.value.message


def test_messages_may_be_none_but_then_nothing_is_sent() -> None:
    nothing: tuple[Any, ...] = ()

    assert from_text("a", "---\n---\n").messages == nothing
