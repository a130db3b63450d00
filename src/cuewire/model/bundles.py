"""Bundles: prompts with all their versions, on their way from one registry or tool to another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from cuewire.model.includes import NOTHING, Includes
from cuewire.model.prompt_files import PromptFile
from cuewire.model.prompts import Variable
from cuewire.model.values import Value

Format: TypeAlias = Literal["bundle", "langfuse", "prompty", "promptfoo", "fstring", "mustache"]
"""How prompts come and go; the last two are single texts, which only come."""
MAX_BUNDLE_BYTES = 32_000_000
"""How large a document with prompts may be."""


class Loss(Value, frozen=True):
    """Something that a conversion could not carry over as it was: where it stood, what it was, and why not."""

    place: str
    what: str
    why: str


class BundledVersion(Value, frozen=True):
    """A version and what its registry said of it.

    `number` is that of the source, 0 if it has none. `includes` are the texts that it took from others there; whoever
    imports it takes them from prompts of their own. `inputs` are all that it reads, of a registry's version only.
    """

    file: PromptFile
    number: int = 0
    labels: tuple[str, ...] = ()
    created_at: datetime | None = None
    includes: Includes = NOTHING
    inputs: dict[str, Variable] = {}


class Bundle(Value, frozen=True):
    """Versions, those of one prompt together with the oldest first, and what reading them lost."""

    versions: tuple[BundledVersion, ...]
    losses: tuple[Loss, ...] = ()


class Exported(Value, frozen=True):
    """A document in some format, and what writing it lost."""

    data: bytes
    losses: tuple[Loss, ...] = ()


def histories(versions: Sequence[BundledVersion]) -> list[list[BundledVersion]]:
    """Return the versions of each prompt, in the order in which the prompts first appear."""
    found: dict[tuple[str, str | None, str], list[BundledVersion]] = {}
    for version in versions:
        file = version.file
        found.setdefault((file.prompt, file.strategy, file.language), []).append(version)
    return [*found.values()]
