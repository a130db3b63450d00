"""Prompts of Langfuse as its API gives them: an array of objects, a version each; templates know `{{name}}` only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec

from cuewire.files import chats, json, names
from cuewire.files.jinja_text import Expression, Part, Piece, Tag, joined, untrimmed
from cuewire.files.losses import Losses
from cuewire.files.model_options import options, response_format
from cuewire.model.bundles import Bundle, BundledVersion, Exported, histories
from cuewire.model.errors import InvalidInput
from cuewire.model.prompt_files import PromptFile
from cuewire.model.prompts import MessageTemplate, Placeholder
from cuewire.model.references import DEFAULT_LABEL, DEFAULT_LANGUAGE, parse_reference

MAX_PROMPTS = 20_000
_STEP = re.compile(
    r"@@@langfusePrompt:name=(?P<name>[^@|\n]{1,300})\|(?P<by>version|label)=(?P<which>[^@|\n]{1,100})@@@"
    r"|\{\{(?P<variable>[^{}\n]{1,200})\}\}"
)
_KNOWN = frozenset({"name", "type", "prompt", "config", "labels", "tags", "commitMessage", "version"})
_OF_SERVER = frozenset(
    {"id", "projectId", "createdAt", "updatedAt", "createdBy", "isActive", "resolutionGraph", "lastUpdatedAt"}
)
"""What the server knows of a version and no other needs."""


def read_langfuse(data: bytes) -> Bundle:
    """Return what the prompts of Langfuse are here. Raises InvalidInput."""
    losses = Losses()
    source = json.read(data, losses=losses)
    if isinstance(source, dict):
        source = source.get("data", [source])
    if not isinstance(source, list) or not source or len(source) > MAX_PROMPTS:
        raise InvalidInput(f"an export of Langfuse is an array of 1 to {MAX_PROMPTS:,} prompts")
    reader = _Reader(losses)
    versions = [reader.version(item, at) for at, item in enumerate(source)]
    numbered = [(version.file.prompt, version.number) for version in versions if version.number]
    if len({*numbered}) < len(numbered):
        raise InvalidInput("a version stands there twice")
    ordered = [version for history in histories(versions) for version in sorted(history, key=lambda each: each.number)]
    return Bundle(versions=tuple(ordered), losses=losses.all())


class _Reader:
    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._names = names.PromptNames(losses)

    def version(self, source: Any, at: int) -> BundledVersion:
        """Return one version. Raises InvalidInput."""
        if not isinstance(source, dict) or "prompt" not in source:
            raise InvalidInput(f"item {at + 1} is not a prompt of Langfuse")
        name = self._names.of(source.get("name"))
        number = source.get("version")
        with self._losses.within(f"{name} {number}" if isinstance(number, int) else name):
            for member in source.keys() - _KNOWN - _OF_SERVER:
                self._losses.add(member, "a prompt here has nothing of this name")
            config = source.get("config")
            found = options(config if isinstance(config, dict) else {}, losses=self._losses)
            if config and not isinstance(config, dict):
                self._losses.add(f"config: {config}", "only an object is understood")
            note = source.get("commitMessage")
            file = PromptFile(
                prompt=name,
                messages=chats.messages([*self._messages(source["prompt"])]),
                tags=names.tags(source.get("tags"), losses=self._losses),
                model=found.model,
                parameters=found.parameters,
                output=found.output,
                note=note if isinstance(note, str) else "",
            )
            return BundledVersion(
                file=file,
                number=number if isinstance(number, int) and 0 < number < 2**31 else 0,
                labels=names.labels(source.get("labels"), losses=self._losses),
            )

    def _messages(self, source: object) -> Iterator[MessageTemplate]:
        if isinstance(source, str):
            source = [{"role": "user", "content": source}]
        if not isinstance(source, list):
            raise InvalidInput("the prompt is neither a text nor a list of messages")
        for item in source:
            match item:
                case {"type": "placeholder", "name": str(given)}:
                    if name := names.input_name(given, losses=self._losses):
                        yield Placeholder(input=name)
                    else:
                        self._losses.add(f"placeholder {given}", "it is no name")
                case _:
                    if message := chats.message(item, template=self.template, losses=self._losses):
                        yield message

    def template(self, text: str) -> str:
        """Return a text of Langfuse as a template: its variables and its tags, and all else as it stands."""
        return joined(self._parts(text))

    def _parts(self, text: str) -> Iterator[Part]:
        at, line = 0, 1
        for found in _STEP.finditer(text):
            yield text[at : found.start()]
            line += text.count("\n", at, found.start())
            at = found.end()
            if variable := found["variable"]:
                name = names.input_name(variable, losses=self._losses, line=line)
                yield Expression(name) if name else found[0]
            else:
                yield self._include(found)
        yield text[at:]

    def _include(self, found: re.Match[str]) -> Part:
        which = found["which"].strip()
        try:
            name = self._names.of(found["name"].strip())
            reference = name if which == DEFAULT_LABEL else f"{name}@{which}"
            parse_reference(reference)
        except InvalidInput as error:
            self._losses.add(found[0], error.message)
            return found[0]
        if found["by"] == "version":
            self._losses.add(found[0], "versions may have other numbers here; see whether the right one is included")
        return Tag(f'include "{reference}"')


def write_langfuse(versions: Sequence[BundledVersion]) -> Exported:
    """Return versions as Langfuse takes them."""
    losses = Losses()
    items = [_item(each, losses) for history in names.told_apart(versions, losses=losses) for each in history]
    return Exported(data=msgspec.json.format(msgspec.json.encode(items), indent=2) + b"\n", losses=losses.all())


def _item(version: BundledVersion, losses: Losses) -> dict[str, Any]:
    file = version.file
    with losses.within(f"{file.prompt} {version.number}" if version.number else file.prompt):
        for name in ("description", "template_type", "category", "strategy", "variables", "lenient", "policy"):
            if value := getattr(file, name):
                losses.add(f"{name}: {value}", "Langfuse has no place for it")
        if file.language != DEFAULT_LANGUAGE:
            losses.add(f"language: {file.language}", "Langfuse has no place for it")
        config: dict[str, Any] = {"model": file.model} if file.model else {}
        config |= file.parameters
        if shape := response_format(file.output):
            config["response_format"] = shape
        match file.messages:
            case (only,) if not isinstance(only, Placeholder) and only.role == "user" and isinstance(only.content, str):
                body: dict[str, Any] = {"type": "text", "prompt": _text(only.content, losses)}
            case _:
                body = {"type": "chat", "prompt": [_message(message, losses) for message in file.messages]}
        numbered = {"version": version.number} if version.number else {}
        told = {"config": config, "labels": [*version.labels], "tags": [*file.tags], "commitMessage": file.note or None}
        return {"name": file.prompt, **numbered, **body, **told}


def _message(message: MessageTemplate, losses: Losses) -> dict[str, Any]:
    if isinstance(message, Placeholder):
        return {"type": "placeholder", "name": message.input}
    if not isinstance(message.content, str):
        losses.add(f"the parts of a message of {message.role}", "messages of Langfuse are texts", line=0)
        text = "\n".join(part if isinstance(part, str) else f"{{{{{part.input}}}}}" for part in message.content)
        return {"type": "chatmessage", "role": message.role, "content": _text(text, losses)}
    return {"type": "chatmessage", **chats.plain(message, text=lambda text: _text(text, losses))}


def _text(template: str, losses: Losses) -> str:
    """Return a template as Langfuse writes it; what it cannot say stays as it is."""
    made = ""
    said = [(piece, _literal(piece)) for piece in untrimmed(template)]
    for is_literal, run in groupby(said, key=lambda each: each[1] is not None):
        found = [*run]
        text = "".join(literal if literal is not None else _mark(piece, losses) for piece, literal in found)
        for mark in _STEP.finditer(text) if is_literal else ():
            losses.add(mark[0], "Langfuse takes it for a variable", line=found[0][0].line)
        made += text
    return made


def _literal(piece: Piece) -> str | None:
    """Return the text that a part of a template is, None if it is more."""
    if piece.kind == "expression" and piece.inner in ('"{{"', '"{%"', '"{#"', '"{"'):
        return piece.inner.strip('"')
    return piece.inner if piece.kind in ("text", "comment") else None


def _mark(piece: Piece, losses: Losses) -> str:
    if piece.kind == "expression" and piece.inner.isidentifier():
        return f"{{{{{piece.inner}}}}}"
    if piece.include is not None:
        return _include_tag(piece.include)
    losses.add(piece.source, "Langfuse has variables and includes only; it stays as it is", line=piece.line)
    return piece.source


def _include_tag(name: str) -> str:
    reference = parse_reference(name)
    by = f"version={reference.number}" if reference.number else f"label={reference.label}"
    return f"@@@langfusePrompt:name={reference.name}|{by}@@@"
