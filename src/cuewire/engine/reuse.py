"""Runs whose answer may have been given before: to the same question, to a similar one, or to somebody right now."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

from msgspec.structs import replace

from cuewire.engine.asking import Asking, Run
from cuewire.engine.background import Background
from cuewire.engine.cache import Flight, ResultCache
from cuewire.engine.record import OpenRecord, Records, recorded
from cuewire.engine.similar import Look, Similar
from cuewire.engine.telling import tell
from cuewire.model.cache import CacheEntry
from cuewire.model.errors import CuewireError
from cuewire.model.results import Result
from cuewire.ports import Listener


class _Found(NamedTuple):
    """An answer: the value, whether it is of the form asked for, and what may be kept of it for others."""

    value: Any
    is_valid: bool
    flight: Flight | None = None
    look: Look | None = None


class Reuse:
    """Runs versions whose policy lets answers be given again."""

    def __init__(self, cache: ResultCache, similar: Similar, *, asking: Asking, records: Records) -> None:
        self._cache = cache
        self._similar = similar
        self._asking = asking
        self._records = records
        self._background = Background()

    async def run(self, run: Run) -> Result:
        """Return the result when its record is durable, and its answer kept for others."""
        found = await recorded(self._found_or_answered(run), run.record, run.order.timeout_s)
        flight, look = found.flight, found.look
        try:
            result = await run.record.succeed(found.value, valid=found.is_valid)
            if flight is not None:
                await flight.keep(result, question=look.question if look else None)
            if look is not None:
                await self._similar.answered(look, run.version, result)
        finally:
            if flight is not None:
                flight.end()
        return result

    async def close(self) -> None:
        """End what goes on beside the runs."""
        await self._background.close()
        await self._cache.close()

    async def _found_or_answered(self, run: Run) -> _Found:
        """Return the answer that was given to the same question, or a similar one, else that of this run."""
        prepared = await self._asking.prepare(run)
        key = await self._cache.key(run.order, run.version, prepared.plan, prepared.messages)
        if key is None:
            return _Found(*await self._asking.ask(run, prepared))
        found = await self._cache.find(key, run.version)
        if isinstance(found, CacheEntry):
            run.record.hit(found)
            if flight := self._cache.renewal(found, run.version):
                self._background.start(self._renew(run, flight))
            return await _given_again(found, run.listener)
        try:
            look = await self._similar.look(run, prepared)
            if look is None or look.given is None:
                return _Found(*await self._asking.ask(run, prepared), found, look)
            run.record.hit_similar(look.given)
            found.end()
            return await _given_again(look.given.entry, run.listener)
        except BaseException:
            found.end()
            raise

    async def _renew(self, stale: Run, flight: Flight) -> None:
        """Get an answer anew that was given although it is stale; what goes wrong is in the record."""
        order, parent = replace(stale.order, idempotency_key=None), stale.record.opening
        try:
            record = await self._records.open(order, stale.version, purpose="renewal", parent=parent)
            assert isinstance(record, OpenRecord), "an order without an idempotency key opens a record"
            run = Run(order, stale.version, record)
            value, is_valid = await recorded(self._asking.answer(run), record, order.timeout_s)
            await flight.keep(await record.succeed(value, valid=is_valid))
        except CuewireError as error:
            tell(logging.WARNING, "cache.not_renewed", execution=error.execution_id, reason=error.code)
        finally:
            flight.end()


async def _given_again(entry: CacheEntry, listener: Listener | None) -> _Found:
    if listener is not None:
        await listener(entry.text)
    return _Found(entry.value, is_valid=True)
