"""What failed before any of the request was sent is told from what failed behind that: it cannot have cost anything."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import Any

import pytest
import trustme

from cuewire.model.errors import NetworkError, ProviderTimeout
from cuewire.outbound.aiohttp_transport import AiohttpTransport
from cuewire.outbound.http1_transport import Http1Transport
from cuewire.outbound.proxies import Proxies
from cuewire.outbound.transport import HttpRequest, Timeouts, Transport
from tests.contract.test_transport import SHORT, TransportCase
from tests.support.model_server import Action, Close, Hang, ModelServer, Reset, Send, chunk, head, plain

NOBODY = "http://127.0.0.1:1"


class UnsentContract(TransportCase):
    """`was_sent` of each failure."""

    async def failure(self, origin: str, *, timeouts: Timeouts | None = None, **settings: Any) -> Any:
        """Return the error with which a request ends."""
        transport = self.open(**{"origins": [origin], **settings})
        request = HttpRequest(method="POST", url=origin, headers={}, body=b"{}", timeouts=timeouts or Timeouts())
        try:
            with pytest.raises((NetworkError, ProviderTimeout)) as caught:
                await transport.send(request)
        finally:
            await transport.close()
        return caught.value

    async def test_a_refused_connection_sent_nothing(self) -> None:
        assert not (await self.failure(NOBODY)).was_sent

    async def test_a_name_that_does_not_resolve_sent_nothing(self) -> None:
        async def resolve(_host: str) -> Sequence[str]:
            raise OSError("name unknown")

        assert not (await self.failure("http://absent.test:80", resolve=resolve)).was_sent

    async def test_a_name_that_resolves_too_slowly_sent_nothing(self) -> None:
        async def resolve(_host: str) -> Sequence[str]:
            await asyncio.Event().wait()
            return ()

        error = await self.failure("http://slow.test:80", resolve=resolve, timeouts=Timeouts(total_s=SHORT))

        assert (type(error), error.was_sent) == (ProviderTimeout, False)

    async def test_a_connection_that_is_never_taken_sent_nothing(self) -> None:
        with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            for filler in (first, second):  # with the queue full, a further connection is never accepted
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
            origin = f"http://127.0.0.1:{listener.getsockname()[1]}"

            error = await self.failure(origin, timeouts=Timeouts(connect_s=SHORT))

        assert (error.phase, error.was_sent) == ("connect", False)

    async def test_a_certificate_that_is_not_believed_sent_nothing(self) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        async with ModelServer(tls=context) as server:
            error = await self.failure(server.origin)

        assert (error.was_sent, server.received) == (False, [])

    async def test_a_server_that_does_not_speak_tls_was_sent_nothing(self) -> None:
        async with ModelServer() as server:  # takes the client's hello for the beginning of a request
            server.script([Close()])
            origin = server.origin.replace("http:", "https:")
            error = await self.failure(origin, timeouts=Timeouts(connect_s=SHORT))

        assert not error.was_sent

    async def test_a_call_that_got_no_place_in_time_sent_nothing(self) -> None:
        async with self.line([Hang()], connections=1) as line:
            first = asyncio.create_task(line.fetch())
            await asyncio.wait_for(line.server.arrived.wait(), 3)
            with pytest.raises(ProviderTimeout) as caught:
                await line.fetch(timeouts=Timeouts(total_s=SHORT))
            first.cancel()

        assert (caught.value.was_sent, len(line.server.received)) == (False, 1)

    @pytest.mark.parametrize(
        "script",
        [
            [Close()],
            [Reset()],
            [Hang()],
            [Send(head(length=9) + b"half"), Reset()],
            [Send(head() + chunk(b"half")), Hang()],
            [Send(head(length=99)), Send(b"x" * 99, each=1, every_s=0.05)],
        ],
    )
    async def test_what_the_server_had_was_sent(self, script: Sequence[Action]) -> None:
        async with self.line(script) as line:
            with pytest.raises((NetworkError, ProviderTimeout)) as caught:
                await line.fetch(timeouts=Timeouts(first_byte_s=SHORT, idle_s=SHORT, total_s=2 * SHORT))

        assert caught.value.was_sent

    async def test_what_was_sent_stays_so_when_the_second_connection_for_it_is_refused(self) -> None:
        async with self.line(plain({}), [Close()]) as line:
            await line.fetch()
            line.server.refuse()
            with pytest.raises(NetworkError, match="no connection") as caught:
                await line.fetch()

        assert (caught.value.was_sent, len(line.server.received)) == (True, 2)


class TestAiohttpUnsent(UnsentContract):
    """The transport on aiohttp."""

    def open(self, **settings: Any) -> Transport:
        return AiohttpTransport(**{"proxies": Proxies(), **settings})

    async def test_a_proxy_that_is_away_sent_nothing(self) -> None:
        assert not (await self.failure("http://model.test:80", proxies=Proxies(http_proxy=NOBODY))).was_sent

    async def test_a_proxy_that_opens_no_tunnel_sent_nothing(self) -> None:
        async with ModelServer() as proxy:
            proxy.script([Send(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")])
            error = await self.failure("https://model.test:443", proxies=Proxies(https_proxy=proxy.origin))

        assert ([received.method for received in proxy.received], error.was_sent) == (["CONNECT"], False)


class TestHttp1Unsent(UnsentContract):
    """The fast transport."""

    def open(self, **settings: Any) -> Transport:
        return Http1Transport(**settings)
