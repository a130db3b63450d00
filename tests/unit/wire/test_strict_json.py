"""Bodies are read strictly, whichever of the two ways they are read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cuewire.model.errors import InvalidInput
from cuewire.model.text import check_json
from cuewire.wire.strict_json import MalformedJson, decode

NUMBERS = st.integers() | st.floats() | st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**18, 10**30])
TEXTS = st.text(st.characters() | st.sampled_from('\x00:\\"\ud800\udc00'))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda values: st.lists(values) | st.dictionaries(TEXTS, values),
)


@given(value=VALUES, is_escaped=st.booleans())
@example(value=[[[[]]]] * 20, is_escaped=False)
@example(value=[1e308 * 10], is_escaped=False)
def test_what_is_read_is_what_was_written_or_is_refused(value: Any, is_escaped: bool) -> None:
    body = json.dumps(value, ensure_ascii=is_escaped).encode(errors="surrogatepass")
    try:
        check_json(value, pointer="")
        body.decode()
    except (InvalidInput, UnicodeDecodeError):
        with pytest.raises(InvalidInput):
            decode(body, object)
        return

    read = decode(body, object)

    assert repr(read) == repr(value)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "\\u0061": 2}',
        b'[{"a": {"b": 1, "b": ":"}}]',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": {"b": 1e999}}',
        b'{"a": [-1e999, "\\u0041"]}',
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\t"}',
        b'{"a": 01}',
        b"{'a': 1}",
        b'{"a": 1} {"a": 1}',
        b"",
    ],
)
def test_what_readers_differ_on_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedJson):
        decode(body, dict)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"a": [1, 9223372036854775808]}', "/a/1"),
        (b'{"a": "x\\u0000"}', "/a"),
        (b'{"a": "\\ud800"}', "/a"),
        (b'{"a": ' + b"[" * 64 + b"]" * 64 + b"}", "/a" + "/0" * 63),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_place(body: bytes, pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        decode(body, dict)

    assert refused.value.field == pointer
