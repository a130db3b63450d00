"""Floor: pyreqwest with typed JSON and a line split. No template, retry, price or record."""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from pyreqwest.client import Client as Http
from pyreqwest.client import ClientBuilder
from pyreqwest.request import RequestBuilder

from bench.sides.meter import base_url, drive, load_from_arguments, run_on_uvloop
from bench.sides.wire import Events, read_answer, request_body

READ_BYTES = 1 << 16


class Client:
    """One client for the whole run."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._url = f"{base_url()}/chat/completions"

    def _request(self, body: bytes) -> RequestBuilder:
        request = self._http.post(self._url).bearer_auth("x").header("Content-Type", "application/json")
        return request.body_bytes(body)

    async def call(self, number: int) -> int:
        """Make one plain call."""
        answer = await self._request(request_body(number)).build().send()
        return read_answer(bytes(await answer.bytes()))

    async def stream(self, number: int) -> int:
        """Read one stream to its end."""
        events = Events()
        request = self._request(request_body(number, stream=True))
        async with request.build_streamed() as answer:
            while (data := await answer.body_reader.read(READ_BYTES)) is not None:
                events.feed(bytes(data))
        return events.close()


async def main() -> None:
    """Drive the kind of request that the command line names."""
    load = load_from_arguments()
    async with ClientBuilder().build() as http:
        client = Client(http)
        await drive(load, {"call": client.call, "stream": client.stream}[load.kind])


if __name__ == "__main__":
    run_on_uvloop(main())
