"""Ids and instants as stored values: nothing is lost on the way there and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.model.errors import InvalidInput
from cuewire.model.ids import uuid7
from cuewire.stores.columns import id_from_bytes, id_to_bytes, instant_from_micros, instant_to_micros

INSTANTS = st.datetimes(timezones=st.just(UTC))


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**74 - 1))
def test_an_id_comes_back(unix_ms: int, random_bits: int) -> None:
    text = uuid7(unix_ms=unix_ms, random_bits=random_bits)

    assert id_from_bytes(bytes(id_to_bytes(text))) == text


@given(st.integers(0, 2**48 - 2), st.integers(0, 2**74 - 1), st.integers(0, 2**74 - 1))
def test_bytes_of_ids_sort_by_time(unix_ms: int, one: int, other: int) -> None:
    earlier, later = uuid7(unix_ms=unix_ms, random_bits=one), uuid7(unix_ms=unix_ms + 1, random_bits=other)

    assert id_to_bytes(earlier) < id_to_bytes(later)
    assert earlier < later


@pytest.mark.parametrize("text", ["", "7", "x" * 36, "01900000-0000-4000-8000-000000000000", "\ud800" * 36])
def test_what_is_no_execution_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not an execution id"):
        id_to_bytes(text)


@given(INSTANTS)
def test_an_instant_comes_back_to_the_microsecond(instant: datetime) -> None:
    assert instant_from_micros(instant_to_micros(instant)) == instant


@given(INSTANTS, INSTANTS)
def test_stored_instants_sort_as_they_follow_each_other(one: datetime, other: datetime) -> None:
    assert (instant_to_micros(one) < instant_to_micros(other)) == (one < other)


@given(st.integers(-23, 23))
def test_one_instant_in_any_zone_is_one_number(hours: int) -> None:
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)

    assert instant_to_micros(noon.astimezone(timezone(timedelta(hours=hours)))) == instant_to_micros(noon)


def test_an_instant_needs_a_zone() -> None:
    with pytest.raises(InvalidInput, match="no time zone"):
        instant_to_micros(datetime(2026, 1, 1))  # noqa: DTZ001  # that is the question
