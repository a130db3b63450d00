"""Inputs as exact JSON types: a template meets no subclass, no tuple, no foreign mapping and no method of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cuewire.model.errors import InvalidInput
from cuewire.model.prompts import Inputs

_SCALARS = frozenset({str, int, float, bool, type(None)})

_LEAST, _LARGEST = -(2**63), 2**64 - 1
"""Beyond these no integer passes to another process."""


def plain(inputs: Inputs) -> Mapping[str, Any]:
    """Return the inputs as exact JSON types. Raises InvalidInput if they are not JSON."""
    for value in inputs.values():
        kind = type(value)
        if kind not in _SCALARS or (kind is int and not _LEAST <= value <= _LARGEST):  # type: ignore[operator]
            break
    else:
        return inputs
    try:
        plain: dict[str, Any] = _decode(_encode(inputs))
    except RecursionError:
        raise InvalidInput("an input is nested too deep", hint="give lists and mappings of fewer levels") from None
    except (TypeError, ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise InvalidInput("an input is not JSON", hint="give text, numbers, lists and mappings") from error
    return plain


def _as_json(value: object) -> Any:
    """Return the nearest JSON value of what msgspec does not know."""
    match value:
        case str():
            return str.__str__(value)
        case int():
            return int(value)
        case float():
            return float(value)
        case Mapping():
            return dict(value)
        case Sequence():
            return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


_encode = msgspec.msgpack.Encoder(enc_hook=_as_json).encode
_decode = msgspec.msgpack.Decoder().decode
