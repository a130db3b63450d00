"""How far two questions agree in their words, which tells what their vectors do not: those of "not", "2024" or "from A
to B" hardly differ from those of the opposite.

Words and signs are compared as they are written. What does not matter is known for English alone, and nothing of it is
left out where a text speaks of words or holds code; elsewhere all words matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

Words: TypeAlias = tuple[str, ...]

_TOKEN = re.compile(
    r"(?P<line>\n)"
    r"|(?P<word>(?:(?<![\w.])(?:[-+\N{MINUS SIGN}]\.?|\.)(?=\d))?\w+(?:[.,:'/-]\w+)*)"
    r"|(?P<pause>[.,:;!?…–—-]+)(?=\s|\Z)"
    r"|(?P<opening>[¿¡])"
    r"|(?P<sign>[^\w\s])"
)
_DIGIT_NEXT = re.compile(r"\s*\d")
_DASHES = frozenset("-–—")
_STOPS = frozenset(".!?…")
_QUOTING = frozenset("\"'`“”‘„«»()[]{}<>=*/\\|~^@_")
"""Signs of texts that quote, calculate or program, in which every article counts."""

COMMA, STOP, LINE = " ,", " .", " line break"
_MARKS = frozenset({COMMA, STOP, LINE})
"""What ends a part, a sentence or a line; no word has a space."""


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


_SPEAKING_OF = _words(
    "say says said saying spell spells spelled spelt spelling word words wording mean means meant meaning translate",
    "translates translated translation pronounce pronounced pronunciation letter letters lyrics rhyme rhymes synonym",
    "synonyms phrase phrases greeting greetings",
)
"""Words of texts that may be about words."""
_GREETINGS = _words("hi hello hey")
_PLEASE = _words("please pls plz")
_THANKS = (("thank", "you"), ("thanks",))
_ARTICLES = _words("a an the")
_LETTERED = _words(
    "vitamin hepatitis plan type grade class group section option part level size schedule influenza flu team gate",
    "terminal platform building block annex appendix exhibit figure tier category series form unit zone wing hall row",
    "strep streptococcus haemophilia hemophilia protein",
)
"""Words after which "a" is a letter more often than an article."""
_HARD = _words(
    "no not nor none never neither nothing nobody nowhere without except unless but hardly barely",
    "all any every each some most few little many several both half only either another other others same different",
    "more less least fewer over under above below before after until since during between within",
    "first second third fourth fifth sixth seventh eighth ninth tenth last next previous single double triple once",
    "twice always sometimes often rarely yesterday today tomorrow",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen",
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion dozen",
    "january february march april may june july august september october november december",
    "monday tuesday wednesday thursday friday saturday sunday",
    "from to into onto out off on up down who what when where why which how if",
)
"""Words of which none may come, go or change its place."""
_OPPOSING = ("un", "in", "im", "il", "ir", "dis", "ab", "mis")
"""What makes a word its opposite."""
_COUNTING = _HARD | _words("number couple pair or and is vs than for in with of")
"""Words before which an article says something, or is none."""
_BEGINNINGS = _HARD | _words("i my we our is are am do does did can could would will should has have please")
"""Words before which a greeting is one, and no name."""


def _phrases(*phrases: str) -> dict[Words, Words]:
    pairs = (phrase.partition("=") for phrase in phrases)
    return {tuple(said.split()): tuple(meant.split()) for said, _, meant in pairs}


_ASKED = ("how", "what", "where", "who", "why", "which")
_ANYWHERE = _phrases(*(f"how {verb} i = how to" for verb in ("do", "can", "could", "would", "may", "might")))
_AT_THE_START = _phrases(
    *(f"{verb} you {please} =" for verb in ("can", "could", "would", "will") for please in ("please", "kindly")),
    *(f"{verb} you tell me =" for verb in ("can", "could", "would", "will")),
    *(f"{verb} you {ask} = {ask}" for verb in ("can", "could", "would") for ask in ("explain", "help me", "show me")),
    *(f"{verb} you {ask} = {ask}" for verb in ("can", "could") for ask in ("give me", "send me", "check", "find")),
    *(f"{said} {ask} = {ask}" for said in ("tell me", "let me know") for ask in (*_ASKED, "the", "my")),
    *(f"do you know {ask} = {ask}" for ask in (*_ASKED, "when", "if", "whether")),
    *("i want to know =", "i would like to know =", "i need to know ="),
    *("i want to =", "i would like to =", "i need to =", "i wish to ="),
)
"""What makes a request or a question polite. Whether one asks if somebody will, or wants them to, is no politeness."""
_SHORT = {
    **{f"{who}'d": f"{who} would" for who in ("i", "you", "we", "they")},
    **{f"{who}'ll": f"{who} will" for who in ("i", "you", "we", "they", "it")},
    **{f"{who}'re": f"{who} are" for who in ("you", "we", "they")},
    **{f"{who}'ve": f"{who} have" for who in ("i", "you", "we", "they")},
    **{f"{what}'s": f"{what} is" for what in ("what", "how", "where", "when", "who", "it", "that", "there", "here")},
    **{f"{verb}n't": f"{verb} not" for verb in ("do", "does", "did", "is", "are", "was", "were", "has", "have", "had")},
    **{f"{verb}n't": f"{verb} not" for verb in ("could", "would", "should", "must", "might", "need")},
    **{"i'm": "i am", "can't": "can not", "cannot": "can not", "won't": "will not", "shan't": "shall not"},
}


def difference(one: str, other: str) -> str:
    """Return why two questions are not the same but for politeness and articles, "" if they are."""
    return _first_difference(_meant(one), _meant(other))


def contradiction(one: str, other: str) -> str:
    """Return why two questions cannot mean the same, "" if they might.

    What neither may have alone, or elsewhere, are numbers, names, negations, quantities and the like; what both have
    must come in the same order.
    """
    first, second = _meant(one), _meant(other)
    if found := _first_difference(_hard(first), _hard(second)):
        return found
    if opposites := _opposed({*first} - {*second}, {*second} - {*first}):
        return opposites
    both = {*first} & {*second} - _MARKS
    shared, again = (tuple(word for word in words if word in both) for words in (first, second))
    return "" if shared == again else "what they share comes in another order"


def _first_difference(one: Words, other: Words) -> str:
    if one == other:
        return ""
    if sorted(one) == sorted(other):
        return "their words come in another order"
    only = [word for word in one if word not in other] or [word for word in other if word not in one]
    return f"only one of them says {only[0].strip()[:40]!r}" if only else "one of them says the same more often"


def _opposed(one: AbstractSet[str], other: AbstractSet[str]) -> str:
    for said, against in ((one, other), (other, one)):
        for word in sorted(said):
            if len(word) > 3 and any(prefix + word in against for prefix in _OPPOSING):
                return f"one of them says {word[:40]!r}, and the other the opposite"
    return ""


def _hard(words: Words) -> Words:
    return tuple(word for word in words if word not in _MARKS and (word in _HARD or _is_name(word)))


def _is_name(word: str) -> bool:
    """Tell whether a word is a name, a number, a sign, or a letter."""
    return not word.isalpha() or word != word.lower() or (len(word) == 1 and word not in "ai")


def _meant(text: str) -> Words:
    """Return the words that matter, each phrase that says the same in one form; all words if it is only polite."""
    sentences: list[tuple[str, Sequence[str]]] = [*_sentences(text)]
    if not sentences:
        return (text.strip(),)
    if not any(word in _QUOTING or word in _SPEAKING_OF or "_" in word for _, words in sentences for word in words):
        plain = [(mark, _plain(words)) for mark, words in sentences]
        sentences = [(mark, words) for mark, words in plain if words] or sentences
    return tuple(word for mark, words in sentences for word in (mark, *words))[1:]


def _plain(words: Sequence[str]) -> Sequence[str]:
    """Return the words of a sentence that matter."""
    found = _without_greeting(["please" if word in _PLEASE else word for word in words])
    found = _replaced(found, _ANYWHERE, most=len(found))
    found = _without_please(_replaced(_without_please(found), _AT_THE_START, most=1))
    found = _without_thanks(found)
    return [word for place, word in enumerate(found) if _matters(found, place)]


def _without_greeting(words: Sequence[str]) -> Sequence[str]:
    is_greeted = words[0] in _GREETINGS and (len(words) == 1 or words[1] == COMMA or words[1] in _BEGINNINGS)
    return words[1:] if is_greeted else words


def _without_please(words: Sequence[str]) -> Sequence[str]:
    """Return a sentence without what is polite at its beginning."""
    polite = ("please", "kindly", COMMA)
    return words[next((place for place, word in enumerate(words) if word not in polite), len(words)) :]


def _without_thanks(words: Sequence[str]) -> Sequence[str]:
    """Return a sentence without what is polite at its end; thanks stand alone, or behind a comma."""
    for thanks in _THANKS:
        if tuple(words) == thanks or tuple(words[-len(thanks) - 1 :]) == (COMMA, *thanks):
            words = words[: -len(thanks)]
    while words and words[-1] in ("please", COMMA):
        words = words[:-1]
    return words


def _matters(words: Sequence[str], place: int) -> bool:
    """Tell whether a sentence is another one without a word: all but commas, and the articles of single words."""
    word, before = words[place], words[place - 1] if place else ""
    if word == COMMA:
        return before in _HARD
    if word not in _ARTICLES or place + 1 == len(words):
        return True
    after = words[place + 1]
    is_counting = after in _COUNTING or after == COMMA or len(after) == 1 or after[0].isdigit()
    return is_counting or (word == "a" and before in _LETTERED)


def _replaced(words: Sequence[str], phrases: dict[Words, Words], *, most: int) -> Sequence[str]:
    """Return the words with phrases in their other form, the longest first, among the first so many places."""
    found: list[str] = []
    lengths = sorted({len(said) for said in phrases}, reverse=True)
    place = 0
    while place < len(words):
        fitting = (length for length in lengths if place < most and tuple(words[place : place + length]) in phrases)
        length = next(fitting, 0)
        found += phrases[tuple(words[place : place + length])] if length else (words[place],)
        place += length or 1
    return found


def _sentences(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the words of each sentence, and the mark that parts it from the one before."""
    mark, words = STOP, list[str]()
    for word in _written(text):
        if word not in (STOP, LINE):
            words.append(word)
            continue
        if words:
            yield mark, words
            mark, words = word, []
        elif word == LINE:
            mark = LINE
    if words:
        yield mark, words


