"""One upstream server: requests put to it, its answers followed, and its failures told, in any wire format.

It knows HTTP answers, event streams and errors; what the bytes mean is the business of a WireFormat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

import msgspec
from msgspec.structs import replace

from cuewire.model.errors import IncompleteAnswer, NetworkError, ProtocolError, ProviderError, ProviderTimeout
from cuewire.model.results import Answer
from cuewire.model.secrets import Secret
from cuewire.model.values import Value
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
from cuewire.providers.redaction import snippet_of
from cuewire.providers.retry_after import retry_after_s
from cuewire.providers.sse import EventSplitter

MAX_ERROR_BODY = 65_536
"""Bytes of an error body that are read; the rest is not waited for."""
LAST_READ_S = 0.5
"""How long to wait for the end of the body after the end marker, so that the connection can be used again."""


class ErrorInside(Exception):
    """An answer of status 200 reports an error instead; `error` is that part of it, as decoded."""

    def __init__(self, error: object) -> None:
        super().__init__()
        self.error = error


class Growing(Protocol):
    """The answer of a streamed call, put together event by event; `error` is what an event reports instead of more."""

    error: object
    first_token_ms: float | None

    @property
    def text(self) -> str:
        """What has arrived of the text."""
        ...

    @property
    def is_empty(self) -> bool:
        """Whether no event has arrived that says anything of an answer."""
        ...

    @property
    def is_finished(self) -> bool:
        """Whether the model has said that it is finished; more of the stream may tell of usage."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether an event has said that it is the last one."""
        ...

    def add(self, data: Sequence[bytes]) -> None:
        """Take the data of the events of one read. Raises ValueError at the first that cannot be read."""
        ...

    def take(self) -> str:
        """Return the text that was added since the last time."""
        ...

    def finish(self, *, request_id: str) -> Answer:
        """Return the complete answer. Raises ProtocolError if nothing at all was said."""
        ...


class ReadWhole(Protocol):
    """Reads a plain answer. Raises ValueError or ProtocolError if it is none, ErrorInside if it reports an error."""

    def __call__(self, body: bytes, *, request_id: str) -> Answer:
        """Return the answer; an empty `request_id` leaves it to the body."""
        ...


class WireFormat(Value, frozen=True):
    """How a provider's answers are read, and in which headers it wants the key and gives the request's id.

    `noun` says in errors what an answer ought to have been. `growing` is None where nothing is streamed.
    """

    noun: str
    read_whole: ReadWhole
    growing: Callable[[], Growing] | None
    key_header: str = "Authorization"
    key_prefix: str = "Bearer "
    id_header: str = "x-request-id"
    method: str = "POST"


