"""What a server tells those who look after it: figures for Prometheus, and a log of names and numbers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import CommandLine
from tests.support.policy_models import KEY, ONE_CALL_USD, Desk, by_model, models, said
from tests.support.serving import Serving, serving

MODEL, SPARE = "openai/gpt-4o-mini", "spare/gpt-4o-mini"
SECRETS = (KEY, "canary-prompt", "canary-input", "canary-answer", "canary-error")


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk() as running:
        assert isinstance(running, Desk)
        yield running


@pytest.fixture
async def spare() -> AsyncIterator[Desk]:
    async with Desk(lambda _: said("canary-answer")) as running:
        assert isinstance(running, Desk)
        yield running


@pytest.fixture
async def server(desk: Desk, spare: Desk, tmp_path: Path) -> AsyncIterator[Serving]:
    environment = {"OPENAI_BASE_URL": desk.url, "OPENAI_API_KEY": KEY, "CUEWIRE_PROVIDERS__SPARE__BASE_URL": spare.url}
    with serving(CommandLine(tmp_path, environment)) as running:
        yield running


async def publish(server: Serving, name: str, **more: Any) -> None:
    reply = await asyncio.to_thread(server.publish, name, "canary-prompt {{ text }}", **more)
    assert reply.status == 200, reply.json


async def run(server: Serving, name: str) -> int:
    """Run a prompt and return the status of the reply."""
    return (await asyncio.to_thread(server.run, name, {"text": "canary-input"})).status


def figures(server: Serving) -> dict[str, float]:
    """Return all figures of executions, calls, candidates and the cache."""
    lines = server.ask("GET", "/metrics").body.decode().splitlines()
    wanted = re.compile(r"cuewire_(executions_total|calls|candidates|cache)")
    told = [line.rpartition(" ") for line in lines if wanted.match(line)]
    return {name.removeprefix("cuewire_"): float(value) for name, _, value in told}


def logged(folder: Path) -> list[dict[str, str]]:
    """Return the events in the log of a server, each with its fields."""
    lines = [line for line in (folder / "serve.log").read_text().splitlines() if " cuewire.engine " in line]
    return [
        {"event": words[0], **dict(word.split("=", 1) for word in words[1:])}
        for words in (line.partition(" cuewire.engine ")[2].split(" ") for line in lines)
    ]


@pytest.mark.contract("S4-39")
async def test_retries_failovers_repairs_candidates_and_hits_are_counted_and_told(
    server: Serving, desk: Desk, tmp_path: Path
) -> None:
    failing = {
        "retry": {"max_retries": 1, "delay_ms": 1},
        "models": [{"model": MODEL, "priority": 2}, {"model": SPARE, "priority": 1}],
        "failover": {"strategy": "next_by_priority"},
    }
    several = {"parallel": {"mode": "static_count", "count": 2}, "models": models("gpt-4o", "gpt-4o-mini")}
    await publish(server, "failing", policy=failing)
    await publish(server, "several", policy=several)
    await publish(server, "kind", model=SPARE, output=["bug", "idea"], policy={"max_repairs": 1})
    await publish(server, "kept", model=SPARE, policy={"cache": {"sampled": True}})

    desk.reply = lambda _: said("canary-error", status=503)
    statuses = [await run(server, "failing"), await run(server, "kind")]
    desk.reply = by_model(gpt_4o="503", gpt_4o_mini="canary-answer")
    statuses += [await run(server, name) for name in ("several", "kept", "kept")]

    assert statuses == [200, 502, 200, 200, 200]
    told = await asyncio.to_thread(figures, server)
    assert told.pop("calls_cost_usd_total") == pytest.approx(ONE_CALL_USD)  # the spare one has no price
    assert told == {
        'executions_total{status="failed"}': 1,
        'executions_total{status="succeeded"}': 4,
        'calls_total{cause="first",status="failed"}': 2,
        'calls_total{cause="first",status="ok"}': 3,
        'calls_total{cause="retry",status="failed"}': 1,
        'calls_total{cause="failover",status="ok"}': 1,
        'calls_total{cause="repair",status="ok"}': 1,
        'candidates_total{status="failed"}': 1,
        'candidates_total{status="valid"}': 1,
        'cache_hits_total{match="exact"}': 1,
    }
    events = logged(tmp_path)
    assert [(line["event"], line.get("model"), line.get("error")) for line in events] == [
        ("call.failed", MODEL, "provider_unavailable"),
        ("call.retried", MODEL, None),
        ("call.failed", MODEL, "provider_unavailable"),
        ("call.failed_over", SPARE, None),
        ("call.repaired", SPARE, None),
        ("execution.ended", SPARE, "output_invalid"),
        ("call.failed", "openai/gpt-4o", "provider_unavailable"),
        ("candidate.ended", "openai/gpt-4o", "provider_unavailable"),
    ]
    assert events[0]["http_status"] == "503"
    assert {events[place]["execution"] for place in range(4)} == {events[0]["execution"]}
    log = (tmp_path / "serve.log").read_text()
    assert [secret for secret in SECRETS if secret in log] == []


async def test_a_breaker_that_opens_by_itself_is_told(server: Serving, desk: Desk, tmp_path: Path) -> None:
    desk.reply = lambda _: said("canary-error", status=500)
    await publish(server, "failing", model=MODEL)

    for _ in range(20):
        await run(server, "failing")

    (opened,) = [line for line in logged(tmp_path) if line["event"].startswith("breaker.")]
    assert (opened["event"], opened["model"], opened["for_s"]) == ("breaker.opened", MODEL, "15")
