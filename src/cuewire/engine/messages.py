"""From a version and its inputs to the chat messages that are sent.

Roles come from the version's structure alone: nothing that a template prints can begin a new message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cuewire.model.prompts import Image, Placeholder, PromptVersion
from cuewire.model.requests import ChatMessage, ContentPart, ImageContent, TextContent
from cuewire.ports import Renderer
from cuewire.registry.inputs import history
from cuewire.registry.texts import rendered


async def render_messages(
    version: PromptVersion, inputs: Mapping[str, Any], renderer: Renderer, *, at: datetime
) -> tuple[ChatMessage, ...]:
    """Render the version's templates and put history and images in their places. Raises TemplateError.

    `at` is what the templates take for now.
    """
    texts = iter(await rendered(version, inputs, renderer, key=version.content_hash, at=at))
    messages: list[ChatMessage] = []
    for template in version.messages:
        if isinstance(template, Placeholder):
            messages.extend(history(inputs.get(template.input) or ()))
        elif isinstance(template.content, str):
            messages.append(ChatMessage(role=template.role, content=next(texts)))
        else:
            parts = tuple(_part(part, texts, inputs) for part in template.content)
            messages.append(ChatMessage(role=template.role, content=parts))
    return tuple(messages)


def _part(part: str | Image, texts: Iterator[str], inputs: Mapping[str, Any]) -> ContentPart:
    return ImageContent(inputs[part.input]) if isinstance(part, Image) else TextContent(next(texts))
