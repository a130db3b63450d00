"""A live list: whole at first, then what changes of it, in steps that lead from each list to the next."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Generic, TypeAlias, TypeVar

from cuewire.model.errors import InvalidInput
from cuewire.model.executions import Execution
from cuewire.model.prompts import Prompt
from cuewire.model.values import Value

Item = TypeVar("Item", bound=Prompt | Execution)
"""What a live list is of."""


class Placed(Value, Generic[Item], frozen=True):
    """An item and its place in the new list, from 0."""

    place: int
    item: Item


class Snapshot(Value, Generic[Item], frozen=True):
    """The whole list. Who loses it after this goes on from `id`."""

    id: str
    items: tuple[Item, ...]

    def applied(self, _: Sequence[Item] = ()) -> tuple[Item, ...]:
        """Return the list as it is now."""
        return self.items


class Update(Value, Generic[Item], frozen=True):
    """What makes the new list of the old one: take out what `left` or changed, put in what changed, cut to the size.

    `changed` is in the order of places, and what is new in the list is among it; `left` are ids of items.
    """

    id: str
    changed: tuple[Placed[Item], ...]
    left: tuple[int | str, ...]
    size: int

    def applied(self, items: Sequence[Item]) -> tuple[Item, ...]:
        """Return the list as it is now, from what it was before."""
        moved = {*self.left, *(each.item.id for each in self.changed)}
        kept = [item for item in items if item.id not in moved]
        for each in self.changed:
            kept.insert(each.place, each.item)
        return tuple(kept[: self.size])


LiveChange: TypeAlias = Snapshot[Item] | Update[Item]
OnChange: TypeAlias = Callable[[Sequence[Item]], None]
"""Is told the whole list, at first and after each change."""


def check_beginning(after: str | None, on_change: OnChange[Item] | None) -> None:
    """Raise InvalidInput for what is to be told whole lists, but from an earlier change on."""
    if after is not None and on_change is not None:
        raise InvalidInput(
            "on_change is told whole lists, and so cannot begin after an earlier change",
            field="/after",
            hint="iterate over the subscription, or leave one of the two out",
        )


def second_reader() -> InvalidInput:
    """Return the error for who would read a subscription that somebody else reads: each would get half of the steps."""
    return InvalidInput(
        "somebody else reads this subscription, and each change is told once", hint="subscribe once for each reader"
    )


def update_between(old: Sequence[Item], new: Sequence[Item], *, id: str) -> Update[Item]:
    """Return the step from a list to another one; items that are the same object have not changed."""
    known = {item.id: item for item in old}
    changed = tuple(Placed(place=place, item=item) for place, item in enumerate(new) if known.get(item.id) is not item)
    kept = {item.id for item in new}
    return Update(id=id, changed=changed, left=tuple(item.id for item in old if item.id not in kept), size=len(new))


def update_since(touched: Collection[int], new: Sequence[Prompt], *, id: str) -> Update[Prompt]:
    """Return the step to a list, newest change first, from one that is not known but for what was `touched` since.

    Each prompt that was touched and is not in the list may have left it, and made room for one at its end.
    """
    gone = {*touched} - {prompt.id for prompt in new}
    others = [place for place, prompt in enumerate(new) if prompt.id not in touched]
    entered = {*others[max(0, len(others) - len(gone)) :]}
    changed = tuple(
        Placed(place=place, item=prompt) for place, prompt in enumerate(new) if place in entered or prompt.id in touched
    )
    return Update(id=id, changed=changed, left=tuple(sorted(gone)), size=len(new))
