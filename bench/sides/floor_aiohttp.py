"""Floor: aiohttp with typed JSON and a line split. No template, retry, price or record."""

from __future__ import annotations

import aiohttp

from bench.sides.meter import base_url, drive, load_from_arguments, run_on_uvloop
from bench.sides.wire import Events, read_answer, request_body

HEADERS = {"Authorization": "Bearer x", "Content-Type": "application/json"}


class Client:
    """One session for the whole run."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._url = f"{base_url()}/chat/completions"

    async def call(self, number: int) -> int:
        """Make one plain call."""
        async with self._session.post(self._url, data=request_body(number), headers=HEADERS) as answer:
            return read_answer(await answer.read())

    async def stream(self, number: int) -> int:
        """Read one stream to its end."""
        events = Events()
        body = request_body(number, stream=True)
        async with self._session.post(self._url, data=body, headers=HEADERS) as answer:
            async for data in answer.content.iter_any():
                events.feed(data)
        return events.close()


async def main() -> None:
    """Drive the kind of request that the command line names."""
    load = load_from_arguments()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        client = Client(session)
        await drive(load, {"call": client.call, "stream": client.stream}[load.kind])


if __name__ == "__main__":
    run_on_uvloop(main())
