"""Comparing two versions, as they are written and as they come out with the same inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

import msgspec

from cuewire.model.diffs import Diff, DiffLine, FieldDiff, TextDiff
from cuewire.model.errors import InvalidInput
from cuewire.model.prompts import Inputs, Message, MessageTemplate, PromptVersion
from cuewire.ports import Renderer
from cuewire.registry import texts
from cuewire.registry.inputs import filled

_FIELDS = ("model", "parameters", "output", "variables", "lenient", "policy", "includes")
MAX_LINES = 20_000
"""Of both sides together; comparing takes time with the product of unequal lines."""


def compare(first: PromptVersion, second: PromptVersion, rendered: Sequence[Sequence[str]] | None = None) -> Diff:
    """Return what differs; `rendered` are the texts of both as they came out. Raises InvalidInput if too long.

    Takes up to a second for texts that repeat themselves.
    """
    pairs = zip_longest(first.messages, second.messages)
    texts = tuple(_text_diff(_role(one), _role(other), _text(one), _text(other)) for one, other in pairs)
    fields = tuple(
        FieldDiff(field=name, first=one, second=other)
        for name in _FIELDS
        if (one := _plain(getattr(first, name))) != (other := _plain(getattr(second, name)))
    )
    came_out = None
    if rendered is not None:
        came_out = tuple(_text_diff(None, None, one, other) for one, other in zip_longest(*rendered, fillvalue=""))
    return Diff(
        prompt=first.prompt,
        first=first.number,
        second=second.number,
        messages=texts,
        fields=fields,
        rendered=came_out,
    )


async def rendered(version: PromptVersion, inputs: Inputs, renderer: Renderer, *, at: datetime) -> Sequence[str]:
    """Return the texts of a version as they come out at an instant, with its defaults for what is not given.

    Raises TemplateError.
    """
    return await texts.rendered(version, filled(version.variables, inputs), renderer, key=version.content_hash, at=at)


def _text_diff(first_role: str | None, second_role: str | None, first: str, second: str) -> TextDiff:
    return TextDiff(first_role=first_role, second_role=second_role, lines=tuple(_lines(first, second)))


def _lines(first: str, second: str) -> Iterator[DiffLine]:
    ones, others = first.split("\n") if first else [], second.split("\n") if second else []
    if len(ones) + len(others) > MAX_LINES:
        raise InvalidInput(f"the texts have more than {MAX_LINES:,} lines together", field="/number")
    for tag, low, high, other_low, other_high in SequenceMatcher(None, ones, others, autojunk=True).get_opcodes():
        if tag == "equal":
            for place, text in enumerate(ones[low:high]):
                yield DiffLine(kind="same", text=text, first=low + place + 1, second=other_low + place + 1)
            continue
        for place, text in enumerate(ones[low:high]):
            yield DiffLine(kind="removed", text=text, first=low + place + 1, second=None)
        for place, text in enumerate(others[other_low:other_high]):
            yield DiffLine(kind="added", text=text, first=None, second=other_low + place + 1)


def _role(message: MessageTemplate | None) -> str | None:
    if message is None:
        return None
    return message.role if isinstance(message, Message) else "placeholder"


def _text(message: MessageTemplate | None) -> str:
    """Return a message as text: what is not a text of its own in braces that no template has."""
    match message:
        case None:
            return ""
        case Message(content=str() as content):
            return content
        case Message(content=parts):
            return "\n".join(part if isinstance(part, str) else f"[image {part.input}]" for part in parts)
        case placeholder:
            return f"[messages {placeholder.input}]"


def _plain(value: object) -> Any:
    return msgspec.to_builtins(value)
