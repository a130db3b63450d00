"""What a Cuewire server says, scripted byte by byte on a `ModelServer`; and an App that speaks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

import cuewire
from cuewire.config import load
from cuewire.model.errors import CuewireError
from cuewire.model.results import Result
from cuewire.model.usage import Usage
from cuewire.remote.runs import EXECUTION_ID
from cuewire.wire.executions import ResultShape
from cuewire.wire.problems import CONTENT_TYPE, problem_of
from cuewire.wire.streams import Event, PieceShape, written
from cuewire.wire.versions import MessageShape, TextOutputShape, VariableShape, VersionShape
from tests.support.model_server import Action, ModelServer, Send, head, stream

TOKEN = "cw_canary-5d1f77c09e2ab431"
ID = "018bcfe5-6800-7fff-bfff-ffffffffffff"


@asynccontextmanager
async def opened(server: ModelServer, folder: Path, **environment: str) -> AsyncIterator[cuewire.App]:
    """Open the App on the server, with nothing taken from this machine."""
    own = {"CUEWIRE_DATA_FOLDER": str(folder), "CUEWIRE_SERVER": server.origin, "CUEWIRE_TOKEN": TOKEN}
    async with cuewire.open(settings=load(environment=own | environment, folder=folder)) as app:
        yield app


def result(text: str = "a bug") -> ResultShape:
    """Return the result of an execution."""
    return ResultShape.of(
        Result(
            id=ID,
            value=text,
            text=text,
            prompt="triage",
            version=1,
            model="openai/gpt-4o-mini",
            finish_reason="stop",
            usage=Usage(input_tokens=3, output_tokens=2),
            cost_usd=0.1,
            cost_basis="reported",
            duration_ms=5.0,
            first_token_ms=None,
        )
    )


def version(number: int) -> VersionShape:
    """Return a version of the prompt `triage`."""
    return VersionShape(
        id=number,
        prompt_id=1,
        prompt="triage",
        number=number,
        messages=(MessageShape(role="user", content="Bug or idea? {{ text }}"),),
        variables={"text": VariableShape()},
        model="openai/gpt-4o-mini",
        parameters={},
        output=TextOutputShape(),
        content_hash="0" * 64,
        note="",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        labels=("production",),
    )


def problem(error: CuewireError) -> list[Action]:
    """Answer with an error."""
    said = problem_of(error)
    body = msgspec.json.encode(said)
    return [Send(head(said.status, length=len(body), kind=CONTENT_TYPE) + body)]


def pieces(text: str, *, at: int = 0, each: int = 3) -> list[bytes]:
    """Return the events of a text that begins at a character."""
    cut = [(start, text[start : start + each]) for start in range(0, len(text), each)]
    return [event(PieceShape(text=part, offset=at + start), at=at + start + len(part)) for start, part in cut]


def event(said: Event, *, at: int) -> bytes:
    """Return an event as bytes."""
    return written(said, at=at)


def events(*blocks: bytes | Action) -> list[Action]:
    """Answer with a stream of the execution `ID`."""
    return stream(*blocks, headers={EXECUTION_ID: ID})
