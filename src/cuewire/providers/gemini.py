"""The provider for Gemini's own API, generateContent: Google AI Studio's server, or one that speaks as it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from cuewire.model.errors import ProtocolError
from cuewire.model.requests import ModelRequest
from cuewire.model.results import Answer
from cuewire.model.secrets import Secret
from cuewire.outbound.transport import DEFAULT_TIMEOUTS, Timeouts, Transport
from cuewire.ports import Clock, Listener
from cuewire.providers.gemini_answer import GrowingAnswer, read_whole
from cuewire.providers.gemini_wire import decode_models, encode_request, path_of
from cuewire.providers.upstream import Upstream, WireFormat

MAX_PAGES = 20
"""Pages of the list of models that are asked for at most."""
PAGE = 1_000
"""Models of a page; the server's greatest number."""

_WIRE = WireFormat(
    noun="one of generateContent",
    read_whole=read_whole,
    growing=GrowingAnswer,
    key_header="x-goog-api-key",
    key_prefix="",
)


class Gemini:
    """Implements the Provider port over a transport that it does not own; settings as in Upstream.

    Parameters have OpenAI's names; one that Gemini cannot be told is refused before the call.
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
        self._upstream = Upstream(
            name,
            _WIRE,
            base_url=base_url,
            key=key,
            transport=transport,
            clock=clock,
            headers=headers,
            timeouts=timeouts,
            key_hint=key_hint,
        )

    def __repr__(self) -> str:
        return f"Gemini({self._upstream.name!r}, base_url={self._upstream.url!r})"

    async def call(self, request: ModelRequest, *, listener: Listener | None) -> Answer:
        """Make one call. Raises InvalidInput for a parameter that Gemini does not know."""
        path = path_of(request.model, is_streamed=listener is not None)
        body = encode_request(request)
        return await self._upstream.answer(path, body, key=request.idempotency_key, listener=listener)

    async def models(self) -> Sequence[str]:
        """List the models that chat, in the server's order, page by page. Raises ProtocolError above MAX_PAGES."""
        names: list[str] = []
        token = ""
        for _ in range(MAX_PAGES):
            path = f"models?pageSize={PAGE}" + (f"&pageToken={quote(token, safe='')}" if token else "")
            response, body = await self._upstream.get(path)
            try:
                page, token = decode_models(body)
            except ValueError as error:
                raise self._upstream.not_the_protocol(response, body, "the answer is no list of models") from error
            names += page
            if not token:
                return names
        raise ProtocolError(f"provider {self._upstream.name!r} lists models on more than {MAX_PAGES} pages")

    async def close(self) -> None:
        """Do nothing: the transport belongs to whoever made it."""
