"""The wrapper that docs/compat.md shows to services does what the page says."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import cuewire
from tests.support.langfuse_programs import printed
from tests.support.logged_programs import TEMPLATE, LoggedProgram

GUIDE = Path(__file__).parents[3] / "docs/compat.md"


class Client:
    """What a service calls; it fails when it is told to."""

    def generate(self, prompt: str) -> SimpleNamespace:
        if "fail" in prompt:
            raise ConnectionError("the model is away")
        return SimpleNamespace(text=prompt.upper(), input_tokens=12, output_tokens=4)


def blocks(chapter: int) -> list[str]:
    """Return the programs in one of the page's chapters."""
    text = re.split(r"^# ", GUIDE.read_text(), flags=re.MULTILINE)[chapter]
    return re.findall(r"^```python\n(.+?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def service() -> dict[str, Any]:
    """Return the names of the guide's service."""
    names: dict[str, Any] = {"client": Client()}
    for block in blocks(1):
        exec(compile(block, GUIDE.name, "exec"), names)  # noqa: S102  # our own page
    return names


@pytest.mark.contract("S1-42")
async def test_a_service_in_the_wrapper_logs_success_and_failure_with_their_times(
    app: cuewire.App, program: LoggedProgram, service: dict[str, Any]
) -> None:
    assert service["understand"]("hello") == "WHAT IS MEANT? HELLO"
    with pytest.raises(ConnectionError):
        service["understand"]("fail")

    failure, success = (await app.executions.list(prompt=TEMPLATE)).items
    assert (success.status, success.total_tokens, success.error_message) == ("succeeded", 16, None)
    assert success.metadata == {"service": "nlu", "characters": 5}
    assert (failure.status, failure.total_tokens) == ("failed", None)
    assert failure.error_message == "ConnectionError: the model is away"
    assert all(0 < (one.duration_ms or 0) < 10_000 for one in (failure, success))
    assert program.lost == {}


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_the_line_that_changes_is_enough_for_a_program_of_langfuse(app: cuewire.App, url: str) -> None:
    await app.prompts.publish("movie-critic", "Do you like {{ movie }}?")
    (shown,) = blocks(2)

    assert await asyncio.to_thread(printed, f"{shown}print(text)", DATABASE_URL=url) == "Do you like Dune 2?\n"
    assert await asyncio.to_thread(printed, f"{shown}print(text)", CUEWIRE_SERVER="http://127.0.0.1:1") == (
        "Is Dune 2 any good?\n"
    )


@pytest.mark.contract("S1-55")
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_the_program_that_loads_its_template_prints_what_it_should(app: cuewire.App, url: str) -> None:
    await app.prompts.publish(
        TEMPLATE, "What is meant? {{ text }}", model="google/gemini-2.5-flash", parameters={"temperature": 0.2}
    )
    await app.prompts.label(TEMPLATE, "production", 2)
    (shown,) = blocks(3)

    assert await asyncio.to_thread(printed, shown, DATABASE_URL=url) == (
        "What is meant? {{ text }} database 2\ngemini-2.5-flash 0.2\nWhat is meant? wake me at s\n"
    )
