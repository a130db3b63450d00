"""The providers of models that are configured, each made on first use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from cuewire.clock import SystemClock
from cuewire.config import Settings, usable
from cuewire.config.providers import Endpoint
from cuewire.model.errors import ConfigError, MissingExtra, ModelNotFound
from cuewire.outbound.lazy import open_transport
from cuewire.outbound.proxies import Proxies
from cuewire.outbound.transport import Timeouts, origin_of
from cuewire.ports import Clock, Embedder, Provider


def open_providers(settings: Settings) -> ProviderPool:
    """Return the configured providers without a database; the caller closes them."""
    return ProviderPool(settings, clock=SystemClock())


def find_local_model(settings: Settings) -> Path | None:
    """Return the file of the local model, None if it is not here."""
    from cuewire.providers.local_model import find_model

    try:
        return find_model(settings.local_model or None, settings.data_folder)
    except MissingExtra:
        return None


def pull_local_model(settings: Settings, progress: Callable[[str], None]) -> Path:
    """Fetch the file of the local model, hash-checked, and return it. Network: 93 MB. Raises ConfigError."""
    from cuewire.providers.local_model import find_model, pull

    asyncio.run(_told(pull(settings.data_folder), progress))
    return find_model(settings.local_model or None, settings.data_folder)


def find_local_embeddings(settings: Settings) -> Path | None:
    """Return the weights of the local model for embeddings, None if they are not here. Raises ConfigError."""
    from cuewire.providers.local_embeddings_files import find_files

    try:
        return find_files(settings.local_embeddings or None, settings.data_folder).weights
    except MissingExtra:
        return None


def pull_local_embeddings(settings: Settings, progress: Callable[[str], None]) -> Path:
    """Fetch the files of that model, hash-checked, and return its weights. Network: 84 MB. Raises ConfigError."""
    from cuewire.providers.local_embeddings_files import find_files, pull

    asyncio.run(_told(pull(settings.data_folder), progress))
    return find_files(settings.local_embeddings or None, settings.data_folder).weights


class ProviderPool:
    """The configured providers, each made on first use; implements `Providers`."""

    def __init__(self, settings: Settings, *, clock: Clock, given: Mapping[str, Provider] | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._given = given or {}
        self._made: dict[str, Provider] = dict(self._given)
        self._transport = open_transport(
            origins={origin_of(endpoint.base_url) for endpoint in settings.endpoints.values() if endpoint.base_url},
            proxies=Proxies(
                https_proxy=settings.https_proxy, http_proxy=settings.http_proxy, no_proxy=settings.no_proxy
            ),
            connections=settings.max_connections,
        )

    def get(self, name: str) -> Provider:
        """Return a provider. Raises ModelNotFound, ConfigError when its key is missing."""
        made = self._made.get(name)
        if made is None:
            endpoint = self._settings.endpoints.get(name)
            if endpoint is None:
                raise ModelNotFound(
                    f"no provider is called {name!r}",
                    hint=f"configured: {', '.join(self.names())}; add one as [providers.{name}] in cuewire.toml",
                    field="/model",
                )
            made = self._made[name] = self._make(endpoint)
        return made

    def embedder(self, name: str) -> Embedder:
        """Return a provider that embeds. Raises as `get`, and ModelNotFound if it has no models for that."""
        provider = self.get(name)
        if not isinstance(provider, Embedder):
            raise ModelNotFound(
                f"provider {name!r} has no models for embeddings",
                hint="name one that has, as in openai/text-embedding-3-small or local/all-minilm-l6-v2",
                field="/model",
            )
        return provider

    def names(self) -> Sequence[str]:
        """Return the names of all providers that could be used, sorted."""
        return sorted({*self._made, *self._settings.endpoints})

    def ready(self) -> Sequence[str]:
        """Return the names of those that are set up for use, sorted."""
        return sorted({*self._given, *usable(self._settings)})

    async def close(self) -> None:
        """Close those that were used, then the connections that they share."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._transport.close)
            for provider in self._made.values():
                stack.push_async_callback(provider.close)

    def _make(self, endpoint: Endpoint) -> Provider:
        if endpoint.kind == "scripted":
            from cuewire.providers.scripted import Scripted

            return Scripted()
        if endpoint.kind == "local":
            from cuewire.providers.local import Local

            settings = self._settings
            return Local(
                model_path=settings.local_model or None,
                embeddings_path=settings.local_embeddings or None,
                data_folder=settings.data_folder,
                clock=self._clock,
            )
        if endpoint.needs_key and endpoint.key is None:
            raise ConfigError(
                f"provider {endpoint.name!r} has no key",
                hint=f"set {endpoint.key_source}, or providers.{endpoint.name}.key in cuewire.toml",
                field=f"providers.{endpoint.name}.key",
            )
        timeouts = self._settings.timeouts
        return _speaker(endpoint)(
            endpoint.name,
            base_url=endpoint.base_url,
            key=endpoint.key,
            transport=self._transport,
            clock=self._clock,
            headers=endpoint.headers,
            timeouts=Timeouts(
                connect_s=timeouts.connect_s,
                first_byte_s=timeouts.first_byte_s,
                idle_s=timeouts.idle_s,
                total_s=timeouts.total_s,
            ),
            key_hint=endpoint.key_source,
        )


async def _told(steps: AsyncIterator[str], progress: Callable[[str], None]) -> None:
    async for step in steps:
        progress(step)


def _speaker(endpoint: Endpoint) -> Callable[..., Provider]:
    """Return what speaks to an endpoint; only what is used is imported."""
    if endpoint.kind == "anthropic":
        from cuewire.providers.anthropic import Anthropic

        return Anthropic
    if endpoint.kind == "gemini":
        from cuewire.providers.gemini import Gemini

        return Gemini
    if endpoint.form is not None:
        from cuewire.providers.http_json import HttpJson

        return partial(HttpJson, form=endpoint.form)
    from cuewire.providers.openai_compatible import OpenAICompatible

    return OpenAICompatible
