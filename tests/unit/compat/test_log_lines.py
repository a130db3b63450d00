from __future__ import annotations

import json
from typing import Any

from cuewire.compat.log_lines import line_of


def shown(value: object) -> Any:
    return json.loads(line_of({"value": value}, event="it.happened"))["value"]


def test_our_own_fields_come_first_and_as_they_are() -> None:
    line = line_of({"a": 1}, event="it.happened", execution_id="0190f9c4-1b2c-7abc-8def-0123456789ab")

    assert line == '{"event": "it.happened", "execution_id": "0190f9c4-1b2c-7abc-8def-0123456789ab", "a": 1}'


def test_plain_values_are_shown_as_they_are() -> None:
    value = {"a": [1, 2.5, True, None, "é"], "b": {"c": []}}

    assert shown(value) == value
    assert shown((1, 2)) == [1, 2]


def test_what_json_has_no_word_for_is_named() -> None:
    assert shown([float("nan"), float("-inf"), 2**64, b"a", {1}, 1j]) == [
        *("nan", "-inf", "<65 bits>", "<bytes>", "<set>", "<complex>")
    ]
    assert shown({1: "a", None: "b"}) == {"1": "a", "None": "b"}


def test_what_looks_like_a_key_is_blotted_out_also_deep_inside_and_in_names() -> None:
    assert shown({"a": [{"sk-canary1": "Bearer abc"}]}) == {"a": [{"[redacted]": "Bearer [redacted]"}]}


def test_a_line_has_bounds() -> None:
    deep: object = 1
    for _ in range(10_000):
        deep = [deep]
    round_about: list[object] = []
    round_about.append(round_about)

    assert shown("x" * 10**6) == "x" * 1_000
    assert len(shown(list(range(1_000)))) == 100
    assert len(shown({n: n for n in range(1_000)})) == 100
    assert "<list>" in line_of({"deep": deep})
    assert "<list>" in line_of({"round": round_about})
