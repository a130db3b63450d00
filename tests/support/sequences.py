"""Sequences of requests as clients send them, one part in eight as they should not: values that databases differ on."""

from __future__ import annotations

import json
from typing import Any, TypeAlias
from urllib.parse import quote

from hypothesis import strategies as st

from tests.support.twins import NOBODY, Step

Values: TypeAlias = st.SearchStrategy[Any]
EXECUTIONS = "/api/v1/executions"
PROMPTS = "/api/v1/prompts"
CHAT = "/v1/chat/completions"

TEXTS = (
    "Ada",
    "",
    " ",
    "😀",
    "é",
    "e\u0301",
    "\u202eabc",
    "\ufeff",
    "\x85\x9f\x7f",
    "\uffff\U0010ffff",
    "a\u0300" * 300,
    "'; DROP TABLE prompts; --",
    '"\\',
    "%_",
    "null",
    "0001-01-01",
    "9999-12-31T23:59:59.999999+14:00",
    "NaT",
    "{{ 7 * 7 }}",
    "\r\n",
    "x" * 3_000,
)
NO_TEXTS = ("a\x00b", "\ud800", "\udfff\ud800", "\x00")
NUMBERS = (0, -0.0, 1.0, 1e308, 5e-324, 2**53 + 1, 2**63 - 1, -(2**63), 1e16, 0.1 + 0.2, 1e22, 123456789012345678)
NO_NUMBERS = (2**63, -(2**63) - 1, 10**400, float("nan"), float("inf"))


def json_values(texts: Values, numbers: Values) -> Values:
    """Return JSON values made of these texts and numbers."""
    scalars = st.none() | st.booleans() | numbers | texts
    return st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
    )


def mostly(good: Values, odd: Values) -> Values:
    """Return what gives something odd one time in eight, so that requests get past their first check."""
    return st.integers(0, 7).flatmap(lambda number: odd if number == 7 else good)


def choice(*these: object) -> Values:
    """Return what gives one of these."""
    return st.sampled_from(these)


texts = choice(*TEXTS) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)
numbers = choice(*NUMBERS) | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
any_texts = mostly(texts, choice(*NO_TEXTS))
values = mostly(json_values(texts, numbers), json_values(choice(*NO_TEXTS), choice(*NO_NUMBERS)))
objects = mostly(st.dictionaries(texts, json_values(texts, numbers), max_size=3), values)
inputs = mostly(st.fixed_dictionaries({"text": choice("Ada") | texts | values}), objects)

names = mostly(
    choice("@S@/a", "@S@-a", "@S@/a", "@S@-a", "@S@/a", "@S@.a", "@S@_a", "@S@a"),
    choice("", "A", "a" * 129, "@S@ b", "ü", "@S@\x00", "../@S@", "@S@%00", "0" * 128, "@S@/nothing"),
)
"""Names that sort differently where an order looks at letters first, and names that are none."""
tails = mostly(
    choice("", "", "@production", "@latest", "@1"),
    choice("@2", "@b-c", "@0", "@9999999999", "@999999999", "@", "@%", "@١", "@1@2", "@bc"),
)
templates = mostly(
    choice("{{ text }}", "Hello {{ text }}", "{{ text | d('nobody') }}", '{{ "\\x00\\ud83d" }} {{ text }}'),
    choice("{% for n in range(3) %}{{ n }} {% endfor %}", "{{", "{{ text.__class__ }}", "{{ 1 / 0 }}", "\x00", "", "é"),
)
outputs = mostly(choice(None, "text"), choice("number", "json", ["a", "b"], ["é", ""], "what", {"type": "object"}))
models = mostly(choice("scripted/echo"), choice(None, "nobody/x", "x", "openrouter/a/b", "scripted/" + "m" * 300))
parameters = mostly(
    choice({}, {"temperature": 0}, {"max_tokens": 1}),
    choice({"max_tokens": 2**70}, {"a\x00": 1}) | st.dictionaries(choice("seed", "x_y", "N"), values, max_size=2),
)
declarations = choice({}, {"text": {"default": 7}}, {"text": {"type": "string"}}, {"x": {}})
tags = st.lists(mostly(choice("a", "b"), choice("", "x\x00", 1)), max_size=3)
kinds = mostly(choice("analysis", "general"), choice("A", "", "é", None))
languages = mostly(choice(None, "en", "de", "de-at"), choice("", "x", "é", "e" * 50))
strategies = mostly(
    choice(None, "@S@-s", "@S@-t"), choice("@S@-nowhere", "", "A", 999_999_999, 2**63, -1, "x\x00", 1.5)
)
label = mostly(choice("production", "b-c", "b_c", "bc", "b.c"), choice("latest", "B", "", "é", "a" * 65, "x\x00"))
runs = mostly(
    st.integers(0, 5).map("@RUN{}@".format),
    choice(NOBODY, NOBODY.upper(), "x", "%00", "0", NOBODY[:-1], NOBODY + "%0A", "..%2fx", "%ff"),
)
limits = mostly(choice("1", "2", "5"), choice("0", "-1", "1001", "9" * 30, "1e3", "", "x", "1.0"))
pages = mostly(st.integers(0, 3).map("@PAGE{}@".format), choice("x", "", "%00", "%F0%9F%98%80", "A" * 2_000, "AAAA"))
keys = mostly(choice("@S@", "@S@-2"), choice("k" * 255, "k" * 256, "\xe9", "'\"\\"))
no_bodies = choice(
    b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"a":1,"a":2}', b"\xff", b"\xef\xbb\xbf{}", b"NaN", b"[" * 9
)


