"""Runs the contracts of the network on both event loops: a broken connection looks different on each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

_ON_BOTH = ("test_transport", "test_providers_openai", "test_providers_anthropic", "test_providers_gemini")


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Choose the event loops of a test."""
    if item.path.name.startswith(_ON_BOTH):
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}
