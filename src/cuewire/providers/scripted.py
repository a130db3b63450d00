"""A deterministic provider without a network: the test double that ships to users, and the model of the first run."""

from __future__ import annotations

import asyncio
import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from hashlib import shake_256
from math import hypot
from typing import TypeAlias

from cuewire.model.dates import DATE
from cuewire.model.embeddings import Embeddable, EmbeddingRequest, Embeddings
from cuewire.model.errors import ProviderError, RequestRejected
from cuewire.model.outputs import BooleanOutput, ChoiceOutput, DateOutput, JsonOutput, NumberOutput, TextOutput
from cuewire.model.requests import ChatMessage, ModelRequest, TextContent, ToolCall
from cuewire.model.results import Answer
from cuewire.model.usage import Usage
from cuewire.model.values import Value
from cuewire.ports import Listener
from cuewire.providers.example_json import example_json


class Reply(Value, frozen=True):
    """What the scripted model does once: wait, say its text, and then end as told.

    `delay_s` passes before the first character, `piece_delay_s` before each further piece of a stream. With `error`
    the call fails after the text, which a listener will have seen. `usage` None means counted (see `Scripted`).
    """

    text: str = ""
    finish_reason: str = "stop"
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage | None = None
    cost_usd: float | None = None
    delay_s: float = 0.0
    piece_delay_s: float = 0.0
    error: ProviderError | None = None


Answering: TypeAlias = str | Reply | ProviderError
"""A text to answer, a reply in full, or an error to raise."""
Script: TypeAlias = Sequence[Answering] | Mapping[str, Answering] | Callable[[ModelRequest], Answering]

Embedding: TypeAlias = Callable[[EmbeddingRequest], Embeddings]

DIMENSIONS = 16
"""The length of a vector where the request does not say."""
MAX_DIMENSIONS = 4_096
"""So that nobody makes a server that has this provider too count for long."""
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
_DATE = re.compile(DATE)


class Scripted:
    """Answers from a script; every model name is known to it.

    The script is a list, answered in order, one for each call; or rules, of which the first counts whose text occurs
    in the last message (`""` matches any); or a function of the request. Without a script it echoes the last message,
    in the form that the prompt's output asks for: the choice, number or date that the message names, or an example of
    the JSON Schema. A call for which the script has nothing raises RequestRejected.

    A token is a word here: input tokens are the words of all messages, output tokens those of the answer, and
    `max_tokens` cuts the answer after so many words with the finish reason "length". `requests` lists what was asked,
    `embedding_requests` which vectors. These come from `embedding`, without which a text's vector is its hash.

        app = cuewire.open("sqlite:///test.db", providers={"scripted": Scripted(["Hello", RateLimited("slow down")])})
    """

    def __init__(
        self, script: Script | None = None, *, delay_s: float = 0.0, embedding: Embedding | None = None
    ) -> None:
        self.requests: list[ModelRequest] = []
        self.embedding_requests: list[EmbeddingRequest] = []
        self._embedding: Embedding = embedding or hashed
        self._script: Script = echo if script is None else script
        self._delay_s = delay_s

    async def call(self, request: ModelRequest, *, listener: Listener | None) -> Answer:
        """Answer the request as scripted; a listener gets the text word by word."""
        number = len(self.requests)
        self.requests.append(request)
        reply = _as_reply(self._find(request, number))
        delay_s = self._delay_s + reply.delay_s
        if delay_s:
            await asyncio.sleep(delay_s)
        text, reason = _cut(reply, request.parameters.get("max_tokens"))
        if listener is not None:
            await _tell(listener, text, reply.piece_delay_s)
        if reply.error is not None:
            reply.error.partial_text = text if listener is not None else ""
            raise reply.error
        return Answer(
            text=text,
            finish_reason=reason,
            usage=reply.usage or _count(request, text),
            tool_calls=reply.tool_calls,
            cost_usd=reply.cost_usd,
            model=request.model,
            request_id=f"scripted-{number + 1}",
            first_token_ms=delay_s * 1_000 if listener is not None and text else None,
        )

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """Return the vectors, or raise what the function for them raises."""
        self.embedding_requests.append(request)
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        return self._embedding(request)

    async def models(self) -> Sequence[str]:
        """List one name of the many that work."""
        return ("echo",)

    async def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def _find(self, request: ModelRequest, number: int) -> Answering:
        script = self._script
        if callable(script):
            return script(request)
        if isinstance(script, Mapping):
            message = last_text(request)
            for text, answering in script.items():
                if text in message:
                    return answering
            raise RequestRejected(f"no rule of the script matches {message[:80]!r}", hint='add a rule for ""')
        if number >= len(script):
            raise RequestRejected(f"the script has {len(script)} answers, and this is call {number + 1}")
        return script[number]


