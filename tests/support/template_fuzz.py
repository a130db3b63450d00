"""Templates that nobody would write: grown from a grammar, and mutated from payloads and bombs. Each has a number."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from random import Random
from tempfile import gettempdir
from typing import Any, NamedTuple

from cuewire.template.environment import ATTRIBUTES
from cuewire.template.filters import catalogue
from cuewire.template.functions import FUNCTIONS, TESTS
from tests.data.bombs import BOMBS
from tests.data.ssti import INPUTS, PLACES, VARIABLE, families

CANARY = Path(gettempdir()) / f"cuewire-canary-{os.getpid()}"
"""The file that payloads write if they get out."""
_FILTERS = sorted({entry.name for entry in catalogue()})
_METHODS = sorted(set().union(*ATTRIBUTES.values()) | {"format", "format_map", "__class__", "encode", "pop"})
_CALLS = (*sorted(FUNCTIONS), "now", "today", "dict", "namespace", "cycler", "joiner", "prompt", "loop", "caller", "m")
_TESTS = (
    *sorted(TESTS),
    *("defined", "undefined", "none", "string", "number", "mapping", "iterable", "sequence", "odd", "even", "callable"),
)
_NAMES = (*INPUTS, "missing", "n", "i", "loop", "self", "super", "varargs", "kwargs", "many", "deep", "big")
_NUMBERS = ("0", "1", "-1", "2", "3", "7", "100", "9999", "10000", "10**9", "1e308", "99999999999999999999", "1.5")
_WORDS = ("a", "", " ", "\\n", "%s", "%9999d", "{}", "{0.a}", "{:>9999}", "__class__", "a.b.0", "0", "<b>", "\\ud800")
_OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "~", "and", "or", "==", "<", "in", "not in")
_KEYWORDS = ("attribute", "default", "width", "indent", "n", "by", "start", "missing", "columns", "max_rows", "digits")
_TAGS = (
    "{% for i in X %}Y{% endfor %}",
    "{% for i, n in X %}Y{% else %}Y{% endfor %}",
    "{% for i in X if X recursive %}{{ loop(X) }}Y{% endfor %}",
    "{% if X %}Y{% elif X %}Y{% else %}Y{% endif %}",
    "{% set n = X %}Y",
    "{% set n %}Y{% endset %}Y",
    "{% set n = namespace(v=X) %}{% for i in X %}{% set n.v = X %}{% endfor %}{{ n.v }}",
    "{% macro m(i, n=X) %}Y{{ caller() if caller }}{% endmacro %}{{ m(X) }}",
    "{% macro m(i) %}{{ caller(i) }}{% endmacro %}{% call(n) m(X) %}Y{% endcall %}",
    "{% block b %}Y{% endblock %}{{ self.b() }}",
    "{% filter F %}Y{% endfilter %}",
    "{% with n = X %}Y{% endwith %}",
    "{% raw %}Y{% endraw %}",
    "{% include X %}",
    "{# Y #}",
    "{{ prompt(X) }}Y",
)
_PIECES = (
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{%-",
    "-%}",
    "|",
    "~",
    "(",
    ")",
    "[",
    "]",
    "'",
    '"',
    ".",
    "\n",
    "\x00",
    "é",
)
_VALUES: Mapping[str, Any] = {
    "many": [{"a": n, "b": "x" * n, "c": [n] * 3} for n in range(200)],
    "deep": [[[[{"a": {"a": [1, [2, {"b": None}]]}}]]]],
    "big": "a {{ text }}, `b` | <c>\n" * 2_000,
}
"""Inputs that make a difference between what is bounded and what only looks so."""


class Fuzzed(NamedTuple):
    """A template and the inputs to render it with."""

    template: str
    inputs: Mapping[str, Any]


class Fuzzer:
    """Makes templates by number; equal numbers of equal seeds give equal templates."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._expressions = [expression for family in families().values() for expression in family]
        bombs = [bomb for kind in BOMBS.values() for bomb in kind.values() if len(bomb) < 2_000]
        payloads = [PLACES[n % len(PLACES)].replace("X", each) for n, each in enumerate(self._expressions)]
        self._whole = [*payloads, *bombs]

    def made(self, number: int) -> Fuzzed:
        """Return one of them."""
        chance = Random(f"{self._seed}:{number}")
        make = chance.choice((self._grown, self._grown, self._placed, self._mutated, self._spliced))
        inputs = {**INPUTS, **_VALUES} if number % 4 else {**INPUTS, "n": chance.choice(_WORDS[:4]), "i": number}
        template = make(chance)[:20_000].replace("CANARY", str(CANARY)).replace("VARIABLE", VARIABLE)
        return Fuzzed(template, inputs)

    def _grown(self, chance: Random) -> str:
        return "".join(self._statement(chance, 3) for _ in range(chance.randint(1, 4)))

    def _placed(self, chance: Random) -> str:
        return chance.choice(PLACES).replace("X", self._expression(chance, 4))

    def _mutated(self, chance: Random) -> str:
        text = chance.choice(self._whole)
        for _ in range(chance.randint(1, 4)):
            place, length = chance.randrange(len(text) + 1), chance.randint(0, 6)
            part = chance.choice(("", text[place : place + 9] * 2, self._piece(chance), chance.choice(text or " ")))
            text = text[:place] + part + text[place + length :]
        return text

    def _spliced(self, chance: Random) -> str:
        one, other = chance.choice(self._whole), chance.choice(self._whole)
        return one[: chance.randrange(len(one) + 1)] + other[chance.randrange(len(other) + 1) :]

    def _piece(self, chance: Random) -> str:
        return chance.choice(
            (*_PIECES, f" | {chance.choice(_FILTERS)}", chance.choice(_NUMBERS), chance.choice(_NAMES))
        )

    def _statement(self, chance: Random, depth: int) -> str:
        if not depth or chance.random() < 0.4:
            return chance.choice(("text\n", f"{{{{ {self._expression(chance, 3)} }}}}"))
        parts = []
        for letter in chance.choice(_TAGS):
            match letter:
                case "X":
                    parts.append(self._expression(chance, 2))
                case "Y":
                    parts.append(self._statement(chance, depth - 1))
                case "F":
                    parts.append(self._filter(chance, 1))
                case _:
                    parts.append(letter)
        return "".join(parts)

    def _expression(self, chance: Random, depth: int) -> str:
        if not depth:
            return self._atom(chance)
        inner = self._expression(chance, depth - 1)
        match chance.randrange(12):
            case 0 | 1 | 2 | 3:
                return f"({inner} | {self._filter(chance, depth - 1)})"
            case 4:
                return f"{inner}.{chance.choice(_METHODS)}({self._arguments(chance, depth - 1)})"
            case 5:
                return f"({inner} {chance.choice(_OPERATORS)} {self._expression(chance, depth - 1)})"
            case 6:
                return f"{chance.choice(_CALLS)}({self._arguments(chance, depth - 1)})"
            case 7:
                return chance.choice((f"[{inner}, {inner}]", f"{{'a': {inner}}}", f"({inner}, 1)"))
            case 8:
                return chance.choice((f"{inner}[{self._atom(chance)}]", f"{inner}[::-1]", f"{inner}.a", f"{inner}[:9]"))
            case 9:
                return f"({inner} is {chance.choice(_TESTS)})"
            case 10:
                return f"({inner} if {self._atom(chance)} else {self._atom(chance)})"
        return inner

    def _filter(self, chance: Random, depth: int) -> str:
        name = chance.choice(_FILTERS)
        if name in ("map", "select", "reject"):
            return f"{name}('{chance.choice(_FILTERS if name == 'map' else _TESTS)}')"
        return name if chance.random() < 0.5 else f"{name}({self._arguments(chance, depth)})"

    def _arguments(self, chance: Random, depth: int) -> str:
        given = [self._expression(chance, max(depth - 1, 0)) for _ in range(chance.randrange(3))]
        if chance.random() < 0.2:
            given.append(f"{chance.choice(_KEYWORDS)}={self._atom(chance)}")
        return ", ".join(given)

    def _atom(self, chance: Random) -> str:
        match chance.randrange(6):
            case 0:
                return chance.choice(_NUMBERS)
            case 1:
                return f"'{chance.choice(_WORDS)}'"
            case 2:
                return chance.choice(self._expressions) if chance.random() < 0.2 else "true"
        return chance.choice(_NAMES)
