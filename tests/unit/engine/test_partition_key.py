"""Only questions that are alike in all but what is compared by its meaning are compared at all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cuewire.engine.cache_key import partition_key, subject_key
from cuewire.model.policies import Cache, Match, Policy, Semantic
from tests.unit.engine.test_cache_key import ALL, CHANGES, Question

SEMANTIC = Semantic(on=("question", "hint"), model="local/minilm")
ELSEWHERE = {"text", "role", "picture"}
"""What changes the messages; of those the inputs tell."""
INPUTS: dict[str, Any] = {"question": "is it late?", "hint": "rush hour", "city": "Graz", "lines": [{"n": 1}, None]}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def partition(
    asked: Question,
    inputs: dict[str, Any] = INPUTS,
    *,
    must_match: tuple[Match, ...] = ALL,
    semantic: Semantic = SEMANTIC,
    dimensions: int = 384,
) -> str:
    policy = Policy(cache=Cache(must_match=must_match, semantic=semantic))
    return partition_key(
        replace(asked.version, policy=policy),
        asked.plan,
        inputs,
        configuration=asked.configuration,
        metadata=asked.metadata,
        dimensions=dimensions,
    )


@pytest.mark.parametrize("name", sorted(CHANGES.keys() - ELSEWHERE))
def test_each_thing_that_can_change_the_answer_is_another_partition(name: str) -> None:
    asked = Question()
    CHANGES[name](asked)

    assert partition(asked) != partition(Question())


@pytest.mark.parametrize("name", ["model", "provider", "agent", "configuration"])
def test_what_need_not_match_is_the_same_partition(name: Match) -> None:
    asked = Question()
    CHANGES[name](asked)
    others = tuple(flag for flag in ALL if flag != name)

    assert partition(asked, must_match=others) == partition(Question(), must_match=others)


def test_vectors_of_another_model_or_length_are_never_compared() -> None:
    same = partition(Question())

    assert partition(Question(), semantic=replace(SEMANTIC, model="openai/text-embedding-3-small")) != same
    assert partition(Question(), dimensions=256) != same
    assert partition(Question(), semantic=replace(SEMANTIC, threshold=0.5, mode="serve")) == same


@given(
    st.dictionaries(st.sampled_from([*INPUTS, "more"]), JSON),
    st.dictionaries(st.sampled_from([*INPUTS, "more"]), JSON),
)
def test_all_inputs_but_those_compared_by_their_meaning_must_be_equal(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    first, second = INPUTS | one, INPUTS | other
    are_equal = repr(_kept(first)) == repr(_kept(second))

    assert (partition(Question(), first) == partition(Question(), second)) == are_equal


def _kept(value: Any, *, leaving: tuple[str, ...] = SEMANTIC.on) -> Any:
    """Return a value in one order, without what is compared by its meaning."""
    if isinstance(value, dict):
        kept = ((name, _kept(item, leaving=())) for name, item in value.items() if name not in leaving)
        return {"object": sorted(kept)}
    return [_kept(item, leaving=()) for item in value] if isinstance(value, list) else value


def test_trust_is_in_a_prompt_and_in_how_its_questions_are_compared() -> None:
    version = Question().version
    subject = subject_key(version, SEMANTIC)
    others = [
        replace(SEMANTIC, on=("question",)),
        replace(SEMANTIC, model="local/other"),
        replace(SEMANTIC, threshold=0.9),
        replace(SEMANTIC, verifier="same"),
    ]

    assert len({subject, *(subject_key(version, other) for other in others)}) == 5
    assert subject_key(replace(version, prompt_id=99), SEMANTIC) != subject
    assert subject_key(replace(version, id=8, number=2, content_hash="x"), SEMANTIC) == subject
    assert subject_key(version, replace(SEMANTIC, mode="serve")) == subject


def test_the_key_of_a_partition_stays_what_it_was_so_that_stored_questions_are_found() -> None:
    assert partition(Question()) == "520e34dd3fe9904cecbc8b1dc6a1e033400f2328044573eac1d993dbaa70bd15"
    assert (
        subject_key(Question().version, SEMANTIC) == "6554a66b774fb80b2ae150527c9d31f2326969c576e36242a0346f8cf827849b"
    )
