"""Names to addresses: a slow name takes one thread, however many ask for it."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event, Lock
from time import monotonic

import pytest

from cuewire.outbound.resolver import Found, Names

FOUND: Found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0))]


class Desk:
    """A resolver that answers for `well` at once, for other names when it may, and counts what it is asked."""

    def __init__(self, error: OSError | None = None) -> None:
        self.asked: list[str] = []
        self.may_answer = Event()
        self._error = error
        self._lock = Lock()

    def __call__(self, host: str) -> Found:
        with self._lock:
            self.asked.append(host)
        if host != "well":
            self.may_answer.wait(10)
        if self._error is not None:
            raise self._error
        return FOUND


async def test_those_who_ask_for_the_same_name_at_a_time_share_the_answer_and_later_ones_ask_again() -> None:
    desk = Desk()
    names = Names(look_up=desk)

    asking = [asyncio.ensure_future(names("slow")) for _ in range(50)]
    await asyncio.sleep(0)
    desk.may_answer.set()
    found = await asyncio.gather(*asking)

    assert (set(found), desk.asked) == ({("192.0.2.1",)}, ["slow"])
    assert (await names("slow"), desk.asked) == (("192.0.2.1",), ["slow", "slow"])


async def test_a_slow_name_holds_up_no_other_one() -> None:
    desk = Desk()
    names = Names(look_up=desk)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=2))

    slow = [asyncio.ensure_future(names("slow")) for _ in range(50)]
    await asyncio.sleep(0)
    async with asyncio.timeout(3):
        well = await names("well")
        await asyncio.to_thread(lambda: None)
    desk.may_answer.set()
    await asyncio.gather(*slow)

    assert (well, desk.asked.count("slow")) == (("192.0.2.1",), 1)


async def test_who_gives_up_takes_the_answer_from_nobody() -> None:
    desk = Desk()
    names = Names(look_up=desk)
    impatient, patient = (asyncio.ensure_future(names("slow")) for _ in range(2))
    await asyncio.sleep(0)

    impatient.cancel()
    await asyncio.wait([impatient])
    desk.may_answer.set()

    assert await patient == ("192.0.2.1",)


async def test_a_failure_that_nobody_waits_for_any_more_is_dropped_and_the_name_is_asked_for_again() -> None:
    desk = Desk(OSError("name unknown"))
    names = Names(look_up=desk)
    problems: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, problem: problems.append(problem))

    impatient = asyncio.ensure_future(names("slow"))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait([impatient])
    desk.may_answer.set()
    with pytest.raises(OSError, match="name unknown"):
        await names("slow")
    del names

    assert problems == []


def test_a_name_that_is_still_looked_up_does_not_hold_up_the_end_of_the_loop() -> None:
    desk = Desk()

    async def ask() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await Names(look_up=desk)("slow")

    began = monotonic()
    asyncio.run(ask())
    took_s = monotonic() - began
    desk.may_answer.set()

    assert took_s < 5
