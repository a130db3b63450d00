"""The wrapper that docs/compat.md shows to services does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import cuewire
from tests.support.logged_programs import TEMPLATE, LoggedProgram

GUIDE = Path(__file__).parents[3] / "docs/compat.md"


class Client:
    """What a service calls; it fails when it is told to."""

    def generate(self, prompt: str) -> SimpleNamespace:
        if "fail" in prompt:
            raise ConnectionError("the model is away")
        return SimpleNamespace(text=prompt.upper(), input_tokens=12, output_tokens=4)


@pytest.fixture
def service() -> dict[str, Any]:
    """Return the names of the guide's service."""
    names: dict[str, Any] = {"client": Client()}
    for block in re.findall(r"^```python\n(.+?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL):
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
