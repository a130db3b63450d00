"""Prompts that take each other in, so as to take much: stopped in time, and in a process that may end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from string import ascii_lowercase

import pytest

from cuewire.model.errors import TemplateError, TemplateLimitExceeded
from cuewire.model.includes import MAX_TEXTS, IncludedText, Includes
from cuewire.template.pool import RenderPool
from cuewire.template.render import TemplateRenderer

VERDICT_S = 0.25
SLACK = 3
TIMES = 60


def row(texts: Sequence[str]) -> Includes:
    """Return texts that are called by letters, of which each may take in those before it."""
    pins = [(letter, f"{letter}@1") for letter, _ in zip(ascii_lowercase, texts, strict=False)]
    return Includes(
        pins=dict(pins),
        texts={
            pin: IncludedText(text=text, pins=dict(pins[:number]))
            for number, ((_, pin), text) in enumerate(zip(pins, texts, strict=True))
        },
    )


def many(texts: Sequence[str]) -> Includes:
    """Return texts that are called p0, p1 and so on, and take in nothing."""
    return Includes(
        pins={f"p{number}": f"p{number}@1" for number in range(len(texts))},
        texts={f"p{number}@1": IncludedText(text=text) for number, text in enumerate(texts)},
    )


def taking(count: int) -> str:
    return "".join(f"{{% include 'p{number}' %}}" for number in range(count))


INCLUDING = [f"{{% include '{letter}' %}}" * TIMES for letter in "abcdefg"]
PRINTING = [f"{{{{ prompt('{letter}') }}}}" * TIMES for letter in "abcdefg"]
SUPER = "{% block x %}" + "{{ super() }}" * TIMES + "{% endblock %}"
EXTENDING = [f"{{% extends '{letter}' %}}{SUPER}" for letter in "abcdefg"]
BOMBS: Mapping[str, tuple[str, Includes]] = {
    "includes of includes": ("{% include 'h' %}", row(["", *INCLUDING])),
    "includes of a long text": ("{% include 'h' %}", row(["x" * 1_000, *INCLUDING])),
    "prompts of prompts": ("{{ prompt('h') }}", row(["x", *PRINTING])),
    "super of super": ("{% extends 'h' %}" + SUPER, row(["{% block x %}x{% endblock %}", *EXTENDING])),
    "include in nested loops": (
        "{% for a in range(10000) %}{% for b in range(10000) %}{% include 'a' %}{% endfor %}{% endfor %}",
        row([""]),
    ),
    "loops in an include in loops": (
        "{% for a in range(10000) %}{% include 'a' %}{% endfor %}",
        row(["{% for a in range(10000) %}{% endfor %}"]),
    ),
    "long include in a loop": ("{% for a in range(10000) %}{% include 'a' %}{% endfor %}", row(["x" * 1_000])),
    "prompt that is kept in a loop": (
        "{% set n = namespace(s='') %}{% for a in range(10000) %}{% set n.s = n.s ~ prompt('a') %}{% endfor %}",
        row(["x" * 100_000]),
    ),
    "fifty names in a loop": ("{% for a in range(10000) %}" + taking(50) + "{% endfor %}", many(["x"] * 50)),
    "many texts that loop": (
        taking(MAX_TEXTS),
        many(["{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}"] * MAX_TEXTS),
    ),
    "blocks that hold each other": (
        "{% extends 'a' %}{% block y %}{% block x %}{{ super() }}{% endblock %}{% endblock %}",
        row(["{% block x %}{% block y %}{% endblock %}{% endblock %}"]),
    ),
    "block that calls itself": (
        "{% extends 'a' %}{% block x %}{{ self.x() }}{% endblock %}",
        row(["{% block x %}{% endblock %}"]),
    ),
    "macro that calls itself": (
        "{% macro m() %}{% include 'a' %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
        row(["x"]),
    ),
    "more names than there may be": (taking(MAX_TEXTS + 1), many(["x"] * (MAX_TEXTS + 1))),
    "texts that take long to compile": (taking(30), many(["{{ a | default(1) }}" * 800] * 30)),
}


@pytest.fixture
async def pool() -> AsyncIterator[RenderPool]:
    pool = RenderPool()
    await pool.render(("warm",), {}, key="")
    yield pool
    await pool.close()


async def verdict(renderer: RenderPool | TemplateRenderer, bomb: str, within_s: float = VERDICT_S) -> TemplateError:
    template, includes = BOMBS[bomb]
    with pytest.raises(TemplateError) as caught:
        async with asyncio.timeout(within_s * SLACK):
            await renderer.render((template,), {}, key=bomb, includes=includes)
    return caught.value


@pytest.mark.contract("S3-088")
@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_bomb_of_several_prompts_gets_its_verdict_in_the_pool(bomb: str, pool: RenderPool) -> None:
    error = await verdict(pool, bomb)

    assert isinstance(error, TemplateLimitExceeded)
    assert await pool.render(("still {{ text }}",), {"text": "here"}, key="") == ("still here",)


@pytest.mark.contract("S3-088")
@pytest.mark.parametrize("bomb", BOMBS)
async def test_no_bomb_of_several_prompts_goes_off_in_the_server(bomb: str, pool: RenderPool) -> None:
    assert isinstance(await verdict(TemplateRenderer(pool=pool), bomb), TemplateLimitExceeded)


@pytest.mark.parametrize("bomb", BOMBS)
async def test_the_inputs_of_a_bomb_of_several_prompts_are_told_in_time(bomb: str, pool: RenderPool) -> None:
    template, includes = BOMBS[bomb]

    async with asyncio.timeout(2 * VERDICT_S * SLACK):
        with suppress(TemplateLimitExceeded):
            assert set(await TemplateRenderer(pool=pool).variables((template,), includes=includes)) <= {"a"}


async def test_fifty_prompts_taken_in_once_are_no_bomb(pool: RenderPool) -> None:
    (text,) = await pool.render((taking(50),), {"name": "Ada"}, key="", includes=many(["{{ name }}."] * 50))

    assert text == "Ada." * 50


@pytest.mark.parametrize(
    ("template", "includes"),
    [
        ("{% include 'a' %}{{ prompt('a') }}", row(["Hi {{ name }}{% for d in days %}{{ d }}{% endfor %}"])),
        ("{% for d in days %}{% include 'b' %}{% endfor %}", row(["{{ d }}", "{% include 'a' without context %}"])),
        ("{% extends 'b' %}{% block x %}{{ name }}{% endblock %}", row(["{% block x %}{% endblock %}"] * 2)),
    ],
)
async def test_bounded_templates_of_several_prompts_need_no_process(template: str, includes: Includes) -> None:
    pool = RenderPool()
    renderer = TemplateRenderer(pool=pool)

    with suppress(TemplateError):  # what is taken in without context has no name to read
        await renderer.render((template,), {"name": "Ada", "days": ["mon"]}, key="1", includes=includes)
    await renderer.variables((template,), includes=includes)
    await renderer.references((template,))

    assert pool.pid is None
    await pool.close()


async def test_more_inputs_than_contexts_may_copy_leave_the_process() -> None:
    pool = RenderPool()
    renderer = TemplateRenderer(pool=pool)
    inputs = {f"n{number}": number for number in range(300)}

    async with asyncio.timeout(SLACK):
        (text,) = await renderer.render(("{% include 'a' %}",), inputs, key="1", includes=row(["{{ n7 }}"]))

    assert text == "7"
    assert pool.pid is not None
    await renderer.close()
