"""What every transport must do with what a server sends, in order and out of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from cuewire.model.errors import InvalidInput, NetworkError, ProtocolError, ProviderTimeout
from cuewire.outbound.transport import MAX_BODY, MAX_STREAM, HttpRequest, Timeouts, Transport
from tests.support.model_server import (
    Action,
    Close,
    Flood,
    Hang,
    ModelServer,
    Reset,
    Send,
    Until,
    chunk,
    head,
    plain,
    stream,
)

SHORT = 0.2


@dataclass(frozen=True)
class Line:
    """A transport and the server at its other end."""

    transport: Transport
    server: ModelServer

    def request(self, method: str = "POST", **more: Any) -> HttpRequest:
        headers = {"Idempotency-Key": "key-1"} | more.pop("headers", {})
        url = more.pop("url", f"{self.server.url}/chat/completions")
        return HttpRequest(method=method, url=url, headers=headers, body=more.pop("body", b"{}"), **more)

    async def fetch(self, **more: Any) -> bytes:
        response = await self.transport.send(self.request(**more))
        return await response.read()


class TransportCase:
    """How a suite opens the transport under test."""

    def open(self, **settings: Any) -> Transport:
        """Make a transport; the settings are those of `open_transport`, and `resolve`."""
        raise NotImplementedError

    @asynccontextmanager
    async def line(self, *scripts: Sequence[Action], **settings: Any) -> AsyncIterator[Line]:
        async with ModelServer() as server:
            server.script(*scripts)
            transport = self.open(**{"origins": [server.origin], **settings})
            try:
                yield Line(transport, server)
            finally:
                await transport.close()


class TransportContract(TransportCase):
    """Framing, limits, time limits and the reuse of connections."""

    async def test_request_arrives_as_it_was_made(self) -> None:
        async with self.line(plain({})) as line:
            await line.fetch(body=b'{"a":1}', headers={"X-Title": "Cuewire tests"})

            received = line.server.received[0]
            assert (received.method, received.path, received.body) == ("POST", "/v1/chat/completions", b'{"a":1}')
            assert received.headers["x-title"] == "Cuewire tests"
            assert received.headers["accept-encoding"] == "identity"
            assert "cookie" not in received.headers

    async def test_response_gives_status_headers_and_body(self) -> None:
        async with self.line(plain(b"hello", 418, {"Retry-After": "3"})) as line:
            response = await line.transport.send(line.request())

            assert (response.status, response.headers["retry-after"]) == (418, "3")
            assert await response.read() == b"hello"
            assert response.is_complete

    async def test_body_of_many_megabytes_arrives_at_the_server(self) -> None:
        async with self.line(plain({})) as line:
            await line.fetch(body=b"x" * 5_000_000)

            assert len(line.server.received[0].body) == 5_000_000

    async def test_iteration_gives_bytes_as_they_arrive(self) -> None:
        go_on = asyncio.Event()
        async with self.line(stream(b"one", Until(go_on), b"two")) as line:
            response = await line.transport.send(line.request())
            blocks = aiter(response)

            assert await anext(blocks) == b"one"
            go_on.set()
            assert b"".join([block async for block in blocks]) == b"two"

    async def test_connection_is_used_again_after_a_complete_answer(self) -> None:
        async with self.line(plain({}), stream(b"x"), plain({})) as line:
            for _ in range(3):
                await line.fetch()

            assert [received.connection for received in line.server.received] == [1, 1, 1]

    async def test_connection_is_not_used_again_after_an_answer_that_was_given_up(self) -> None:
        async with self.line([Send(head(length=10) + b"half"), Hang()], plain({})) as line:
            response = await line.transport.send(line.request())
            response.close()
            await line.fetch()

            assert [received.connection for received in line.server.received] == [1, 2]

    async def test_bytes_behind_an_answer_never_become_the_next_answer(self) -> None:
        smuggled = [Send(head(length=2) + b"{}" + head(length=5) + b"wrong")]
        async with self.line(smuggled, plain(b"right")) as line:
            first = await line.fetch()
            second = await line.fetch()

            assert (first, second) == (b"{}", b"right")

    async def test_number_of_connections_is_bounded_and_further_calls_wait(self) -> None:
        go_on = asyncio.Event()
        async with self.line([Until(go_on), *plain({})], connections=2) as line:
            calls = [asyncio.create_task(line.fetch()) for _ in range(5)]
            while len(line.server.received) < 2:
                await asyncio.wait_for(line.server.arrived.wait(), 3)
                line.server.arrived.clear()
            go_on.set()
            await asyncio.gather(*calls)

            assert line.server.connections == 2

    async def test_redirect_is_returned_and_not_followed(self) -> None:
        async with self.line(plain({}, 302, {"Location": "http://169.254.169.254/"})) as line:
            response = await line.transport.send(line.request())

            assert response.status == 302
            assert len(line.server.received) == 1

    async def test_cookies_are_not_kept(self) -> None:
        async with self.line(plain({}, 200, {"Set-Cookie": "a=b"}), plain({})) as line:
            await line.fetch()
            await line.fetch()

            assert "cookie" not in line.server.received[1].headers

    async def test_informational_responses_are_passed_over(self) -> None:
        early = Send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
        async with self.line([early, *plain(b"after")]) as line:
            assert await line.fetch() == b"after"

    async def test_response_that_comes_before_the_request_is_sent_is_taken(self) -> None:
        async with ModelServer(reads_bodies=False) as server:
            server.script([*plain(b"too large", 413), Close()])
            line = Line(self.open(origins=[server.origin]), server)
            response = await line.transport.send(line.request(body=b"x" * 200_000))

            assert (response.status, await response.read()) == (413, b"too large")
            await line.transport.close()

    async def test_body_that_is_longer_than_allowed_is_refused(self) -> None:
        async with self.line([Send(head()), Flood(chunk(b"x" * 65_536))]) as line:
            with pytest.raises(ProtocolError, match=f"more than {MAX_BODY >> 20} MiB"):
                await line.fetch()

            await asyncio.wait_for(line.server.received[0].hung_up.wait(), 3)

    async def test_stream_that_is_longer_than_allowed_is_refused(self) -> None:
        async with self.line([Send(head()), Flood(chunk(b"x" * 65_536))]) as line:
            response = await line.transport.send(line.request())
            with pytest.raises(ProtocolError, match=f"more than {MAX_STREAM >> 20} MiB"):
                async for _ in response:
                    pass

    async def test_flood_of_tiny_chunks_arrives_whole(self) -> None:
        async with self.line([Send(head()), Flood(chunk(b"x") * 1_000, total=6_000_000), Send(chunk(b""))]) as line:
            assert await line.fetch() == b"x" * 1_000_000

    async def test_compressed_answer_is_refused(self) -> None:
        async with self.line(plain(b"\x1f\x8b", 200, {"Content-Encoding": "gzip"})) as line:
            with pytest.raises(ProtocolError, match="compressed"):
                await line.fetch()

    @pytest.mark.parametrize(
        "data",
        [
            b"SSH-2.0-OpenSSH_9\r\n\r\n",
            b"HTTP/1.1 abc\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
            b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
            head() + b"zz\r\nnot a chunk\r\n",
        ],
    )
    async def test_answer_that_is_not_http_is_a_protocol_error(self, data: bytes) -> None:
        async with self.line([Send(data), Close()]) as line:
            with pytest.raises(ProtocolError):
                await line.fetch()

    @pytest.mark.parametrize("end", [Close(), Reset()])
    @pytest.mark.parametrize("begin", [b"", head(length=10), head(length=10) + b"half", head() + chunk(b"half")])
    async def test_connection_lost_before_the_end_is_a_network_error(self, begin: bytes, end: Action) -> None:
        async with self.line([Send(begin), end]) as line:
            with pytest.raises(NetworkError):
                await line.fetch()

            assert len(line.server.received) == 1

    async def test_iteration_gives_what_arrived_before_the_connection_was_lost(self) -> None:
        go_on = asyncio.Event()
        async with self.line([Send(head() + chunk(b"half")), Until(go_on), Reset()]) as line:
            blocks = aiter(await line.transport.send(line.request()))
            arrived = await anext(blocks)
            go_on.set()

            assert arrived == b"half"
            with pytest.raises(NetworkError):
                await anext(blocks)

    async def test_port_where_nobody_listens_is_a_network_error(self) -> None:
        async with self.line(plain({})) as line:
            transport = self.open(origins=["http://127.0.0.1:1"])
            with pytest.raises(NetworkError, match=r"no connection to http://127\.0\.0\.1:1"):
                await transport.send(line.request(url="http://127.0.0.1:1/v1"))
            await transport.close()

    async def test_server_that_accepts_and_hangs_runs_into_the_first_byte_limit(self) -> None:
        async with self.line([Hang()]) as line:
            with pytest.raises(ProviderTimeout) as caught:
                await line.fetch(timeouts=Timeouts(first_byte_s=SHORT))

            assert caught.value.phase == "first_byte"
            await asyncio.wait_for(line.server.received[0].hung_up.wait(), 3)

    async def test_server_that_stops_in_the_middle_runs_into_the_idle_limit(self) -> None:
        async with self.line([Send(head() + chunk(b"half")), Hang()]) as line:
            with pytest.raises(ProviderTimeout) as caught:
                await line.fetch(timeouts=Timeouts(idle_s=SHORT))

            assert caught.value.phase == "idle"
            await asyncio.wait_for(line.server.received[0].hung_up.wait(), 3)

    async def test_server_that_drips_runs_into_the_total_limit(self) -> None:
        async with self.line([Send(head(length=1_000)), Send(b"x" * 1_000, each=1, every_s=0.05), Hang()]) as line:
            with pytest.raises(ProviderTimeout) as caught:
                await line.fetch(timeouts=Timeouts(total_s=SHORT))

            assert caught.value.phase == "total"
            await asyncio.wait_for(line.server.received[0].hung_up.wait(), 3)

    @pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\x00b", "naïve", "\x7f"])
    async def test_header_value_beyond_printable_ascii_is_refused_before_anything_is_sent(self, value: str) -> None:
        async with self.line(plain({})) as line:
            with pytest.raises(InvalidInput, match="X-Title"):
                await line.transport.send(line.request(headers={"X-Title": value}))

            assert line.server.connections == 0

    @pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "X Y", "X:", "X\r\nY", ""])
    async def test_header_that_could_change_the_framing_is_refused(self, name: str) -> None:
        async with self.line(plain({})) as line:
            with pytest.raises(InvalidInput):
                await line.transport.send(line.request(headers={name: "1"}))

            assert line.server.connections == 0


class KeepAliveContract(TransportCase):
    """The one case in which a request is sent a second time: the server closed the connection while it was idle."""

    @pytest.mark.parametrize("end", [Close(), Reset()])
    async def test_request_is_sent_again_when_a_used_connection_is_closed_without_an_answer(self, end: Action) -> None:
        async with self.line(plain({}), [end], plain(b"again")) as line:
            await line.fetch()

            assert await line.fetch() == b"again"
            assert len(line.server.received) == 3

    async def test_request_is_sent_again_once_only(self) -> None:
        async with self.line(plain({}), [Close()]) as line:
            await line.fetch()
            with pytest.raises(NetworkError):
                await line.fetch()

            assert len(line.server.received) == 3

    async def test_request_is_not_sent_again_on_a_new_connection(self) -> None:
        async with self.line([Close()]) as line:
            with pytest.raises(NetworkError):
                await line.fetch(method="GET", body=b"")

            assert len(line.server.received) == 1

    async def test_request_without_an_idempotency_key_is_not_sent_again(self) -> None:
        async with self.line(plain({}), [Close()]) as line:
            await line.fetch()
            request = HttpRequest(method="POST", url=f"{line.server.url}/x", headers={}, body=b"{}")
            with pytest.raises(NetworkError):
                await line.transport.send(request)

            assert len(line.server.received) == 2

    async def test_request_is_not_sent_again_when_part_of_an_answer_had_arrived(self) -> None:
        async with self.line(plain({}), [Send(b"HTTP/1.1 200 OK\r\nContent-"), Close()]) as line:
            await line.fetch()
            with pytest.raises(NetworkError):
                await line.fetch()

            assert len(line.server.received) == 2
