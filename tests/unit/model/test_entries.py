from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from cuewire.model.entries import MAX_ERROR, Entry, parse_entry
from cuewire.model.errors import InvalidInput
from cuewire.model.references import Reference
from cuewire.model.usage import Usage


def entry(**changes: Any) -> Entry:
    told: dict[str, Any] = {"prompt": "greet", "succeeded": True, "duration_ms": 1.5, **changes}
    return parse_entry(told.pop("prompt"), **told)


def test_a_minimal_entry_says_nothing_else() -> None:
    assert entry() == Entry(
        reference=Reference(name="greet"),
        succeeded=True,
        duration_ms=1.5,
        usage=Usage(),
        cost_usd=None,
        error=None,
        metadata={},
    )


def test_numbers_of_any_kind_become_plain_ones() -> None:
    found = entry(duration_ms=2, cost_usd=Fraction(1, 4), input_tokens=0, output_tokens=10**15)

    assert (found.duration_ms, type(found.duration_ms), found.cost_usd) == (2.0, float, 0.25)
    assert found.usage.total_tokens == 10**15


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("succeeded", [1, None, "true"]),
        ("duration_ms", [None, True, "1", -1e-9, float("nan"), float("inf"), 1e12, 10**400, 1j]),
        ("cost_usd", [False, "0", -1, float("nan"), float("inf"), 10**400]),
        ("input_tokens", [True, 1.0, "1", -1, 10**16]),
        ("output_tokens", [True, 1.0, "1", -1, 10**16]),
        ("error", [b"no", 5, ValueError("no")]),
        ("metadata", [[], "a", {"a": {1}}, {"a": float("inf")}]),
        ("prompt", [None, "", "Greet", "greet@0", "a" * 129]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_meant_is_refused_with_its_place(field: str, values: list[object]) -> None:
    for value in values:
        with pytest.raises(InvalidInput) as refused:
            entry(**{field: value})

        assert refused.value.field.startswith(f"/{field}")


def test_an_error_is_cut_and_rid_of_keys_and_of_what_cannot_be_stored() -> None:
    found = entry(error=f"\x00 sk-canary1 \ud800{'e' * MAX_ERROR}")

    assert found.error is not None
    assert found.error.startswith("\ufffd [redacted] \ufffdeee")
    assert len(found.error) <= MAX_ERROR
    assert found.sanitised == 2


def test_no_error_is_none() -> None:
    assert entry(error="").error is None
