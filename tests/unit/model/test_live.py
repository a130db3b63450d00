"""Whatever happens to a list, the steps that are told lead from each state of it to the next."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.model.errors import InvalidInput
from cuewire.model.live import Placed, Snapshot, Update, check_beginning, update_between, update_since
from cuewire.model.prompts import EVERY_PROMPT, Prompt, PromptFilter
from tests.support.live import Shelf, prompt

RED = PromptFilter(category="red")
CHANGES = st.lists(
    st.tuples(st.integers(1, 8), st.sampled_from(["red", "blue"]), st.sampled_from(["active", "archived"])),
    max_size=12,
)


def shelf_of(changes: Sequence[tuple[int, str, str]], shelf: Shelf | None = None) -> Shelf:
    shelf = shelf or Shelf()
    for prompt_id, category, status in changes:
        shelf.change(prompt_id, category=category, status=status)
    return shelf


def interned(new: Sequence[Prompt], old: Sequence[Prompt]) -> tuple[Prompt, ...]:
    """Return the new list with what has not changed as the same objects."""
    known = {each.id: each for each in old}
    return tuple(known[each.id] if known.get(each.id) == each else each for each in new)


@given(CHANGES, CHANGES, st.integers(1, 5), st.sampled_from([RED, EVERY_PROMPT]))
def test_an_update_makes_the_new_list_of_the_old_one(
    before: list[tuple[int, str, str]], since: list[tuple[int, str, str]], limit: int, wanted: PromptFilter
) -> None:
    shelf = shelf_of(before)
    old = shelf.shown(wanted, limit)
    new = interned(shelf_of(since, shelf).shown(wanted, limit), old)

    update = update_between(old, new, id="1")

    assert update.applied(old) == new
    assert {*update.left} == {each.id for each in old} - {each.id for each in new}


@given(CHANGES, CHANGES, st.integers(1, 5), st.sampled_from([RED, EVERY_PROMPT]))
def test_who_knows_an_old_list_gets_the_new_one_from_what_was_touched_since(
    before: list[tuple[int, str, str]], since: list[tuple[int, str, str]], limit: int, wanted: PromptFilter
) -> None:
    shelf = shelf_of(before)
    old = shelf.shown(wanted, limit)
    new = shelf_of(since, shelf).shown(wanted, limit)

    update = update_since({prompt_id for prompt_id, _, _ in since}, new, id="1")

    assert update.applied(old) == new


def test_a_resumed_list_tells_only_what_changed() -> None:
    shelf = shelf_of([(number, "red", "active") for number in range(1, 6)])
    shelf.change(2, category="blue")

    update = update_since({2}, shelf.shown(EVERY_PROMPT, 5), id="6")

    assert [(each.place, each.item.id) for each in update.changed] == [(0, 2)]
    assert (update.left, update.size) == ((), 5)


def test_a_snapshot_is_the_list() -> None:
    assert Snapshot(id="1", items=(prompt(1),)).applied([prompt(2)]) == (prompt(1),)


def test_what_the_list_has_no_room_for_goes() -> None:
    update = Update(id="1", changed=(Placed(place=0, item=prompt(3)),), left=(), size=2)

    assert update.applied([prompt(2), prompt(1)]) == (prompt(3), prompt(2))


def test_whole_lists_cannot_begin_in_the_middle() -> None:
    with pytest.raises(InvalidInput, match="whole lists"):
        check_beginning("1-x", lambda _: None)
