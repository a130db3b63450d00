"""How ids, instants and JSON are kept: the same value in Python whichever database holds it.

The plain functions are what the record writer uses; the column types are what everything else uses.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, DateTime, Dialect, LargeBinary, Text, TypeDecorator, Uuid
from sqlalchemy.types import TypeEngine, UserDefinedType

from cuewire.model.errors import InvalidInput
from cuewire.model.ids import is_execution_id

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def id_to_bytes(text: str) -> bytearray:
    """Return the 16 bytes of an execution id. Raises InvalidInput.

    A bytearray, because the driver binds it three times faster than bytes, for which it looks for an adapter.
    """
    return bytearray.fromhex(checked_id(text).replace("-", ""))


def checked_id(text: str) -> str:
    """Return the execution id. Raises InvalidInput for any other text."""
    if not is_execution_id(text):
        raise InvalidInput(f"{text[:80]!r} is not an execution id", field="/execution_id")
    return text


def id_from_bytes(data: bytes) -> str:
    """Return the canonical text of an execution id."""
    text = data.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def instant_to_micros(instant: datetime) -> int:
    """Return the microseconds since 1970 of an aware instant. Raises InvalidInput for a naive one."""
    since = in_utc(instant) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def instant_from_micros(micros: int) -> datetime:
    """Return the instant as aware UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def in_utc(instant: datetime) -> datetime:
    """Return the instant in UTC. Raises InvalidInput for a naive one."""
    if instant.tzinfo is UTC:
        return instant
    if instant.tzinfo is None:
        raise InvalidInput(f"time {instant.isoformat()} has no time zone")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise InvalidInput(f"time {instant.isoformat()} is outside the years 1 to 9999 in UTC") from None


class Encoding(NamedTuple):
    """How the record writer of one kind of database binds ids and instants."""

    id: Callable[[str], object]
    instant: Callable[[datetime], object]


IN_SQLITE = Encoding(id=id_to_bytes, instant=instant_to_micros)
IN_POSTGRES = Encoding(id=checked_id, instant=in_utc)


class ExecutionId(TypeDecorator[str]):
    """Canonical text in Python; 16 bytes in SQLite, uuid in PostgreSQL."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the database has for it."""
        kind: TypeEngine[Any] = Uuid(as_uuid=False) if dialect.name == "postgresql" else LargeBinary(16)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | bytes | None:
        """Turn the text into what is stored. Raises InvalidInput."""
        if value is None:
            return None
        return checked_id(value) if dialect.name == "postgresql" else bytes(id_to_bytes(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Turn what is stored into text."""
        return id_from_bytes(value) if isinstance(value, bytes) else value


class Instant(TypeDecorator[datetime]):
    """Aware UTC in Python; microseconds since 1970 in SQLite, timestamptz in PostgreSQL."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the database has for it."""
        kind: TypeEngine[Any] = DateTime(timezone=True) if dialect.name == "postgresql" else BigInteger()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | datetime | None:
        """Turn the instant into what is stored. Raises InvalidInput."""
        if value is None:
            return None
        return in_utc(value) if dialect.name == "postgresql" else instant_to_micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Turn what is stored into an instant."""
        if isinstance(value, int):
            return instant_from_micros(value)
        # The driver keeps the first and the last instant as infinities, and gives them back without a zone.
        return value.replace(tzinfo=UTC) if isinstance(value, datetime) else None


class _Json(UserDefinedType[str]):
    """PostgreSQL's `json`, in and out as text. Not `jsonb`: it forgets the order of keys that templates loop over."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Return the type's name."""
        return "JSON"


class JsonText(TypeDecorator[str]):
    """JSON text in Python, as it was encoded once; text in SQLite, json in PostgreSQL, which keeps it as it is."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the database has for it."""
        kind: TypeEngine[Any] = _Json() if dialect.name == "postgresql" else Text()
        return dialect.type_descriptor(kind)
