from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.providers.redaction import MAX_SNIPPET, snippet_of

KEY = "my/own+key:42"


@pytest.mark.parametrize("form", [KEY, quote(KEY, safe=""), b64encode(KEY.encode()).decode()])
def test_t23_key_is_blotted_out_in_each_of_its_forms(form: str) -> None:
    snippet = snippet_of(f"bad key {form} given".encode(), secret=KEY)

    assert form.rstrip("=") not in snippet
    assert snippet.startswith("bad key [key]")


@pytest.mark.parametrize(
    "secret",
    [
        "sk-abcd1234",
        "sk-proj-****wxyz",
        "Bearer abc.def",
        "Basic dTpw",
        "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "x" * 30 + "1",
        "0190f9c4-1b2c-7abc-8def-0123456789ab",
        "A1B2-C3D4-E5F6-A7B8-C9D0-E1F2",
        "1234-5678-9012-3456-7890-1234",
        "live_51Hxyz_ab0123456789_cdefgh",
    ],
)
def test_t24_whatever_looks_like_a_key_is_blotted_out(secret: str) -> None:
    assert secret.split()[-1] not in snippet_of(f'{{"error": "{secret} is wrong"}}'.encode())


@pytest.mark.parametrize(
    "text",
    [
        *("context_length_exceeded_by_the_messages", "gpt-4o-mini", "a" * 60, "2026-11-21"),
        *("nlu_extraction_gemini_25", "claude-3-5-sonnet-20241022", "gpt-4o-audio-preview-2024-12-17"),
    ],
)
def test_words_and_names_are_kept(text: str) -> None:
    assert snippet_of(text.encode()) == text


@given(st.binary(max_size=10_000))
def test_snippet_is_short_and_storable_whatever_the_body(body: bytes) -> None:
    snippet = snippet_of(body, secret=KEY)

    assert len(snippet.encode()) <= MAX_SNIPPET
    assert "\x00" not in snippet


def test_long_body_without_a_break_is_cut() -> None:
    assert len(snippet_of(b"x" * 65_536)) == MAX_SNIPPET


def test_a_run_longer_than_any_key_is_kept() -> None:
    assert snippet_of(b"0123456789" * 150).startswith("0123456789")
