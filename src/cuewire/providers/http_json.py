"""The provider for any endpoint that takes JSON and answers JSON; what it wants and gives is told by its Form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from cuewire.model.requests import ModelRequest
from cuewire.model.results import Answer
from cuewire.model.secrets import Secret
from cuewire.outbound.transport import DEFAULT_TIMEOUTS, Timeouts, Transport
from cuewire.ports import Clock, Listener
from cuewire.providers.http_json_form import Form, fill, read_answer
from cuewire.providers.upstream import Upstream, WireFormat


class HttpJson:
    """Implements the Provider port over a transport that it does not own; settings as in Upstream.

    `base_url` is the whole address of the endpoint. Nothing is streamed: a listener gets the whole text at once.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str,
        key: Secret | None,
        form: Form,
        transport: Transport,
        clock: Clock,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        key_hint: str = "",
    ) -> None:
        self._form = form
        self._upstream = Upstream(
            name,
            WireFormat(
                noun="JSON",
                read_whole=partial(read_answer, form),
                growing=None,
                key_header=form.key_header,
                key_prefix="Bearer " if form.key_header.lower() == "authorization" else "",
                method=form.method,
            ),
            base_url=base_url,
            key=key,
            transport=transport,
            clock=clock,
            headers=headers,
            timeouts=timeouts,
            key_hint=key_hint,
        )

    def __repr__(self) -> str:
        return f"HttpJson({self._upstream.name!r}, base_url={self._upstream.url!r})"

    async def call(self, request: ModelRequest, *, listener: Listener | None) -> Answer:
        """Make one call. Raises InvalidInput for what the body has no place for."""
        body = fill(self._form, request)
        return await self._upstream.answer("", body, key=request.idempotency_key, listener=listener)

    async def models(self) -> Sequence[str]:
        """List the models that the settings name, without asking anyone."""
        return self._form.models

    async def close(self) -> None:
        """Do nothing: the transport belongs to whoever made it."""