def in_json(value: object) -> bytes:
    """Return the value as JSON, lone surrogates as escapes and NaN as Python spells it."""
    return json.dumps(value).encode()


def in_path(text: str) -> str:
    """Return a text for a path."""
    return quote(text, safe="@")


def some(draw: st.DrawFn, **fields: Values) -> dict[str, Any]:
    """Return some of the fields, none of them half of the time."""
    chosen = draw(st.lists(choice(*fields), max_size=2, unique=True))
    return {name: draw(fields[name]) for name in chosen}


@st.composite
def publishes(draw: st.DrawFn) -> Step:
    """Publish something, most of the time something that can be published."""
    asked = {"content": draw(templates), "model": draw(models), "output": draw(outputs)}
    asked |= some(
        draw, labels=st.lists(label, max_size=3), publish=st.booleans(), note=any_texts, variables=declarations
    )
    asked |= some(draw, parameters=parameters, tags=tags, template_type=kinds, lenient=st.booleans())
    match draw(st.integers(0, 5)):
        case 0:
            home = some(draw, strategy=strategies, language=languages)
            return Step("POST", f"{PROMPTS}/", in_json(asked | {"name": draw(names)} | home))
        case 1:
            asked = {name: asked[name] for name in asked.keys() - {"content"}} if draw(st.booleans()) else asked
            parent = mostly(choice(None, 1, 2), choice(0, 9, "x"))
            path = f"{PROMPTS}/{in_path(draw(names))}/versions"
            said = {name: value for name, value in asked.items() if name != "publish"}
            return Step("POST", path, in_json(said | {"parent": draw(parent)}))
    headers = {"If_Match": draw(choice('"1"', '"2"', "*", "x", '"99"'))} if draw(st.integers(0, 5)) == 5 else {}
    return Step("PUT", f"{PROMPTS}/{in_path(draw(names))}", in_json(asked), headers)


@st.composite
def executes(draw: st.DrawFn) -> Step:
    """Run something, whole or as a stream, with a key or without."""
    asked = {"prompt": draw(names) + draw(tails), "inputs": draw(inputs), "stream": draw(st.booleans())}
    timeouts = mostly(choice(None, 60), choice(0, -1, 1e300))
    asked |= some(
        draw, model=models, parameters=parameters, metadata=objects, timeout_s=timeouts, linger_s=choice(0, 99)
    )
    asked |= some(draw, strategy=strategies, language=languages) if draw(st.booleans()) else {}
    headers = {"Idempotency_Key": draw(keys)} if draw(st.booleans()) else {}
    if draw(st.integers(0, 5)) == 5:
        return Step("POST", "/api", in_json({"endpoint": "execute_prompt", **asked}), headers)
    return Step("POST", EXECUTIONS, in_json(asked), headers)


