"""How ids, instants and JSON are kept: the same value in Python whichever database holds it.

The plain functions are what the record writer uses; the column types are what everything else uses.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import BigInteger, DateTime, Dialect, LargeBinary, Text, TypeDecorator, Uuid
from sqlalchemy.types import TypeEngine

from cuewire.model.errors import InvalidInput
from cuewire.model.ids import is_execution_id

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def id_to_bytes(text: str) -> bytearray:
    """Return the 16 bytes of an execution id. Raises InvalidInput.

    A bytearray, because the driver binds it three times faster than bytes, for which it looks for an adapter.
    """
    if not is_execution_id(text):
        raise InvalidInput(f"{text[:80]!r} is not an execution id", field="/execution_id")
    return bytearray.fromhex(text.replace("-", ""))


def id_from_bytes(data: bytes) -> str:
    """Return the canonical text of an execution id."""
    text = data.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def instant_to_micros(instant: datetime) -> int:
    """Return the microseconds since 1970 of an aware instant. Raises InvalidInput for a naive one."""
    if instant.tzinfo is not UTC:
        instant = _in_utc(instant)
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def instant_from_micros(micros: int) -> datetime:
    """Return the instant as aware UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def _in_utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise InvalidInput(f"time {instant.isoformat()} has no time zone")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise InvalidInput(f"time {instant.isoformat()} is outside the years 1 to 9999 in UTC") from None


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
        data = id_to_bytes(value)
        return value if dialect.name == "postgresql" else bytes(data)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Turn what is stored into text."""
        return value if value is None or isinstance(value, str) else id_from_bytes(value)


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
        micros = instant_to_micros(value)
        return value if dialect.name == "postgresql" else micros

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Turn what is stored into an instant."""
        return instant_from_micros(value) if isinstance(value, int) else value


class JsonText(TypeDecorator[str]):
    """JSON text in Python, as it was encoded once; text in SQLite, jsonb in PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the database has for it."""
        if dialect.name != "postgresql":
            return dialect.type_descriptor(Text())
        from sqlalchemy.dialects.postgresql import JSONB  # 20 ms, and only needed there

        return dialect.type_descriptor(JSONB())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """Pass the text on; jsonb takes the value that it stands for."""
        return msgspec.json.decode(value) if value is not None and dialect.name == "postgresql" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Return the text; jsonb gives the value that it stands for."""
        return msgspec.json.encode(value).decode() if value is not None and dialect.name == "postgresql" else value