class Upstream:
    """A server that speaks one wire format, over a transport that is not owned here.

    The key goes to the origin of `base_url` only, and `key` must be bound to that origin (else ConfigError). `headers`
    are sent with every request. `key_hint` says in errors where the key is set, for example a variable's name.
    """

    def __init__(
        self,
        name: str,
        wire: WireFormat,
        *,
        base_url: str,
        key: Secret | None,
        transport: Transport,
        clock: Clock,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        key_hint: str = "",
    ) -> None:
        self.name = name
        self.url = base_url
        self._wire = wire
        self._transport = transport
        self._clock = clock
        self._timeouts = timeouts
        self._key_hint = key_hint
        self._secret = key.reveal(to_origin=origin_of(base_url)) if key else ""
        self._headers = {"Content-Type": "application/json", "User-Agent": "cuewire", **(headers or {})}
        if self._secret:
            self._headers[wire.key_header] = wire.key_prefix + self._secret
        check_headers(self._headers)

    async def answer(self, path: str, body: bytes, *, key: str, listener: Listener | None) -> Answer:
        """Make one call; what arrives in one network read is given to the listener as one text."""
        started = self._clock.monotonic()
        response = await self.post(path, body, key=key)
        try:
            growing = self._wire.growing
            if listener is None or growing is None or "json" in response.headers.get("Content-Type", ""):
                return await self._whole(response, listener, started)
            return await self._streamed(response, growing(), listener, started)
        finally:
            response.close()

    def post(self, path: str, body: bytes, *, key: str) -> Awaitable[Response]:
        """Send a request; the caller closes the response. Raises the error that a status from 300 means.

        Without a path it goes to the base URL as it stands.
        """
        return self._send(self._wire.method, path, {**self._headers, "Idempotency-Key": key}, body)

    async def get(self, path: str) -> tuple[Response, bytes]:
        """Return the response to a question, closed, and its body."""
        response = await self._send("GET", path, self._headers)
        try:
            return response, await response.read()
        finally:
            response.close()

    def request_id(self, response: Response) -> str:
        """Return the server's name for the request, empty if it gives none."""
        return response.headers.get(self._wire.id_header, "")

    def reported(self, response: Response, error: object) -> ProviderError:
        """Return the error that a server put into an answer or an event of status 200."""
        return classify(
            response.status,
            reported_by(error),
            provider=self.name,
            snippet=snippet_of(msgspec.json.encode(error), secret=self._secret),
            key_hint=self._key_hint,
        )

    def not_the_protocol(self, response: Response, body: bytes, reason: str = "") -> ProtocolError:
        """Return the error for an answer that is none."""
        what = reason or f"the answer is not {self._wire.noun} but {response.headers.get('Content-Type', 'untyped')}"
        return ProtocolError(
            f"provider {self.name!r} does not speak the protocol: {what}",
            hint=f"check its base_url, {self.url}",
            status=response.status,
            snippet=snippet_of(body[:MAX_ERROR_BODY], secret=self._secret),
        )

    async def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Response:
        url = f"{self.url.rstrip('/')}/{path}" if path else self.url
        response = await self._transport.send(
            HttpRequest(method=method, url=url, headers=headers, body=body, timeouts=self._timeouts)
        )
        if response.status >= 300:
            try:
                raise await self._failure(response)
            finally:
                response.close()
        return response

    async def _whole(self, response: Response, listener: Listener | None, started: float) -> Answer:
        body = await response.read()
        try:
            answer = self._wire.read_whole(body, request_id=self.request_id(response))
        except ErrorInside as inside:
            raise self.reported(response, inside.error) from None
        except ProtocolError as error:
            raise self.not_the_protocol(response, body, error.message) from error
        except (ValueError, RecursionError) as error:
            raise self.not_the_protocol(response, body) from error
        if listener is None or not answer.text:
            return answer
        at_ms = (self._clock.monotonic() - started) * 1_000
        await listener(answer.text)  # asked for a stream, the server answered whole
        return replace(answer, first_token_ms=at_ms)

    async def _streamed(self, response: Response, growing: Growing, listener: Listener, started: float) -> Answer:
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
            return growing.finish(request_id=self.request_id(response))
        except ProtocolError as error:
            raise self.not_the_protocol(response, b"", error.message) from error

    async def _follow(self, response: Response, growing: Growing, listener: Listener, started: float) -> None:
        """Read events until the stream is over, and hand on their text."""
        splitter = EventSplitter()
        progress, moved_at = 0, started
        async for block in response:
            now = self._clock.monotonic()
            await self._take(splitter.feed(block), response, growing, listener, (now - started) * 1_000)
            if splitter.is_done or growing.is_over:
                return await _read_on(response)
            if splitter.progress != progress:
                progress, moved_at = splitter.progress, now
            elif now - moved_at > self._timeouts.idle_s:
                raise ProviderTimeout(f"provider {self.name!r} sent bytes but no event in time", phase="idle")
        await self._take(splitter.end(), response, growing, listener, (self._clock.monotonic() - started) * 1_000)
        if not growing.is_finished and not splitter.is_done:
            if growing.is_empty and "event-stream" not in response.headers.get("Content-Type", ""):
                raise self.not_the_protocol(response, b"")
            raise self._broken_off(growing, "the stream ended")
        return None

    async def _take(
        self, data: list[bytes], response: Response, growing: Growing, listener: Listener, at_ms: float
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
            raise self.not_the_protocol(response, b"\n".join(data)) from unreadable
        if growing.error:
            raise self.reported(response, growing.error)

    async def _failure(self, response: Response) -> ProviderError:
        body = b""
        with suppress(ProviderError):  # the status alone says enough
            async for block in response:
                body += block
                if len(body) >= MAX_ERROR_BODY:
                    break
        return classify(
            response.status,
            read_error(body),
            provider=self.name,
            snippet=snippet_of(body, secret=self._secret),
            retry_after_s=retry_after_s(response.headers, now=self._clock.now()),
            key_hint=self._key_hint,
        )

    def _broken_off(self, growing: Growing, reason: str) -> IncompleteAnswer:
        error = IncompleteAnswer(f"provider {self.name!r} broke off in the middle of its answer: {reason}")
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
