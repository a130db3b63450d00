"""What every request must pass before anything is made of it: host, origin, size of the head, and who asks.

Deny by default: only the paths of OPEN are answered to anyone. A program shows its API key, a browser the cookie of the
session that it signed in to.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from functools import lru_cache
from itertools import chain
from typing import TypeAlias

from cuewire.model.api_keys import ApiKey
from cuewire.model.errors import AccessDenied, CuewireError
from cuewire.model.values import Value
from cuewire.ports import Clock
from cuewire.registry.api_keys import KeyRing
from cuewire.registry.sessions import SignIns
from cuewire.server.cookies import session_in
from cuewire.server.exchange import Exchange, Receive, Scope, Send
from cuewire.server.limits import WRONG_KEYS, Crowd, Limits, Rate
from cuewire.server.metrics import Metrics
from cuewire.server.pages import PAGES
from cuewire.server.sockets import Socket
from cuewire.wire.problems import Refused

Handler: TypeAlias = Callable[[Exchange], Awaitable[None]]

OPEN = frozenset({"/healthz", "/readyz", *PAGES})
"""Paths for probes and for who is about to sign in; nothing there depends on what is stored."""
SESSION_PATH = "/api/v1/session"
SIGN_IN = ("POST", SESSION_PATH)
"""Takes a link instead of a key."""
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
MAX_HEAD = 16 * 1024
MAX_HEADERS = 100
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:\d{1,5})?")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MAX_KEY = 200

logger = logging.getLogger("cuewire.server")


class Access(Value, frozen=True):
    """Who may come: by which names clients may call the server, beside those of this machine, and how often."""

    hosts: frozenset[str] = frozenset()
    limits: Limits = Limits()


class Guard:
    """The outermost ASGI application. Safe for any number of requests at a time."""

    def __init__(self, handler: Handler, *, keys: KeyRing, sign_ins: SignIns, access: Access, clock: Clock) -> None:
        self._handler = handler
        self._keys = keys
        self._sign_ins = sign_ins
        self._hosts = LOCAL_HOSTS | access.hosts
        self._clock = clock
        self._crowd = Crowd(access.limits.open_per_address)
        self._wrong_keys = Rate(WRONG_KEYS, clock=clock)
        self._wrong_links = Rate(WRONG_KEYS, clock=clock)
        per_minute = access.limits.requests_per_minute
        self._rate = Rate(per_minute, clock=clock) if per_minute else None
        self.metrics = Metrics()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; never raises, and never lets the text of an unexpected error out."""
        kind = Exchange if scope["type"] == "http" else Socket
        exchange = kind(scope, receive, send, clock=self._clock)
        try:
            exchange.request_id = self._request_id(exchange)
            self._check_head(exchange)
            if exchange.path in OPEN:
                await self._handler(exchange)
                return
            with self._crowd.joined(exchange.address):
                await self._admit(exchange)
                await self._handler(exchange)
                if exchange.status == 401:  # a link that was none
                    self._wrong_links.take(exchange.address)
        except CuewireError as error:
            await self._refuse(exchange, error)
        except TimeoutError:  # the client takes nothing of the reply: leave it
            logger.info("client.left request_id=%s route=%s", exchange.request_id, exchange.route)
        except Exception:
            logger.exception("request.failed request_id=%s route=%s", exchange.request_id, exchange.route)
            await self._refuse(exchange, Refused("internal_error", "the server failed; its log says more"))
        finally:
            self.metrics.answered(exchange.route, exchange.status, self._clock.monotonic() - exchange.started)

    async def still_admits(self, exchange: Exchange) -> bool:
        """Tell whether who was let in may still do what they could then. Raises StoreError."""
        text, session = _shown(exchange)
        bearer = await (self._sign_ins if session else self._keys).recognise(session or text)
        return bearer is not None and bearer.actor == exchange.actor

    def _check_head(self, exchange: Exchange) -> None:
        headers = exchange.scope["headers"]
        if len(headers) > MAX_HEADERS or sum(map(len, chain.from_iterable(headers))) > MAX_HEAD:
            raise Refused("headers_too_large", f"the headers are larger than {MAX_HEAD // 1024} KiB")
        self._check_host(exchange)

    async def _admit(self, exchange: Exchange) -> None:
        """Let in who has a key or a session, as often as it may come."""
        is_safe = exchange.method in _SAFE and not exchange.is_socket  # a page of any site may open a socket
        if not is_safe:
            self._check_origin(exchange)
        if (exchange.method, exchange.path) == SIGN_IN:
            _refuse_if_over(self._wrong_links, exchange)
            return
        text, session = _shown(exchange)
        if session and not is_safe:
            _check_browser(exchange)
        ring = self._sign_ins if session else self._keys
        is_new = ring.is_new(session or text)
        if is_new:
            _refuse_if_over(self._wrong_keys, exchange)
        bearer = await ring.recognise(session or text)
        if bearer is None:
            if is_new:
                self._wrong_keys.take(exchange.address)
            raise AccessDenied("the API key is missing or not known", hint="send the header Authorization: Bearer KEY")
        exchange.key, exchange.actor = bearer.key, bearer.actor
        if self._rate:
            self._count(self._rate, bearer.key, exchange)

    def _count(self, rate: Rate, key: ApiKey, exchange: Exchange) -> None:
        wait = rate.take(key.id)
        exchange.own_headers += (
            (b"x-ratelimit-limit-requests", b"%d" % rate.per_minute),
            (b"x-ratelimit-remaining-requests", b"%d" % rate.left(key.id)),
        )
        if wait:
            raise Refused(
                "too_many_requests",
                f"this API key may be used {rate.per_minute} times a minute",
                hint="ask again later, or send less at a time",
                retry_after_s=wait,
            )

    def _check_host(self, exchange: Exchange) -> None:
        if _name_of(exchange.header(b"host") or "") not in self._hosts:
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

    def _request_id(self, exchange: Exchange) -> str:
        given = exchange.any_header(b"x-request-id")
        return given if _REQUEST_ID.fullmatch(given) else f"{self._clock.random_bits() & (2**64 - 1):016x}"

    async def _refuse(self, exchange: Exchange, error: CuewireError) -> None:
        try:
            await exchange.refuse(error)
        except TimeoutError:
            logger.info("client.left request_id=%s route=%s", exchange.request_id, exchange.route)