def echo(request: ModelRequest) -> str:
    """Return the last message, in the form that the request's output kind asks for."""
    text = last_text(request)
    match request.output:
        case ChoiceOutput(choices=choices):
            return next((choice for choice in choices if choice.casefold() in text.casefold()), choices[0])
        case NumberOutput():
            found = _NUMBER.search(text)
            return found.group() if found else "0"
        case BooleanOutput():
            return "false" if re.search(r"\b(?:no|not|false)\b", text.casefold()) else "true"
        case DateOutput():
            found = _DATE.search(text)
            return found.group() if found else "1970-01-01"
        case JsonOutput(json_schema=schema):
            return example_json(schema, text)
        case TextOutput():
            return text


def hashed(request: EmbeddingRequest) -> Embeddings:
    """Return for each input a vector of length 1 that is always the same, and near no other. Raises RequestRejected."""
    dimensions = request.parameters.get("dimensions") or DIMENSIONS
    if dimensions > MAX_DIMENSIONS:
        raise RequestRejected(f"a scripted vector has at most {MAX_DIMENSIONS:,} dimensions, not {dimensions:,}")
    return Embeddings(
        vectors=tuple(_hashed(item, dimensions) for item in request.inputs),
        usage=Usage(input_tokens=sum(map(_tokens, request.inputs)), output_tokens=0),
        model=request.model,
        request_id="scripted",
    )


def last_text(request: ModelRequest) -> str:
    """Return the text of the request's last message."""
    return _text(request.messages[-1]) if request.messages else ""


def _hashed(item: Embeddable, dimensions: int) -> array[float]:
    text = item if isinstance(item, str) else repr(list(item))
    numbers = [byte - 127.5 for byte in shake_256(text.encode("utf-8", "surrogatepass")).digest(dimensions)]
    length = hypot(*numbers)
    return array("f", [number / length for number in numbers])


def _tokens(item: Embeddable) -> int:
    return len(item.split() if isinstance(item, str) else item)


def _as_reply(answering: Answering) -> Reply:
    if isinstance(answering, str):
        return Reply(text=answering)
    return Reply(error=answering) if isinstance(answering, ProviderError) else answering


def _pieces(text: str) -> list[str]:
    """Split the text into words, each with the white space before it; joined they are the text."""
    return re.findall(r"\s*\S+|\s+$", text)


def _cut(reply: Reply, max_tokens: object) -> tuple[str, str]:
    pieces = _pieces(reply.text)
    if isinstance(max_tokens, int) and len(pieces) > max_tokens:
        return "".join(pieces[:max_tokens]), "length"
    return reply.text, reply.finish_reason


async def _tell(listener: Listener, text: str, piece_delay_s: float) -> None:
    for index, piece in enumerate(_pieces(text)):
        if index and piece_delay_s:
            await asyncio.sleep(piece_delay_s)
        await listener(piece)


def _count(request: ModelRequest, text: str) -> Usage:
    return Usage(
        input_tokens=sum(len(_text(message).split()) for message in request.messages),
        output_tokens=len(text.split()),
    )


def _text(message: ChatMessage) -> str:
    if isinstance(message.content, tuple):
        return " ".join(part.text for part in message.content if isinstance(part, TextContent))
    return message.content or ""
