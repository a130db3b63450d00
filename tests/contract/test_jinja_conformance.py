"""What the sandbox keeps of Jinja2 works as in Jinja2: the same template gives the same text, on all render paths.

The plain sandbox of Jinja2 has the same settings. No template is made of what differs on purpose: `round` rounds half
up, numeric filters take none, JSON is not escaped for web pages, and lists stand for generators, which print otherwise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cuewire.model.errors import TemplateError
from cuewire.template.pool import RenderPool
from cuewire.template.render import TemplateRenderer

JINJA = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
INPUTS: Mapping[str, Any] = {
    "text": "The quick, brown <fox>\njumps &c.",
    "words": ["pear", "Apple", "fig", "fig"],
    "numbers": [3, -1, 0, 2.5, 10],
    "rows": [{"k": "b", "n": 2}, {"k": "a", "n": 1}, {"k": "b", "n": 3}],
    "data": {"b": 1, "a": {"deep": [1, 2]}, "C": None},
    "n": 7,
    "share": 0.125,
    "yes": True,
    "none": None,
    "empty": "",
}
TEXTS = st.sampled_from(["text", "words[0]", "rows[1].k", "'a b'", "empty", "text[4:9]", "words | first", "n | string"])
NUMBERS = st.sampled_from(
    ["n", "share", "numbers[1]", "3", "-2", "1.5", "numbers | length", "rows | length", "loop.index"]
)
LISTS = st.sampled_from(
    ["words", "numbers", "[1, 'x', none]", "range(4)", "text.split()", "words[1:]", "[n, share]", "[]"]
)
CONDITIONS = st.sampled_from(
    [
        *("yes", "not yes", "none is none", "n is odd", "n is divisibleby 7", "text is string", "data is mapping"),
        *(
            "missing is defined",
            "words is iterable",
            "n > 3",
            "1 < n <= 7",
            "'fig' in words",
            "n == 7 and yes",
            "empty",
        ),
        *("share is float", "'k' in rows[0]", "words is sequence", "n is number", "none or yes", "loop is defined"),
    ]
)
OF_TEXT = st.sampled_from(
    [
        *(
            "upper",
            "lower",
            "title",
            "capitalize",
            "trim",
            "length",
            "reverse",
            "wordcount",
            "escape",
            "e",
            "striptags",
        ),
        *(
            "truncate(9)",
            "truncate(5, true, '')",
            "replace('a', 'xx')",
            "replace('i', 'o', 1)",
            "center(40)",
            "indent(3)",
        ),
        *("wordwrap(8)", "default('-')", "default('-', true)", "urlencode", "list | join('.')", "first", "last"),
        *("string", "int(3)", "float(0.5)", "format", "indent('> ', first=true)"),
    ]
)
OF_NUMBER = st.sampled_from(
    ["abs", "int", "float", "string", "filesizeformat", "filesizeformat(true)", "default(1)", "d(2)"]
)
OF_LIST = st.sampled_from(
    [
        *("length", "count", "first | default('-')", "last | default('-')", "join", "join('-')", "list | length"),
        *(
            "map('string') | join(',')",
            "map('string') | map('upper') | join",
            "select('string') | join",
            "list | string",
        ),
        *(
            "select | list | string",
            "reject('none') | list | length",
            "unique | list | length",
            "reverse | list | string",
        ),
        *(
            "batch(2) | list | length",
            "batch(2, '-') | map('join') | join('|')",
            "slice(2) | map('list') | list | string",
        ),
        *(
            "map('string') | sort | join(' ')",
            "map('string') | sort(reverse=true) | join",
            "map('string') | min",
        ),
    ]
)
OF_ROWS = st.sampled_from(
    [
        *(
            "map(attribute='n') | join",
            "map(attribute='n') | sum",
            "sum(attribute='n')",
            "sort(attribute='n') | string",
        ),
        *("selectattr('n', 'gt', 1) | map(attribute='k') | join", "rejectattr('n', 'odd') | list | length"),
        *("max(attribute='n') | string", "min(attribute='k') | string", "map(attribute='z', default=0) | sum"),
        *("groupby('k') | map('first') | join", "join('+', attribute='k')", "unique(attribute='k') | list | length"),
    ]
)
OF_DATA = st.sampled_from(
    [
        *(
            ".items() | list | length",
            " | dictsort | string",
            " | dictsort(true) | string",
            ".get('b')",
            ".get('z', 'none')",
        ),
        *(".a.deep | sum", "['a']['deep'][1]", ".keys() | list | string", " | items | list | string", " | length"),
        *(" | dictsort(by='value') | length", ".values() | list | length", ".z | default('-')"),
    ]
)


def expressions() -> st.SearchStrategy[str]:
    atoms = st.one_of(
        TEXTS,
        NUMBERS,
        st.builds("({}) | {}".format, TEXTS, OF_TEXT),
        st.builds("({}) | {}".format, NUMBERS, OF_NUMBER),
        st.builds("{} | {}".format, LISTS, OF_LIST),
        st.builds("rows | {}".format, OF_ROWS),
        st.builds("data{}".format, OF_DATA),
        st.builds("({}) {} ({})".format, NUMBERS, st.sampled_from(["+", "-", "*", "//", "%", "/"]), NUMBERS),
        st.builds(
            "({}).{}".format, TEXTS, st.sampled_from(["upper()", "split(',')", "count('i')", "zfill(9)", "strip('a')"])
        ),
        st.builds("{}".format, CONDITIONS),
        st.sampled_from(
            [
                "missing",
                "rows[9]",
                "n ** 2",
                "2 ** share",
                "'%s-%05.1f' | format('a', n)",
                "'{:>4}|{x}'.format(n, x=1)",
                "'%d' % n",
            ]
        ),
    )
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.builds("({}) ~ ({})".format, inner, inner),
            st.builds("({}) if {} else ({})".format, inner, CONDITIONS, inner),
            st.builds("[{}, {}] | length".format, inner, inner),
        ),
        max_leaves=3,
    )


STATEMENTS = (
    "INNER INNER",
    "{% if TRUE %}\nINNER{% elif TRUE %}INNER{% else %}INNER{% endif %}\n",
    "  {% for i in LIST %}\nINNER{{ loop.index }}{% else %}none{% endfor %}",
    "{% for i in LIST %}{{ loop.first }}{{ loop.cycle('a', 'b') }}{{ loop.previtem | d('-') }}INNER{% endfor %}",
    "{% for k, v in data | dictsort if k != 'C' %}{{ k }}INNER{% endfor %}",
    "{% for a in [[1, [2]], [3]] recursive %}{{ loop(a) if a is iterable else a }}{% endfor %}INNER",
    "{% set q = EXPRESSION %}{{ q }}INNER",
    "{% set q %}INNER{% endset %}[{{ q | length }}]",
    "{% macro m(a, b=2) %}{{ a }}{{ b }}INNER{% endmacro %}{{ m(n) }}{{ m(1, b=n) }}",
    "{% macro c() %}({{ caller(1) }}){% endmacro %}{% call(x) c() %}INNER{{ x }}{% endcall %}",
    "{% filter upper %}INNER{% endfilter %}",
    "{% with q = EXPRESSION %}{{ q }}INNER{% endwith %}",
    "{% set ns = namespace(t=0) %}{% for i in LIST %}{% set ns.t = ns.t + 1 %}INNER{% endfor %}{{ ns.t }}",
    "{% set j = joiner('+') %}{% set c = cycler(1, 2) %}{% for i in LIST %}{{ j() }}{{ c.next() }}{% endfor %}INNER",
)


def templates() -> st.SearchStrategy[str]:
    texts = st.sampled_from(
        ["text ", "\n", "  \n", "{# note #}", "{% raw %}{{ x }}{% endraw %}", " {%- set q = 1 -%} "]
    )
    return st.recursive(
        st.builds("{{{{ {} }}}}".format, expressions()) | texts,
        lambda inner: st.builds(filled, st.sampled_from(STATEMENTS), st.lists(inner, min_size=3, max_size=3), PARTS),
        max_leaves=4,
    )


PARTS = st.tuples(expressions(), LISTS, CONDITIONS)


def filled(statement: str, inner: list[str], parts: tuple[str, str, str]) -> str:
    """Put parts into a statement."""
    for name, part in zip(("EXPRESSION", "LIST", "TRUE"), parts, strict=True):
        statement = statement.replace(name, part)
    for text in inner:
        statement = statement.replace("INNER", text, 1)
    return statement


def by_jinja(template: str) -> str | None:
    """Return the text, None if it fails."""
    try:
        return JINJA.from_string(template).render(INPUTS)
    except Exception:  # noqa: BLE001  # whatever fails there must fail here
        return None


async def by_us(renderer: RenderPool | TemplateRenderer, template: str) -> str | None:
    try:
        (text,) = await renderer.render((template,), INPUTS, key=template)
    except TemplateError:
        return None
    return text


async def differences(sources: list[str]) -> list[tuple[str, list[str | None]]]:
    """Return the templates of which the three texts are not the same, with them."""
    found = []
    pool = RenderPool()
    renderer = TemplateRenderer(pool=pool)
    try:
        for source in sources:
            texts = [by_jinja(source), await by_us(renderer, source), await by_us(pool, source)]
            if len(set(texts)) > 1:
                found.append((source, texts))
    finally:
        await pool.close()
    return found


@pytest.mark.contract("S3-083")
@given(st.lists(templates(), min_size=20, max_size=60))
@settings(max_examples=8)
def test_what_jinja_renders_we_render_the_same(sources: list[str]) -> None:
    assert asyncio.run(differences(sources)) == []


@pytest.mark.soak
@given(st.lists(templates(), min_size=100, max_size=300))
@settings(max_examples=1_000)
def test_what_jinja_renders_we_render_the_same_for_long(sources: list[str]) -> None:
    assert asyncio.run(differences(sources)) == []