@lru_cache(1_024)
def _name_of(host: str) -> str | None:
    """Return the name in a Host header, None if it is none."""
    found = _HOST.fullmatch(host.lower())
    return found["name"] if found else None


def _shown(exchange: Exchange) -> tuple[str, str]:
    """Return what is shown as a key, and else the session of a browser; "" for what is not."""
    text = _bearer(exchange.header(b"authorization") or "")
    return text, "" if text else session_in(exchange.header(b"cookie") or "")


def _bearer(authorization: str) -> str:
    """Return what is given as a key, "" if nothing is."""
    scheme, _, text = authorization.partition(" ")
    return text if scheme.lower() == "bearer" and len(text) <= _MAX_KEY else ""


def _refuse_if_over(rate: Rate, exchange: Exchange) -> None:
    if wait := rate.wait(exchange.address):
        raise Refused(
            "too_many_wrong_keys",
            "too many wrong keys or links came from this address",
            hint="wait a little, and look at what you send",
            retry_after_s=wait,
        )


def _check_browser(exchange: Exchange) -> None:
    """Refuse what a form of another site could send along with the cookie."""
    if exchange.header(b"origin") is None and exchange.header(b"sec-fetch-site") is None:
        raise Refused("origin_refused", "a request with a cookie must say which page it comes from")
    if not exchange.is_socket and not exchange.any_header(b"content-type").lower().startswith("application/json"):
        raise Refused("unsupported_media_type", "a request with a cookie must be JSON", hint="send application/json")
