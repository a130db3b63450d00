"""The transport port: one request out, one response back, bounded in time and size.

It knows HTTP and nothing of models. There are no redirects, no cookies, no retries but one (see `Transport.send`), and
no way to switch off the check of certificates.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from typing import Protocol
from urllib.parse import urlsplit

from cuewire.model.errors import InvalidInput
from cuewire.model.values import Value

MAX_BODY = 16 * 2**20
"""Bytes that `Response.read` takes at most."""
MAX_STREAM = 64 * 2**20
"""Bytes that iterating over a response gives at most."""

_HEADER_NAMES = re.compile(r"[0-9A-Za-z!#$%&'*+.^_`|~-]+")
_OWN_HEADERS = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade"}
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Timeouts(Value, frozen=True):
    """How long each phase of a call may take, in seconds.

    `connect_s` covers the name, the connection and the handshake; `first_byte_s` runs from the request sent to the
    response's head; `idle_s` between two reads of the body; `total_s` over all of it.
    """

    connect_s: float = 5.0
    first_byte_s: float = 30.0
    idle_s: float = 20.0
    total_s: float = 120.0


DEFAULT_TIMEOUTS = Timeouts()


class HttpRequest(Value, frozen=True):
    """A request. Names of headers are case-free; those that frame the request are the transport's, and refused."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    timeouts: Timeouts = DEFAULT_TIMEOUTS

    def __repr__(self) -> str:
        """Show neither headers nor body: they hold keys and what users wrote."""
        return f"HttpRequest({self.method!r}, {self.url!r})"


class Response(Protocol):
    """A response whose head has arrived: read it to its end, in one of the two ways, or close it."""

    @property
    def status(self) -> int:
        """The status code, 200 to 599."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, looked up without regard to case."""
        ...

    @property
    def is_complete(self) -> bool:
        """Whether the end of the body has arrived, so that the connection can serve another request."""
        ...

    async def read(self) -> bytes:
        """Return the whole body. Raises ProtocolError above MAX_BODY, NetworkError, ProviderTimeout."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield what has arrived, as it arrives and never empty. Raises as `read`, with MAX_STREAM as the bound."""
        ...

    def close(self) -> None:
        """Give up the rest: the connection is closed at once unless the body is complete. May be called twice."""
        ...


class Transport(Protocol):
    """Sends requests. Safe for any number of concurrent calls on one event loop."""

    async def send(self, request: HttpRequest) -> Response:
        """Send the request and return when the response's head has arrived.

        Raises InvalidInput for a request that may not be sent (a header that is not printable ASCII, an address that
        is not public), NetworkError, ProviderTimeout with its phase, or ProtocolError. A cancelled call closes its
        connection at once, in every phase.

        A server may close an idle connection just when it is used again. A request is therefore sent a second time,
        on another connection, if all of this holds: the connection had served a request before, it was lost before
        any part of a response was seen, and the request is a GET or carries an `Idempotency-Key` (RFC 9110, 9.2.2).
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse headers that could change the request's framing; values are printable ASCII and nothing else."""
    values = "".join(headers.values())
    if not (values.isascii() and values.isprintable()):
        name = next(name for name, value in headers.items() if not (value.isascii() and value.isprintable()))
        raise InvalidInput(
            f"header {name[:80]!r} holds a character that is not printable ASCII",
            field=f"/headers/{name[:80]}",
            hint="remove line breaks, control characters and letters beyond ASCII",
        )
    for name in headers:
        if not _HEADER_NAMES.fullmatch(name) or name.lower() in _OWN_HEADERS:
            raise InvalidInput(f"header {name[:80]!r} may not be set", field="/headers")


@lru_cache(maxsize=512)
def origin_of(url: str) -> str:
    """Return `scheme://host:port` of an http(s) URL, in lower case and with the port always written.

    Raises InvalidInput for any other text, and for a URL that carries a user name or password.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in _DEFAULT_PORTS or not host or not url.isprintable() or " " in url:
        raise InvalidInput(f"{url[:80]!r} is not an http or https URL", field="/url")
    if "@" in parts.netloc:
        raise InvalidInput("a URL must not carry a user name or password", field="/url")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{port or _DEFAULT_PORTS[parts.scheme]}"
