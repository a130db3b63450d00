"""A policy says the same in however many words, and is then written in the fewest."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given

from cuewire.model.errors import InvalidInput
from cuewire.model.policies import PLAIN, Failover, Policy, Retry, parse_policy, stated
from tests.support.policies import SAID_POLICIES


@pytest.mark.contract("S4-14")
@given(said=SAID_POLICIES)
def test_what_is_stated_is_read_again(said: dict[str, Any]) -> None:
    policy = parse_policy(said)

    assert parse_policy(stated(policy)) == policy
    assert stated(parse_policy(stated(policy))) == stated(policy)


@given(said=SAID_POLICIES)
def test_equal_policies_are_written_equally_in_however_many_words(said: dict[str, Any]) -> None:
    policy = parse_policy(said)
    in_full = parse_policy(everything(policy))

    assert in_full == policy
    assert msgspec.json.encode(in_full) == msgspec.json.encode(policy)


def everything(part: Any) -> Any:
    """Return a part of a policy with all that goes without saying."""
    if isinstance(part, tuple):
        return [everything(each) for each in part]
    if not isinstance(part, msgspec.Struct):
        return part
    tag = {part.__struct_config__.tag_field: part.__struct_config__.tag} if part.__struct_config__.tag else {}
    return tag | {name: everything(getattr(part, name)) for name in part.__struct_fields__}


def test_what_goes_without_saying_is_not_stated() -> None:
    same_again = Policy(retry=Retry(delay_ms=1_000), failover=Failover(scope=()))

    assert stated(parse_policy(same_again)) == stated(PLAIN) == {}
    assert stated(parse_policy({"selection": {"method": "consensus", "quorum": 0.0}})) == {
        "selection": {"method": "consensus"}
    }


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"parallel": {"mode": "static_count"}}, "/policy/parallel"),
        ({"models": [{"model": "scripted/a", "weight": 1}]}, "/policy/models/0"),
        ({"models": [{"model": "nothing"}]}, "/policy/models/0/model"),
        ({"at_once": 1.5}, "/policy/at_once"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(said: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_policy(said)

    assert refused.value.field == field
