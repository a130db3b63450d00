"""A prompt file as text: settings in YAML between two lines of ---, then the messages.

A message begins with its role in double brackets on a line of its own; one plain message of the user needs none:

    ---
    model: openai/gpt-4o-mini
    output: [bug, idea]
    ---
    [[system]]
    You sort what users write.
    [[messages: history]]
    [[user]]
    {{ text }}

A line of a text that looks like such a mark, or like one behind backslashes, gets a backslash in front of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, cast, get_args

import msgspec

from cuewire.files import yaml
from cuewire.model.errors import InvalidInput
from cuewire.model.policies import parse_policy, stated
from cuewire.model.prompt_files import PromptFile
from cuewire.model.prompts import AuthoredRole, Image, Message, MessageTemplate, Placeholder
from cuewire.model.values import Value

_NOTHING = PromptFile(prompt="", messages=())
_ATTRIBUTES = PromptFile.__struct_fields__[2:]
SETTINGS = PromptFile.__struct_encode_fields__[2:]
_RULE = "---"
_ROLES = get_args(AuthoredRole)
_MARK = re.compile(rf"\[\[(?P<kind>{'|'.join(_ROLES)}|text|messages|image)(?:: (?P<input>[A-Za-z_]\w*))?\]\]")
_LIKE_A_MARK = re.compile(r"\\*" + _MARK.pattern)


def to_text(file: PromptFile) -> str:
    """Return the text of a prompt file."""
    told = {
        name: value
        for name, attribute in zip(SETTINGS, _ATTRIBUTES, strict=True)
        if (value := getattr(file, attribute)) != getattr(_NOTHING, attribute)
    }
    settings = yaml.write(told) if told else ""
    return f"{_RULE}\n{settings}{_RULE}\n" + "".join(f"{line}\n" for line in _lines(file.messages))


def from_text(prompt: str, text: str) -> PromptFile:
    """Read the text of a prompt file. Raises InvalidInput with the line that is wrong."""
    lines = text.split("\n")
    if lines[0] != _RULE or _RULE not in lines[1:]:
        raise InvalidInput("line 1: a prompt file begins with its settings between two lines of ---")
    end = lines.index(_RULE, 1)
    settings = yaml.read("\n".join(["", *lines[1:end], ""]))  # the empty line makes the numbers of lines right
    told = {} if settings is None else settings
    if not isinstance(told, dict) or (unknown := [name for name in told if name not in SETTINGS]):
        what = f"unknown settings: {', '.join(map(str, unknown))}" if isinstance(told, dict) else "no settings"
        raise InvalidInput(f"line 2: {what}", hint=f"known are {', '.join(SETTINGS)}")
    body = lines[end + 1 :]
    if body and body[-1] == "":
        body.pop()
    messages = tuple(_messages(body, first=end + 2))
    try:
        file = msgspec.convert({"prompt": prompt, "messages": messages, **told}, PromptFile)
    except msgspec.ValidationError as error:
        raise InvalidInput(str(error)) from None
    return msgspec.structs.replace(file, policy=stated(parse_policy(file.policy)))


class Start(NamedTuple):
    """Where a message begins in a file: the line of its text if it is one text, else that of its mark."""

    line: int
    is_text: bool


def starts(text: str) -> tuple[Start, ...]:
    """Return where each message begins, in what `from_text` reads."""
    lines = text.split("\n")
    end = lines.index(_RULE, 1)
    found: list[Start] = []
    for block in _blocks(lines[end + 1 :], first=end + 2):
        if block.kind in ("text", "image"):
            found[-1] = Start(found[-1].line - found[-1].is_text, is_text=False)
        else:
            found.append(Start(block.line + bool(block.kind), is_text=True))
    return tuple(found)


def _lines(messages: tuple[MessageTemplate, ...]) -> Iterator[str]:
    match messages:
        case (Message(role="user", content=str() as alone),):
            yield from _escaped(alone)
            return
    for message in messages:
        if isinstance(message, Placeholder):
            yield f"[[messages: {message.input}]]"
        else:
            yield f"[[{message.role}]]"
            yield from _of_parts(message.content)


def _of_parts(content: str | tuple[str | Image, ...]) -> Iterator[str]:
    if isinstance(content, str):
        yield from _escaped(content)
        return
    for part in content:
        if isinstance(part, Image):
            yield f"[[image: {part.input}]]"
        else:
            yield "[[text]]"
            yield from _escaped(part)


def _escaped(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield "\\" + line if _LIKE_A_MARK.fullmatch(line) else line


def _messages(lines: list[str], *, first: int) -> Iterator[MessageTemplate]:
    blocks = list(_blocks(lines, first=first))
    if len(blocks) == 1 and not blocks[0].kind:
        yield Message("user", blocks[0].text or "")
        return
    while blocks:
        block = blocks.pop(0)
        if block.kind == "messages":
            yield Placeholder(input=block.named())
        elif block.kind in _ROLES:
            parts = []
            while blocks and blocks[0].kind in ("text", "image"):
                parts.append(_part(blocks.pop(0)))
            if parts:
                block.refuse_text()
            yield Message(cast(AuthoredRole, block.kind), tuple(parts) if parts else block.text or "")
        else:
            raise InvalidInput(f"line {block.line}: what stands here belongs to no message", hint="begin with [[user]]")


def _part(block: _Block) -> str | Image:
    return Image(input=block.named()) if block.kind == "image" else block.text or ""


class _Block(Value, frozen=True):
    """A mark and the text behind it, None if there is not even a line."""

    kind: str
    input: str | None
    text: str | None
    line: int

    def named(self) -> str:
        """Return the input that the mark names, which stands alone."""
        self.refuse_text()
        if self.input is None:
            raise InvalidInput(f"line {self.line}: say which input: [[{self.kind}: NAME]]")
        return self.input

    def refuse_text(self) -> None:
        """Refuse text behind a mark that takes none."""
        if self.text is not None:
            raise InvalidInput(
                f"line {self.line}: no text may follow this mark", hint="begin with [[user]] or [[text]]"
            )


def _blocks(lines: list[str], *, first: int) -> Iterator[_Block]:
    kind, name, begun = "", None, first
    text: list[str] = []
    for number, line in enumerate([*lines, None], first):
        found = _MARK.fullmatch(line) if line is not None else None
        if line is not None and found is None:
            text.append(line[1:] if line.startswith("\\") and _LIKE_A_MARK.fullmatch(line) else line)
            continue
        if kind or text:
            yield _Block(kind=kind, input=name, text="\n".join(text) if text else None, line=begun)
        if found:
            kind, name, begun, text = found["kind"], found["input"], number, []
