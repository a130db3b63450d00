"""Between FastAPI and the exchange underneath it."""

from __future__ import annotations

import re
from urllib.parse import unquote

import msgspec
from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from cuewire.model.errors import InvalidInput
from cuewire.model.prompts import Prompt
from cuewire.server.exchange import Exchange

KEY = "cuewire.exchange"
"""Where in the scope a request's exchange is."""
_TAG = re.compile(r'(?:W/)?"(\d{1,18})"')
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


def tagged(reply: Response, prompt: Prompt) -> Response:
    """Return the reply with the revision of the prompt as its entity tag."""
    reply.headers["etag"] = f'"{prompt.revision}"'
    return reply


def if_match(request: Request) -> int | None:
    """Return the revision that the prompt must have, None if any will do. Raises InvalidInput."""
    given = exchange_of(request).header(b"if-match")
    if given is None or given.strip() == "*":
        return None
    found = _TAG.fullmatch(given.strip())
    if found is None:
        raise InvalidInput(
            "If-Match is not the entity tag of a prompt", field="/If-Match", hint="send the ETag of the last reply"
        )
    return int(found[1])


def plain(segment: str) -> str:
    """Return a segment of the path without its percent signs; a slash in a prompt's name came as %2F."""
    return unquote(segment)
