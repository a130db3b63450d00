"""F3 and F5 to F9: a provider that fails, hangs, drips, breaks off or babbles, and what becomes of the run."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

import cuewire
from cuewire.model.errors import ProviderError, ProviderTimeout
from cuewire.model.executions import ExecutionDetail
from cuewire.outbound.transport import DEFAULT_TIMEOUTS, Timeouts
from cuewire.wire.problems import Problem
from cuewire.wire.streams import PieceShape
from tests.support.command_line import CommandLine
from tests.support.model_server import (
    Action,
    Close,
    Hang,
    Reset,
    Send,
    chunk,
    completion,
    delta,
    event,
    head,
    plain,
    stream,
)
from tests.support.policy_models import KEY, Desk, listen, opened, said
from tests.support.serving import serving
from tests.support.streaming_client import Streaming

MODEL, SPARE = "openai/gpt-4o-mini", "spare/gpt-4o-mini"
SHORT_S = 0.6
TOTAL_S = 1.5
SLACK_S = 3.0
"""What all waits of a test come to at most, on a machine that is slow."""
OPENS_AFTER = 20
DRIPPED = [Send(head(length=1_000)), Send(b"x" * 1_000, each=1, every_s=0.05)]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk() as running:
        assert isinstance(running, Desk)
        yield running


@pytest.fixture
async def spare() -> AsyncIterator[Desk]:
    async with Desk(lambda _: said("from the spare one")) as running:
        assert isinstance(running, Desk)
        yield running


@contextmanager
def deaf() -> Iterator[str]:
    """Yield the origin of a server that takes no connection, and refuses none."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):  # with the queue full, a further connection is never accepted
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
async def app(desk: Desk, spare: Desk, tmp_path: Path) -> AsyncIterator[cuewire.App]:
    async with opened(desk, tmp_path, CUEWIRE_PROVIDERS__SPARE__BASE_URL=spare.url) as running:
        yield running


@pytest.fixture
async def hurried(desk: Desk, spare: Desk, tmp_path: Path) -> AsyncIterator[cuewire.App]:
    """Open Cuewire with one connection for all calls, and little patience."""
    with deaf() as origin:
        environment = {
            "CUEWIRE_PROVIDERS__SPARE__BASE_URL": spare.url,
            "CUEWIRE_PROVIDERS__DEAF__BASE_URL": f"{origin}/v1",
            "CUEWIRE_MAX_CONNECTIONS": "1",
            "CUEWIRE_TIMEOUTS__CONNECT_S": str(SHORT_S),
            "CUEWIRE_TIMEOUTS__FIRST_BYTE_S": str(SHORT_S),
            "CUEWIRE_TIMEOUTS__IDLE_S": str(SHORT_S),
            "CUEWIRE_TIMEOUTS__TOTAL_S": str(TOTAL_S),
        }
        async with opened(desk, tmp_path, **environment) as running:
            yield running


async def failed(app: cuewire.App, heard: list[str] | None = None) -> tuple[ProviderError, ExecutionDetail]:
    """Run what fails, streamed if somebody hears, and return the error and the record."""
    with pytest.raises(ProviderError) as caught:
        await (app.run("triage") if heard is None else listen(app.stream("triage"), heard))
    return caught.value, await app.executions.get(caught.value.execution_id or "")


@pytest.mark.parametrize("status", [500, 502, 503, 504, 529])
async def test_f3_a_failing_provider_gets_three_tries_at_drawn_times_and_then_another_one_is_asked(
    app: cuewire.App, desk: Desk, spare: Desk, status: int
) -> None:
    desk.reply = lambda _: said("down", status=status)
    policy = {
        "retry": {"max_retries": 2, "delay_ms": 40, "strategy": "exponential"},
        "models": [{"model": MODEL, "priority": 2}, {"model": SPARE}],
        "failover": {"strategy": "next_by_priority"},
    }
    await app.prompts.publish("triage", "Bug?", policy=policy)

    records = [await app.executions.get((await app.run("triage")).id) for _ in range(4)]

    waits = [[call.delay_ms for call in record.calls if call.purpose == "retry"] for record in records]
    assert [len(record.calls) for record in records] == [4] * 4
    assert {(record.calls[-1].model, record.calls[-1].purpose) for record in records} == {(SPARE, "failover")}
    assert all(0 <= first < 40 and 0 <= second < 80 for first, second in waits)
    assert len({wait for each in waits for wait in each}) == 8
    assert (len(desk.received), len(spare.received)) == (12, 4)


