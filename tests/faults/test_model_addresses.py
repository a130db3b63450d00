"""F11 and F12: names that do not resolve, or take their time, and certificates that nobody should believe."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import pytest
import trustme

import cuewire
from cuewire.clock import SystemClock
from cuewire.config import load
from cuewire.model.errors import NetworkError
from cuewire.outbound.aiohttp_transport import AiohttpTransport
from cuewire.outbound.http1_transport import Http1Transport
from cuewire.outbound.proxies import Proxies
from cuewire.outbound.resolver import Found, Names, ask_system
from cuewire.outbound.transport import Timeouts, Transport
from cuewire.providers.openai_compatible import OpenAICompatible
from tests.support.model_server import ModelServer
from tests.support.policy_models import KEY, Desk, opened, said

MODEL = "openai/gpt-4o-mini"
CAP_S = 5.0
SLACK_S = 3.0
LONGEST_PAUSE_S = 2.0
"""How long the event loop may be busy with something else, on a machine that is slow."""
UNSAFE = re.compile(
    r"CERT_NONE|_create_unverified_context|check_hostname\s*=\s*False|ssl\s*=\s*False|verify\s*=\s*False"
)


def over(first: str) -> dict[str, Any]:
    """Return a policy that goes on to the model which is well."""
    bound = [{"model": first, "priority": 2}, {"model": MODEL, "priority": 1}]
    return {"models": bound, "failover": {"strategy": "next_by_priority"}}


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk() as running:
        assert isinstance(running, Desk)
        yield running


class Pulse:
    """Beats a hundred times a second, and knows the longest pause between two beats."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._task = asyncio.ensure_future(self._beat())

    async def _beat(self) -> None:
        while True:
            began = monotonic()
            await asyncio.sleep(0.01)
            self.longest_s = max(self.longest_s, monotonic() - began)

    def stop(self) -> None:
        """Stop beating."""
        self._task.cancel()


@pytest.mark.parametrize("url", ["http://nowhere.invalid/v1", "https://nowhere.invalid/v1"])
async def test_f11_a_name_that_does_not_resolve_leads_to_the_next_endpoint(
    desk: Desk, tmp_path: Path, url: str
) -> None:
    async with opened(desk, tmp_path, CUEWIRE_PROVIDERS__NOWHERE__BASE_URL=url) as app:
        await app.prompts.publish("triage", "Bug?", policy=over("nowhere/gpt-4o-mini"))

        result = await app.run("triage")
        record = await app.executions.get(result.id)

    assert (result.value, result.model) == ("fine", MODEL)
    assert [(call.error_code, call.cost_usd) for call in record.calls[:-1]] == [("network_error", 0.0)]


async def test_f11_a_slow_resolver_costs_five_seconds_at_most_and_stops_nobody_else(desk: Desk, tmp_path: Path) -> None:
    may_answer = Event()

    def look_up(host: str) -> Found:
        may_answer.wait(60)
        return ask_system(host)

    origin, patient = "http://slow.test:80", Timeouts(connect_s=60, total_s=60)
    transports: dict[str, Transport] = {
        "fast": Http1Transport(origins=[origin], resolve=Names(look_up)),
        "other": AiohttpTransport(origins=[origin], proxies=Proxies(), resolve=Names(look_up)),
    }
    providers = {
        name: OpenAICompatible(
            name, base_url=f"{origin}/v1", key=None, transport=transport, clock=SystemClock(), timeouts=patient
        )
        for name, transport in transports.items()
    }
    own = {"CUEWIRE_DATA_FOLDER": str(tmp_path), "OPENAI_BASE_URL": desk.url, "OPENAI_API_KEY": KEY}
    async with cuewire.open(settings=load(environment=own, folder=tmp_path), providers=providers) as app:
        for name in transports:
            await app.prompts.publish(name, "Bug?", policy=over(f"{name}/gpt-4o-mini"))
        await app.prompts.publish("well", "Idea?", model=MODEL)

        pulse, began = Pulse(), monotonic()
        slow = [asyncio.ensure_future(app.run(name)) for name in transports for _ in range(20)]
        async with asyncio.timeout(SLACK_S):
            well = await app.run("well")
        results = await asyncio.gather(*slow)
        took_s = monotonic() - began
        pulse.stop()
        records = [await app.executions.get(result.id) for result in results]
    may_answer.set()
    for transport in transports.values():
        await transport.close()

    assert {well.value, *(result.value for result in results)} == {"fine"}
    assert {record.calls[0].error_code for record in records} == {"provider_timeout"}
    assert {record.calls[0].cost_usd for record in records} == {0.0}
    assert CAP_S * 0.9 <= took_s < CAP_S + SLACK_S
    assert pulse.longest_s < LONGEST_PAUSE_S


def certified(kind: str, authority: trustme.CA) -> trustme.LeafCert:
    """Return a certificate, good or of some kind of bad."""
    match kind:
        case "expired":
            return authority.issue_cert("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1))
        case "of another host":
            return authority.issue_cert("api.example.org")
        case "of an unknown authority":
            return trustme.CA().issue_cert("127.0.0.1")
    return authority.issue_cert("127.0.0.1")


@pytest.mark.parametrize("kind", ["good", "expired", "of another host", "of an unknown authority"])
async def test_f12_only_a_good_certificate_is_believed_whatever_else_might_be_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certified(kind, authority).configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    async with ModelServer(tls=context) as server:
        server.script(said("secret"))
        async with opened(server, tmp_path) as app:
            retry = {"retry": {"max_retries": 3, "delay_ms": 0}}
            await app.prompts.publish("triage", "Bug?", model=MODEL, policy=retry)
            if kind == "good":
                assert (await app.run("triage")).value == "secret"
                return
            with pytest.raises(NetworkError, match="certificate"):
                await app.run("triage")
            (record,) = (await app.executions.list()).items

    assert (record.status, record.error_code, record.cost_usd) == ("failed", "network_error", 0.0)
    assert server.received == []


async def test_f12_a_server_that_stops_speaking_tls_is_not_spoken_to_in_the_clear(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(65_536))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0, family=socket.AF_INET) as server:
        port = server.sockets[0].getsockname()[1]
        environment = {"CUEWIRE_PROVIDERS__CLEAR__BASE_URL": f"https://127.0.0.1:{port}/v1"}
        environment["CUEWIRE_PROVIDERS__CLEAR__KEY"] = KEY
        async with Desk() as desk, opened(desk, tmp_path, **environment) as app:
            await app.prompts.publish("triage", "Bug?", model="clear/gpt-4o-mini")
            with pytest.raises(NetworkError, match="TLS"):
                await app.run("triage")

    assert heard
    assert all(b"POST" not in block and KEY.encode() not in block for block in heard)


def test_f12_nothing_in_the_source_switches_verification_off() -> None:
    sources = Path(cuewire.__file__).parent.rglob("*.py")

    assert [path.name for path in sources if UNSAFE.search(path.read_text())] == []
