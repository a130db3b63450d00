"""The fast transport against answers that are broken at random: it ends each call, and is fit for the next."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuewire.model.errors import CuewireError
from cuewire.outbound.http1_transport import Http1Transport
from cuewire.outbound.transport import HttpRequest, Timeouts
from tests.support.model_server import Close, ModelServer, Send, chunk, head, plain

WHOLE = (
    head(length=5) + b"whole",
    head() + chunk(b"who") + chunk(b"le") + chunk(b""),
    b"HTTP/1.1 100 Continue\r\n\r\n" + head(length=5) + b"whole",
    b"HTTP/1.0 200 OK\r\n\r\nwhole",
    b"HTTP/1.1 204 None\r\n\r\n",
)
SCRAPS = (
    b"\r\n",
    b"\n",
    b"\0",
    b"\xff",
    b":",
    b"0\r\n\r\n",
    b"Content-Length: 3\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"5;a=b\r\n",
)
TIMEOUTS = Timeouts(first_byte_s=1, idle_s=1, total_s=2)


@st.composite
def broken_answers(draw: st.DrawFn) -> bytes:
    """Answers that were cut, had scraps put in, bytes changed, or parts said twice."""
    data = draw(st.sampled_from(WHOLE))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        to = draw(st.integers(at, min(len(data), at + 8)))
        kind = draw(st.sampled_from(("cut", "put in", "change", "twice")))
        if kind == "cut":
            data = data[:at] + data[to:]
        elif kind == "put in":
            data = data[:at] + draw(st.sampled_from(SCRAPS)) + data[at:]
        elif kind == "change":
            data = data[:at] + draw(st.binary(max_size=3)) + data[to:]
        else:
            data = data[:to] + data[at:]
    return data


async def _outcome(data: bytes, *, each: int) -> bytes | type[CuewireError]:
    """Return the body or the error that an answer led to, once another answer has come through the same transport."""
    async with ModelServer() as server:
        server.script([Send(data, each=each), Close()], plain(b"next"))
        transport = Http1Transport(origins=[server.origin])
        request = HttpRequest(method="POST", url=f"{server.url}/x", headers={}, timeouts=TIMEOUTS)
        outcome: bytes | type[CuewireError]
        try:
            outcome = await (await transport.send(request)).read()
        except CuewireError as error:
            outcome = type(error)
        await asyncio.wait_for(server.all_closed.wait(), 6)

        assert await (await transport.send(request)).read() == b"next"
        await transport.close()
        await asyncio.wait_for(server.all_closed.wait(), 6)
    return outcome


@pytest.mark.parametrize("data", WHOLE)
def test_answers_that_are_whole_arrive(data: bytes) -> None:
    assert asyncio.run(_outcome(data, each=1)) in (b"whole", b"")


@settings(max_examples=250, deadline=None)
@given(data=broken_answers())
def test_broken_answer_leads_to_the_same_end_however_it_is_cut_into_packets(data: bytes) -> None:
    at_once = asyncio.run(_outcome(data, each=0))

    assert asyncio.run(_outcome(data, each=1)) == at_once
