"""What every request must pass before anything is made of it: host, origin, size of the head, and the API key.

Deny by default: only the paths of OPEN are answered without a key.
"""

from __future__ import annotations

import base64
import binascii
import logging
import re
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from cuewire.model.errors import AccessDenied, CuewireError
from cuewire.ports import Clock
from cuewire.registry.api_keys import KeyRing
from cuewire.server.exchange import Exchange, Receive, Scope, Send
from cuewire.server.metrics import Metrics
from cuewire.wire.problems import Refused

Handler: TypeAlias = Callable[[Exchange], Awaitable[None]]

OPEN = frozenset({"/healthz", "/readyz"})
"""Paths for probes, which have no key and learn nothing but that the server runs."""
FOR_BROWSERS = frozenset({"/docs", "/openapi.json"})
"""Paths that a person opens in a browser, which asks them for the key as the password of HTTP Basic. Nothing here can
be changed by that, so that a foreign page gains nothing from a browser that remembers it."""
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
MAX_HEAD = 16 * 1024
MAX_HEADERS = 100
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:\d{1,5})?")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MAX_KEY = 200

logger = logging.getLogger("cuewire.server")


class Guard:
    """The outermost ASGI application. Safe for any number of requests at a time."""

    def __init__(self, handler: Handler, *, keys: KeyRing, hosts: frozenset[str], clock: Clock) -> None:
        self._handler = handler
        self._keys = keys
        self._hosts = LOCAL_HOSTS | hosts
        self._clock = clock
        self.metrics = Metrics()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; never raises, and never lets the text of an unexpected error out."""
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send, clock=self._clock)
        try:
            exchange.request_id = self._request_id(exchange)
            await self._check(exchange)
            await self._handler(exchange)
        except CuewireError as error:
            await self._refuse(exchange, error)
        except TimeoutError:  # the client takes nothing of the reply: leave it
            logger.info("client.left request_id=%s route=%s", exchange.request_id, exchange.route)
        except Exception:
            logger.exception("request.failed request_id=%s route=%s", exchange.request_id, exchange.route)
            await self._refuse(exchange, Refused("internal_error", "the server failed; its log says more"))
        finally:
            self.metrics.answered(exchange.route, exchange.status, self._clock.monotonic() - exchange.started)

    async def _check(self, exchange: Exchange) -> None:
        headers = exchange.scope["headers"]
        if len(headers) > MAX_HEADERS or sum(len(key) + len(value) for key, value in headers) > MAX_HEAD:
            raise Refused("headers_too_large", f"the headers are larger than {MAX_HEAD // 1024} KiB")
        self._check_host(exchange)
        path = exchange.path
        if path in OPEN:
            return
        if exchange.method not in _SAFE:
            self._check_origin(exchange)
        if not await self._is_known(exchange.header(b"authorization"), for_browser=path in FOR_BROWSERS):
            if path in FOR_BROWSERS:
                exchange.challenge = b'Basic realm="an API key as the password"'
            raise AccessDenied("the API key is missing or not known", hint="send the header Authorization: Bearer KEY")

    def _check_host(self, exchange: Exchange) -> None:
        host = exchange.header(b"host") or ""
        found = _HOST.fullmatch(host.lower())
        if found is None or found["name"] not in self._hosts:
            raise Refused(
                "host_refused", "this host is not served here", hint="allow it with: cuewire serve --allow-host"
            )

    def _check_origin(self, exchange: Exchange) -> None:
        """Refuse what a page of another site makes a browser send."""
        origin, site = exchange.header(b"origin"), exchange.header(b"sec-fetch-site")
        if site is not None and site not in ("same-origin", "none"):
            raise Refused("origin_refused", "requests from pages of other sites are refused")
        if origin is not None and origin.partition("://")[2].lower() != (exchange.header(b"host") or "").lower():
            raise Refused("origin_refused", "requests from pages of other sites are refused")

    async def _is_known(self, authorization: str | None, *, for_browser: bool) -> bool:
        scheme, _, text = (authorization or "").partition(" ")
        if len(text) > 2 * _MAX_KEY:
            return False
        if for_browser and scheme.lower() == "basic":
            scheme, text = "bearer", _password(text)
        return scheme.lower() == "bearer" and await self._keys.recognise(text) is not None

    def _request_id(self, exchange: Exchange) -> str:
        given = next(
            (value.decode("latin-1") for key, value in exchange.scope["headers"] if key == b"x-request-id"), ""
        )
        return given if _REQUEST_ID.fullmatch(given) else f"{self._clock.random_bits() & (2**64 - 1):016x}"

    async def _refuse(self, exchange: Exchange, error: CuewireError) -> None:
        try:
            await exchange.refuse(error)
        except TimeoutError:
            logger.info("client.left request_id=%s route=%s", exchange.request_id, exchange.route)


def _password(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
