"""Equal questions have equal keys, and whatever can change an answer changes the key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cuewire.engine.cache_key import cache_key, is_drawn
from cuewire.model.outputs import NumberOutput
from cuewire.model.plans import Candidate, Group, Plan
from cuewire.model.policies import Cache, Match
from cuewire.model.prompts import Message, PromptVersion
from cuewire.model.requests import ChatMessage, ImageContent, parse_model
from tests.support.stores import NOON, draft

ALL: tuple[Match, ...] = ("model", "provider", "agent", "configuration")


def version(**fields: Any) -> PromptVersion:
    drafted = draft("triage")
    made = PromptVersion(
        id=7,
        prompt_id=3,
        prompt="triage",
        number=1,
        messages=(Message("user", "Bug? {{ x }}"),),
        variables={},
        model=None,
        parameters={},
        output=drafted.output,
        content_hash="c0ffee",
        note="",
        created_at=NOON,
    )
    return replace(made, **fields)


def plan(*models: str, **parameters: Any) -> Plan:
    candidates = [
        Candidate(index=index, model=parse_model(model), parameters=parameters, reason="bound")
        for index, model in enumerate(models or ["openai/gpt-4o"])
    ]
    return Plan(groups=(Group(candidates=tuple(candidates)),), max_calls=9)


class Question:
    """All that a key is made of, and each thing changed in turn."""

    def __init__(self) -> None:
        self.version = version()
        self.plan = plan(temperature=0, tools=[{"b": 1, "a": [2]}])
        self.messages = (ChatMessage(role="system", content="Answer."), ChatMessage(role="user", content="Bug?"))
        self.configuration: str | None = "live"
        self.metadata: dict[str, Any] = {"agent": "scout", "trace": "1"}

    def key(self, must_match: tuple[Match, ...] = ALL) -> str:
        return cache_key(
            self.version,
            self.plan,
            self.messages,
            cache=Cache(must_match=must_match),
            configuration=self.configuration,
            metadata=self.metadata,
        )


def changed(**fields: Any) -> Callable[[Question], None]:
    def change(question: Question) -> None:
        for name, value in fields.items():
            setattr(question, name, value)

    return change


CHANGES = {
    "version": changed(version=version(id=8)),
    "content": changed(version=version(content_hash="decaf")),
    "output": changed(version=version(output=NumberOutput())),
    "text": changed(messages=(ChatMessage(role="user", content="Bug!"),)),
    "role": changed(
        messages=(ChatMessage(role="system", content="Answer."), ChatMessage(role="system", content="Bug?"))
    ),
    "picture": changed(messages=(ChatMessage(role="user", content=(ImageContent("https://a.test/b.png"),)),)),
    "parameter": changed(plan=plan(temperature=1, tools=[{"b": 1, "a": [2]}])),
    "tools": changed(plan=plan(temperature=0, tools=[{"b": 1, "a": [3]}])),
    "seed": changed(plan=plan(temperature=0, tools=[{"b": 1, "a": [2]}], seed=1)),
    "candidates": changed(plan=plan("openai/gpt-4o", "openai/gpt-4o", temperature=0, tools=[{"b": 1, "a": [2]}])),
    "model": changed(plan=plan("openai/gpt-4o-mini", temperature=0, tools=[{"b": 1, "a": [2]}])),
    "provider": changed(plan=plan("azure/gpt-4o", temperature=0, tools=[{"b": 1, "a": [2]}])),
    "agent": changed(metadata={"agent": "guard", "trace": "1"}),
    "no agent": changed(metadata={"trace": "1"}),
    "configuration": changed(configuration="trial"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_thing_that_can_change_the_answer_changes_the_key(name: str) -> None:
    question = Question()
    CHANGES[name](question)

    assert question.key() != Question().key()


def test_the_order_of_keys_and_other_metadata_change_nothing() -> None:
    question = Question()
    question.plan = plan(tools=[{"a": [2], "b": 1}], temperature=0)
    question.metadata = {"trace": "2", "agent": "scout"}

    assert question.key() == Question().key()


@pytest.mark.parametrize("name", ["model", "provider", "agent", "configuration"])
def test_what_need_not_match_does_not(name: Match) -> None:
    question = Question()
    CHANGES[name](question)
    others = tuple(flag for flag in ALL if flag != name)

    assert question.key(others) == Question().key(others)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(min_size=1), _JSON, max_size=4), st.dictionaries(st.text(min_size=1), _JSON, max_size=4))
def test_parameters_have_equal_keys_if_they_are_the_same_json(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = Question(), Question()
    first.plan, second.plan = plan(**{"parameters": one}), plan(**{"parameters": other})

    assert (first.key() == second.key()) == (repr(_sorted(one)) == repr(_sorted(other)))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {"object": sorted((key, _sorted(item)) for key, item in value.items())}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("parameters", "drawn"),
    [({}, False), ({"temperature": 0}, False), ({"temperature": 0.1}, True), ({"temperature": 1, "seed": 3}, False)],
)
def test_an_answer_is_drawn_at_a_temperature_without_a_seed(parameters: dict[str, Any], drawn: bool) -> None:
    assert is_drawn(plan(**parameters)) is drawn


def test_the_key_of_a_question_stays_what_it_was_so_that_stored_answers_are_found() -> None:
    """When this fails, answers that are stored are lost to their questions: count `_SCHEMA` up, and say so."""
    assert Question().key() == "4eab9198f0b74a49138a36463b7a15d6bdcdeca543c6716811be807b6ec75850"
    assert Question().key(must_match=()) == "68421f3df5dfd6e599cc21212018903a7a157f09f6b9be6c07a3147449b67384"
