"""Prompty, version 2: settings in YAML, then messages behind lines such as `system:`.

Nothing is resolved: `${env:NAME}` and `${file:PATH}` name things of the machine that reads them, so they are told of
and left out. A line that looks like a role is one only where the file itself has it, never where an input puts it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cuewire.files import chats, names, plain_text, yaml
from cuewire.files.losses import Losses
from cuewire.files.model_options import Options, options
from cuewire.files.prompty_body import Bodies
from cuewire.model.bundles import Bundle, BundledVersion
from cuewire.model.errors import InvalidInput
from cuewire.model.prompt_files import PromptFile

_REFERENCE = re.compile(r"\$\{(env|file):[^}\n]*\}", re.I)
_KINDS = {
    "string": "string",
    "integer": "integer",
    "float": "number",
    "number": "number",
    "boolean": "boolean",
    "array": "array",
    "object": "object",
}
_KINDS_OF: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "float",
    list: "array",
    dict: "object",
    object: "any",
}
_RICH = frozenset({"thread", "image", "file", "audio"})
_KNOWN = frozenset({"name", "displayName", "description", "metadata", "model", "inputs", "outputs", "template", "kind"})
_SCHEMA = {"description": "description", "enumValues": "enum"}
_OF_PROPERTY = frozenset(
    {*_SCHEMA, "name", "kind", "type", "default", "required", "example", "sample", "items", "properties"}
)


def read_prompty(data: bytes, *, name: str) -> Bundle:
    """Return the prompt of a file; `name` is its own if the file says none. Raises InvalidInput."""
    losses = Losses()
    settings, body, first = _split(data, losses)
    prompt = names.PromptNames(losses).of(settings.get("name") or name)
    metadata = settings.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    for member in [*(settings.keys() - _KNOWN), *(f"metadata.{each}" for each in metadata.keys() - {"tags"})]:
        losses.add(member, "a prompt here has nothing of this name")
    inputs, rich = _inputs(settings.get("inputs"), losses)
    told = _model(settings.get("model"), losses)
    description = settings.get("description")
    turned = Bodies(_format(settings.get("template"), losses), rich, losses)
    messages = chats.messages([*turned.messages(body, first)])
    file = PromptFile(
        prompt=prompt,
        messages=messages,
        description=description if isinstance(description, str) else "",
        tags=names.tags(metadata.get("tags"), losses=losses),
        model=told.model,
        parameters=told.parameters,
        output=_output(settings.get("outputs"), losses) or told.output,
        variables=inputs,
    )
    return Bundle(versions=(BundledVersion(file=file),), losses=losses.all())


def _split(data: bytes, losses: Losses) -> tuple[dict[str, Any], str, int]:
    """Return settings, body, and the line where the body begins."""
    lines = plain_text.read(data, losses=losses).split("\n")
    ends = [at for at, line in enumerate(lines) if line.rstrip() == "---"][:2]
    if len(ends) < 2 or any(line.strip() for line in lines[: ends[0]]):
        raise InvalidInput("line 1: a file of Prompty begins with its settings between two lines of ---")
    begin, end = ends
    settings = yaml.read("\n" * (begin + 1) + "\n".join(lines[begin + 1 : end]))
    if settings is None:
        settings = {}
    if not isinstance(settings, dict) or not all(isinstance(key, str) for key in settings):
        raise InvalidInput(f"line {begin + 2}: no settings")
    return _resolved(settings, losses), "\n".join(lines[end + 1 :]), end + 2


def _resolved(value: Any, losses: Losses, place: str = "") -> Any:
    """Return settings without what only their own machine could resolve."""
    if isinstance(value, str) and (found := _REFERENCE.search(value)):
        losses.add(f"{place}: {found[0]}", "the environment and other files are not read; say it here")
        return None
    if isinstance(value, dict):
        return {key: _resolved(item, losses, f"{place}.{key}".lstrip(".")) for key, item in value.items()}
    if isinstance(value, list):
        named = [item.get("name") if isinstance(item, dict) else None for item in value]
        places = [f"{place}.{name}" if isinstance(name, str) else place for name in named]
        return [_resolved(item, losses, where) for item, where in zip(value, places, strict=True)]
    return value


def _format(template: Any, losses: Losses) -> str:
    kind = template
    if isinstance(template, dict):
        kind = template.get("format", "jinja2")
        parser = template.get("parser", "prompty")
        if (parser.get("kind") if isinstance(parser, dict) else parser) != "prompty":
            losses.add(f"parser {parser}", "the body is read as Prompty's own")
        for member in template.keys() - {"format", "parser"}:
            losses.add(f"template.{member}", "it is not known here")
    if isinstance(kind, dict):
        kind = kind.get("kind")
    if kind not in (None, "jinja2", "nunjucks", "mustache", "none"):
        losses.add(f"template format {kind}", "it is not known; the text stays as it is")
        return "none"
    return str(kind or "jinja2")


def _model(model: Any, losses: Losses) -> Options:
    if not isinstance(model, dict):
        return options({"model": model}, losses=losses)
    told = model.get("options")
    told = dict(told) if isinstance(told, dict) else {}
    more = told.pop("additionalProperties", None)
    for member in model.keys() - {"id", "provider", "apiType", "options"}:
        losses.add(
            f"model.{member}", "where models are served is a setting of this server, and keys are never imported"
        )
    if model.get("apiType") not in (None, "chat", "responses"):
        losses.add(f"model.apiType: {model.get('apiType')}", "a prompt here is a chat")
    everything = {"model": model.get("id"), **(more if isinstance(more, dict) else {}), **told}
    return options(everything, losses=losses, provider=model.get("provider"))


def _properties(found: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the properties of inputs or outputs, in any form of a list of them."""
    if isinstance(found, dict) and isinstance(found.get("properties"), list | dict):
        found = found["properties"]
    if isinstance(found, dict):
        found = [
            {"name": name, **(value if isinstance(value, dict) and "kind" in value else _shorthand(value))}
            for name, value in found.items()
        ]
    for item in found if isinstance(found, list) else []:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise InvalidInput(f"{str(item)[:80]!r} is not a property")
        yield item["name"], item


