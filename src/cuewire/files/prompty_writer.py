"""A version as a file of Prompty, version 2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cuewire.files import yaml
from cuewire.files.jinja_text import included
from cuewire.files.losses import Losses
from cuewire.files.model_options import response_format
from cuewire.files.prompty_body import body_of
from cuewire.model.bundles import BundledVersion, Exported, histories
from cuewire.model.errors import InvalidInput
from cuewire.model.prompts import Image, Message, MessageTemplate, Placeholder, Variable
from cuewire.model.references import DEFAULT_LANGUAGE

_KINDS = {"number": "float"}
_OPTIONS = {
    "temperature": "temperature",
    "max_tokens": "maxOutputTokens",
    "top_p": "topP",
    "top_k": "topK",
    "seed": "seed",
    "stop": "stopSequences",
    "frequency_penalty": "frequencyPenalty",
    "presence_penalty": "presencePenalty",
}
_RICH = {"messages": "thread", "image": "image"}


def write_prompty(versions: Sequence[BundledVersion]) -> Exported:
    """Return one prompt as a file of Prompty: its production version, else its newest. Raises InvalidInput."""
    found = histories(versions)
    if len(found) != 1:
        raise InvalidInput(f"a file of Prompty holds one prompt, not {len(found)}", hint="name the one to export")
    version = next((each for each in found[0] if "production" in each.labels), found[0][-1])
    losses = Losses()
    if len(found[0]) > 1:
        losses.add(f"{len(found[0]) - 1} other versions", "a file of Prompty holds one")
    file = version.file
    for name in ("template_type", "category", "strategy", "lenient", "policy", "note"):
        if value := getattr(file, name):
            losses.add(f"{name}: {value}", "Prompty has no place for it")
    if file.language != DEFAULT_LANGUAGE:
        losses.add(f"language: {file.language}", "Prompty has no place for it")
    settings: dict[str, Any] = {"name": file.prompt}
    if file.description:
        settings["description"] = file.description
    if file.tags:
        settings["metadata"] = {"tags": [*file.tags]}
    if model := _model(version):
        settings["model"] = model
    if inputs := [*_inputs(version, losses)]:
        settings["inputs"] = inputs
    for message in file.messages:
        texts = message.content if isinstance(message, Message) else ()
        for text in (texts,) if isinstance(texts, str) else texts:
            for piece in included(text) if isinstance(text, str) else ():
                losses.add(piece.source, "Prompty includes nothing", line=piece.line)
    body = body_of(file.messages, losses=losses)
    return Exported(data=f"---\n{yaml.write(settings)}---\n{body}".encode(), losses=losses.all())


def _model(version: BundledVersion) -> dict[str, Any]:
    file = version.file
    made: dict[str, Any] = {}
    if file.model:
        provider, _, name = file.model.partition("/")
        made |= {"id": name, "provider": provider, "apiType": "chat"}
    told = {_OPTIONS[name]: value for name, value in file.parameters.items() if name in _OPTIONS}
    more = {name: value for name, value in file.parameters.items() if name not in _OPTIONS}
    if shape := response_format(file.output):
        more["response_format"] = shape
    if more:
        told["additionalProperties"] = more
    return made | ({"options": told} if told else {})


def _rich(messages: Sequence[MessageTemplate]) -> Iterator[tuple[str, Variable]]:
    for message in messages:
        if isinstance(message, Placeholder):
            yield message.input, Variable(kind="messages")
        else:
            yield from ((part.input, Variable(kind="image")) for part in message.content if isinstance(part, Image))


def _inputs(version: BundledVersion, losses: Losses) -> Iterator[dict[str, Any]]:
    declared = {name: Variable(json_schema=schema) for name, schema in version.file.variables.items()}
    for name, variable in (version.inputs or declared | dict(_rich(version.file.messages))).items():
        if variable.kind in _RICH:
            yield {"name": name, "kind": _RICH[variable.kind]}
            continue
        schema = dict(version.file.variables.get(name, {}))
        kind = schema.pop("type", None)
        made: dict[str, Any] = {"name": name} | ({"kind": _KINDS.get(kind, kind)} if isinstance(kind, str) else {})
        if kind is not None and not isinstance(kind, str):
            losses.add(f"{name}: type {kind}", "inputs of Prompty are of one kind")
        made |= {theirs: schema.pop(ours) for ours, theirs in _SAID.items() if ours in schema}
        is_optional = "default" in schema or not variable.required
        if (default := schema.pop("default", None)) is not None:
            made["default"] = default
        elif is_optional:
            made["required"] = False
        if isinstance(examples := schema.pop("examples", None), list) and examples:
            made["example"] = examples[0]
            if len(examples) > 1:
                losses.add(f"{name}: examples {examples[1:]}", "inputs of Prompty have one example")
        for rest, value in schema.items():
            losses.add(f"{name}: {rest} {value}", "inputs of Prompty say less")
        yield made


_SAID = {"description": "description", "enum": "enumValues"}
