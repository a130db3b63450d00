"""kill -9 of the server at named points: what was acknowledged is there, and a retry by key runs nothing twice."""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from cuewire.wiring import connect
from tests.support.serving import Reply, Serving

POINTS = ["open.before_commit", "open.after_commit", "call.middle", "close.before_commit", "close.after_commit"]


def start(path: Path, point: str = "never", times: int = 1) -> Serving:
    command = [sys.executable, "-m", "tests.faults.server_victim", str(path), point, str(times)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    port, key = process.stdout.readline().decode().split()
    return Serving(process=process, port=int(port), key=key)


def run(server: Serving, number: int) -> Reply | None:
    """Run under a key of its own; None if the server died meanwhile."""
    body = {"prompt": "sentiment", "inputs": {"text": f"good {number}"}, "model": "scripted/x"}
    try:
        return server.ask("POST", "/api/v1/executions", body, Idempotency_Key=f"key-{number}")
    except (http.client.HTTPException, OSError):
        return None


def stop(server: Serving) -> None:
    server.process.kill()
    server.process.wait()
    assert server.process.stdout is not None
    server.process.stdout.close()


@pytest.mark.parametrize("times", [1, 5])
@pytest.mark.parametrize("point", POINTS)
async def test_a_retry_with_the_same_key_gets_the_stored_answer_or_the_only_one(
    tmp_path: Path, point: str, times: int
) -> None:
    path = tmp_path / "cue.db"
    app = await connect(f"sqlite:///{path}")
    await app.prompts.publish("sentiment", "Is this good or bad? {{ text }}", output=["positive", "negative"])
    await app.close()
    first = start(path, point, times)
    before = [run(first, number) for number in range(8)]
    stop(first)
    assert None in before, f"the victim reached {point} fewer than {times} times"

    second = start(path)
    after = [run(second, number) for number in range(8)]
    page = second.ask("GET", "/api/v1/executions?limit=1000").json["items"]
    stop(second)

    assert {reply.status for reply in after if reply} == {200}
    assert len(after) == 8
    for was, now in zip(before, after, strict=True):
        assert now is not None
        assert was is None or (was.json["id"] == now.json["id"] and now.json["stored"])
    assert {item["status"] for item in page} <= {"succeeded", "interrupted"}
    assert Counter(item["status"] for item in page)["succeeded"] == 8
