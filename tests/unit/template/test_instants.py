"""Times in templates: how they are read, written and compared."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from cuewire.model.errors import TemplateError, TemplateLimitExceeded
from cuewire.template.compiled import CompiledTemplate
from cuewire.template.instants import in_zone, lapse, moment_of, now_and_today, parse_date, written_at
from cuewire.template.parse import parse

AT = datetime(2026, 1, 31, 23, 30, 5, 250_000, tzinfo=UTC)


def render(source: str, **inputs: Any) -> str:
    return CompiledTemplate(parse(source)).render(inputs, at=AT)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("2026-01-31", "2026-01-31T00:00:00+00:00"),
        (" 2026-01-31T10:00:00Z ", "2026-01-31T10:00:00+00:00"),
        ("20260131T1000", "2026-01-31T10:00:00+00:00"),
        (0, "1970-01-01T00:00:00+00:00"),
        (-1.5, "1969-12-31T23:59:58+00:00"),
        (date(2026, 1, 31), "2026-01-31T00:00:00+00:00"),
        (AT, "2026-01-31T23:30:05+00:00"),
    ],
)
def test_times_are_read_from_what_inputs_hold(value: Any, written: str) -> None:
    assert str(moment_of(value)) == written


@pytest.mark.parametrize("value", ["", "soon", "2026-13-01", True, [], 1e18, "1" * 65])
def test_what_is_no_time_is_told(value: Any) -> None:
    with pytest.raises(TemplateError):
        moment_of(value)


def test_a_time_without_a_zone_is_taken_as_utc() -> None:
    naive, there = moment_of("2026-01-31T10:00:00"), moment_of("2026-01-31T11:00:00+01:00")

    assert naive == there
    assert str(in_zone(naive, "Europe/Berlin")) == "2026-01-31T11:00:00+01:00"


def test_every_directive_writes_what_python_writes() -> None:
    moment = datetime(2026, 3, 5, 9, 7, 3, 42, tzinfo=UTC)
    for directive in "YmdHIMSfpyBbAajVGuZzFT%":
        assert written_at(moment, f"%{directive}") == moment.strftime(f"%{directive}"), directive


@pytest.mark.parametrize(("hour", "shown"), [(0, "12 AM"), (12, "12 PM"), (13, "01 PM")])
def test_hours_of_the_clock_are_those_of_python(hour: int, shown: str) -> None:
    assert written_at(datetime(2026, 1, 1, hour, tzinfo=UTC), "%I %p") == shown


def test_offsets_are_written_to_the_minute() -> None:
    assert written_at(datetime(2026, 1, 1, tzinfo=timezone(timedelta(seconds=-3661))), "%z") == "-0101"


@pytest.mark.parametrize("pattern", ["%", "%Q", "%1000000d", "%-Y", "%-", "x" * 201, None])
def test_a_format_holds_only_what_has_a_bound(pattern: Any) -> None:
    with pytest.raises(TemplateError):
        written_at(AT, pattern)


@pytest.mark.parametrize(
    ("text", "fmt", "written"),
    [
        ("31.1.2026", "%d.%m.%Y", "2026-01-31T00:00:00+00:00"),
        ("Jan 5, 26 3:04 PM", "%b %d, %y %I:%M %p", "2026-01-05T15:04:00+00:00"),
        ("12 AM", "%I %p", "1900-01-01T00:00:00+00:00"),
        ("5 march 2026 10:11:12.5 -0530", "%d %B %Y %H:%M:%S.%f %z", "2026-03-05T10:11:12-05:30"),
        ("2026-01-31T00:00z", "%Y-%m-%dT%H:%M%z", "2026-01-31T00:00:00+00:00"),
        ("100% (2026)", "100%% (%Y)", "2026-01-01T00:00:00+00:00"),
        ("2026-01-31", None, "2026-01-31T00:00:00+00:00"),
    ],
)
def test_times_are_read_in_a_format(text: str, fmt: str | None, written: str) -> None:
    assert str(parse_date(text, fmt)) == written


@pytest.mark.parametrize(
    ("text", "fmt"),
    [("31.2.2026", "%d.%m.%Y"), ("x", "%Y"), ("1", "%j"), ("11", "%d%d"), ("+99:99", "%z"), ("2026", "%Y%%%%x")],
)
def test_a_text_in_another_format_is_told(text: str, fmt: str) -> None:
    with pytest.raises(TemplateError):
        parse_date(text, fmt)


@pytest.mark.parametrize(("text", "fmt"), [("1" * 300, "%Y"), ("2026", "%Y" + "x" * 200)])
def test_long_texts_and_formats_are_refused_before_they_are_read(text: str, fmt: str) -> None:
    with pytest.raises(TemplateLimitExceeded):
        parse_date(text, fmt)


def test_now_prints_to_the_second_and_keeps_what_it_is() -> None:
    assert render("{{ now }} {{ now.microsecond }} {{ [now, today] }} {{ now ~ '' }}") == (
        "2026-01-31T23:30:05+00:00 250000 [2026-01-31T23:30:05+00:00, 2026-01-31] 2026-01-31T23:30:05+00:00"
    )


def test_times_can_be_counted_with() -> None:
    source = (
        "{{ now - timedelta(days=1, hours=1) }} {{ today + timedelta(days=1) }} {{ (now - now()).days }}"
        " {{ (now - timedelta(minutes=90) < now) }} {{ timedelta(hours=1).total_seconds() }} {{ timedelta(days=1) }}"
    )

    assert render(source) == "2026-01-30T22:30:05+00:00 2026-02-01 0 True 3600.0 1 day, 0:00:00"


def test_parts_of_times_are_reached_and_nothing_else() -> None:
    assert render("{{ now.date() }} {{ now.date().isoformat() }} {{ today.weekday() }} {{ now.isoformat() }}") == (
        "2026-01-31 2026-01-31 5 2026-01-31T23:30:05.250000+00:00"
    )
    for source in ("{{ now.tzinfo }}", "{{ now.replace(year=1) }}", "{{ today.at }}", "{{ timedelta(days=1).max }}"):
        with pytest.raises(TemplateError, match="a time is not available|not available"):
            render(source)


def test_a_field_that_times_do_not_have_is_undefined() -> None:
    with pytest.raises(TemplateError, match="a time has no field 'decade'"):
        render("{{ now.decade }}")


def test_the_same_instant_in_another_zone_is_the_same_now() -> None:
    there = AT.astimezone(timezone(timedelta(hours=9)))

    assert str(now_and_today(there)) == str(now_and_today(AT))


def test_a_time_beyond_the_calendar_in_a_zone_is_told() -> None:
    with pytest.raises(TemplateError, match="beyond any date"):
        in_zone(moment_of("0001-01-01"), "America/New_York")


def test_lengths_of_time_are_written_as_python_does_wherever_they_stand() -> None:
    assert f"{[lapse(minutes=90)]} {lapse(minutes=90)}" == "[1:30:00] 1:30:00"


def test_times_are_written_as_data_and_lengths_of_time_by_duration() -> None:
    source = "{{ [now, today, timedelta(hours=1)] | json }} {{ {'a': now} | yaml }} {{ (now - today_at) | duration }}"

    assert render("{% set today_at = parse_date('2026-01-31T20:00:05Z') %}" + source) == (
        '["2026-01-31T23:30:05+00:00", "2026-01-31", "1:00:00"] a: "2026-01-31T23:30:05+00:00" 3h 30m'
    )
    with pytest.raises(TemplateError, match="no text, number"):
        render("{{ [range] | json }}")
