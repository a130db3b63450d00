"""Entries: what another program tells of an execution that ran there, without us."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from cuewire.model.actors import LOCAL
from cuewire.model.errors import InvalidInput
from cuewire.model.references import Reference, parse_reference
from cuewire.model.secrets import redacted
from cuewire.model.text import check_object, cleaned
from cuewire.model.usage import Usage
from cuewire.model.values import Value

MAX_ERROR = 65_536
"""Characters that are kept of the error that another program tells, counted from its beginning."""
_LONGEST_MS = 1e11  # three years
_MOST_TOKENS = 10**15
_MOST_USD = 1e12


class Entry(Value, frozen=True):
    """One execution as another program tells it, checked at the border: all of it can be stored.

    `error` is without what looks like a key, and `sanitised` counts its characters that had to be replaced. `actor` is
    the name of who tells it.
    """

    reference: Reference
    succeeded: bool
    duration_ms: float
    usage: Usage
    cost_usd: float | None
    error: str | None
    metadata: dict[str, Any]
    sanitised: int = 0
    actor: str = LOCAL.name


def parse_entry(
    prompt: str,
    *,
    succeeded: bool,
    duration_ms: float,
    input_tokens: int | None = None,
    output_tokens: int | None = None,
    cost_usd: float | None = None,
    error: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Entry:
    """Check what another program tells. Raises InvalidInput with the place that is wrong."""
    if not isinstance(succeeded, bool):
        raise InvalidInput("success must be true or false", field="/succeeded")
    if error is not None and not isinstance(error, str):
        raise InvalidInput("the error must be a text", field="/error")
    told, sanitised = cleaned(redacted(error[:MAX_ERROR])) if error else (None, 0)
    tokens = Usage(
        input_tokens=_count(input_tokens, "/input_tokens"), output_tokens=_count(output_tokens, "/output_tokens")
    )
    return Entry(
        reference=parse_reference(prompt),
        succeeded=succeeded,
        duration_ms=_figure(duration_ms, "/duration_ms", most=_LONGEST_MS),
        usage=tokens,
        cost_usd=None if cost_usd is None else _figure(cost_usd, "/cost_usd", most=_MOST_USD),
        error=told,
        metadata=check_object(metadata, pointer="/metadata"),
        sanitised=sanitised,
    )


def _figure(value: object, field: str, *, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or value < 0 or not value <= most:
        raise InvalidInput(f"{field[1:]} must be a number from 0 to {most:.0e}", field=field)
    return float(value)


def _count(value: object, field: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Integral) or not 0 <= int(value) <= _MOST_TOKENS:
        raise InvalidInput(f"{field[1:]} must be a whole number from 0 to {_MOST_TOKENS:.0e}", field=field)
    return int(value)
