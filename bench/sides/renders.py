"""One render after another: `ours` or Jinja2's own sandbox (`jinja`) with a template; or `resolve`, a look-up by label.

Ours is what a run asks: values made plain, the cost bounded beforehand, the output counted and checked.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from jinja2 import DictLoader
from jinja2.sandbox import ImmutableSandboxedEnvironment

import cuewire
from bench.sides.meter import ITEMS, TEXT, Meter, folder
from bench.sides.ours import LOOP, MODEL, PLAIN
from cuewire.clock import SystemClock
from cuewire.model.includes import IncludedText, Includes
from cuewire.model.prompts import Inputs
from cuewire.model.references import parse_reference
from cuewire.registry.news import News
from cuewire.registry.resolver import Resolver
from cuewire.stores.places import place_of
from cuewire.stores.prompts import SqlPromptStore
from cuewire.template.render import TemplateRenderer

FRAME = "You answer in one word.\n{% block task %}{% endblock %}\nMessage {{ number }}: {{ text }}"
STYLE = "Be short, and name the step."
EXTENDS = """{% extends "frame@1" %}{% block task %}{% include "style@1" %}
{% for item in items %}{{ loop.index }}. {{ item }}
{% endfor %}{% endblock %}"""
TEMPLATES = {"small": PLAIN, "loop": LOOP, "extends": EXTENDS}
NAMES = {"frame@1": FRAME, "style@1": STYLE}
INCLUDES = Includes(
    pins={name: name for name in NAMES}, texts={name: IncludedText(text=text, pins={}) for name, text in NAMES.items()}
)
INPUTS: Inputs = {"number": 7, "text": TEXT, "items": list(ITEMS)}
AT = datetime(2026, 11, 21, tzinfo=UTC)
AT_ONCE = 200


def ours(kind: str) -> Callable[[], Awaitable[str]]:
    """Give our render."""
    renderer, includes = TemplateRenderer(), INCLUDES if kind == "extends" else Includes()

    async def render() -> str:
        return (await renderer.render((TEMPLATES[kind],), INPUTS, key=kind, at=AT, includes=includes))[0]

    return render


def jinja(kind: str) -> Callable[[], Awaitable[str]]:
    """Give that of a bare sandbox."""
    environment = ImmutableSandboxedEnvironment(loader=DictLoader(NAMES), trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(TEMPLATES[kind])

    async def render() -> str:
        return template.render(INPUTS)

    return render


async def measure(one: Callable[[], Awaitable[object]], *, cpu_s: float) -> None:
    """Repeat until the CPU is spent."""
    meter, done = Meter(), 0
    while meter.cpu_s() < cpu_s:
        for _ in range(AT_ONCE):
            await one()
        done += AT_ONCE
    meter.report(done)


async def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("ours", "jinja", "resolve"))
    parser.add_argument("kind", choices=[*TEMPLATES, "label"])
    parser.add_argument("--cpu-s", type=float, default=1.0)
    options = parser.parse_args()
    if options.what != "resolve":
        if await ours(options.kind)() != await jinja(options.kind)():
            raise SystemExit("the two renders differ")
        await measure({"ours": ours, "jinja": jinja}[options.what](options.kind), cpu_s=options.cpu_s)
        return
    url, clock, name = f"sqlite:///{folder()}/bench.db", SystemClock(), "bench/plain"
    async with cuewire.open(url) as app:
        await app.prompts.publish(name, PLAIN, model=MODEL)
    database = await place_of(url).open(clock=clock)
    resolver = Resolver(SqlPromptStore(database), news=News(database, clock=clock), clock=clock)
    await measure(lambda: resolver.resolve(parse_reference(name)), cpu_s=options.cpu_s)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main())
