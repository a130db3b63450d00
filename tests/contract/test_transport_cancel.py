"""A cancelled call closes its connection within a second, whatever it was waiting for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress

import pytest

from cuewire.outbound.transport import HttpRequest, Response
from tests.contract.test_transport import TransportCase
from tests.support.model_server import Hang, ModelServer, Send, chunk, head

WITHIN_S = 3.0
"""One second is promised; machines that run tests are slow."""


async def assert_cancels(task: asyncio.Task[object]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        async with asyncio.timeout(WITHIN_S):
            await task
    assert task.cancelled()


class CancelContract(TransportCase):
    """Cancellation while the name resolves, the connection is made, the request is sent, and the answer arrives."""

    async def test_cancel_while_the_name_resolves(self) -> None:
        asked = asyncio.Event()

        async def never(_host: str) -> Sequence[str]:
            asked.set()
            await asyncio.Event().wait()
            return ()

        transport = self.open(origins=["http://slow.test:80"], resolve=never)
        request = HttpRequest(method="GET", url="http://slow.test/", headers={})
        task: asyncio.Task[object] = asyncio.create_task(transport.send(request))
        await asyncio.wait_for(asked.wait(), WITHIN_S)

        await assert_cancels(task)
        await transport.close()

    async def test_cancel_while_the_connection_is_made(self) -> None:
        with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
            for filler in (first, second):  # with the queue full, a further connection is never accepted
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
            transport = self.open(origins=[origin])
            request = HttpRequest(method="GET", url=origin, headers={})
            task: asyncio.Task[object] = asyncio.create_task(transport.send(request))
            await asyncio.wait([task], timeout=0.2)
            assert not task.done()

            await assert_cancels(task)
            await transport.close()

    async def test_cancel_while_the_handshake_is_made(self) -> None:
        async with ModelServer() as server:  # takes the client's hello for the beginning of a request
            server.script([Hang()])
            origin = server.origin.replace("http:", "https:")
            transport = self.open(origins=[origin])
            request = HttpRequest(method="GET", url=origin, headers={})
            task: asyncio.Task[object] = asyncio.create_task(transport.send(request))
            await asyncio.wait_for(server.connected.wait(), WITHIN_S)

            await assert_cancels(task)
            await asyncio.wait_for(server.all_closed.wait(), WITHIN_S)
            await transport.close()

    async def test_cancel_while_the_request_is_sent_to_a_server_that_does_not_read(self) -> None:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            listener.bind(("127.0.0.1", 0))
            listener.listen(8)
            listener.setblocking(False)
            origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
            transport = self.open(origins=[origin])
            request = HttpRequest(method="POST", url=origin, headers={}, body=b"x" * 30_000_000)
            task: asyncio.Task[object] = asyncio.create_task(transport.send(request))
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(WITHIN_S):
                peer, _ = await loop.sock_accept(listener)
            with peer:
                await asyncio.wait([task], timeout=0.2)

                await assert_cancels(task)
                async with asyncio.timeout(WITHIN_S):
                    with suppress(ConnectionError):
                        while await loop.sock_recv(peer, 65_536):
                            pass
            await transport.close()

    async def test_cancel_while_waiting_for_the_head(self) -> None:
        async with self.line([Hang()]) as line:
            task: asyncio.Task[object] = asyncio.create_task(line.transport.send(line.request()))
            await asyncio.wait_for(line.server.arrived.wait(), WITHIN_S)

            await assert_cancels(task)
            await asyncio.wait_for(line.server.received[0].hung_up.wait(), WITHIN_S)

    async def test_cancel_after_half_of_the_head(self) -> None:
        async with self.line([Send(b"HTTP/1.1 200 OK\r\nContent-"), Hang()]) as line:
            task: asyncio.Task[object] = asyncio.create_task(line.transport.send(line.request()))
            await asyncio.wait_for(line.server.arrived.wait(), WITHIN_S)
            await asyncio.wait([task], timeout=0.1)

            await assert_cancels(task)
            await asyncio.wait_for(line.server.received[0].hung_up.wait(), WITHIN_S)

    @pytest.mark.parametrize("way", ["read", "iterate"])
    async def test_cancel_in_the_middle_of_the_body(self, way: str) -> None:
        async def follow(response: Response) -> None:
            if way == "read":
                await response.read()
            async for _ in response:
                pass

        async with self.line([Send(head() + chunk(b"half")), Hang()]) as line:
            response = await line.transport.send(line.request())
            task: asyncio.Task[object] = asyncio.create_task(follow(response))
            await asyncio.wait([task], timeout=0.1)

            await assert_cancels(task)
            await asyncio.wait_for(line.server.received[0].hung_up.wait(), WITHIN_S)

    async def test_closed_response_closes_its_connection(self) -> None:
        async with self.line([Send(head() + chunk(b"half")), Hang()]) as line:
            response = await line.transport.send(line.request())
            response.close()
            response.close()

            assert await asyncio.wait_for(line.server.received[0].hung_up.wait(), WITHIN_S)
