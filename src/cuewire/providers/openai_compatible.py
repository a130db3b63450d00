"""The provider for every endpoint that speaks OpenAI's chat completions and embeddings: OpenAI, vLLM, Ollama, ..."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cuewire.model.embeddings import EmbeddingRequest, Embeddings
from cuewire.model.errors import ProtocolError
from cuewire.model.requests import ModelRequest
from cuewire.model.results import Answer
from cuewire.model.secrets import Secret
from cuewire.outbound.transport import DEFAULT_TIMEOUTS, Timeouts, Transport
from cuewire.ports import Clock, Listener
from cuewire.providers.openai_answer import GrowingAnswer, read_whole
from cuewire.providers.openai_embeddings import decode_embeddings, encode_embedding_request, whole_embeddings
from cuewire.providers.openai_wire import decode_models, encode_request
from cuewire.providers.upstream import Upstream, WireFormat

_WIRE = WireFormat(noun="a chat completion", read_whole=read_whole, growing=GrowingAnswer)


class OpenAICompatible:
    """Implements the Provider and Embedder ports over a transport that it does not own; settings as in Upstream."""

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
        return f"OpenAICompatible({self._upstream.name!r}, base_url={self._upstream.url!r})"

    async def call(self, request: ModelRequest, *, listener: Listener | None) -> Answer:
        """Make one call."""
        body = encode_request(request, is_streamed=listener is not None)
        return await self._upstream.answer("chat/completions", body, key=request.idempotency_key, listener=listener)

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """Ask for vectors; the server may send them in either encoding, whichever was asked for."""
        upstream = self._upstream
        response = await upstream.post("embeddings", encode_embedding_request(request), key=request.idempotency_key)
        try:
            body = b"".join([block async for block in response])  # may be larger than `read` allows
        finally:
            response.close()
        try:
            wire = decode_embeddings(body)
            if not wire.error:
                return whole_embeddings(wire, request, request_id=upstream.request_id(response))
        except (ValueError, RecursionError) as error:
            raise upstream.not_the_protocol(response, body, "the answer is not a list of embeddings") from error
        except ProtocolError as error:
            raise upstream.not_the_protocol(response, body, error.message) from error
        raise upstream.reported(response, wire.error)

    async def models(self) -> Sequence[str]:
        """List the models, in the server's order."""
        response, body = await self._upstream.get("models")
        try:
            return decode_models(body)
        except ValueError as error:
            raise self._upstream.not_the_protocol(response, body) from error

    async def close(self) -> None:
        """Do nothing: the transport belongs to whoever made it."""
