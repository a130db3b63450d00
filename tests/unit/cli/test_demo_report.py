"""The demo's figures, and a verdict that never claims more than was seen."""

from __future__ import annotations

import pytest

from cuewire.cli.demo_prompt import DRAFTS, sentences
from cuewire.cli.demo_report import Trial, compare, notes, row, score, verdict


def trials(version: int, correct: str, *, cost_usd: float | None = 0.01, tokens: int | None = 7) -> list[Trial]:
    """Make one trial per character: `1` correct, `0` not correct, `x` of the wrong kind."""
    return [
        Trial(
            version=version,
            sentence=f"{at:04}",
            execution_id="id",
            answer=None if mark == "x" else "positive",
            text="Hm",
            is_correct=mark == "1",
            duration_ms=float(at + 1),
            input_tokens=tokens,
            output_tokens=1,
            cost_usd=cost_usd,
        )
        for at, mark in enumerate(correct)
    ]


def concluded(before: str, after: str) -> tuple[str, str]:
    first, second = trials(1, before), trials(2, after)
    return verdict(compare(first, second), (score(1, "zero-shot", first), score(2, "few-shot", second)))


def test_an_answer_of_the_wrong_kind_counts_as_not_correct_and_is_shown() -> None:
    found = score(1, "zero-shot", trials(1, "11x0"))

    assert (found.correct, found.wrong_kind, found.trials) == (2, 1, 4)
    assert row(found)[:4] == ("1 zero-shot", "2 of 4", "50 % (15-85)", "1")
    assert len(notes([found])) == 1


def test_percentiles_and_totals_are_those_of_the_trials() -> None:
    found = score(1, "zero-shot", trials(1, "1" * 101))

    assert (found.p50_ms, found.p95_ms, found.input_tokens) == (51.0, 96.0, 707)
    assert found.cost_usd == pytest.approx(1.01)


def test_an_unknown_part_makes_the_total_unknown() -> None:
    found = score(1, "zero-shot", [*trials(1, "1"), *trials(1, "1", cost_usd=None, tokens=None)])

    assert (found.cost_usd, found.input_tokens) == (None, None)
    assert row(found)[5:] == ("- / 2", "-")
    assert "Cost -" in notes([found])[0]


def test_few_sentences_never_make_a_winner_however_large_the_difference() -> None:
    difference, conclusion = concluded("0" * 40, "1" * 40)

    assert difference.startswith("Version 2 against version 1: +100 points")
    assert conclusion.startswith("Too early to tell: 40 sentences, and a winner is called from 100 on.")
    assert "excludes 0" in conclusion


def test_few_sentences_and_an_interval_that_holds_zero_may_be_chance() -> None:
    assert "may be chance" in concluded("10" * 20, "1101" * 10)[1]


def test_many_sentences_and_an_interval_that_excludes_zero_make_a_winner() -> None:
    assert concluded("0" * 60 + "1" * 60, "1" * 120)[1] == "Version 2 is better on sentences like these."
    assert concluded("1" * 120, "0" * 60 + "1" * 60)[1] == "Version 1 is better on sentences like these."


def test_many_sentences_and_an_interval_that_holds_zero_make_none() -> None:
    assert concluded("10" * 60, "01" * 60)[1].startswith("No winner: the interval holds 0")


def test_versions_are_compared_sentence_by_sentence_in_whatever_order_they_ended() -> None:
    before, after = trials(1, "1100" * 10), trials(2, "1110" * 10)

    assert compare(before, after) == compare(before[::-1], sorted(after, key=lambda trial: trial.duration_ms % 7))


def test_the_sentences_are_half_and_half_and_none_stands_in_the_prompt() -> None:
    prompt = "".join(str(m.content) for draft in DRAFTS for m in draft.messages)

    assert len(sentences()) == len({sentence.text for sentence in sentences()}) == 40
    assert sum(sentence.label == "positive" for sentence in sentences()) == 20
    assert not any(sentence.text in prompt for sentence in sentences())
