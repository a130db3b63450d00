"""YAML that means what it looks like, and holds what JSON does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cuewire.files import yaml
from cuewire.model.errors import InvalidInput
from cuewire.model.text import is_storable

TEXTS = st.text().filter(is_storable)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.sampled_from(
        ["no", "On", "~", "null", "012", "1:30", "1e3", "2026-11-21", "<<", "=", "0x1F", "1_000", ".5", ""]
    ),
    lambda values: st.lists(values) | st.dictionaries(TEXTS, values),
)


@given(value=VALUES)
@example(value={"a": [1.0, -0.0, 1e300, 1e-7, 5e-324, "\x85\u2028\ufeff", "x" * 200, "a\n b\n", " ", "\t"]})
def test_what_is_written_is_read_again(value: Any) -> None:
    assert repr(yaml.read(yaml.write(value))) == repr(value)


def test_it_reads_well() -> None:
    value = {
        "tags": ["a", "no"],
        "texts": ["One:\n\n  two", "three"],
        "rows": [{"a": [1, 2.5, None, "null"]}],
        "none": [],
    }

    assert (
        yaml.write(value)
        == """tags: [a, no]
texts:
- |-
  One:

    two
- three
rows:
- a: [1, 2.5, null, 'null']
none: []
"""
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[yes, no, on, off, y, n]", ["yes", "no", "on", "off", "y", "n"]),
        ("[true, false, null, ~]", [True, False, None, None]),
        ("[1:30, 012, 0x1F, 1_000]", ["1:30", 12, "0x1F", "1_000"]),
        ("[1e3, 1.5, -2, +2, .5]", [1000.0, 1.5, -2, 2, 0.5]),
        ("[2026-11-21, 2026-11-21T10:00:00Z]", ["2026-11-21", "2026-11-21T10:00:00Z"]),
        ("{<<: a, =: b}", {"<<": "a", "=": "b"}),
        ("[.inf, .nan]", [".inf", ".nan"]),
        ("", None),
    ],
)
def test_plain_words_are_what_they_look_like(text: str, value: Any) -> None:
    assert repr(yaml.read(text)) == repr(value)


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [1]\nb: *x",
        "a: 1\na: 2",
        "!!python/object/apply:os.system [ls]",
        "!!set {a, b}",
        "!!binary aGk=",
        "{1: a}",
        "a: 99999999999999999999",
        "a: [",
        "a: 1\n b: 2",
        'a: "\\x00"',
        "a\n--- b\n...",
        "[" * 1_000 + "]" * 1_000,
        "&a [*a]",
    ],
)
def test_what_json_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        yaml.read(text)


def test_a_fault_is_told_with_its_line() -> None:
    with pytest.raises(InvalidInput, match="line 2: a key stands there twice"):
        yaml.read("a: 1\nb: {c: 1, c: 2}")
