"""A line of the log is one event, whatever its fields hold."""

from __future__ import annotations

import logging

import pytest

from cuewire.engine.telling import tell


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (3, "3"),
        (12.3456789, "12.3457"),
        ("openai/gpt-4o-mini", "openai/gpt-4o-mini"),
        (True, "True"),
        ("", '""'),
        ("a b", '"a b"'),
        ("a=b", '"a=b"'),
        ("a\ncall.failed execution=1", '"a\\ncall.failed execution=1"'),
        ("naïve \ud800", '"na\\u00efve \\ud800"'),
        ("x" * 300, f'"{"x" * 200}"'),
    ],
)
def test_a_field_is_one_word(caplog: pytest.LogCaptureFixture, value: object, shown: str) -> None:
    with caplog.at_level(logging.INFO, logger="cuewire.engine"):
        tell(logging.INFO, "call.failed", model=value, error=None)

    assert caplog.messages == [f"call.failed model={shown}"]


def test_programs_get_the_event_and_its_fields_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="cuewire.engine"):
        tell(logging.INFO, "call.failed", model="a b", error=None)
        tell(logging.DEBUG, "call.ended", model="a b")

    (record,) = caplog.records
    assert (record.__dict__["event"], record.__dict__["fields"]) == ("call.failed", {"model": "a b"})
