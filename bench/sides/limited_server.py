"""A model server that holds each key to a true token bucket, answers 429 above it, and counts. Standard library only.

Prints the port that it listens on. To whoever has the key, GET /begin gives a full bucket and nothing counted,
GET /counts tells what was counted, GET /answers which request was answered for which message.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from bench.sides.meter import ANSWER_BYTES

ANSWER_TEXT = ("The quick brown fox jumps over the lazy dog while seven wizards boil jugs of tea. " * 2)[:ANSWER_BYTES]
TOKENS_IN, TOKENS_OUT = 50, 32
HEARD_S = 0.25
"""So long after it is first asked to wait a client may still send what had left before it knew."""
SPENT_S = 20.0
"""The burst counts as spent after so long at the latest, so that what cannot even spend it is measured too."""
MESSAGE = re.compile(rb"Message (\d+):")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a key may use: so many units a second, and at once; a call takes `cost`. `window_s` is what is measured."""

    per_s: float
    burst: float
    cost: float
    window_s: float


class Bucket:
    """What one key may still use, and what was counted of it. Times are those of one clock, in seconds."""

    def __init__(self, rule: Rule, *, now: float) -> None:
        self._rule = rule
        self._left = rule.burst
        self._filled_at = self._first_at = now
        self._told_at = self._wait_until = now
        self._opened_at: float | None = None
        self._used = 0
        self._spilt = 0.0
        self._latest_s = 0.0
        self.let_through = self.refused = self.early = self.crossed = 0

    def arrived(self, now: float, *, knows: bool) -> int:
        """Let a call through (0), or give the whole seconds to wait. `knows` if its connection was told to wait."""
        rule = self._rule
        self._fill(now)
        is_waiting = now < self._wait_until
        if is_waiting:
            self._came_before_time(now - self._told_at, knows=knows)
        if self._left < rule.cost or now >= self._first_at + SPENT_S:
            self._open(now)
        if self._left >= rule.cost:
            self._left -= rule.cost
            self.let_through += 1
            self._used += self._is_open(now)
            return 0
        self.refused += 1
        wait_s = max(1, ceil((rule.cost - self._left) / rule.per_s))
        if not is_waiting:
            self._told_at = now
        self._wait_until = max(self._wait_until, now + wait_s)
        return wait_s

    def counts(self, now: float) -> dict[str, float]:
        """Give what was counted; the shares and `per_s` are those of the window, which `is_over` or not."""
        self._fill(now)
        rule, opened_at = self._rule, self._opened_at
        per_s = self._used / rule.window_s
        return {
            "is_over": float(opened_at is not None and now >= opened_at + rule.window_s),
            "used_pct": per_s * rule.cost / rule.per_s * 100,
            "spilt_pct": self._spilt / (rule.per_s * rule.window_s) * 100,
            "per_s": per_s,
            "let_through": self.let_through,
            "refused": self.refused,
            "early": self.early,
            "crossed": self.crossed,
            "latest_crossed_s": self._latest_s,
        }

    def _came_before_time(self, since_s: float, *, knows: bool) -> None:
        if knows or since_s > HEARD_S:
            self.early += 1
        else:
            self.crossed += 1
            self._latest_s = max(self._latest_s, since_s)

    def _fill(self, now: float) -> None:
        left, self._filled_at = self._left + (now - self._filled_at) * self._rule.per_s, now
        self._left = min(self._rule.burst, left)
        if self._is_open(now):
            self._spilt += left - self._left

    def _open(self, now: float) -> None:
        if self._opened_at is None:
            self._opened_at = now

    def _is_open(self, now: float) -> bool:
        return self._opened_at is not None and now < self._opened_at + self._rule.window_s


@dataclass(slots=True)
class Model:
    """What all connections share: the buckets by key, and the answers that were sent, by id."""

    rule: Rule
    latency_s: float
    buckets: dict[str, Bucket] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def bucket(self, key: str) -> Bucket:
        """Give the bucket of a key."""
        if key not in self.buckets:
            self.buckets[key] = Bucket(self.rule, now=time.monotonic())
        return self.buckets[key]


class Connection(asyncio.Protocol):
    """One connection of a client, which sends a request when the one before is answered."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._received = b""
        self._wait_until = 0.0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer a request once it is there."""
        self._received += data
        head, is_head, rest = self._received.partition(b"\r\n\r\n")
        if not is_head:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        self._received = rest[length:]
        bucket = self._model.bucket(headers.get("authorization", ""))
        if first.startswith("GET /counts"):
            self._send(200, bucket.counts(time.monotonic()))
        elif first.startswith("GET /begin"):
            del self._model.buckets[headers["authorization"]]
            self._send(200, {})
        elif first.startswith("GET /answers"):
            self._send(200, self._model.answers)
        else:
            self._ask(bucket, rest[:length])

    def _ask(self, bucket: Bucket, body: bytes) -> None:
        now = time.monotonic()
        wait_s = bucket.arrived(now, knows=now < self._wait_until)
        if wait_s:
            self._wait_until = now + wait_s
            error = {"message": "too many requests", "type": "requests", "code": "rate_limit_exceeded"}
            self._send(429, {"error": error}, f"Retry-After: {wait_s}\r\n")
            return
        found = MESSAGE.search(body)
        number = int(found[1]) if found else -1
        asyncio.get_running_loop().call_later(self._model.latency_s, self._answer, number)

    def _answer(self, number: int) -> None:
        if self._transport.is_closing():
            return
        answer_id = f"req-{next(self._model.numbers)}"
        self._model.answers[answer_id] = number
        message = {"role": "assistant", "content": ANSWER_TEXT, "refusal": None}
        body = {
            "id": f"chatcmpl-{answer_id}",
            "object": "chat.completion",
            "created": 1_767_225_600,
            "model": "limited",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
            "usage": {
                "prompt_tokens": TOKENS_IN,
                "completion_tokens": TOKENS_OUT,
                "total_tokens": TOKENS_IN + TOKENS_OUT,
            },
        }
        self._send(200, body, f"x-request-id: {answer_id}\r\n")

    def _send(self, status: int, value: Mapping[str, Any], more: str = "") -> None:
        body = json.dumps(value).encode()
        reason = "OK" if status == 200 else "Too Many Requests"
        head = (
            f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        )
        self._transport.write(head.encode() + body)


async def main() -> None:
    """Serve until the process ends."""
    parser = argparse.ArgumentParser()
    for name in ("--per-minute", "--burst", "--cost", "--window-s", "--latency-s"):
        parser.add_argument(name, type=float, required=True)
    asked = parser.parse_args()
    rule = Rule(per_s=asked.per_minute / 60, burst=asked.burst, cost=asked.cost, window_s=asked.window_s)
    model = Model(rule, asked.latency_s)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(model), "127.0.0.1", 0, backlog=4_096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
