"""The body of a file of Prompty: messages behind lines that name a role, and texts in the language of its template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from cuewire.files.jinja_text import included, literal
from cuewire.files.losses import Losses
from cuewire.files.mustache import from_mustache
from cuewire.files.names import PromptNames
from cuewire.model.prompts import AuthoredRole, Image, Message, MessageTemplate, Placeholder

_MARKER = re.compile(
    r"[ \t]*(?:#[ \t]*)?(?P<role>system|user|assistant|developer)(?P<told>\[[^\]]*\])?[ \t]*:[ \t]*", re.IGNORECASE
)
_ESCAPED = re.compile(rf"\\+{_MARKER.pattern}", re.IGNORECASE)
_GIVEN_ROLE = re.compile(r"[ \t]*(?:#[ \t]*)?\{\{[^{}]*\}\}[ \t]*:[ \t]*")
_PLACE = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)\s*-?\}\}", re.ASCII)


class Bodies:
    """Reads bodies whose inputs of a rich kind (`thread`, `image`, ...) are known."""

    def __init__(self, template: str, rich: Mapping[str, str], losses: Losses) -> None:
        self._template = template
        self._rich = rich
        self._losses = losses
        self._names = PromptNames(losses)

    def messages(self, body: str, first: int) -> Iterator[MessageTemplate]:
        """Yield the messages of a body that begins in line `first`."""
        role, text, begun = "", [], first
        for number, line in enumerate([*body.split("\n"), None], first):
            marker = _MARKER.fullmatch(line) if line is not None else None
            if line is not None and marker is None:
                if _GIVEN_ROLE.fullmatch(line):
                    self._losses.add(
                        line, "no input says a role here; let one of kind thread give messages", line=number
                    )
                text.append(line[1:] if _ESCAPED.fullmatch(line) else line)
                continue
            content = "\n".join(text).strip("\n")
            if role or content:
                yield from self._of_role(cast(AuthoredRole, role or "system"), content, begun)
            if marker:
                if marker["told"]:
                    self._losses.add(marker[0], "a message has a role only", line=number)
                role, text, begun = marker["role"].lower(), [], number

    def _of_role(self, role: AuthoredRole, text: str, line: int) -> Iterator[MessageTemplate]:
        parts: list[str | Image] = []
        at = 0
        is_alone = True
        for found in _PLACE.finditer(text):
            kind = self._rich.get(found[1])
            if kind in ("file", "audio"):
                self._losses.add(found[0], f"an input of kind {kind} is read as a plain value", line=line)
            if kind not in ("thread", "image"):
                continue
            before = text[at : found.start()]
            at = found.end()
            if kind == "image":
                parts += [*self._texts(before, line), Image(input=found[1])]
                continue
            if content := (*parts, *self._texts(before.rstrip(" \t").strip("\n"), line)):
                yield _message(role, content)
            yield Placeholder(input=found[1])
            parts, is_alone = [], False
        rest = text[at:] if is_alone else text[at:].strip("\n")
        if content := (*parts, *self._texts(rest, line)):
            yield _message(role, content)
        elif is_alone:
            yield Message(role, "")

    def _texts(self, text: str, line: int) -> tuple[str, ...]:
        if not text:
            return ()
        if self._template == "mustache":
            return (from_mustache(text, losses=self._losses, names=self._names),)
        if self._template == "none":
            return (literal(text),)
        for piece in included(text):
            self._losses.add(piece.source, "it is a prompt of the registry here, not a file", line=line + piece.line)
        return (text,)


def _message(role: AuthoredRole, content: Sequence[str | Image]) -> Message:
    match content:
        case [str(text)]:
            return Message(role, text)
    return Message(role, tuple(content))


def body_of(messages: Sequence[MessageTemplate], *, losses: Losses) -> str:
    """Return the body that says the messages."""
    made: list[str] = []
    for message in messages:
        if isinstance(message, Placeholder):
            made += [*([] if made else ["system:"]), f"{{{{{message.input}}}}}"]
        else:
            made.append(f"{message.role}:\n{_text(message, losses)}")
    return "\n\n".join(made) + "\n"


def _text(message: Message, losses: Losses) -> str:
    parts = (message.content,) if isinstance(message.content, str) else message.content
    text = "".join(part if isinstance(part, str) else f"{{{{{part.input}}}}}" for part in parts)
    if sum(isinstance(part, str) for part in parts) > 1:
        losses.add(f"the parts of a message of {message.role}", "texts beside each other become one")
    if text != text.strip("\n"):
        losses.add(f"empty lines around a message of {message.role}", "Prompty takes them away")
    lines = []
    for line in text.split("\n"):
        if _MARKER.fullmatch(line.lstrip("\\")) and (line.startswith("\\") or _MARKER.fullmatch(line)):
            losses.add(line, "Prompty takes it for a role; a backslash stands before it")
            line = "\\" + line
        lines.append(line)
    return "\n".join(lines)
