"""The bundle: prompts of ours with all their versions and labels, in one JSON document that is equal for equal prompts.

    {"format": "cuewire-prompts", "version": 1, "prompts": [
      {"name": "triage", "labels": {"production": 2}, "versions": [{"number": 1, "messages": [...], ...}, ...]}]}

It holds nothing but prompts. Whatever else stands in one, keys or users or settings, is told of and not obeyed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from cuewire.files import json, names
from cuewire.files.losses import Losses
from cuewire.model.bundles import Bundle, BundledVersion, Exported, histories
from cuewire.model.errors import InvalidInput
from cuewire.model.includes import NOTHING, Includes
from cuewire.model.policies import parse_policy, stated
from cuewire.model.prompt_files import PromptFile
from cuewire.model.prompts import MessageTemplate
from cuewire.model.references import DEFAULT_LANGUAGE, LATEST, check_language, check_name, check_new_name
from cuewire.model.values import Value

NAME = "cuewire-prompts"
VERSION = 1
MAX_PROMPTS = 20_000
MAX_VERSIONS = 10_000


class _Version(Value, frozen=True, omit_defaults=True):
    number: int
    messages: tuple[MessageTemplate, ...]
    model: str | None = None
    output: str | list[str] | dict[str, Any] | None = None
    parameters: dict[str, Any] = {}
    variables: dict[str, dict[str, Any]] = {}
    lenient: bool = False
    policy: dict[str, Any] = {}
    includes: Includes = NOTHING
    note: str = ""
    created_at: datetime | None = None


class _Prompt(Value, frozen=True, omit_defaults=True, rename={"template_type": "type"}):
    name: str
    versions: tuple[_Version, ...]
    strategy: str | None = None
    language: str = DEFAULT_LANGUAGE
    description: str = ""
    template_type: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    labels: dict[str, int] = {}


class _Document(Value, frozen=True):
    format: str
    version: int
    prompts: tuple[_Prompt, ...]


_DETAILS = ("description", "template_type", "category", "tags", "strategy", "language")
_OF_VERSION = ("messages", "model", "output", "parameters", "variables", "lenient", "policy", "note")
_OF_MESSAGE = {"message": {"type", "role", "content"}, "messages": {"type", "input"}}


def read_bundle(data: bytes) -> Bundle:
    """Return what a bundle holds. Raises InvalidInput."""
    losses = Losses()
    source = json.read(data, losses=losses)
    if not isinstance(source, dict) or source.get("format") != NAME:
        raise InvalidInput(f'a bundle is a JSON object with "format": "{NAME}"')
    if source.get("version") != VERSION:
        raise InvalidInput(
            f"the bundle is of version {str(source.get('version'))[:20]}; this Cuewire reads version {VERSION}",
            hint="import it with a newer one",
        )
    _tell_unknown(source, losses)
    try:
        document = msgspec.convert(source, _Document)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"not a bundle: {error}") from None
    if len(document.prompts) > MAX_PROMPTS:
        raise InvalidInput(f"the bundle holds more than {MAX_PROMPTS:,} prompts")
    versions = [version for prompt in document.prompts for version in _versions(prompt, losses)]
    if len(histories(versions)) != len(document.prompts):
        raise InvalidInput("a prompt stands twice in the bundle")
    return Bundle(versions=tuple(versions), losses=losses.all())


def write_bundle(versions: Sequence[BundledVersion]) -> Exported:
    """Return the bundle of some versions; nothing of them is lost."""
    prompts = sorted(
        map(_prompt, histories(versions)), key=lambda prompt: (prompt.name, prompt.strategy or "", prompt.language)
    )
    document = _Document(format=NAME, version=VERSION, prompts=tuple(prompts))
    # Not sorted by the encoder: the order of the fields in a JSON Schema means something to models.
    return Exported(data=msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")


def _versions(prompt: _Prompt, losses: Losses) -> Iterator[BundledVersion]:
    check_new_name(prompt.name)
    if prompt.strategy is not None:
        check_name(prompt.strategy, field="/strategy")
    if check_language(prompt.language) != prompt.language:
        raise InvalidInput(f"{prompt.name}: the language is written {check_language(prompt.language)!r}")
    if not 1 <= len(prompt.versions) <= MAX_VERSIONS:
        raise InvalidInput(f"{prompt.name}: a prompt has 1 to {MAX_VERSIONS:,} versions")
    numbers = [version.number for version in prompt.versions]
    if numbers != sorted({*numbers}) or numbers[0] < 1:
        raise InvalidInput(f"{prompt.name}: versions are numbered upwards")
    with losses.within(prompt.name):
        for label, number in prompt.labels.items():
            if number not in numbers:
                losses.add(f"label {label}", f"there is no version {number}")
        labels = {label: prompt.labels[label] for label in names.labels([*prompt.labels], losses=losses)}
    details = {name: getattr(prompt, name) for name in _DETAILS}
    for version in prompt.versions:
        said = {name: getattr(version, name) for name in _OF_VERSION}
        yield BundledVersion(
            file=PromptFile(prompt=prompt.name, **details, **{**said, "policy": _policy(prompt, version)}),
            number=version.number,
            labels=tuple(label for label, number in labels.items() if number == version.number),
            created_at=version.created_at,
            includes=version.includes,
        )


def _policy(prompt: _Prompt, version: _Version) -> dict[str, Any]:
    try:
        return stated(parse_policy(version.policy))
    except InvalidInput as error:
        where = f"{prompt.name}, version {version.number}"
        raise InvalidInput(f"{where}: {error.message}", hint=error.hint) from None


def _prompt(history: Sequence[BundledVersion]) -> _Prompt:
    newest = history[-1].file
    numbers = [version.number or place for place, version in enumerate(history, 1)]
    labels = {label: number for number, version in zip(numbers, history, strict=True) for label in version.labels}
    return _Prompt(
        name=newest.prompt,
        **{name: getattr(newest, name) for name in _DETAILS},
        labels={label: labels[label] for label in sorted(labels.keys() - {LATEST})},
        versions=tuple(
            _Version(
                number=number,
                **{
                    name: getattr(version.file, name) for name in _OF_VERSION if name not in ("parameters", "variables")
                },
                parameters=_sorted(version.file.parameters),
                variables=_sorted(version.file.variables),
                includes=_includes(version.includes),
                created_at=version.created_at,
            )
            for number, version in zip(numbers, history, strict=True)
        ),
    )


def _includes(found: Includes) -> Includes:
    texts = {name: replace(text, pins=_sorted(text.pins)) for name, text in _sorted(found.texts).items()}
    return Includes(pins=_sorted(found.pins), texts=texts) if texts else NOTHING


def _sorted(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: members[name] for name in sorted(members)}


def _tell_unknown(source: dict[str, Any], losses: Losses) -> None:
    """Tell of members that a bundle does not have."""
    _tell(source, _Document, losses)
    for prompt in _objects(source.get("prompts")):
        with losses.within(str(prompt.get("name"))):
            _tell(prompt, _Prompt, losses)
            for version in _objects(prompt.get("versions")):
                with losses.within(f"version {version.get('number')}"):
                    _tell(version, _Version, losses)
                    for message in _objects(version.get("messages")):
                        for member in message.keys() - _OF_MESSAGE.get(str(message.get("type")), message.keys()):
                            losses.add(f"member {member}", "messages have none of this name")


def _tell(source: dict[str, Any], kind: type[Value], losses: Losses) -> None:
    for member in source:
        if member not in kind.__struct_encode_fields__:
            losses.add(f"member {member}", "a bundle has none of this name; it is not read")


def _objects(found: object) -> Iterator[dict[str, Any]]:
    return (
        (item for item in cast(list[object], found) if isinstance(item, dict)) if isinstance(found, list) else iter(())
    )
