"""Names to addresses, outside the event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Any, TypeAlias

Resolve: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]
"""Returns the IP addresses of a host name as text. Raises OSError when there are none."""
Found: TypeAlias = Sequence[tuple[Any, ...]]
"""What `socket.getaddrinfo` returns."""


def ask_system(host: str) -> Found:
    """Ask the resolver of the system, which may take as long as it likes. Raises OSError."""
    return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)


class Names:
    """A `Resolve` over the resolver of the system, for one event loop.

    That one is asked in a thread, which nobody can stop. So those who ask for the same name at a time share a thread,
    and it is none of the loop's own: a slow name holds up neither other names nor the end of the process.
    """

    def __init__(self, look_up: Callable[[str], Found] = ask_system) -> None:
        self._look_up = look_up
        self._asked: dict[str, asyncio.Future[Found]] = {}

    async def __call__(self, host: str) -> Sequence[str]:
        """Return the addresses, each once."""
        found = await asyncio.shield(self._asked.get(host) or self._ask(host))
        return tuple(dict.fromkeys(str(address[0]) for *_, address in found))

    def _ask(self, host: str) -> asyncio.Future[Found]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Found] = loop.create_future()

        def look_up() -> None:
            try:
                settle = partial(answer.set_result, self._look_up(host))
            except Exception as error:  # noqa: BLE001  # whatever it is, those who wait get it
                settle = partial(answer.set_exception, error)
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._answered, host, settle)

        self._asked[host] = answer
        Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
        return answer

    def _answered(self, host: str, settle: Callable[[], None]) -> None:
        answer = self._asked.pop(host)
        settle()
        answer.exception()  # is asked for, in case that whoever wanted to know has given up
