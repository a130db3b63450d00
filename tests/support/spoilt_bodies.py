"""Answers of models with something wrong in them: a part gone, twice, or of another kind than it should be."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, TypeAlias

from hypothesis import strategies as st

Path: TypeAlias = tuple[str | int, ...]

_deep: Any = "deep"
for _ in range(60):
    _deep = [_deep]
JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, -7.5, 1e308, 2**53 + 1, 10**30, "", "x", "-7", "7", "\x00", "\U0001f600"),
    *([], {}, [None], [[]], [{}], [-1, "x"], {"": None}, {"a": {"b": []}}, {"type": "text"}, {"text": 7}, _deep),
)


def paths(body: Any, so_far: Path = ()) -> Iterator[Path]:
    """Yield the way to each part of a body, the body itself first."""
    yield so_far
    parts = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for name, part in parts:
        yield from paths(part, (*so_far, name))


@st.composite
def spoilt(draw: st.DrawFn, body: Any) -> Any:
    """Draw the body with one to four things wrong in it."""
    wrong = deepcopy(body)
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from([*paths(wrong)]))
        if not path:
            return draw(st.sampled_from(JUNK))
        holder: Any = wrong
        for name in path[:-1]:
            holder = holder[name]
        part: Any = path[-1]
        match draw(st.sampled_from(("junk", "gone", "inside", "twice"))):
            case "gone":
                del holder[part]
            case "inside":
                holder[part] = [holder[part]]
            case "twice" if isinstance(holder, list):
                holder.append(deepcopy(holder[part]))
            case _:
                holder[part] = deepcopy(draw(st.sampled_from(JUNK)))
        if not wrong:
            return wrong
    return wrong
