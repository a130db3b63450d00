"""Between FastAPI and the exchange underneath it."""

from __future__ import annotations

from urllib.parse import unquote

import msgspec
from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from cuewire.server.exchange import Exchange

KEY = "cuewire.exchange"
"""Where in the scope a request's exchange is."""
_encoder = msgspec.json.Encoder()


class _Replied(Response):
    """Stands for a reply that was sent on the exchange."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing more."""


REPLIED = _Replied()


def exchange_of(request: Request) -> Exchange:
    """Return the exchange of a request."""
    exchange: Exchange = request.scope[KEY]
    return exchange


def as_json(value: object, *, status: int = 200) -> Response:
    """Return a reply."""
    return Response(_encoder.encode(value), status_code=status, media_type="application/json")


def plain(segment: str) -> str:
    """Return a segment of the path without its percent signs; a slash in a prompt's name came as %2F."""
    return unquote(segment)
