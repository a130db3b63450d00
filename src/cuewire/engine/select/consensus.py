"""Selection by agreement: the candidate with which most others agree.

To agree is not transitive where numbers have a tolerance: 1.0 may agree with 1.1, and 1.1 with 1.2, but not 1.0 with
1.2. No classes are therefore cut: each candidate is counted with those that agree with it, and the one with most wins.
Its agreement is then true of it, whatever lies between the others; and without a tolerance these are the classes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from cuewire.engine.select.orders import ranked
from cuewire.model.candidates import CandidateEnd, Selection
from cuewire.model.dates import canonical_date

_Mark: TypeAlias = tuple[str, Any]
_LARGEST = 1e300
"""Numbers beyond this agree only if they are equal: no float can hold a difference of theirs."""
_MEANS_SOMETHING = frozenset("%‰‱٪#@&/\\-\u2010\u2011\u2012\u2013\u2014")
"""Punctuation that may make another statement of the text beside it."""


class Form(NamedTuple):
    """What a value says, however it is written: its kinds, texts and structure, and apart from them its numbers."""

    marks: tuple[_Mark, ...]
    numbers: tuple[float, ...]


def by_consensus(valid: Sequence[CandidateEnd], *, quorum: float, tolerance: float) -> Selection:
    """Select the candidate with which most agree, itself among them; their share is its score.

    Numbers agree within the tolerance, relative to the larger one. If fewer agree than the quorum, none is selected.
    """
    forms = [form_of(end.text if end.value is None else end.value) for end in valid]
    counts = {
        end.index: sum(_agree(form, other, tolerance) for other in forms)
        for end, form in zip(valid, forms, strict=True)
    }
    order = sorted(valid, key=lambda end: -counts[end.index])
    best = order[0].index
    agreement = counts[best] / len(valid)
    has_quorum = agreement >= quorum
    found = f"{counts[best]} of {len(valid)} agree"
    return Selection(
        method="consensus",
        winner=best if has_quorum else None,
        reason=found if has_quorum else f"{found}, {quorum:g} asked",
        ranking=ranked(order, scores={index: count / len(valid) for index, count in counts.items()}),
        agreement=agreement,
    )


def form_of(value: Any) -> Form:
    """Return what a JSON value says. Keys stay as they are; their order, and blanks around texts, say nothing.

    Texts that are dates in ISO 8601 count as what they mean: equal instants are equal, whatever their offsets.
    """
    marks: list[_Mark] = []
    numbers: list[float] = []
    ahead = [value]  # a stack: values of a model may be nested deeper than calls
    while ahead:
        match ahead.pop():
            case str(text):
                plain = normal_text(text)
                marks.append(("text", canonical_date(plain) or plain))
            case bool() | None as word:
                marks.append(("word", word))
            case int() | float() as number if -_LARGEST < number < _LARGEST:
                marks.append(("number", None))
                numbers.append(number)
            case dict(members):
                keys = sorted(members)
                marks.append(("object", tuple(keys)))
                ahead.extend(members[key] for key in reversed(keys))
            case list(items):
                marks.append(("list", len(items)))
                ahead.extend(reversed(items))
            case other:
                marks.append(("exactly", other))
    return Form(marks=tuple(marks), numbers=tuple(numbers))


def normal_text(text: str) -> str:
    """Return a text without what does not change its meaning.

    NFKC, without case, blanks collapsed, punctuation at both ends gone, unless there is nothing else.
    """
    plain = " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())
    start, end = 0, len(plain)
    while start < end and _says_nothing(plain[start]) and not _begins_a_number(plain[start : start + 2]):
        start += 1
    while start < end and _says_nothing(plain[end - 1]):
        end -= 1
    return plain[start:end] or plain


def _says_nothing(character: str) -> bool:
    is_punctuation = unicodedata.category(character).startswith("P") and character not in _MEANS_SOMETHING
    return is_punctuation or character in " `"


def _begins_a_number(pair: str) -> bool:
    return pair[0] in ".," and pair[1:].isdigit()


def _agree(one: Form, other: Form, tolerance: float) -> bool:
    return one.marks == other.marks and all(
        a == b or abs(a - b) <= tolerance * max(abs(a), abs(b)) for a, b in zip(one.numbers, other.numbers, strict=True)
    )
