"""Joins the inside to the outside: the only module that names concrete adapters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path

from cuewire.clock import SystemClock
from cuewire.config import Endpoint, Settings, load
from cuewire.engine.app import Executions, LocalApp
from cuewire.engine.run import Engine, Surroundings
from cuewire.model.errors import ConfigError, MissingExtra, ModelNotFound
from cuewire.model.values import Value
from cuewire.outbound.lazy import open_transport
from cuewire.outbound.proxies import Proxies
from cuewire.outbound.transport import Timeouts, origin_of
from cuewire.ports import Clock, Provider
from cuewire.prices.genai import GenaiPriceBook
from cuewire.registry.prompts import Registry
from cuewire.registry.resolver import Resolver
from cuewire.template.render import TemplateRenderer


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
    from cuewire.stores.executions import SqlExecutionStore  # SQLAlchemy costs 170 ms
    from cuewire.stores.outcomes import SqlOutcomeStore
    from cuewire.stores.prompts import SqlPromptStore
    from cuewire.stores.record_writer import RecordWriter
    from cuewire.stores.sqlite import SqliteDatabase

    resolved = settings or load()
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        database = await SqliteDatabase.open(
            sqlite_path(where or resolved.database_url), clock=clock, checkpoint=checkpoint
        )
        stack.push_async_callback(database.close)
        renderer = TemplateRenderer()
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
        return LocalApp(
            engine=engine,
            registry=Registry(prompts, resolver=resolver, renderer=renderer),
            executions=Executions(executions, outcomes),
            outcomes=outcomes,
            clock=clock,
            close=stack.pop_all().aclose,
        )


def sqlite_path(url: str) -> Path:
    """Return the file of a SQLite URL. Raises ConfigError for anything else."""
    scheme, separator, rest = url.partition(":///")
    if scheme == "sqlite" and separator and rest and not rest.startswith(":memory:"):
        return Path(rest).expanduser()
    shown = url.partition("://")[0] if "://" in url else url[:80]
    raise ConfigError(
        f"database {shown!r} cannot be opened",
        hint="write sqlite:///path/to/file.db (a fourth slash begins an absolute path)",
        field="database_url",
    )


class DatabaseStatus(Value, frozen=True):
    """The state of the configured database; `revision` is empty while the file is absent."""

    path: Path
    exists: bool
    revision: str
    head: str
    pending: tuple[str, ...]


def database_status(settings: Settings) -> DatabaseStatus:
    """Return the state of the configured database without changing it. Raises ConfigError, StoreError."""
    from cuewire.stores.schema import REVISION
    from cuewire.stores.upgrades import status

    path = sqlite_path(settings.database_url)
    if not path.exists():
        return DatabaseStatus(path=path, exists=False, revision="", head=REVISION, pending=())
    found = status(path)
    return DatabaseStatus(path=path, exists=True, revision=found.current, head=found.head, pending=found.pending)


def upgrade_database(settings: Settings) -> Path | None:
    """Bring the configured database to this version; returns the backup made first. Raises ConfigError, StoreError."""
    from cuewire.stores.sqlite_file import open_file
    from cuewire.stores.upgrades import upgrade

    path = sqlite_path(settings.database_url)
    if not path.exists():
        open_file(path).close()
    return upgrade(path, clock=SystemClock())


def check_database(settings: Settings) -> tuple[str, ...]:
    """Return what is wrong with the pages and references of the configured database; reads all of it."""
    from cuewire.stores.backups import problems
    from cuewire.stores.sqlite_file import connect as connect_file
    from cuewire.stores.sqlite_file import opening

    path = sqlite_path(settings.database_url)
    with opening(path), closing(connect_file(path)) as connection:
        return tuple(problems(connection))


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
        self._made: dict[str, Provider] = dict(given or {})
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

    def names(self) -> Sequence[str]:
        """Return the names of all providers that could be used, sorted."""
        return sorted({*self._made, *self._settings.endpoints})

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
