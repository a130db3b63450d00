"""How values look, and where the global options may stand."""

from __future__ import annotations

import pytest

from cuewire.cli.__main__ import globals_first
from cuewire.cli.text import aligned, count, milliseconds, moment, one_line, printable, usd


def test_what_is_unknown_is_a_dash_and_never_zero() -> None:
    assert [count(None), usd(None), milliseconds(None), moment(None)] == ["-"] * 4


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0.0, "$0.00"), (1234.5, "$1,234.50"), (0.25, "$0.25"), (0.000123, "$0.000123"), (0.00000123, "$0.00000123")],
)
def test_small_amounts_keep_the_digits_that_say_something(amount: float, text: str) -> None:
    assert usd(amount) == text


@pytest.mark.parametrize(("ms", "text"), [(0.4, "0.4 ms"), (1234.5, "1,234 ms"), (12_345.0, "12.3 s")])
def test_durations_are_short(ms: float, text: str) -> None:
    assert milliseconds(ms) == text


def test_nothing_printable_steers_a_terminal() -> None:
    assert printable("a\x1b[2Jb\x00\u202ec\td\r\ne") == "a\ufffd[2Jb\ufffd\ufffdc\td\ne"


def test_one_line_is_cut_with_a_sign_of_it() -> None:
    assert one_line("a\n b\tc", width=5) == "a b c"
    assert one_line("abcdef", width=5) == "abcd…"


def test_columns_begin_at_the_same_place() -> None:
    assert aligned([("a", "b"), ("long", "c")]) == "a     b\nlong  c"


@pytest.mark.parametrize(
    ("given", "sorted_out"),
    [
        (["prompts", "list", "--json"], ["--json", "prompts", "list"]),
        (["run", "a", "--database", "sqlite:///b"], ["--database", "sqlite:///b", "run", "a"]),
        (["run", "a", "--config=c.toml", "-v", "b=--json"], ["--config=c.toml", "run", "a", "-v", "b=--json"]),
        (["run", "--", "--json"], ["run", "--", "--json"]),
        (["run", "--database"], ["--database", "run"]),
    ],
)
def test_global_options_may_stand_anywhere(given: list[str], sorted_out: list[str]) -> None:
    assert globals_first(given) == sorted_out
