"""The templates in messages, and what comes out of them."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from cuewire.model.includes import Includes
from cuewire.model.prompts import Inputs, Message, MessageTemplate
from cuewire.ports import Renderer


class Renderable(Protocol):
    """What a version, or content that may become one, holds of its texts."""

    @property
    def messages(self) -> Sequence[MessageTemplate]:
        """The messages, in order."""
        ...

    @property
    def includes(self) -> Includes:
        """What they take from other prompts."""
        ...

    @property
    def lenient(self) -> bool:
        """Whether what is missing is empty, instead of an error."""
        ...


def templates_of(messages: Iterable[MessageTemplate]) -> tuple[str, ...]:
    """Return the templates of all messages, in order."""
    found: list[str] = []
    for message in messages:
        if isinstance(message, Message):
            content = message.content
            if isinstance(content, str):
                found.append(content)
            else:
                found += [part for part in content if isinstance(part, str)]
    return (*found,)


def rendered(
    subject: Renderable, values: Inputs, renderer: Renderer, *, key: str, at: datetime | None
) -> Awaitable[tuple[str, ...]]:
    """Return the texts of messages as a run has them; see `Renderer.render`. Raises TemplateError."""
    return renderer.render(
        templates_of(subject.messages),
        values,
        key=key,
        at=at,
        includes=subject.includes,
        missing="empty" if subject.lenient else "raise",
    )
