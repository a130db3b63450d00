from __future__ import annotations

import pytest

from cuewire.model.tokens import make_token, parse_token


def test_a_token_opens_by_its_text_and_its_hash_holds_no_secret() -> None:
    made = make_token("cw", id_bits=2**80 - 1, secret_bits=2**300 + 12345)

    read = parse_token("cw", made.text)

    assert read == made
    assert read.fits(made.hash)
    assert not make_token("cw", id_bits=2**80 - 1, secret_bits=2**300 + 12346).fits(made.hash)
    assert made.secret not in made.hash


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "a", lambda t: "x" + t[1:], lambda t: t.swapcase()])
def test_a_mistyped_token_is_none(change: object) -> None:
    text = make_token("cw", id_bits=1, secret_bits=2).text

    assert callable(change)
    assert parse_token("cw", change(text)) is None


def test_a_token_of_one_kind_is_none_of_another() -> None:
    text = make_token("cwl", id_bits=1, secret_bits=2).text

    assert parse_token("cw", text) is None
    assert parse_token("cws", text) is None
    assert parse_token("cwl", text) is not None


def test_each_bit_counts() -> None:
    tokens = {make_token("a", id_bits=0, secret_bits=1 << bit).text for bit in range(256)}

    assert len(tokens) == 256
