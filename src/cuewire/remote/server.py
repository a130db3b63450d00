"""One server: requests out with the API key, values or the server's own errors back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec

from cuewire.model.errors import (
    AccessDenied,
    ConfigError,
    CuewireError,
    InvalidInput,
    NetworkError,
    ProviderError,
    ProviderTimeout,
    ServerError,
    ServerUnavailable,
)
from cuewire.model.secrets import Secret
from cuewire.model.text import check_json
from cuewire.outbound.transport import HttpRequest, Response, Timeouts, Transport, check_headers, origin_of
from cuewire.wire.problems import CONTENT_TYPE, Problem, error_of
from cuewire.wire.shapes import Shape

S = TypeVar("S", bound=Shape)

TIMEOUTS = Timeouts(total_s=180.0)
PAUSES_S = (0.05, 0.2, 0.5)
"""How long to wait before each further try after a lost connection; together less than a second."""

_encoder = msgspec.json.Encoder()


class Server:
    """Calls one server over a transport that it does not own. The API key goes to its origin only.

    A request whose connection is lost is sent again, up to three times: every request of this client says the same
    when it is heard twice.
    """

    def __init__(self, url: str, *, token: Secret | None, transport: Transport) -> None:
        self.url = url
        self._transport = transport
        self._origin = origin_of(url)
        self._headers = {"Accept": "application/json", "User-Agent": "cuewire"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token.reveal(to_origin=self._origin)}"
        try:
            check_headers(self._headers)
        except InvalidInput as error:
            raise ConfigError("the API key holds a character that no key has", field="token") from error

    def __repr__(self) -> str:
        return f"Server({self.url!r})"

    async def get(self, path: str, kind: type[S], *, query: Mapping[str, object] | None = None) -> S:
        """Return what is at a path; see `fetch`."""
        return await self.fetch(self.request("GET", path, query=query), kind)

    async def send(self, method: str, path: str, body: object, kind: type[S]) -> S:
        """Send a body and return the answer; see `fetch`."""
        return await self.fetch(self.request(method, path, body=body), kind)

    async def fetch(self, request: HttpRequest, kind: type[S]) -> S:
        """Send a request, again if its connection is lost, and return the answer.

        Raises ServerUnavailable, ServerError, AccessDenied, and what the server raised.
        """
        was_lost = False
        for pause_s in PAUSES_S:
            try:
                return await self.fetch_once(request, kind)
            except CuewireError as error:
                # A plain error behind a lost connection: the server is still cancelling what nobody waited for.
                if not is_lost(error) and not (was_lost and type(error) is CuewireError):
                    raise
                was_lost = True
            await asyncio.sleep(pause_s)
        return await self.fetch_once(request, kind)

    async def fetch_once(self, request: HttpRequest, kind: type[S]) -> S:
        """Send a request once and return the answer; otherwise as `fetch`."""
        return _decoded(await self._whole(request), kind)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts = TIMEOUTS,
    ) -> HttpRequest:
        """Return a request as it is sent, with the key. Names in the query whose value is None are left out.

        Raises InvalidInput for text in the query that no server could store.
        """
        given = {name: value for name, value in (query or {}).items() if value is not None}
        check_json(given, pointer="")
        sent = {**self._headers, **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        return HttpRequest(
            method=method,
            url=f"{self.url}/api/v1{path}" + (f"?{urlencode(given, doseq=True)}" if given else ""),
            headers=sent,
            body=b"" if body is None else _encoder.encode(body),
            timeouts=timeouts,
        )

    async def open(self, request: HttpRequest) -> Response:
        """Send a request once and return its answer if it is one, to be read and closed by the caller.

        Raises ServerUnavailable, ServerError, AccessDenied, and what the server raised.
        """
        with server_errors():
            response = await self._transport.send(request)
        if 200 <= response.status < 300:
            return response
        try:
            raise await self._failure(response)
        finally:
            response.close()

    async def _whole(self, request: HttpRequest) -> bytes:
        response = await self.open(request)
        try:
            with server_errors():
                return await response.read()
        finally:
            response.close()

    async def _failure(self, response: Response) -> CuewireError:
        if response.headers.get("Content-Type", "").partition(";")[0].strip() != CONTENT_TYPE:
            return _foreign(response.status, self._origin)
        with server_errors():
            body = await response.read()
        try:
            error = error_of(msgspec.json.decode(body, type=Problem))
        except msgspec.DecodeError:
            return _foreign(response.status, self._origin)
        if response.status == 401:
            error.hint = _NEEDS_KEY
        return error


def path_of(*parts: str) -> str:
    """Return a path of parts, each of which may hold any character."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


@contextmanager
def server_errors() -> Iterator[None]:
    """Turn errors of the transport into errors about the server: providers are called by the server, not from here."""
    try:
        yield
    except (NetworkError, ProviderTimeout) as error:
        hint = error.hint or "see that the address is right and that the server runs"
        raise ServerUnavailable(error.message, hint=hint) from error
    except ProviderError as error:
        raise ServerError(error.message, hint=_NOT_OURS) from error


def is_lost(error: CuewireError) -> bool:
    """Tell whether a connection broke or went silent, so that nobody knows what the server made of the request."""
    if not isinstance(error, ServerUnavailable):
        return False
    cause = error.__cause__
    return isinstance(cause, NetworkError) or isinstance(cause, ProviderTimeout) and cause.phase == "idle"


def _decoded(body: bytes, kind: type[S]) -> S:
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.DecodeError as error:
        raise ServerError("the server's answer is not understood here", hint=_NOT_OURS) from error


def _foreign(status: int, origin: str) -> CuewireError:
    """Return what an answer means that is not in the server's own words, but in those of something before it."""
    if status in (401, 403):
        return AccessDenied(f"{origin} refuses the API key (status {status})", hint=_NEEDS_KEY)
    if status in (408, 429, 502, 503, 504):
        return ServerUnavailable(f"{origin} takes no work for now (status {status})", hint="try again later")
    if 300 <= status < 400:
        hint = "name the address that it points to; the key does not follow by itself"
        return ServerError(f"{origin} redirects to another address", hint=hint)
    return ServerError(f"{origin} answered with status {status}", hint=_NOT_OURS)


_NEEDS_KEY = "set CUEWIRE_TOKEN to an API key of the server; where it runs, cuewire keys create NAME makes one"
_NOT_OURS = "see that there is a Cuewire server of this version at the address"