def _written(text: str) -> Iterator[str]:
    """Yield the words, signs and marks of a text, words in small letters where their case says nothing."""
    plain = unicodedata.normalize("NFC", text).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    is_loud = plain.isupper() and len(plain.split()) > 1
    is_start, last = True, ""
    for match in _TOKEN.finditer(plain):
        kind, token = match.lastgroup, match.group()
        if kind == "word":
            yield from _spelled(token, is_start=is_start, is_loud=is_loud)
            is_start = False
        elif kind == "line" or (kind == "pause" and not _reckons(match, last)):
            mark = LINE if kind == "line" else COMMA if _STOPS.isdisjoint(token) else STOP
            is_start = is_start or mark != COMMA
            yield mark
        elif kind != "opening":
            yield token
        last = token


def _reckons(pause: re.Match[str], last: str) -> bool:
    """Tell whether signs after a word stand for more than a pause: 5 - 3, 3 : 4, 5!, from Rome - Oslo."""
    is_after, is_before = last[-1:].isdigit(), _DIGIT_NEXT.match(pause.string, pause.end()) is not None
    is_factorial = "!" in pause.group() and pause.string[pause.start() - 1 : pause.start()].isdigit()
    return not _DASHES.isdisjoint(pause.group()) or (is_after and is_before) or is_factorial


def _spelled(word: str, *, is_start: bool, is_loud: bool) -> Sequence[str]:
    """Return a word as it is compared: names and acronyms keep their capitals, and so does 5M where all is capitals."""
    small = word.lower()
    if word == small or small == "i" or small in _SHORT:
        return _SHORT.get(small, small).split()
    has_digit = any(letter.isdigit() for letter in word)
    is_name = has_digit if is_loud else not is_start or word[1:] != small[1:]
    return (word,) if is_name else (small,)
