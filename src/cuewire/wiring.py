"""Joins the inside to the outside: the only module that names concrete adapters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from cuewire.clock import SystemClock
from cuewire.config import Endpoint, Settings, load, usable
from cuewire.engine.app import Executions, LocalApp, Parts
from cuewire.engine.run import Engine, Surroundings
from cuewire.model.errors import ConfigError, MissingExtra, ModelNotFound
from cuewire.model.secrets import Secret
from cuewire.outbound.lazy import open_transport
from cuewire.outbound.proxies import Proxies
from cuewire.outbound.transport import Timeouts, origin_of
from cuewire.ports import Clock, Embedder, PromptFolder, Provider
from cuewire.prices.genai import GenaiPriceBook
from cuewire.registry.api_keys import KeyRing
from cuewire.registry.prompts import Registry
from cuewire.registry.resolver import Resolver
from cuewire.registry.sessions import SignIns
from cuewire.stores.places import PlaceStatus, place_of

if TYPE_CHECKING:
    from cuewire.remote.app import RemoteApp


async def open_app(
    where: str | None = None,
    *,
    settings: Settings | None = None,
    providers: Mapping[str, Provider] | None = None,
) -> LocalApp | RemoteApp:
    """Open the App on a server or at a database, as the URL says, else where the settings say.

    A server wins over a database there, unless a flag names the database. Raises ConfigError, StoreError.
    """
    from cuewire.remote.address import is_server

    if where and is_server(where):
        settings = replace(settings, server=where) if settings else load({"server": where})
    else:
        settings = settings or load()
        if where or not settings.server or is_database_named(settings):
            return await connect(where, settings=settings, providers=providers)
    if providers:
        raise ConfigError("providers of your own run in this process only, not on a server", field="providers")
    return connect_server(settings)


def is_database_named(settings: Settings) -> bool:
    """Tell whether a flag names the database, which then wins over a server that none names."""
    return settings.origins.get("database_url") == "flag" != settings.origins.get("server")


def connect_server(settings: Settings) -> RemoteApp:
    """Return the App on the server of the settings; nothing is sent yet. Raises ConfigError."""
    from cuewire.engine.stream import ExecutionStream
    from cuewire.remote.address import server_url
    from cuewire.remote.app import RemoteApp
    from cuewire.remote.last_known import LastKnown
    from cuewire.remote.server import Server

    url = server_url(settings.server, allow_plain_http=settings.allow_plain_http)
    origin, token = origin_of(url), settings.token
    if token and not token.origin:  # it was set without a server, for the one that the program names
        token = Secret(token.reveal(to_origin=""), origin=origin)
    # An http proxy would read the API key; where the way is not encrypted there is none.
    proxies = Proxies(https_proxy=settings.https_proxy, no_proxy=settings.no_proxy)
    transport = open_transport(origins={origin}, proxies=proxies, connections=settings.max_connections)
    return RemoteApp(
        Server(url, token=token, transport=transport),
        last_known=LastKnown(url, folder=settings.data_folder / "last-known"),
        make_stream=ExecutionStream,
        clock=SystemClock(),
        close=transport.close,
    )


async def connect(
    where: str | None = None,
    *,
    settings: Settings | None = None,
    providers: Mapping[str, Provider] | None = None,
    checkpoint: Callable[[str], None] | None = None,
) -> LocalApp:
    """Open the App at a database URL, else where the settings say.

    Creates an absent SQLite file. `providers` are used beside the configured ones and win over them. `checkpoint` is
    told each point that the record writer reaches: fault tests stop the process there. Raises ConfigError, StoreError.
    """
    from cuewire.stores.api_keys import SqlApiKeys  # SQLAlchemy costs 170 ms
    from cuewire.stores.executions import SqlExecutionStore
    from cuewire.stores.outcomes import SqlOutcomeStore
    from cuewire.stores.prompts import SqlPromptStore
    from cuewire.stores.record_writer import RecordWriter
    from cuewire.stores.sessions import SqlSessions
    from cuewire.template.render import TemplateRenderer  # Jinja2 costs 70 ms

    resolved = settings or load()
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        place = place_of(where or resolved.database_url)
        database = await place.open(clock=clock, checkpoint=checkpoint)
        stack.push_async_callback(database.close)
        renderer = TemplateRenderer(clock=clock)
        stack.push_async_callback(renderer.close)
        pool = ProviderPool(resolved, clock=clock, given=providers)
        stack.push_async_callback(pool.close)
        prompts = SqlPromptStore(database)
        executions, outcomes = SqlExecutionStore(database), SqlOutcomeStore(database)
        resolver = Resolver(prompts, changes=database, clock=clock)
        engine = Engine(
            Surroundings(
                resolver=resolver,
                renderer=renderer,
                providers=pool,
                prices=GenaiPriceBook(),
                recorder=RecordWriter(database),
                executions=executions,
                clock=clock,
            )
        )
        keys = SqlApiKeys(database)
        return LocalApp(
            Parts(
                engine=engine,
                registry=Registry(prompts, resolver=resolver, renderer=renderer),
                executions=Executions(executions, outcomes),
                keys=KeyRing(keys, clock=clock),
                sign_ins=SignIns(SqlSessions(database), keys, clock=clock),
                providers=pool,
                clock=clock,
                is_up=lambda: database.is_up,
                close=stack.pop_all().aclose,
            )
        )


def only_server(settings: Settings) -> AbstractContextManager[None]:
    """Be the only server of the configured database, where it has but one. Raises StoreBusy, ConfigError."""
    return place_of(settings.database_url).serve()


def database_name(settings: Settings) -> str:
    """Return what to call the configured database; holds no secret. Raises ConfigError."""
    return place_of(settings.database_url).name


def database_file(settings: Settings) -> Path | None:
    """Return the file of the configured database, None if it is on a server. Raises ConfigError."""
    return place_of(settings.database_url).file


def database_status(settings: Settings) -> PlaceStatus:
    """Return the state of the configured database without changing it. Raises ConfigError, StoreError."""
    return asyncio.run(place_of(settings.database_url).status())


def upgrade_database(settings: Settings) -> Path | None:
    """Bring the configured database to this version; returns the backup made first. Raises ConfigError, StoreError."""
    return asyncio.run(place_of(settings.database_url).upgrade(clock=SystemClock()))


def check_database(settings: Settings) -> tuple[str, ...]:
    """Return what is wrong with the configured database; reads all of a file. Raises ConfigError, StoreError."""
    return asyncio.run(place_of(settings.database_url).check())


def copy_database(source: str, target: str, progress: Callable[[str, int, int], None]) -> Mapping[str, int]:
    """Copy everything from one database URL to another that is empty, and compare row by row; return rows by table.

    `progress` is told what is done, how many rows that came to, and of how many. Raises ConfigError, Conflict,
    StoreError.
    """
    from cuewire.stores.copies import copy_all

    return asyncio.run(copy_all(place_of(source), place_of(target), clock=SystemClock(), progress=progress))


def prompt_folder(path: Path) -> PromptFolder:
    """Return the prompt files of a folder, which need not exist."""
    from cuewire.files.prompt_folder import PromptFolder as Folder  # YAML costs 15 ms

    return Folder(path)


def sqlite_version() -> tuple[int, ...]:
    """Return the version of the SQLite that this Python brings."""
    from cuewire.stores.sqlite_file import engine_version

    return engine_version()


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

    async def fetch() -> None:
        async for step in pull(settings.data_folder):
            progress(step)

    asyncio.run(fetch())
    return find_model(settings.local_model or None, settings.data_folder)


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
                hint="name one that speaks OpenAI's protocol, as in openai/text-embedding-3-small",
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
            return Local(model_path=settings.local_model or None, data_folder=settings.data_folder, clock=self._clock)
        if endpoint.needs_key and endpoint.key is None:
            raise ConfigError(
                f"provider {endpoint.name!r} has no key",
                hint=f"set {endpoint.key_source}, or providers.{endpoint.name}.key in cuewire.toml",
                field=f"providers.{endpoint.name}.key",
            )
        from cuewire.providers.openai_compatible import OpenAICompatible

        timeouts = self._settings.timeouts
        return OpenAICompatible(
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
