"""Text cut, counted, quoted and cleaned."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from cuewire.model.errors import TemplateError
from cuewire.template.filters.entry import Constants, Growth, choice, prompt_filter, whole
from cuewire.template.filters.numeric import NOT_AVAILABLE
from cuewire.template.guards import MAX_CHARS, check_chars

_MARKS = re.compile(r"\{(?=[{%#])|[}%#](?=\})")
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_WORD = re.compile(r"\S++")
_TOKEN = re.compile(
    r"(?P<word>[A-Za-z]++)|(?P<digits>[0-9]++)|(?P<space>[ \t]++)|(?P<line>[\r\n]++)|(?P<sign>[!-~])|(?P<other>.)",
    re.DOTALL,
)
_LETTERS_PER_TOKEN, _DIGITS_PER_TOKEN = 7, 3


@prompt_filter(rule=Growth(3))
def upper(value: Any) -> str:
    """Write text in capital letters.

    {{ 'buy' | upper }} gives BUY
    """
    return str(value).upper()


@prompt_filter(rule=Growth(1), free=("fallback",), sees_none=True)
def default_if_none(value: Any, fallback: Any = "") -> Any:
    """Give `fallback` for none; unlike `default`, not for what is not defined, which stays an error.

    {{ none | default_if_none('unknown') }} gives unknown
    """
    return fallback if value is None else value


@prompt_filter(rule=Growth(1))
def truncate_words(value: Any, n: int, end: str = "...") -> str:
    """Cut text after `n` words, and put `end` where something was cut.

    {{ 'one two three' | truncate_words(2) }} gives one two...
    """
    text = str(value)
    whole("n", n, 0, MAX_CHARS)
    last = 0
    for count, word in enumerate(_WORD.finditer(text)):
        if count == n:
            return text[:last] + str(end)
        last = word.end()
    return text


@prompt_filter(rule=Growth(1, passes=20))
def truncate_tokens(value: Any, n: int, model: str | None = None, end: str = "") -> str:  # noqa: ARG001
    """Cut text at the last whole word within `n` tokens, `end` included. Tokens are estimated as by `tokens`.

    {{ 'The quick brown fox' | truncate_tokens(2) }} gives The quick
    """
    text = str(value)
    room = whole("n", n, 0, MAX_CHARS) - count_tokens(str(end))
    fits = used = 0
    for place, is_break, tokens in _tokens(text):
        if is_break and used <= room:
            fits = place
        used += tokens
    return text if used <= n else text[:fits].rstrip() + str(end)


@prompt_filter(rule=Growth(0, 20, passes=20), missing=NOT_AVAILABLE)
def tokens(value: Any, model: str | None = None) -> int:  # noqa: ARG001  # estimates of one model may come
    """Estimate how many tokens a text has, which no two models agree on; `model` changes nothing yet.

    Counted is one token for each started 7 letters of a word, 3 digits, sign, run of line ends, and letter of another
    alphabet. For English text and code that is within a fifth of what models count; for other languages, and for long
    numbers, some models count twice as many.

    {{ 'The quick brown fox' | tokens }} gives 4
    """
    return count_tokens(str(value))


def _quoted(arguments: Constants) -> Growth:
    return Growth(4, 100) if arguments["style"] != "fence" else Growth(3, 20)


@prompt_filter(rule=_quoted)
def quote(value: Any, style: str = "fence", tag: str = "data") -> str:
    """Wrap text that others wrote so that it cannot end the wrapping: a fence, an XML `tag`, or a `>` on each line.

    The fence is longer than any inside it; in XML, tags of the same name are escaped.

    {{ 'Hi' | quote('xml') }} gives <data>
    Hi
    </data>
    """
    text = str(value)
    match choice("style", style, ("fence", "xml", "block")):
        case "fence":
            longest = max(map(len, re.findall(r"`+", text)), default=0)
            fence = "`" * max(3, longest + 1)
            return f"{fence}\n{text}\n{fence}"
        case "xml":
            if not _TAG.fullmatch(str(tag)):
                raise TemplateError("a tag is a word of at most 40 letters", hint="write quote('xml', tag='data')")
            safe = re.sub(rf"<(?=[/\s]*{tag}\b)", "&lt;", text, flags=re.IGNORECASE)
            return f"<{tag}>\n{safe}\n</{tag}>"
    return "\n".join(f"> {line}" for line in text.splitlines() or [""])


@prompt_filter(rule=Growth(2, passes=10))
def escape_braces(value: Any) -> str:
    """Part the marks of templates in text that others wrote, so that no later template engine reads them.

    {{ ('a {' ~ '{ b }' ~ '}') | escape_braces }} gives a { { b } }
    """
    return _MARKS.sub(r"\g<0> ", str(value))


@prompt_filter(rule=Growth(60))
def slug(value: Any) -> str:
    """Turn text into a name of small letters, digits and hyphens; accents are dropped, other alphabets stay.

    {{ 'Crème brûlée, 2 pers.' | slug }} gives creme-brulee-2-pers
    """
    check_chars(len(str(value)))
    plain = unicodedata.normalize("NFKD", str(value)).casefold()
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return "-".join(re.findall(r"[^\W_]+", kept))


def count_tokens(text: str) -> int:
    """Estimate how many tokens a text has, as the filter `tokens` does."""
    return sum(tokens for _, _, tokens in _tokens(text))


def _tokens(text: str) -> Iterator[tuple[int, bool, int]]:
    """Yield each part of a text: where it begins, whether a word may end there, and its tokens."""
    before = "space"
    for part in _TOKEN.finditer(text):
        kind, length = str(part.lastgroup), part.end() - part.start()
        is_break = kind in ("space", "line", "other") or before == "other"
        yield part.start(), is_break, _tokens_of(kind, length)
        before = kind


def _tokens_of(kind: str, length: int) -> int:
    match kind:
        case "word":
            return -(-length // _LETTERS_PER_TOKEN)
        case "digits":
            return -(-length // _DIGITS_PER_TOKEN)
        case "space":
            return -(-(length - 1) // 16)
    return 1
