"""What a version takes from others: their texts as they were at its publishing, so that nothing changes it later."""

from __future__ import annotations

from typing import TypeAlias

from cuewire.model.errors import TemplateLimitExceeded
from cuewire.model.values import Value

MAX_DEPTH = 8
"""Prompts that include each other on one way down."""
MAX_TEXTS = 100
MAX_BYTES = 262_144
"""Of all included texts together."""

Ways: TypeAlias = dict[str, tuple[str, ...]]
"""The longest way down to each prompt, by its name, as references."""


class Mention(Value, frozen=True, kw_only=False):
    """Where a template names another prompt, and how it writes it; line and column count from 1."""

    written: str
    line: int
    column: int


class IncludedText(Value, frozen=True):
    """The template of another version; `pins` maps each name that it includes to a reference with a number."""

    text: str
    pins: dict[str, str] = {}


class Includes(Value, frozen=True):
    """All that a version includes, directly or through others.

    `pins` maps a name as the version's templates write it (`house-style`, `house-style@7`) to a reference with a number
    (`house-style@7`); `texts` has the text of each such reference, of those that the texts themselves include too.
    """

    pins: dict[str, str] = {}
    texts: dict[str, IncludedText] = {}


NOTHING = Includes()


def check_includes(includes: Includes) -> None:
    """Refuse texts that are too many, too long, too deep, or include each other. Raises TemplateLimitExceeded."""
    if len(includes.texts) > MAX_TEXTS:
        raise TemplateLimitExceeded(f"{len(includes.texts)} prompts are included, more than {MAX_TEXTS}")
    size = sum(len(included.text.encode(errors="surrogatepass")) for included in includes.texts.values())
    if size > MAX_BYTES:
        raise TemplateLimitExceeded(f"the included prompts have {size} bytes, more than {MAX_BYTES}")
    known: dict[str, Ways] = {}
    for reference in includes.pins.values():
        check_way(reference, includes, known=known)


def check_way(reference: str, includes: Includes, *, prompt: str = "", known: dict[str, Ways] | None = None) -> None:
    """Refuse a reference of the prompt from which the way down is too long, or meets a prompt twice.

    Raises TemplateLimitExceeded, which tells the way. `known` keeps what was found, for the next reference.
    """
    ways = _ways(reference, includes, 1, {} if known is None else known)
    if prompt in ways:
        raise _circle((prompt, *ways[prompt]))
    longest = max(ways.values(), key=len, default=())
    if len(longest) > MAX_DEPTH:
        raise _too_deep((prompt, *longest) if prompt else longest)


def _ways(reference: str, includes: Includes, depth: int, known: dict[str, Ways]) -> Ways:
    if reference in known:
        return known[reference]
    if depth > MAX_DEPTH:
        raise _too_deep((reference,))
    if reference not in includes.texts:
        return {}  # who links the texts will miss it
    name = reference.partition("@")[0]
    ways: Ways = {name: (reference,)}
    for below in includes.texts[reference].pins.values():
        for other, way in _ways(below, includes, depth + 1, known).items():
            if other == name:
                raise _circle((reference, *way))
            if len(way) >= len(ways.get(other, ())):
                ways[other] = (reference, *way)
    known[reference] = ways
    return ways


def _circle(way: tuple[str, ...]) -> TemplateLimitExceeded:
    return TemplateLimitExceeded(
        f"a prompt includes itself: {' -> '.join(way)}", hint="take what both need into a prompt of its own"
    )


def _too_deep(way: tuple[str, ...]) -> TemplateLimitExceeded:
    return TemplateLimitExceeded(
        f"prompts include each other deeper than {MAX_DEPTH}: {' -> '.join(way)}",
        hint="include the deeper ones directly",
    )
