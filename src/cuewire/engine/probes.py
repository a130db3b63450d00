"""Calls that try an endpoint whose breaker is half open: a few at a time, over all processes that can agree on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cuewire.engine.breaker import Breaker
from cuewire.ports import Leases


class Probes:
    """Lets calls try. Where processes do not know of each other, each has as many as its own breaker lets through."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases

    @asynccontextmanager
    async def of(self, breaker: Breaker) -> AsyncIterator[None]:
        """Have one of the endpoint's few places for as long as the block runs.

        Raises ProviderUnavailable if others have them all.
        """
        key = await self._place(breaker)
        try:
            yield
        finally:
            self._leases.give_back(key)

    async def _place(self, breaker: Breaker) -> str:
        for number in range(breaker.probes):
            key = f"probe/{breaker.model}/{number}"
            if await self._leases.take(key):
                return key
        raise breaker.refusal()
