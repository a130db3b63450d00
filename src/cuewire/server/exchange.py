"""One HTTP request and its reply, on bare ASGI: headers, a body within bounds, and a reply sent once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from typing import Any, TypeAlias

import msgspec

from cuewire.model.actors import NOBODY
from cuewire.model.api_keys import ApiKey
from cuewire.model.errors import CuewireError
from cuewire.ports import Clock
from cuewire.wire.openai import error_body
from cuewire.wire.problems import CONTENT_TYPE, Refused, problem_of

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Headers: TypeAlias = Iterable[tuple[bytes, bytes]]

MAX_BODY = 8 * 1024 * 1024
BODY_PATIENCE_S = 10.0
"""A body must have begun to arrive, and kept on arriving, within this time."""
BODY_RATE = 16 * 1024
"""Bytes a second below which a body is given up, beyond the patience."""
SEND_PATIENCE_S = 30.0
"""How long a client may take nothing of a reply before it is left."""

_JSON = b"application/json"
_UNSAID = ("", "application/x-www-form-urlencoded")
"""What says nothing of a body: curl says the second of any, unless told otherwise."""
_encoder = msgspec.json.Encoder()


class Exchange:
    """Passed along the handlers of one request; `route` names in the metrics what answered.

    `actor` is who asks, and NOBODY until the guard knows.
    """

    is_socket = False

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, clock: Clock) -> None:
        self.scope = scope
        self.receive = receive
        self.clock = clock
        self.started = clock.monotonic()
        self.request_id = ""
        self.route = "unmatched"
        self.status = 0
        self.allowed = b""
        self.key: ApiKey | None = None
        self.actor = NOBODY
        self.own_headers: list[tuple[bytes, bytes]] = []
        self._send = send
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self._comes_in_parts = False
        self._body: bytes | None = None

    @property
    def method(self) -> str:
        """The method of the request."""
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        """The path as it was sent: a slash in a name is %2F."""
        raw: bytes = self.scope["raw_path"]
        return raw.decode("latin-1")

    @property
    def query(self) -> str:
        """The query of the URL."""
        return str(self.scope["query_string"], "latin-1")

    @property
    def address(self) -> str:
        """The address that the request came from, "" if the server does not know."""
        return str((self.scope.get("client") or ("",))[0])

    def header(self, name: bytes) -> str | None:
        """Return a header that may be given once. Raises Refused if it is there twice."""
        value = self._headers.get(name)
        if value is None:
            return None
        given = self.scope["headers"]
        if len(given) > len(self._headers) and (times := sum(key == name for key, _ in given)) > 1:
            raise Refused("bad_request", f"header {name.decode()!r} is given {times} times")
        return value.decode("latin-1")

    def any_header(self, name: bytes) -> str:
        """Return a header, the last one if there are several, "" if there is none."""
        return self._headers.get(name, b"").decode("latin-1")

    async def body(self, *, accepted: Sequence[str] = ("application/json",)) -> bytes:
        """Return the body, read within the bounds of size and time, unless it is said to be of another media type.

        Raises Refused.
        """
        if self._body is None:
            declared = self.header(b"content-length")
            if declared is not None and (len(declared) > 15 or int(declared) > MAX_BODY):
                raise _too_large()
            if (said := self._media_type()) not in accepted and said not in _UNSAID:
                raise Refused(
                    "unsupported_media_type",
                    f"a body of the type {said[:80]!r} is not read here",
                    hint=f"send {' or '.join(accepted)}",
                )
            self._body = await self._read()
        return self._body

    async def send(self, message: Message) -> None:
        """Send a message of the reply; its head gets what every reply carries. Raises TimeoutError."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._own_headers()]
        elif message.get("more_body"):
            self._comes_in_parts = True
        if not self._comes_in_parts:  # it is taken off our hands at once, however slow the client
            await self._send(message)
            return
        async with asyncio.timeout(SEND_PATIENCE_S):
            await self._send(message)

    async def begin(self, status: int, *, content_type: bytes = _JSON, headers: Headers = ()) -> None:
        """Send the head of a reply whose body comes in parts."""
        await self.send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", content_type), *headers]}
        )

    async def write(self, data: bytes, *, is_last: bool = False) -> None:
        """Send a part of the body."""
        await self.send({"type": "http.response.body", "body": data, "more_body": not is_last})

    async def reply(
        self, value: object, *, status: int = 200, content_type: bytes = _JSON, headers: Headers = ()
    ) -> None:
        """Send a whole reply: bytes as they are, anything else as JSON."""
        data = value if isinstance(value, bytes) else _encoder.encode(value)
        length = (b"content-length", b"%d" % len(data))
        await self.begin(status, content_type=content_type, headers=[*headers, length])
        await self.write(data, is_last=True)

    async def refuse(self, error: CuewireError) -> None:
        """Send an error as a problem, unless a reply has begun already."""
        if self.status:
            return
        problem = problem_of(error, request_id=self.request_id)
        if problem.status == 401 and self.method == "GET" and self.any_header(b"accept").startswith("text/html"):
            await self.reply(b"", status=303, headers=[(b"location", b"/")])  # a person: to the page where one signs in
            return
        headers = []
        if problem.status == 401:
            headers.append((b"www-authenticate", b'Bearer realm="cuewire"'))
        if problem.status in (408, 413):  # what else comes on this connection belongs to the body that was not read
            headers.append((b"connection", b"close"))
        if self.allowed:
            headers.append((b"allow", self.allowed))
        if problem.retry_after_s is not None or problem.status in (409, 503):
            headers.append((b"retry-after", b"%d" % max(1, round(problem.retry_after_s or 1))))
        if problem.execution_id:
            headers.append((b"x-cuewire-execution-id", problem.execution_id.encode()))
        if self.path.startswith("/v1/"):
            body = error_body(error, request_id=self.request_id)[1]
            await self.reply(body, status=problem.status, headers=headers)
        else:
            await self.reply(problem, status=problem.status, content_type=CONTENT_TYPE.encode(), headers=headers)

    async def gone(self) -> None:
        """Return when the client has hung up; the body must have been read."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def _own_headers(self) -> Headers:
        return (
            (b"x-request-id", self.request_id.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"cache-control", b"no-store"),
            (b"server", b"cuewire"),
            *self.own_headers,
        )

    def _media_type(self) -> str:
        media_type, _, parameters = (self.header(b"content-type") or "").lower().partition(";")
        if "charset" in parameters and "utf-8" not in parameters:
            raise Refused("unsupported_media_type", "the body must be UTF-8")
        return media_type.strip()

    async def _read(self) -> bytes:
        parts, size = [], 0
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.timeout(BODY_PATIENCE_S) as patience:
                while True:
                    message = await self.receive()
                    if message["type"] != "http.request":
                        raise Refused("bad_request", "the body ended early")
                    part: bytes = message["body"]
                    size += len(part)
                    if size > MAX_BODY:
                        raise _too_large()
                    parts.append(part)
                    if not message.get("more_body"):
                        break
                    patience.reschedule(begun + BODY_PATIENCE_S + size / BODY_RATE)
        except TimeoutError:
            raise Refused("request_timeout", "the body came too slowly", hint="send it again") from None
        return b"".join(parts)


def _too_large() -> Refused:
    return Refused("body_too_large", f"the body is larger than {MAX_BODY // 1024**2} MiB", hint="send less at a time")
