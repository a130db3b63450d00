"""Two questions are the same but for politeness and articles, or they are not, whatever their vectors say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.engine.wording import contradiction, difference

ALPHABET = "aAbiI é日نह. ,;:!?…-–'’\"()<=+%$#/\n\t019²½\u200b\u0301🙂\ud800"
TEXTS = st.text() | st.text(st.sampled_from(ALPHABET), max_size=40)
POLITE = "please hi thanks thank you a an the can could would tell me how do i to what's don't not un happy unhappy"
PHRASES = st.lists(st.sampled_from([*POLITE.split(), ",", ".", "?", "\n", "5", "-", "Rome"]), max_size=12).map(" ".join)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I pay?", "how can i pay"),
        ("How would I pay?", "How to pay!"),
        ("How do I pay the bill?", "How do I pay a bill?"),
        ("Pay the bill", "please, pay the bill, thank you"),
        ("PAY THE BILL", "pay the bill"),
        ("Hey, is it late?", "Is it late?"),
        ("Hi is it late", "Is it late"),
        ("Hello. Is it late? Thanks.", "Is it late"),
        ("Can you kindly pay it", "pay it"),
        ("Can you tell me please how to pay", "How do I pay"),
        ("I need to know what tax is", "what tax is"),
        ("it's late", "IT’S LATE"),
        ("They aren't in", "they are not in"),
        ("I cannot pay", "I can't pay"),
        ("e\u0301cole", "\u00e9cole"),
        ("well-known", "Well-known"),
        ("is it, then, late", "is it then late"),
        ("is it: late…", "is it late"),
        ("Is 5 late?", "is 5 late"),
        ("Late?\r\n", "late"),
        ("¿Tarde?", "tarde"),
        ("МОСКВА ЛЕТОМ", "москва летом"),
        ("50 % off", "50% off"),
    ],
)
def test_politeness_articles_and_ways_to_write_do_not_make_another_question(one: str, other: str) -> None:
    assert difference(one, other) == ""
    assert contradiction(one, other) == ""


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("Is it late", "Is it not late", "only one of them says 'not'"),
        ("Is it not late", "Is it late", "only one of them says 'not'"),
        ("from Rome to Oslo", "from Oslo to Rome", "their words come in another order"),
        ("very late", "very very late", "one of them says the same more often"),
        ("Who is Ada", "Who is ada", "only one of them says 'Ada'"),
        ("tell us", "tell US", "only one of them says 'us'"),
        ("US", "us", "only one of them says 'US'"),
        ("iPhone", "iphone", "only one of them says 'iPhone'"),
        ("SEND 5M", "send 5m", "only one of them says '5M'"),
        ("a few can", "few can", "only one of them says 'a'"),
        ("cancel the 2 orders", "cancel 2 orders", "only one of them says 'the'"),
        ("what is a, then", "what is then", "only one of them says 'a'"),
        ("vitamin a daily", "vitamin daily", "only one of them says 'a'"),
        ("group a", "group", "only one of them says 'a'"),
        ("a b test", "b test", "only one of them says 'a'"),
        ("a or b", "or b", "only one of them says 'a'"),
        ("No, pay it", "No pay it", "only one of them says ','"),
        ("Don't. Pay it", "Don't pay it", "only one of them says '.'"),
        ("pay\nit", "pay it", "only one of them says 'line break'"),
        ("5 - 3", "5 3", "only one of them says '-'"),
        ("3 : 1", "3 1", "only one of them says ':'"),
        ("5!", "5", "only one of them says '!'"),
        ("-5", "5", "only one of them says '-5'"),
        (".5", "5", "only one of them says '.5'"),
        ("-.5", ".5", "only one of them says '-.5'"),
        ("10²", "102", "only one of them says '10²'"),
        ("5%", "5", "only one of them says '%'"),
        ("a != b", "a = b", "only one of them says '!'"),
        ("say (the) x", "say (a) x", "only one of them says 'the'"),
        ("how do I say hello", "how do I say thanks", "only one of them says 'hello'"),
        ("hello", "thanks", "only one of them says 'hello'"),
        ("Hello Kitty", "Kitty", "only one of them says 'hello'"),
        ("Block, thank us", "Block", "only one of them says 'thank'"),
        ("Will you pay", "Pay", "only one of them says 'will'"),
        ("my_file", "my file", "only one of them says 'my_file'"),
        ("Maße", "Masse", "only one of them says 'maße'"),
        ("日本", "中国", "only one of them says '日本'"),
        ("नहीं", "नही", "only one of them says 'ं'"),
        ("👍", "👎", "only one of them says '👍'"),
        ("?", "!", "only one of them says '?'"),
        ("", "the", "only one of them says ''"),
        ("w" * 50, "v", f"only one of them says '{'w' * 40}'"),
    ],
)
def test_whatever_else_differs_makes_another_question_and_is_named(one: str, other: str, why: str) -> None:
    assert difference(one, other) == why


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I block my card?", "What is the way to block my card?"),
        ("Send 5 euros to Ada", "Send 6 euros to Ada"),
        ("Send 5 euros to Ada", "Send 5 euros to Alan"),
        ("from Rome to Oslo", "from Oslo to Rome"),
        ("the dog bites the cat", "the cat bites the dog"),
        ("pay it", "never pay it"),
        ("is it reliable", "is it unreliable"),
        ("is it illegal", "is it legal"),
        ("hepatitis b", "hepatitis c"),
        ("pay 5%", "pay 5"),
        ("pay in May", "pay in June"),
        ("pay it twice", "pay it"),
    ],
)
def test_what_cannot_mean_the_same_is_told_before_anybody_is_asked(one: str, other: str) -> None:
    assert contradiction(one, other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Block my card", "Freeze my card"),
        ("Block my card. It was stolen", "block my card, it was stolen"),
        ("is it dear", "is it costly"),
        ("turn it into art", "turn it into a start"),
        ("the put option", "an input option"),
    ],
)
def test_other_words_for_what_may_be_the_same_are_left_to_a_verifier(one: str, other: str) -> None:
    assert contradiction(one, other) == ""


@given(TEXTS | PHRASES, TEXTS | PHRASES)
def test_it_does_not_matter_which_question_came_first_and_what_contradicts_differs(one: str, other: str) -> None:
    assert (difference(one, other) == "") == (difference(other, one) == "")
    assert (contradiction(one, other) == "") == (contradiction(other, one) == "")
    assert difference(one, one) == contradiction(one, one) == ""
    assert not contradiction(one, other) or difference(one, other)


@given(PHRASES, st.sampled_from(["please {}", "Hello, {}", "{}, thanks", "{}?", "{}!", "  {} "]))
def test_a_question_is_the_same_however_politely_it_is_asked(words: str, manner: str) -> None:
    question = f"may we go {words} home"

    assert difference(question, manner.format(question)) == ""


@given(TEXTS, st.integers(0, 10**6), st.integers(0, 10**6), TEXTS)
def test_other_numbers_make_another_question(before: str, one: int, other: int, after: str) -> None:
    first, second = (f"{before} {number} {after}" for number in (one, other))

    assert (difference(first, second) == "") == (one == other)
    assert (contradiction(first, second) == "") == (one == other)
