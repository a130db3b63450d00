"""Dates are ISO 8601, and equal instants have one form."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.model.dates import DATE, canonical_date

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = st.timedeltas(timedelta(days=-700_000), timedelta(days=2_900_000)).map(lambda lapse: EPOCH + lapse)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2026-11-21", "2026-11-21"),
        ("2024-02-29", "2024-02-29"),
        ("2026-11-21T14:30", "2026-11-21T14:30:00"),
        ("2026-11-21 14:30:05", "2026-11-21T14:30:05"),
        ("2026-11-21t14:30:00.500", "2026-11-21T14:30:00.5"),
        ("2026-11-21T14:30:00,123456789", "2026-11-21T14:30:00.123456789"),
        ("2026-11-21T14:30:00.000", "2026-11-21T14:30:00"),
        ("2026-11-21T14:30Z", "2026-11-21T14:30:00Z"),
        ("2026-11-21T14:30:00.25z", "2026-11-21T14:30:00.25Z"),
        ("2026-11-21T14:30:00+01:00", "2026-11-21T13:30:00Z"),
        ("2026-11-21T00:30:00+0100", "2026-11-20T23:30:00Z"),
        ("2026-12-31T22:30:00-02", "2027-01-01T00:30:00Z"),
        ("2026-11-21T14:30:00-05:30", "2026-11-21T20:00:00Z"),
        ("2026-11-21T14:30:00-00:00", "2026-11-21T14:30:00Z"),
    ],
)
def test_a_date_has_one_form(text: str, form: str) -> None:
    assert canonical_date(text) == form
    assert canonical_date(form) == form


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "21.11.2026",
        "11/21/2026",
        "21 November 2026",
        "20261121",
        "2026-11",
        "2026-W47-6",
        "2026-325",
        "26-11-21",
        "+2026-11-21",
        "0000-01-01",
        "2026-13-01",
        "2026-02-30",
        "2025-02-29",
        "2026-11-21T",
        "2026-11-21T14",
        "2026-11-21T24:00",
        "2026-11-21T14:60",
        "2026-11-21T14:30:60",
        "2026-11-21T14:30:00.",
        "2026-11-21T14:30:00.1234567890",
        "2026-11-21T14:30:00 Z",
        "2026-11-21T14:30:00+24:00",
        "2026-11-21Z",
        "2026-11-21  14:30",
        "2026-11-21\n",
        "on 2026-11-21",
        "2026-11-21 or so",
        "２０２６-11-21",
        "0001-01-01T00:00+01:00",
        "9999-12-31T23:59-01:00",
    ],
)
def test_another_text_is_none(text: str) -> None:
    assert canonical_date(text) is None


@given(INSTANTS, OFFSETS, OFFSETS)
def test_equal_instants_have_one_form_and_it_names_the_instant(
    instant: datetime, one: timezone, other: timezone
) -> None:
    forms = {canonical_date(instant.astimezone(zone).isoformat()) for zone in (one, other)}

    assert len(forms) == 1
    assert datetime.fromisoformat(str(forms.pop())) == instant


@given(st.dates() | st.datetimes())
def test_what_has_no_offset_stays_what_it_is(moment: date) -> None:
    found = canonical_date(moment.isoformat())

    assert found is not None
    assert type(moment).fromisoformat(found) == moment


@given(st.from_regex(DATE, fullmatch=True) | st.text())
def test_whatever_looks_like_a_date_is_read_or_is_none(text: str) -> None:
    found = canonical_date(text)

    assert found is None or (re.fullmatch(DATE, text) and canonical_date(found) == found)