async def test_f3_retries_stay_within_their_budget_and_the_breaker_opens(app: cuewire.App, desk: Desk) -> None:
    desk.reply = lambda _: said("down", status=503)
    await app.prompts.publish("triage", "Bug?", model=MODEL, policy={"retry": {"max_retries": 2, "delay_ms": 0}})

    for _ in range(OPENS_AFTER):
        await failed(app)
    asked = len(desk.received)
    refused, _ = await failed(app)

    (state,) = await app.breakers.list()
    assert (state.status, asked, len(desk.received)) == ("open", OPENS_AFTER, OPENS_AFTER)
    assert 0 < (refused.retry_after_s or 0) <= 15


def test_f5_f6_what_a_provider_may_take_unless_somebody_says_otherwise() -> None:
    assert Timeouts(connect_s=5, first_byte_s=30, idle_s=20, total_s=120) == DEFAULT_TIMEOUTS


@pytest.mark.parametrize(
    ("model", "script", "phase", "within_s"),
    [
        ("deaf/gpt-4o-mini", [], "connect", SHORT_S),
        (MODEL, [Hang()], "first_byte", SHORT_S),
        (MODEL, [Send(head(length=9) + b"half"), Hang()], "idle", SHORT_S),
        (MODEL, DRIPPED, "total", TOTAL_S),
    ],
)
async def test_f5_a_provider_that_hangs_is_given_up_in_time_and_its_place_is_free(
    hurried: cuewire.App, desk: Desk, model: str, script: list[Action], phase: str, within_s: float
) -> None:
    desk.reply = lambda _: script
    await hurried.prompts.publish("triage", "Bug?", model=model)
    await hurried.prompts.publish("other", "Idea?", model=SPARE)

    began = monotonic()
    error, record = await failed(hurried)
    took_s = monotonic() - began
    async with asyncio.timeout(SLACK_S):
        other = await hurried.run("other")  # on the one connection that there may be

    assert isinstance(error, ProviderTimeout)
    assert (error.phase, record.status, record.calls[0].status) == (phase, "timed_out", "timed_out")
    assert within_s * 0.9 <= took_s < within_s + SLACK_S
    assert record.cost_usd == (0.0 if phase == "connect" else None)
    assert other.value == "from the spare one"
    async with asyncio.timeout(SLACK_S):
        for received in desk.received:
            await received.hung_up.wait()


@pytest.mark.parametrize(
    ("dripped", "phase", "text"),
    [
        ([Send(chunk(delta("It is ") + b": ping\n\n")), Hang()], "idle", "It is "),
        ([Send(chunk(delta("It is "))), Send(chunk(b"data: ") * 90, each=11, every_s=0.05)], "idle", "It is "),
        ([Send(chunk(delta("a ")) * 90, each=len(chunk(delta("a "))), every_s=0.1)], "total", "a "),
    ],
)
async def test_f6_a_stream_that_drips_is_given_up_and_what_had_arrived_is_kept(
    hurried: cuewire.App, desk: Desk, dripped: list[Action], phase: str, text: str
) -> None:
    desk.reply = lambda _: [Send(head(kind="text/event-stream")), *dripped]
    await hurried.prompts.publish("triage", "Bug?", model=MODEL)
    heard: list[str] = []

    began = monotonic()
    error, record = await failed(hurried, heard)
    took_s = monotonic() - began

    assert isinstance(error, ProviderTimeout)
    assert (error.phase, record.status) == (phase, "timed_out")
    assert took_s < TOTAL_S + SLACK_S
    assert "".join(heard) == record.text == error.partial_text
    assert (record.text or "").startswith(text)
    assert (record.output_tokens, record.cost_usd) == (None, None)


