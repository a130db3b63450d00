"""Who does something: a person or a program, and what they may do."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from cuewire.model.errors import InvalidInput
from cuewire.model.values import Value

Role: TypeAlias = Literal["viewer", "runner", "editor", "publisher", "admin"]
"""Each may do all that the ones before it may."""
ROLES: tuple[Role, ...] = get_args(Role)
RANKS = {role: rank for rank, role in enumerate(ROLES)}
MAX_PATTERNS = 100
_PATTERN = re.compile(r"[a-z0-9][a-z0-9._/-]{0,127}\*?")


class Actor(Value, frozen=True):
    """Who asks, and what for. `scopes` and `prompts` narrow what the role allows; None narrows nothing.

    `name` stands in the history of what they do. Of `scopes` each is an action, or `prompts:*` for all that begin so.
    Of `prompts` each is a name, or the beginning of names with a star, as in `team/*`. Nothing that this actor makes
    may last longer than `expires_at`.
    """

    name: str
    role: Role
    scopes: frozenset[str] | None = None
    prompts: tuple[str, ...] | None = None
    expires_at: datetime | None = None

    def sees(self, prompt: str) -> bool:
        """Tell whether prompts of this name are there for the actor."""
        return self.prompts is None or any_fits(self.prompts, prompt)


LOCAL = Actor(name="local", role="admin")
"""Who uses the library or the command line on the database itself, and so may do everything."""
NOBODY = Actor(name="nobody", role="viewer", scopes=frozenset())
"""Who may do nothing: everybody, until they are known."""


def lower(one: Role, other: Role) -> Role:
    """Return the role of the two that allows less."""
    return one if RANKS[one] < RANKS[other] else other


def check_role(role: object) -> Role:
    """Return the role if it is one, else raise InvalidInput."""
    for known in ROLES:
        if role == known:
            return known
    raise InvalidInput(f"{str(role)[:40]!r} is not a role", field="/role", hint=f"one of {', '.join(ROLES)}")


def check_patterns(patterns: Collection[str]) -> tuple[str, ...]:
    """Return names of prompts, or beginnings of them with a star, sorted, if they are well formed.

    Raises one InvalidInput that lists all that are not.
    """
    if not 1 <= len(patterns) <= MAX_PATTERNS:
        raise InvalidInput(f"name 1 to {MAX_PATTERNS} prompts", field="/prompts")
    wrong = tuple(
        (f"/prompts/{place}", f"{pattern[:80]!r} is neither a prompt's name nor the beginning of one with a *")
        for place, pattern in enumerate(patterns)
        if not _PATTERN.fullmatch(pattern)
    )
    if wrong:
        raise InvalidInput("; ".join(what for _, what in wrong), problems=wrong, hint="as in triage or team/*")
    return tuple(sorted({*patterns}))


def any_fits(patterns: Sequence[str], name: str) -> bool:
    """Tell whether a prompt of this name is one of those. Digits alone are an id, which says nothing of a name."""
    if name.isdigit():
        return False
    for each in patterns:  # noqa: SIM110  # asked at each run, and `any` takes three times as long
        if name == each or (each[-1] == "*" and name.startswith(each[:-1])):
            return True
    return False


def common(patterns: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Return the patterns of the names that are among both."""
    pairs = [(one, other) for one in patterns for other in others]
    narrower = {one for one, other in pairs if all_fit([other], [one])}
    return tuple(sorted(narrower | {other for one, other in pairs if all_fit([one], [other])}))


def all_fit(patterns: Sequence[str], narrower: Sequence[str]) -> bool:
    """Tell whether each prompt of the narrower patterns is one of those."""
    return all(
        each in patterns or any(of.endswith("*") and each.startswith(of[:-1]) for of in patterns) for each in narrower
    )
