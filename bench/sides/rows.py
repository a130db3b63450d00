"""The record that every side of the storage table makes durable: one model call with about 3 KB of text."""

from __future__ import annotations

from typing import Any

_SENTENCE = "The customer wrote that the export fails whenever the name of the file has a space in it. "
PROMPT_TEXT = (_SENTENCE * 24)[:1_900]
ANSWER_TEXT = ("This is a bug report about exports; the team for files should look at it soon. " * 16)[:1_100]
MODEL = "openai/gpt-4o-mini"


def prompt_of(number: int) -> str:
    """Give the text that was sent, never the same twice."""
    return f"Message {number}: {PROMPT_TEXT}"


def row_of(number: int) -> dict[str, Any]:
    """Give the whole record as plain values."""
    return {
        "id": f"{number:032x}",
        "prompt": "bench",
        "version": 1,
        "model": MODEL,
        "status": "succeeded",
        "started_at": 1_767_225_600.5,
        "duration_ms": 812.4,
        "first_token_ms": 203.1,
        "input_tokens": 450,
        "output_tokens": 260,
        "cost_usd": 0.000_2235,
        "metadata": {"user": f"user-{number % 97}", "tier": "gold"},
        "messages": [{"role": "user", "content": prompt_of(number)}],
        "text": ANSWER_TEXT,
    }
