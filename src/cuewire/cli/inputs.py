"""From what stands on the command line to inputs, parameters and output kinds."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import typer

from cuewire.model.errors import InvalidInput


def parse_inputs(pairs: Sequence[str], source: str | None) -> dict[str, Any]:
    """Return the inputs of a run: those of the JSON object in `source` (a file, or - for stdin), then each pair.

    A pair is `name=text`, `name=@file` (its text; `@-` is stdin, `@@` a text that begins with @) or `name:=json`.
    Raises InvalidInput, typer.BadParameter.
    """
    inputs: dict[str, Any] = {}
    if source is not None:
        given = read_json(source, field="/inputs")
        if not isinstance(given, dict):
            raise InvalidInput("inputs must be a JSON object of name to value", field="/inputs")
        inputs = given
    for name, value in _split(pairs, option="-v"):
        plain = name.removesuffix(":")
        field = f"/inputs/{plain}"
        if name.endswith(":"):
            inputs[plain] = _decode(value.encode(errors="surrogateescape"), what=f"the value of {plain!r}", field=field)
        elif value.startswith("@") and not value.startswith("@@"):
            inputs[name] = read_text(value[1:], field=field)
        else:
            inputs[name] = value.removeprefix("@") if value.startswith("@@") else value
    return inputs


def parse_parameters(pairs: Sequence[str]) -> dict[str, Any]:
    """Return parameters: each `name=value`, where a value that is JSON counts as such, else as text."""
    return {name: _json_or_text(value) for name, value in _split(pairs, option="--param")}


def parse_output_kind(text: str | None) -> str | list[str] | Mapping[str, Any] | None:
    """Return what `publish(output=...)` takes.

    That is a kind's name, choices separated by commas, or a JSON Schema or {"example": ...} in a file or as it stands.
    """
    if text is None:
        return None
    if text.endswith(".json") or text.lstrip().startswith("{"):
        found = parse_json(text, field="/output")
        if isinstance(found, dict):
            return found
        raise InvalidInput(
            f"{text!r} holds neither a JSON Schema nor an example",
            field="/output",
            hint='both are JSON objects, an example is one as {"example": ...}',
        )
    return [choice.strip() for choice in text.split(",")] if "," in text else text


def parse_json(text: str, *, field: str) -> Any:
    """Return the JSON value that begins with a brace, or is in a file, or on stdin for `-`. Raises InvalidInput."""
    if text.lstrip().startswith("{"):
        return _decode(text.encode(errors="surrogateescape"), what=f"the {field.removeprefix('/')}", field=field)
    return read_json(text, field=field)


def read_json(place: str, *, field: str) -> Any:
    """Return the JSON value in a file, or on stdin for `-`. Raises InvalidInput."""
    return _decode(read_bytes(place, field=field), what=_named(place), field=field)


def read_text(place: str, *, field: str) -> str:
    """Return the text in a file, or on stdin for `-`. Raises InvalidInput."""
    try:
        return read_bytes(place, field=field).decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{_named(place)} is not UTF-8 text: byte {error.start}", field=field, hint="save it as UTF-8"
        ) from None


def read_bytes(place: str, *, field: str, at_most: int = -1) -> bytes:
    """Return what is in a file, or on stdin for `-`; no more than so many bytes of it. Raises InvalidInput."""
    try:
        if place == "-":
            return sys.stdin.buffer.read(at_most)
        with Path(place).open("rb") as file:
            return file.read(at_most)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(f"{_named(place)} cannot be read: {reason}", field=field, hint="mend the path") from None


def _decode(data: bytes, *, what: str, field: str) -> Any:
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise InvalidInput(f"{what} is not JSON: {error}", field=field, hint="mend the JSON") from None
    except RecursionError:
        raise InvalidInput(f"{what} is nested too deeply", field=field, hint="make it flatter") from None


def _json_or_text(text: str) -> Any:
    try:
        return msgspec.json.decode(text.encode(errors="surrogateescape"))
    except (msgspec.DecodeError, RecursionError):
        return text


def _split(pairs: Sequence[str], *, option: str) -> list[tuple[str, str]]:
    split: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.removesuffix(":"):
            raise typer.BadParameter(f"{pair[:80]!r} is not name=value", param_hint=option)
        if name in split:
            raise typer.BadParameter(f"{name.removesuffix(':')!r} is given twice", param_hint=option)
        split[name] = value
    return list(split.items())


def _named(place: str) -> str:
    return "stdin" if place == "-" else repr(place)