def _shorthand(value: Any) -> dict[str, Any]:
    """Return the property that a plain value stands for."""
    return {"kind": next(name for kind, name in _KINDS_OF.items() if isinstance(value, kind)), "default": value}


def _inputs(found: Any, losses: Losses) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Return what is declared of inputs, and the kinds of those that are no plain values."""
    declared: dict[str, dict[str, Any]] = {}
    rich: dict[str, str] = {}
    for source, item in _properties(found):
        name = names.input_name(source, losses=losses)
        kind = item.get("kind")
        if name is None:
            losses.add(f"input {source}", "it is no name")
            continue
        if isinstance(kind, str) and kind in _RICH:
            rich[name] = kind
            continue
        schema = _schema(item, losses, name)
        if "default" in item and item["default"] is not None:
            schema["default"] = item["default"]
        elif item.get("required") is False:
            schema["default"] = None
            if told := schema.pop("type", None):
                losses.add(f"{name}: kind {told}", "it need not be given, and is null then, which is of no kind")
        if (example := item.get("example", item.get("sample"))) is not None:
            schema["examples"] = [example]
        declared[name] = schema
    return declared, rich


def _schema(item: dict[str, Any], losses: Losses, name: str) -> dict[str, Any]:
    kind = item.get("kind", item.get("type"))
    schema: dict[str, Any] = {"type": _KINDS[kind]} if isinstance(kind, str) and kind in _KINDS else {}
    if kind not in (None, "any") and not schema:
        losses.add(f"{name}: kind {kind}", "any value is taken for it")
    schema |= {ours: item[theirs] for theirs, ours in _SCHEMA.items() if item.get(theirs)}
    if kind == "array" and isinstance(item.get("items"), dict):
        schema["items"] = _schema(item["items"], losses, f"{name}.items")
    if kind == "object" and item.get("properties"):
        schema |= _object(item["properties"], losses)
    for member in item.keys() - _OF_PROPERTY:
        losses.add(f"{name}.{member}", "it is not known here")
    return schema


def _object(properties: Any, losses: Losses) -> dict[str, Any]:
    found = [*_properties(properties)]
    required = [name for name, item in found if item.get("required")]
    return {
        "properties": {name: _schema(item, losses, name) for name, item in found},
        **({"required": required} if required else {}),
    }


def _output(outputs: Any, losses: Losses) -> dict[str, Any] | None:
    schema = _object(outputs, losses) if outputs else {}
    return {"type": "object", **schema} if schema.get("properties") else None