@st.composite
def chats(draw: st.DrawFn) -> Step:
    """Complete a chat as OpenAI's clients do."""
    if draw(st.booleans()):
        asked = {"model": "prompt/" + draw(names), "inputs": draw(inputs)}
    else:
        asked = {"model": draw(models), "messages": [{"role": "user", "content": draw(any_texts)}]}
    asked |= some(draw, stream=st.booleans(), n=mostly(choice(1), choice(0, 99, None)), metadata=objects)
    return Step("POST", CHAT, in_json(asked))


@st.composite
def lists(draw: st.DrawFn) -> Step:
    """List prompts or executions, by filters that make sense and by others."""
    query = {"limit": draw(limits)}
    if draw(st.booleans()):
        sorts = mostly(choice("name", "-updated_at", "created_at", "-id"), choice("", "note", "name;--"))
        states = mostly(choice("active", "archived"), choice("", "x"))
        wanted = some(draw, after=pages, status=states, sort=sorts, tag=choice("a", ""), q=choice("A", "%", "_"))
        wanted |= some(draw, strategy=choice("@S@-s", "@S@-nowhere", "%00"), language=choice("de", "", "%C3%A9"))
        return Step("GET", _address(PROMPTS, query | wanted))
    statuses = mostly(choice("failed", "succeeded"), choice("done", "", "%00"))
    return Step(
        "GET", _address(EXECUTIONS, query | some(draw, after=pages, prompt=names.map(in_path), status=statuses))
    )


@st.composite
def previews(draw: st.DrawFn) -> Step:
    """Have a template looked through, or shown with inputs."""
    asked = {draw(mostly(choice("content", "template_text"), choice("prompt"))): draw(templates)}
    asked |= some(draw, variables=declarations, strategy=strategies, language=languages, template_type=kinds)
    if draw(st.booleans()):
        return Step("POST", f"{PROMPTS}/validate", in_json(asked | some(draw, name=names)))
    if draw(st.booleans()):
        asked = {"prompt": draw(names)} | some(draw, version=choice(1, 2, 0), label=label, strategy=strategies)
    asked |= some(draw, inputs=inputs, strict=st.booleans(), lenient=st.booleans(), use_examples=st.booleans())
    return Step("POST", f"{PROMPTS}/render", in_json(asked))


@st.composite
def scopes(draw: st.DrawFn) -> Step:
    """Make, change, look up or remove a strategy or a configuration, or what belongs to a strategy."""
    named = mostly(choice("@S@-s", "@S@-t"), choice("@S@-nowhere", "A", "%00", "0", "9" * 20))
    path = f"/api/v1/{draw(mostly(choice('strategies'), choice('configurations')))}"
    said = some(draw, description=any_texts, parameters=objects, parent=choice("@S@-s", "@S@-t", None))
    match draw(st.integers(0, 6)):
        case 0 | 1:
            return Step("POST", path, in_json(said | {"name": draw(mostly(choice("@S@-t"), names))}))
        case 2:
            return Step("PUT", f"{path}/{draw(named)}", in_json(said))
        case 3:
            return Step(draw(choice("GET", "GET", "DELETE")), f"{path}/{draw(named)}")
    path = f"/api/v1/strategies/{draw(named)}/prompts"
    asked = {"content": draw(templates), "model": draw(models)}
    one = f"{path}/{in_path(draw(names))}"
    created = Step("POST", path, in_json(asked | {"name": draw(names)} | some(draw, language=languages, tags=tags)))
    listed = Step("GET", _address(path, some(draw, page=limits, page_size=limits, language=choice("de", "x", ""))))
    chosen: Step = draw(choice(created, created, listed, Step("PUT", one, in_json(asked)), Step("DELETE", one)))
    return chosen


@st.composite
def reports(draw: st.DrawFn) -> Step:
    """Report what became of an execution."""
    said = st.dictionaries(
        mostly(choice("a_b", "ab", "a1"), choice("A", "", "é")),
        mostly(st.booleans() | numbers | texts, values),
        min_size=1,
        max_size=3,
    )
    return Step("POST", f"{EXECUTIONS}/{draw(runs)}/outcomes", in_json(draw(mostly(said, choice({})))))


