"""The prompts that every registry of its table holds: what they are called, what is said of them, what they say.

Standard library only, because it is also read inside the peer's environment.
"""

from __future__ import annotations

from dataclasses import dataclass

TEAMS, TYPES, TAGS, STRATEGIES = 40, 8, 50, 20
LANGUAGES = ("en", "en", "en", "de", "pt-br")
_TOPICS = ("breakout", "earnings", "sentiment", "volatility", "liquidity", "momentum", "hedging", "seasonality")
_SENTENCE = "Say in one line what matters to {{ reader }}, name its source, and leave out what you are not sure of. "
LOOP = "Read these:\n{% for item in items %}{{ loop.index }}. {{ item }}\n{% endfor %}"
SMALL = "Dear {{ reader }}, is this a bug report or an idea? {{ text }}"


@dataclass(frozen=True, slots=True)
class Size:
    """How many prompts, each of how many versions."""

    prompts: int
    versions: int

    @classmethod
    def of(cls, text: str) -> Size:
        """Read `10000x20`."""
        prompts, versions = map(int, text.split("x"))
        return cls(prompts, versions)


def id_of(number: int) -> int:
    """Give our id of a prompt."""
    return 1_000 + number


def name_of(number: int) -> str:
    """Give the name of a prompt."""
    return f"team-{number % TEAMS:02}.prompt-{number:05}"


def description_of(number: int) -> str:
    """Give what is said of a prompt; one in eight speaks of each topic, and one alone holds its own number."""
    return f"Looks at {_TOPICS[number % len(_TOPICS)]} for desk {number % 97}, as asked in ticket {number:05}."


def type_of(number: int) -> str:
    """Give its type."""
    return f"kind-{number % TYPES}"


def tags_of(number: int) -> tuple[str, ...]:
    """Give its tags."""
    return tuple(sorted({f"tag-{number * step % TAGS:02}" for step in (1, 7, 11)}))


def strategy_of(number: int) -> int | None:
    """Give the number of its strategy, counted from 1; three in four have none."""
    return 1 + number // 4 % STRATEGIES if number % 4 == 3 else None


def status_of(number: int) -> str:
    """Give its status."""
    return {0: "inactive", 1: "archived"}.get(number % 20, "active")


def text_of(number: int, version: int) -> str:
    """Give the template of one version, about 600 characters."""
    return f"{_SENTENCE * 5}Prompt {number}, version {version}. {{{{ text }}}}"


def labels_of(newest: int) -> dict[str, int]:
    """Give its labels, each with the number of its version."""
    return {"production": max(newest - 1, 1), "staging": newest}


def of_4_kb() -> str:
    """Give a template of 4 KB with loops, conditions and filters."""
    part = "{% for item in items %}{% if item %}- {{ item|upper|truncate(40) }}\n{% endif %}{% endfor %}" + _SENTENCE
    return (part * 40)[: 4_096 // len(part) * len(part)]
