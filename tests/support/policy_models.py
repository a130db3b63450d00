"""Models behind one server that answer by what they are asked, and an App with them; judges that like one text best."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

import cuewire
from cuewire.config import load
from cuewire.ports import Stream
from tests.support.candidate_ends import ranking
from tests.support.model_server import Action, ModelServer, Until, completion, plain

KEY = "sk-canary-4f9a2c77e1b04d55"
USAGE = {"prompt_tokens": 1_000, "completion_tokens": 500, "total_tokens": 1_500}
ONE_CALL_USD = 1_000 * 0.15e-6 + 500 * 0.6e-6
"""What a call with that usage costs at gpt-4o-mini."""
JUDGE = "{{ candidates | tojson }}"
"""The text of a judge whom a server can read."""

Reply: TypeAlias = Callable[[Mapping[str, Any]], Sequence[Action]]


class Desk(ModelServer):
    """A model server that answers by the body of the request, of which there are `peak` at a time at most.

    What `reply` returns is sent; a request that `holds` waits until `release` lets so many more go. `at` is when each
    request arrived (s).
    """

    def __init__(self, reply: Reply | None = None) -> None:
        super().__init__()
        self.reply: Reply = reply or (lambda _: said("fine"))
        self.holds: Callable[[Mapping[str, Any]], bool] = lambda _: False
        self.at: list[float] = []
        self.peak = 0
        self.held = 0
        self._gates: list[asyncio.Event] = []

    def choose(self, path: str, body: bytes) -> Sequence[Action]:
        self.at.append(asyncio.get_running_loop().time())
        asked = msgspec.json.decode(body)
        if not self.holds(asked):
            return self.reply(asked)
        gate = asyncio.Event()
        self._gates.append(gate)
        self.held += 1
        self.peak = max(self.peak, self.held)
        return [Until(gate), *self.reply(asked)]

    async def until(self, requests: int) -> None:
        """Return when so many requests have arrived."""
        async with asyncio.timeout(10):
            while len(self.received) < requests:
                self.arrived.clear()
                await self.arrived.wait()

    def release(self, count: int = 1) -> None:
        """Let the requests go that have waited longest."""
        for gate in self._gates[:count]:
            gate.set()
        self.held -= len(self._gates[:count])
        del self._gates[:count]

    @property
    def gaps_ms(self) -> list[float]:
        """The times between the arrivals of requests."""
        return [(after - before) * 1_000 for before, after in pairwise(self.at)]

    @property
    def models(self) -> Counter[str]:
        """How often each model was asked."""
        return Counter(received.json["model"] for received in self.received)

    def asked(self, model: str) -> list[Any]:
        """Return the requests to a model."""
        return [received.json for received in self.received if received.json["model"] == model]


def said(text: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> list[Action]:
    """Answer with a text, or with an error of that status and message."""
    if status == 200:
        return plain(completion(text, usage=USAGE), headers=headers)
    return plain({"error": {"message": text}}, status, headers)


def by_model(**texts: str) -> Reply:
    """Answer as the model's name says: `gpt_4o` for gpt-4o. A text of three digits is an error."""
    replies = {name.replace("_", "-"): text for name, text in texts.items()}

    def reply(asked: Mapping[str, Any]) -> Sequence[Action]:
        text = replies[asked["model"]]
        return said("as scripted", status=int(text)) if len(text) == 3 and text.isdecimal() else said(text)

    return reply


def judging(asked: Mapping[str, Any], *, best: str, score: float = 7) -> list[Action]:
    """Answer as a judge who likes one text best, and any other less the later it comes."""
    shown = msgspec.json.decode(asked["messages"][0]["content"])
    labels = [each["label"] for each in sorted(shown, key=lambda each: (each["text"] != best, each["text"]))]
    return said(msgspec.json.encode(ranking(labels, score=score)).decode())


async def listen(stream: Stream, heard: list[str]) -> None:
    """Add what a stream says to a list, piece by piece."""
    async for piece in stream:
        heard.append(piece.text)


def models(*names: str, **fields: Any) -> list[dict[str, Any]]:
    """Return bindings of these models of `openai`, the first with the highest priority."""
    return [{"model": f"openai/{name}", "priority": len(names) - place, **fields} for place, name in enumerate(names)]


@asynccontextmanager
async def opened(desk: ModelServer, folder: Path, **environment: str) -> AsyncIterator[cuewire.App]:
    """Open Cuewire on a file with the server as `openai`, and nothing taken from this machine."""
    own = {
        "CUEWIRE_DATA_FOLDER": str(folder),
        "CUEWIRE_DATABASE_URL": f"sqlite:///{folder}/cue.db",
        "OPENAI_BASE_URL": desk.url,
        "OPENAI_API_KEY": KEY,
    }
    async with cuewire.open(settings=load(environment=own | environment, folder=folder)) as app:
        yield app