@st.composite
def changes(draw: st.DrawFn) -> Step:
    """Label a prompt, edit or clone it, or seldom archive it or bring it back."""
    name = in_path(draw(names))
    match draw(st.integers(0, 12)):
        case 12:
            return Step(*draw(choice(("DELETE", f"{PROMPTS}/{name}"), ("POST", f"{PROMPTS}/{name}/restore"))))
        case 11:
            return Step("POST", f"{PROMPTS}/{name}/clone", in_json({"name": draw(names), "language": draw(languages)}))
        case 10:
            said = some(draw, description=any_texts, is_active=st.booleans(), tags=tags, category=any_texts)
            return Step("PUT", f"{PROMPTS}/{name}", in_json(said))
    number = mostly(choice(1, 2), choice(0, -1, 2**31, 2**63 - 1, 2**63, 1.0, "1", None, True))
    return Step("POST", f"{PROMPTS}/{name}/labels", in_json({"label": draw(label), "number": draw(number)}))


@st.composite
def looks(draw: st.DrawFn) -> Step:
    """Look something up."""
    name = draw(names)
    run = f"{EXECUTIONS}/{draw(runs)}"
    prompt = f"{PROMPTS}/{in_path(name)}"
    versions = f"{prompt}/versions"
    version = f"{versions}/{in_path(draw(tails)[1:])}"
    looks = (prompt, version, versions, f"{prompt}/history", f"{prompt}?language=de&archived=true")
    if draw(st.integers(0, 9)) == 9:
        numbers = mostly(choice(1, 2), choice(0, "1", 9))
        compared = {"first": draw(numbers), "second": draw(numbers)} | some(draw, inputs=inputs)
        return Step("POST", f"{prompt}/diff", in_json(compared))
    path = draw(choice(*looks, run, run, f"{run}/outcomes", f"{run}/stream", "/v1/nothing"))
    headers = {"Last_Event_Id": draw(choice("0", "3", "99", "-1", "9" * 20, "x"))}
    return Step("GET", path, None, headers if path.endswith("/stream") and draw(st.booleans()) else {})


@st.composite
def blunders(draw: st.DrawFn) -> Step:
    """Send what no client should."""
    paths = choice(EXECUTIONS, f"{PROMPTS}/@S@", f"{PROMPTS}/@S@/labels", f"{EXECUTIONS}/@RUN0@/outcomes", CHAT, "/api")
    return Step(draw(choice("POST", "POST", "PUT", "PUT", "PATCH")), draw(paths), draw(no_bodies))


@st.composite
def dispatches(draw: st.DrawFn) -> Step:
    """Ask for something by its name, or what a template reads."""
    if draw(st.booleans()):
        return Step("POST", f"{PROMPTS}/variables", in_json({"content": draw(templates)}))
    asked = {"endpoint": draw(mostly(choice("get_execution", "get_available_models"), choice("health", "x", None)))}
    return Step("POST", "/api", in_json(asked | some(draw, id=runs, provider=choice("scripted", "nobody", "local"))))


@st.composite
def cancels(draw: st.DrawFn) -> Step:
    """Cancel what has ended, or never was."""
    return Step("POST", f"{EXECUTIONS}/{draw(runs)}/cancel")


_KINDS = (
    *(publishes, publishes, publishes, executes, executes, executes, executes, executes, chats),
    *(lists, lists, reports, reports, changes, changes, looks, looks, looks, blunders, dispatches, cancels),
    *(previews, previews, scopes, scopes),
)
_FIRST = (
    Step("POST", "/api/v1/strategies", in_json({"name": "@S@-s"})),
    Step("PUT", f"{PROMPTS}/@S@%2Fa", in_json({"content": "{{ text }}", "model": "scripted/echo"})),
    Step("PUT", f"{PROMPTS}/@S@-a", in_json({"content": "Hello {{ text }}", "model": "scripted/echo"})),
    Step("POST", EXECUTIONS, in_json({"prompt": "@S@/a", "inputs": {"text": "Ada"}})),
)
sequences = st.lists(st.one_of([kind() for kind in _KINDS]), min_size=4, max_size=16).map(lambda more: [*_FIRST, *more])
"""Sequences; each has something to find from its beginning."""


def _address(path: str, query: dict[str, Any]) -> str:
    return f"{path}?{'&'.join(f'{name}={value}' for name, value in query.items())}"