@pytest.mark.parametrize("end", [[], [Close()], [Reset()], [Send(b"zz\r\n")]])
@pytest.mark.parametrize("begun", [[], [delta("It is "), delta("a b")]])
async def test_f7_f8_a_stream_that_is_cut_is_incomplete_and_asked_for_again_only_if_nobody_heard_of_it(
    app: cuewire.App, desk: Desk, begun: Sequence[bytes], end: list[Action]
) -> None:
    cut = stream(*begun, *end)
    desk.reply = lambda _: cut if len(desk.received) == 1 else stream(delta("fine", finish_reason="stop"))
    await app.prompts.publish("triage", "Bug?", model=MODEL, policy={"retry": {"max_retries": 2, "delay_ms": 0}})

    heard: list[str] = []
    if begun:
        error, record = await failed(app, heard)
        assert error.partial_text == "It is a b"
        codes = [call.error_code for call in record.calls]
        assert codes == [record.error_code]
        assert record.error_code == ("protocol_error" if end == [Send(b"zz\r\n")] else "incomplete_answer")
    else:
        await listen(app.stream("triage"), heard)
        (one,) = (await app.executions.list()).items
        record = await app.executions.get(one.id)
        assert [call.purpose for call in record.calls] == ["first", "retry"]

    assert ("".join(heard), record.text) == (("It is a b",) * 2 if begun else ("fine",) * 2)


async def test_f8_a_client_of_the_server_is_told_of_a_reset_by_an_event(desk: Desk, tmp_path: Path) -> None:
    desk.reply = lambda _: stream(delta("It is "), delta("a b"), Reset())
    with serving(CommandLine(tmp_path, {"OPENAI_BASE_URL": desk.url, "OPENAI_API_KEY": KEY})) as server:
        await asyncio.to_thread(server.publish, "story", "Tell: {{ text }}", model=MODEL)
        client = await Streaming(server).stream()
        *pieces, last = [event async for event in client.events()]
        record = await asyncio.to_thread(server.ask, "GET", f"/api/v1/executions/{client.execution_id}")
        client.hang_up()

    assert "".join(piece.text for piece in pieces if isinstance(piece, PieceShape)) == "It is a b"
    assert isinstance(last, Problem)
    assert (last.code, last.text, last.execution_id) == ("incomplete_answer", "It is a b", client.execution_id)
    assert (record.json["status"], record.json["text"]) == ("failed", "It is a b")


NONSENSE: list[Any] = [
    plain(b"<html><body>welcome to the coffee shop</body></html>"),
    [Send(head(kind="text/html", length=6) + b"<html>")],
    plain(b'{"choices": [{"message": {"content": "\xff\xfe'),
    plain(b'{"choices": [{"message": {"content": "It is'),
    plain(b"[" * 100_000),
    plain(b""),
    [Send(head(kind="application/octet-stream", length=4) + b"\x00\x01\x02\x03")],
    [Send(b"\x16\x03\x01\x00\x05hello")],
    [Send(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00")],
]


@pytest.mark.parametrize("script", NONSENSE)
@pytest.mark.parametrize("is_streamed", [False, True])
async def test_f9_what_is_not_the_protocol_is_asked_for_once_more_and_harms_nobody(
    app: cuewire.App, desk: Desk, script: list[Action], is_streamed: bool
) -> None:
    nonsense = [script] * 2
    desk.reply = lambda _: nonsense.pop(0) if nonsense else plain(completion("fine"))
    await app.prompts.publish("triage", "Bug?", model=MODEL, policy={"retry": {"max_retries": 5, "delay_ms": 0}})

    error, record = await failed(app, [] if is_streamed else None)
    well = await app.run("triage")

    assert (error.code, record.status, well.value) == ("protocol_error", "failed", "fine")
    assert [call.error_code for call in record.calls] == ["protocol_error"] * 2


async def test_f9_an_event_that_cannot_be_read_ends_a_stream_and_keeps_what_was_heard(
    app: cuewire.App, desk: Desk
) -> None:
    desk.reply = lambda _: stream(delta("It is "), event(b'{"choices": [{"del'), delta("lost"))
    await app.prompts.publish("triage", "Bug?", model=MODEL, policy={"retry": {"max_retries": 5, "delay_ms": 0}})
    heard: list[str] = []

    error, record = await failed(app, heard)

    assert (error.code, record.text, "".join(heard), len(record.calls)) == ("protocol_error", "It is ", "It is ", 1)
