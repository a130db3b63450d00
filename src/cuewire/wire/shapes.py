"""What all shapes share, and the generic way between a shape and the value of the model that it shows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias, TypeVar

import msgspec

S = TypeVar("S", bound="Shape")
V = TypeVar("V", bound=msgspec.Struct)

Instant: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment, with its offset from UTC."""


class Shape(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A JSON object of the public API."""


class Request(Shape, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The body of a request: a field that it does not have is refused, because it would be lost in silence."""


def shown(value: msgspec.Struct, shape: type[S]) -> S:
    """Return a value of the model in its shape; both name their fields alike."""
    return msgspec.convert(msgspec.to_builtins(value), shape)


def read(shape: Shape, kind: type[V]) -> V:
    """Return the value of the model that a shape shows."""
    return msgspec.convert(msgspec.to_builtins(shape), kind)
