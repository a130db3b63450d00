"""The provider for endpoints that speak Anthropic's Messages API: Anthropic's own, and gateways in front of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cuewire.model.requests import ModelRequest
from cuewire.model.results import Answer
from cuewire.model.secrets import Secret
from cuewire.outbound.transport import DEFAULT_TIMEOUTS, Timeouts, Transport
from cuewire.ports import Clock, Listener
from cuewire.providers.anthropic_answer import GrowingMessage, read_whole
from cuewire.providers.anthropic_request import encode_request
from cuewire.providers.anthropic_wire import decode_models
from cuewire.providers.upstream import Upstream, WireFormat

VERSION = "2023-06-01"
"""The version of the API that is spoken, unless `headers` name another one."""

_WIRE = WireFormat(
    noun="a message of Anthropic's API",
    read_whole=read_whole,
    growing=GrowingMessage,
    key_header="x-api-key",
    key_prefix="",
    id_header="request-id",
)


class Anthropic:
    """Implements the Provider port over a transport that it does not own; settings as in Upstream.

    `base_url` is what stands before `/v1/messages`, as in ANTHROPIC_BASE_URL; with `/v1` at its end it means the same.
    Parameters have OpenAI's names: see `anthropic_parameters` for what becomes of each. There are no embeddings.
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
        given = headers or {}
        says_version = any(header.lower() == "anthropic-version" for header in given)
        self._upstream = Upstream(
            name,
            _WIRE,
            base_url=f"{base_url.rstrip('/').removesuffix('/v1')}/v1",
            key=key,
            transport=transport,
            clock=clock,
            headers=given if says_version else {"anthropic-version": VERSION, **given},
            timeouts=timeouts,
            key_hint=key_hint,
        )

    def __repr__(self) -> str:
        return f"Anthropic({self._upstream.name!r}, base_url={self._upstream.url!r})"

    async def call(self, request: ModelRequest, *, listener: Listener | None) -> Answer:
        """Make one call. Raises InvalidInput, too, for what the API has no way to say."""
        body = encode_request(request, is_streamed=listener is not None)
        return await self._upstream.answer("messages", body, key=request.idempotency_key, listener=listener)

    async def models(self) -> Sequence[str]:
        """List the models, the newest first; the first thousand of them."""
        response, body = await self._upstream.get("models?limit=1000")
        try:
            return decode_models(body)
        except ValueError as error:
            raise self._upstream.not_the_protocol(response, body) from error

    async def close(self) -> None:
        """Do nothing: the transport belongs to whoever made it."""
