from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cuewire.model.api_keys import issue_key, opens, parse_key

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_a_key_opens_by_its_text_and_keeps_no_secret() -> None:
    issued = issue_key("laptop", id_bits=2**80 - 1, secret_bits=2**300 + 12345, now=NOW)

    parts = parse_key(issued.text)

    assert parts is not None
    assert parts[0] == issued.key.id
    assert opens(parts[1], issued.key)
    assert not opens(parts[1][:-1] + "x", issued.key)
    assert parts[1] not in repr(issued.key)


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "a", lambda t: "x" + t[1:], lambda t: t.swapcase()])
def test_a_mistyped_key_is_none(change: object) -> None:
    text = issue_key("laptop", id_bits=1, secret_bits=2, now=NOW).text

    assert callable(change)
    assert parse_key(change(text)) is None


def test_each_bit_counts() -> None:
    keys = {issue_key("a", id_bits=0, secret_bits=1 << bit, now=NOW).text for bit in range(256)}

    assert len(keys) == 256
