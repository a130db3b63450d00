"""An answer by example: what an author writes down once, with marks in its keys, and the JSON Schema that it means.

A key may end in marks: `?` says that it may be absent, `*` that anything may stand there, `:type` of which type it is,
`:[N+]` how long it is at least. Marks are the author's: neither the schema nor a model sees them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cuewire.model.dates import DATE, canonical_date
from cuewire.model.errors import InvalidInput
from cuewire.model.values import Value

MAX_DEPTH = 20
"""Nesting of lists and objects in an example; its schema, nested twice as deeply, must still be a JSON value."""
_TYPES = ("string", "number", "integer", "boolean", "object", "array", "date")
_MARK = re.compile(r"\?|\*|:[^:?*]*|[^:?*]+")
_LENGTH = re.compile(r":\[([1-9][0-9]{0,5})\+\]")
_LENGTHS = {"string": "minLength", "array": "minItems"}
_COLON = "a key with a colon of its own needs a JSON Schema in place of the example"


class _Marks(Value, frozen=True):
    """What the marks of a key say."""

    is_optional: bool = False
    is_open: bool = False
    kind: str | None = None
    length: int | None = None


_NONE = _Marks()


def schema_of(example: object, *, pointer: str) -> dict[str, Any]:
    """Return the JSON Schema of the answers that are like an example, which is an object or a list.

    Types are those of its values, and numbers may be whole or not. A list is described by its first item. All keys are
    required unless they are marked; further ones are let pass. Raises InvalidInput with a JSON pointer, which begins
    with `pointer`, where the example or one of its marks makes no sense.
    """
    if not isinstance(example, dict | list):
        raise InvalidInput(
            "an example is an object or a list", field=pointer, hint="for one value name its kind, as in 'number'"
        )
    return _schema(example, _NONE, pointer, 0)


def date_schema() -> dict[str, Any]:
    """Return what a date is where only JSON Schema can say it."""
    return {
        "type": "string",
        "description": "an ISO 8601 date or date-time",
        "pattern": f"^{DATE}$",
        "examples": ["2026-11-21", "2026-11-21T14:30:00Z"],
    }


def _schema(example: object, marks: _Marks, pointer: str, depth: int) -> dict[str, Any]:
    if marks.is_open:
        return {}
    if depth > MAX_DEPTH:
        raise InvalidInput(
            f"the example is nested deeper than {MAX_DEPTH} levels", field=pointer, hint="mark a key further up with *"
        )
    kind = marks.kind or _type_of(example)
    if kind is None:
        raise InvalidInput(
            "null tells no type", field=pointer, hint="mark the key: 'age:number' for a type, 'age*' for any content"
        )
    if example is not None and not _is_of(example, kind):
        raise InvalidInput(
            f"the mark says {kind}, and the example is of type {_type_of(example)}",
            field=pointer,
            hint="make them agree, or put null for the example",
        )
    if marks.length is not None and kind not in _LENGTHS:
        raise InvalidInput(
            f"a least length is of a string or an array, not of type {kind}", field=pointer, hint="take the mark away"
        )
    least = {} if marks.length is None else {_LENGTHS[kind]: marks.length}
    match example:
        case dict():
            return _object(example, pointer, depth)
        case list():
            return {"type": "array", **_items(example, pointer, depth), **least}
    return date_schema() if kind == "date" else {"type": kind, **least}


def _object(example: Mapping[str, Any], pointer: str, depth: int) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required = []
    for key, value in example.items():
        place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
        name, marks = _read(key, place)
        if name in properties:
            raise InvalidInput(
                f"there are two keys {name[:40]!r}, which differ in their marks alone",
                field=place,
                hint="keep one of them",
            )
        properties[name] = _schema(value, marks, place, depth + 1)
        if not marks.is_optional:
            required.append(name)
    return {
        "type": "object",
        **({"properties": properties} if properties else {}),
        **({"required": required} if required else {}),
    }


def _items(example: Sequence[object], pointer: str, depth: int) -> dict[str, Any]:
    forms = [_schema(item, _NONE, f"{pointer}/{place}", depth + 1) for place, item in enumerate(example)]
    for place, form in enumerate(forms):
        if form != forms[0]:
            raise InvalidInput(
                "a list is described by its first item, and this one has another form",
                field=f"{pointer}/{place}",
                hint="leave it out, or mark the key of the list with *",
            )
    return {"items": forms[0]} if forms else {}


def _read(key: str, pointer: str) -> tuple[str, _Marks]:
    """Return the name in a key and what its marks say. Raises InvalidInput."""
    name = key.partition(":")[0].rstrip("?*")
    if not name:
        raise InvalidInput("a key has no name before its marks", field=pointer, hint=_COLON)
    said = _MARK.findall(key[len(name) :])
    kinds = [mark[1:] for mark in said if mark[1:] in _TYPES]
    lengths = [int(length[1]) for mark in said if (length := _LENGTH.fullmatch(mark))]
    for mark in said:
        if mark not in ("?", "*") and mark[1:] not in _TYPES and not _LENGTH.fullmatch(mark):
            known = f"?, *, :[N+] with N from 1, :{', :'.join(_TYPES)}"
            raise InvalidInput(f"there is no mark {mark[:40]!r}; known are {known}", field=pointer, hint=_COLON)
    if max(len(kinds), len(lengths), said.count("?"), said.count("*")) > 1:
        raise InvalidInput("a mark of one kind stands there twice", field=pointer, hint="keep one of them")
    if "*" in said and len(said) > 1:
        raise InvalidInput(
            "the mark * asks for any content, and no other goes with it", field=pointer, hint="keep one of them"
        )
    return name, _Marks(
        is_optional="?" in said,
        is_open="*" in said,
        kind=kinds[0] if kinds else None,
        length=lengths[0] if lengths else None,
    )


def _type_of(example: object) -> str | None:
    match example:
        case dict():
            return "object"
        case list():
            return "array"
        case str():
            return "string"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
    return None


def _is_of(example: object, kind: str) -> bool:
    """Tell whether a value is of the type that a mark names, which may be narrower than its own."""
    match kind, example:
        case "integer", bool():
            return False
        case "integer", int() | float():
            return example == int(example)
        case "date", str():
            return canonical_date(example) is not None
    return _type_of(example) == kind
