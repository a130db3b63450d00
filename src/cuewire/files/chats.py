"""Chat messages as other tools write them, `{role, content}`, and as ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast, get_args

from cuewire.files.losses import Losses
from cuewire.model.errors import InvalidInput
from cuewire.model.prompts import AuthoredRole, Image, Message, MessageTemplate

MAX_MESSAGES = 200
_ROLES = get_args(AuthoredRole)
_OTHER_ROLES = {"human": "user", "ai": "assistant", "model": "assistant"}
_ALONE = re.compile(r"\{\{\s*([A-Za-z_]\w{0,63})\s*\}\}", re.ASCII)


def message(source: Any, *, template: Callable[[str], str], losses: Losses) -> Message | None:
    """Return a message, its texts turned into templates, None if it can be none of ours. Raises InvalidInput."""
    if not isinstance(source, dict):
        raise InvalidInput(f"{str(source)[:80]!r} is not a message")
    role = source.get("role")
    role = _OTHER_ROLES.get(role, role) if isinstance(role, str) else role
    if role not in _ROLES:
        losses.add(f"a message of {role!r}", f"messages are of {', '.join(_ROLES)}")
        return None
    for member in source.keys() - {"role", "content", "type"}:
        losses.add(member, "messages have a role and content only")
    content = source.get("content")
    if isinstance(content, str):
        return Message(cast(AuthoredRole, role), template(content))
    if not isinstance(content, list):
        raise InvalidInput(f"the content of a message of {role} is no text")
    return Message(cast(AuthoredRole, role), tuple(_parts(content, template, losses)))


def _parts(content: Sequence[Any], template: Callable[[str], str], losses: Losses) -> Iterator[str | Image]:
    for part in content:
        match part:
            case {"type": "text", "text": str(text)} | str(text):
                yield template(text)
            case {"type": "image_url", "image_url": {"url": str(url)} | str(url)} if found := _ALONE.fullmatch(url):
                yield Image(input=found[1])
            case _:
                losses.add(f"a part of a message: {part}", "parts are texts and images that an input gives")


def messages(found: Sequence[MessageTemplate]) -> tuple[MessageTemplate, ...]:
    """Return messages if a prompt can have so many. Raises InvalidInput."""
    if not 1 <= len(found) <= MAX_MESSAGES:
        raise InvalidInput(f"a prompt has 1 to {MAX_MESSAGES} messages, not {len(found):,}")
    return tuple(found)


def plain(found: Message, *, text: Callable[[str], str]) -> dict[str, Any]:
    """Return a message as other tools write it."""
    if isinstance(found.content, str):
        return {"role": found.role, "content": text(found.content)}
    parts = [
        {"type": "image_url", "image_url": {"url": f"{{{{{part.input}}}}}"}}
        if isinstance(part, Image)
        else {"type": "text", "text": text(part)}
        for part in found.content
    ]
    return {"role": found.role, "content": parts}
