"""The provider for every endpoint that speaks OpenAI's chat completions and embeddings: OpenAI, vLLM, Ollama, ..."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from cuewire.model.embeddings import EmbeddingRequest, Embeddings
from cuewire.model.errors import IncompleteAnswer, NetworkError, ProtocolError, ProviderError, ProviderTimeout
from cuewire.model.requests import ModelRequest
from cuewire.model.results import Answer
from cuewire.model.secrets import Secret
from cuewire.outbound.transport import (
    DEFAULT_TIMEOUTS,
    HttpRequest,
    Response,
    Timeouts,
    Transport,
    check_headers,
    origin_of,
)
from cuewire.ports import Clock, Listener
from cuewire.providers.classify import classify, read_error, reported_by
from cuewire.providers.openai_answer import GrowingAnswer, whole_answer
from cuewire.providers.openai_embeddings import decode_embeddings, encode_embedding_request, whole_embeddings
from cuewire.providers.openai_wire import decode_answer, decode_models, encode_request
from cuewire.providers.redaction import snippet_of
from cuewire.providers.retry_after import retry_after_s
from cuewire.providers.sse import EventSplitter

MAX_ERROR_BODY = 65_536
"""Bytes of an error body that are read; the rest is not waited for."""
LAST_READ_S = 0.5
"""How long to wait for the end of the body after the end marker, so that the connection can be used again."""


class OpenAICompatible:
    """Implements the Provider and Embedder ports over a transport that it does not own.

    The key goes to the origin of `base_url` only, and `key` must be bound to that origin (else ConfigError). `headers`
    are sent with every request. `key_hint` says in errors where the key is set, for example a variable's name.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str,
        key: Secret | None,
        transport: Transport,
        clock: Clock,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        key_hint: str = "",
    ) -> None:
        self._name = name
        self._url = base_url.rstrip("/")
        self._transport = transport
        self._clock = clock
        self._timeouts = timeouts
        self._key_hint = key_hint
        self._secret = key.reveal(to_origin=origin_of(base_url)) if key else ""
        self._headers = {"Content-Type": "application/json", "User-Agent": "cuewire", **(headers or {})}
        if self._secret:
            self._headers["Authorization"] = f"Bearer {self._secret}"
        check_headers(self._headers)

    def __repr__(self) -> str:
        return f"OpenAICompatible({self._name!r}, base_url={self._url!r})"

    async def call(self, request: ModelRequest, *, listener: Listener | None) -> Answer:
        """Make one call; what arrives in one network read is given to the listener as one text."""
        started = self._clock.monotonic()
        body = encode_request(request, is_streamed=listener is not None)
        response = await self._post("chat/completions", body, request.idempotency_key)
        try:
            if response.status != 200:
                raise await self._failure(response)
            if listener is None or "json" in response.headers.get("Content-Type", ""):
                return await self._whole(response, listener)
            return await self._streamed(response, listener, started)
        finally:
            response.close()

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """Ask for vectors; the server may send them in either encoding, whichever was asked for."""
        response = await self._post("embeddings", encode_embedding_request(request), request.idempotency_key)
        try:
            if response.status != 200:
                raise await self._failure(response)
            body = b"".join([block async for block in response])  # may be larger than `read` allows
        finally:
            response.close()
        try:
            wire = decode_embeddings(body)
            if not wire.error:
                return whole_embeddings(wire, request, request_id=response.headers.get("x-request-id", ""))
        except (ValueError, RecursionError) as error:
            raise self._not_the_protocol(response, body, "the answer is not a list of embeddings") from error
        except ProtocolError as error:
            raise self._not_the_protocol(response, body, error.message) from error
        raise self._reported(response, wire.error)

    async def models(self) -> Sequence[str]:
        """List the models, in the server's order."""
        url = f"{self._url}/models"
        response = await self._transport.send(
            HttpRequest(method="GET", url=url, headers=self._headers, timeouts=self._timeouts)
        )
        try:
            if response.status != 200:
                raise await self._failure(response)
            body = await response.read()
        finally:
            response.close()
        try:
            return decode_models(body)
        except ValueError as error:
            raise self._not_the_protocol(response, body) from error

    async def close(self) -> None:
        """Do nothing: the transport belongs to whoever made it."""

    async def _post(self, path: str, body: bytes, key: str) -> Response:
        return await self._transport.send(
            HttpRequest(
                method="POST",
                url=f"{self._url}/{path}",
                headers={**self._headers, "Idempotency-Key": key},
                body=body,
                timeouts=self._timeouts,
            )
        )

    async def _whole(self, response: Response, listener: Listener | None) -> Answer:
        body = await response.read()
        try:
            wire = decode_answer(body)
        except (ValueError, RecursionError) as error:
            raise self._not_the_protocol(response, body) from error
        if reported := wire.error or (wire.choices and wire.choices[0].error):
            raise self._reported(response, reported)
        try:
            answer = whole_answer(wire, request_id=response.headers.get("x-request-id", ""))
        except ProtocolError as error:
            raise self._not_the_protocol(response, body, error.message) from error
        if listener is not None and answer.text:  # asked for a stream, the server answered whole
            await listener(answer.text)
        return answer

    async def _streamed(self, response: Response, listener: Listener, started: float) -> Answer:
        growing = GrowingAnswer()
        try:
            await self._follow(response, growing, listener, started)
        except ProviderError as error:
            if isinstance(error, NetworkError | ProviderTimeout) and growing.is_finished:
                pass  # only the end marker is missing
            elif isinstance(error, NetworkError):
                raise self._broken_off(growing, error.message) from error
            else:
                error.partial_text = growing.text
                raise
        try:
            return growing.finish(request_id=response.headers.get("x-request-id", ""))
        except ProtocolError as error:
            raise self._not_the_protocol(response, b"", error.message) from error

    async def _follow(self, response: Response, growing: GrowingAnswer, listener: Listener, started: float) -> None:
        """Read events until the stream is over, and hand on their text."""
        splitter = EventSplitter()
        progress, moved_at = 0, started
        async for block in response:
            now = self._clock.monotonic()
            await self._take(splitter.feed(block), response, growing, listener, (now - started) * 1_000)
            if splitter.is_done:
                return await _read_on(response)
            if splitter.progress != progress:
                progress, moved_at = splitter.progress, now
            elif now - moved_at > self._timeouts.idle_s:
                raise ProviderTimeout(f"provider {self._name!r} sent bytes but no event in time", phase="idle")
        await self._take(splitter.end(), response, growing, listener, (self._clock.monotonic() - started) * 1_000)
        if not growing.is_finished and not splitter.is_done:
            if growing.is_empty and "event-stream" not in response.headers.get("Content-Type", ""):
                raise self._not_the_protocol(response, b"")
            raise self._broken_off(growing, "the stream ended")
        return None

    async def _take(
        self, data: list[bytes], response: Response, growing: GrowingAnswer, listener: Listener, at_ms: float
    ) -> None:
        unreadable: Exception | None = None
        try:
            growing.add(data)
        except (ValueError, RecursionError) as error:
            unreadable = error
        if text := growing.take():
            if growing.first_token_ms is None:
                growing.first_token_ms = at_ms
            await listener(text)
        if unreadable:
            raise self._not_the_protocol(response, b"\n".join(data)) from unreadable
        if growing.error:
            raise self._reported(response, growing.error)

    async def _failure(self, response: Response) -> ProviderError:
        body = b""
        with suppress(NetworkError, ProviderTimeout):  # the status alone says enough
            async for block in response:
                body += block
                if len(body) >= MAX_ERROR_BODY:
                    break
        return classify(
            response.status,
            read_error(body),
            provider=self._name,
            snippet=snippet_of(body, secret=self._secret),
            retry_after_s=retry_after_s(response.headers, now=self._clock.now()),
            key_hint=self._key_hint,
        )

    def _reported(self, response: Response, error: object) -> ProviderError:
        """Return the error that a server put into an answer or an event of status 200."""
        return classify(
            response.status,
            reported_by(error),
            provider=self._name,
            snippet=snippet_of(msgspec.json.encode(error), secret=self._secret),
            key_hint=self._key_hint,
        )

    def _not_the_protocol(self, response: Response, body: bytes, reason: str = "") -> ProtocolError:
        what = reason or f"the answer is not a chat completion but {response.headers.get('Content-Type', 'untyped')}"
        return ProtocolError(
            f"provider {self._name!r} does not speak the protocol: {what}",
            hint=f"check its base_url, {self._url}",
            status=response.status,
            snippet=snippet_of(body[:MAX_ERROR_BODY], secret=self._secret),
        )

    def _broken_off(self, growing: GrowingAnswer, reason: str) -> IncompleteAnswer:
        error = IncompleteAnswer(f"provider {self._name!r} broke off in the middle of its answer: {reason}")
        error.partial_text = growing.text
        return error


async def _read_on(response: Response) -> None:
    """Read what follows the end marker, shortly, so that the connection can serve the next call."""
    if response.is_complete:
        return
    with suppress(TimeoutError, ProviderError):
        async with asyncio.timeout(LAST_READ_S):
            async for _ in response:
                pass
