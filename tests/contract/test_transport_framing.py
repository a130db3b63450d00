"""Where an answer ends, and whether its connection may serve another one: every transport must judge alike."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from cuewire.model.errors import NetworkError, ProtocolError, ProviderTimeout
from cuewire.outbound.aiohttp_transport import AiohttpTransport
from cuewire.outbound.http1_transport import Http1Transport
from cuewire.outbound.proxies import Proxies
from cuewire.outbound.transport import Timeouts, Transport
from tests.contract.test_transport import SHORT, TransportCase
from tests.support.model_server import Action, Close, Flood, Hang, Send, Until, chunk, head, plain

OK = b"HTTP/1.1 200 OK\r\n"
TEMPLATE = OK + b"Transfer-Encoding: chunked\r\n"


def _connections(line: Any) -> list[int]:
    return [received.connection for received in line.server.received]


class FramingContract(TransportCase):
    """Ends of bodies, and bytes that are where they should not be."""

    @pytest.mark.parametrize(
        "data",
        [
            OK + b"Content-Length: 5\r\n\r\nwhole",
            OK + b"content-length:5\r\nX-Empty:\r\n\r\nwhole",
            TEMPLATE + b"\r\n5\r\nwhole\r\n0\r\n\r\n",
            TEMPLATE + b"\r\n3;name=value\r\nwho\r\n2\r\nle\r\n0\r\nX-Checksum: 1\r\n\r\n",
            b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nwhole",
            b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nwhole",
            OK + b"Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 5\r\n\r\nwhole",
        ],
    )
    @pytest.mark.parametrize("each", [0, 1])
    async def test_connection_serves_again_after_each_kind_of_whole_answer(self, data: bytes, each: int) -> None:
        async with self.line([Send(data, each=each)]) as line:
            assert [await line.fetch(), await line.fetch()] == [b"whole", b"whole"]
            assert _connections(line) == [1, 1]

    @pytest.mark.parametrize(
        "script",
        [
            [Send(OK + b"\r\nwhole"), Close()],
            [Send(b"HTTP/1.0 200 OK\r\n\r\nwho"), Send(b"le"), Close()],
            [Send(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nwhole"), Hang()],
            [Send(OK + b"Content-Length: 5\r\nConnection: close\r\n\r\nwhole"), Hang()],
        ],
    )
    async def test_answer_that_ends_its_connection_is_whole(self, script: Sequence[Action]) -> None:
        async with self.line(script, plain(b"next")) as line:
            assert [await line.fetch(), await line.fetch()] == [b"whole", b"next"]
            assert _connections(line) == [1, 2]

    @pytest.mark.parametrize("status", [204, 304])
    async def test_answer_without_a_body_is_complete_at_once(self, status: int) -> None:
        async with self.line([Send(b"HTTP/1.1 %d None\r\n\r\n" % status)]) as line:
            assert [await line.fetch(), await line.fetch()] == [b"", b""]
            assert _connections(line) == [1, 1]

    async def test_answer_to_a_head_request_has_no_body(self) -> None:
        async with self.line([Send(head(length=1_000))]) as line:
            assert await line.fetch(method="HEAD", body=b"") == b""

    @pytest.mark.parametrize(
        "data",
        [
            OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            TEMPLATE + b"Content-Length: 2\r\n\r\n0\r\n\r\n",
            OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
            OK + b"Content-Length: -2\r\n\r\n{}",
            OK + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
            OK + b"Bad Name: 2\r\n\r\n{}",
            TEMPLATE + b"\r\n-1\r\n{}\r\n0\r\n\r\n",
            TEMPLATE + b"\r\nfffffffffffffffff\r\n{}",
            TEMPLATE + b"\r\n2\r\n{}xx0\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n\x00",
        ],
    )
    async def test_framing_that_can_be_read_in_two_ways_is_a_protocol_error(self, data: bytes) -> None:
        async with self.line([Send(data), Hang()], plain(b"next")) as line:
            with pytest.raises(ProtocolError):
                await line.fetch(timeouts=Timeouts(first_byte_s=SHORT, idle_s=SHORT))

            assert await line.fetch() == b"next"
            assert _connections(line) == [1, 2]

    async def test_head_that_arrives_byte_by_byte_is_read(self) -> None:
        data = head(headers={"X-Long": "y" * 300}, length=2) + b"{}"
        async with self.line([Send(data, each=1)]) as line:
            response = await line.transport.send(line.request())

            assert (response.headers["X-LONG"], await response.read()) == ("y" * 300, b"{}")

    async def test_flood_of_informational_responses_ends(self) -> None:
        async with self.line([Flood(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)]) as line:
            with pytest.raises((ProtocolError, ProviderTimeout)):
                await line.fetch(timeouts=Timeouts(first_byte_s=1, total_s=1))

            await asyncio.wait_for(line.server.received[0].hung_up.wait(), 3)

    @pytest.mark.parametrize("start", [b"\r\n1;x=", b"\r\n1\r\nx\r\n0\r\nX-Trailer: "])
    async def test_flood_of_framing_ends(self, start: bytes) -> None:
        async with self.line([Send(TEMPLATE + start), Flood(b"y" * 65_536)]) as line:
            with pytest.raises((ProtocolError, ProviderTimeout)):
                await line.fetch(timeouts=Timeouts(total_s=1))

            await asyncio.wait_for(line.server.received[0].hung_up.wait(), 3)

    async def test_reader_that_is_slow_holds_up_the_server_and_loses_nothing(self) -> None:
        size = 20_000_000
        async with self.line([Send(head()), Flood(chunk(b"x" * 65_531), total=size), Send(chunk(b""))]) as line:
            response = await line.transport.send(line.request())
            for _ in range(100):
                await asyncio.sleep(0)
            first = await anext(aiter(response))
            rest = [block async for block in response]

            assert len(first) < 2_000_000
            assert len(first) + sum(map(len, rest)) == size // len(chunk(b"x" * 65_531)) * 65_531


class StrictContract(TransportCase):
    """What only the transport for configured origins promises; aiohttp reads more leniently, and times reads alone."""

    @pytest.mark.parametrize(
        "data",
        [
            OK + b"Content-Length : 2\r\n\r\n{}",
            OK + b"X: a\r\n folded\r\nContent-Length: 2\r\n\r\n{}",
        ],
    )
    async def test_header_that_can_be_read_in_two_ways_is_a_protocol_error(self, data: bytes) -> None:
        async with self.line([Send(data), Hang()], plain(b"next")) as line:
            with pytest.raises(ProtocolError):
                await line.fetch(timeouts=Timeouts(first_byte_s=SHORT, idle_s=SHORT))

            assert await line.fetch() == b"next"

    async def test_bytes_that_nobody_asked_for_close_the_connection(self) -> None:
        go_on = asyncio.Event()
        async with self.line([*plain(b"first"), Until(go_on), *plain(b"unasked"), Hang()], plain(b"next")) as line:
            assert await line.fetch() == b"first"
            go_on.set()
            await asyncio.wait_for(line.server.received[0].hung_up.wait(), 3)

            assert await line.fetch() == b"next"

    @pytest.mark.parametrize("is_closed", [False, True])
    async def test_connection_serves_no_other_call_before_its_answer_was_read_or_given_up(
        self, is_closed: bool
    ) -> None:
        async with self.line([*plain(b"slow down")], plain(b"next"), plain(b"last")) as line:
            response = await line.transport.send(line.request())

            assert await line.fetch() == b"next"
            if is_closed:
                response.close()
            assert await response.read() == b"slow down"
            response.close()
            assert await line.fetch() == b"last"
            assert _connections(line) == [1, 2, _connections(line)[2]]
            assert line.server.connections == 2

    async def test_time_limits_bound_an_answer_that_nobody_reads(self) -> None:
        async with self.line([Send(head() + chunk(b"half")), Hang()]) as line:
            response = await line.transport.send(line.request(timeouts=Timeouts(total_s=SHORT)))
            await asyncio.wait_for(line.server.received[0].hung_up.wait(), 3)

            with pytest.raises((ProviderTimeout, NetworkError)):
                await response.read()


class WaitContract(TransportCase):
    """Calls above the number of connections."""

    async def test_call_that_is_cancelled_while_it_waits_leaves_its_turn_to_the_next(self) -> None:
        go_on = asyncio.Event()
        async with self.line([Until(go_on), *plain(b"x")], connections=1) as line:
            calls = [asyncio.create_task(line.fetch()) for _ in range(4)]
            await asyncio.wait_for(line.server.arrived.wait(), 3)
            calls[1].cancel()
            go_on.set()
            calls[2].cancel()

            assert await asyncio.wait_for(calls[3], 3) == b"x"
            assert await calls[0] == b"x"
            assert line.server.connections == 1

    async def test_place_of_a_connection_that_broke_goes_to_the_next(self) -> None:
        async with self.line([Close()], plain(b"x"), connections=1) as line:
            calls = [asyncio.create_task(line.fetch()) for _ in range(3)]
            results = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 3)

            assert isinstance(results[0], NetworkError)
            assert results[1:] == [b"x", b"x"]

    async def test_wait_for_a_connection_counts_for_the_total_limit(self) -> None:
        async with self.line([Hang()], connections=1) as line:
            first = asyncio.create_task(line.fetch())
            await asyncio.wait_for(line.server.arrived.wait(), 3)
            with pytest.raises(ProviderTimeout) as caught:
                await line.fetch(timeouts=Timeouts(total_s=SHORT))
            first.cancel()

            assert caught.value.phase == "total"

    async def test_origins_share_the_number_of_connections(self) -> None:
        async with self.line(plain(b"one")) as one, self.line(plain(b"two")) as two:
            transport = self.open(origins=[one.server.origin, two.server.origin], connections=1)
            bodies = []
            for line in (one, two, one):
                response = await transport.send(line.request())
                bodies.append(await response.read())
            await transport.close()

            assert bodies == [b"one", b"two", b"one"]


class _OnAiohttp(TransportCase):
    def open(self, **settings: Any) -> Transport:
        return AiohttpTransport(**{"proxies": Proxies(), **settings})


class _OnHttp1(TransportCase):
    def open(self, **settings: Any) -> Transport:
        return Http1Transport(**settings)


class TestAiohttpFraming(_OnAiohttp, FramingContract):
    """Framing by aiohttp."""


class TestHttp1Framing(_OnHttp1, FramingContract, StrictContract):
    """Framing by the fast transport."""


class TestAiohttpWait(_OnAiohttp, WaitContract):
    """The pool of aiohttp."""


class TestHttp1Wait(_OnHttp1, WaitContract):
    """The pool of the fast transport."""
