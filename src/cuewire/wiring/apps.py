"""An App, in this process or on a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from cuewire.clock import SystemClock
from cuewire.config import Settings, load
from cuewire.model.errors import ConfigError
from cuewire.model.secrets import Secret
from cuewire.outbound.lazy import open_transport
from cuewire.outbound.proxies import Proxies
from cuewire.outbound.transport import origin_of
from cuewire.ports import Clock, Provider, Renderer
from cuewire.registry.subscriptions import subscription

if TYPE_CHECKING:
    from cuewire.engine.app import LocalApp
    from cuewire.remote.app import RemoteApp
    from cuewire.remote.desk import PromptDesk as PromptDesk
    from cuewire.remote.prompts import RemotePrompts
    from cuewire.wire.versions import VersionShape


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
        make_subscription=subscription,
        clock=SystemClock(),
        close=transport.close,
    )


def open_renderer() -> tuple[Renderer, Clock]:
    """Return what renders templates, wherever they are from, and its clock; the caller closes it."""
    from cuewire.template.render import TemplateRenderer  # Jinja2 costs 70 ms

    clock = SystemClock()
    return TemplateRenderer(clock=clock), clock


def connect_prompts(settings: Settings) -> PromptDesk:
    """Return what reads, renders and publishes prompts, on a server or in a database as `open_app` says.

    Nothing is opened or sent yet. What was read last is kept in the data folder. Raises ConfigError.
    """
    from cuewire.remote.desk import OpenedLater, PromptDesk
    from cuewire.remote.last_known import LastKnown
    from cuewire.remote.reader import PromptReader

    clock = SystemClock()

    def make_renderer() -> Renderer:
        return open_renderer()[0]

    if settings.server and not is_database_named(settings):
        app = connect_server(settings)

        async def prompts() -> RemotePrompts:
            return app.prompts

        return PromptDesk(app.reader, prompts=prompts, make_renderer=make_renderer, clock=clock, close=app.close)

    async def read(reference: str) -> VersionShape:
        from cuewire.wire.versions import VersionShape

        return VersionShape.of(await (await opened.prompts()).get(reference))

    opened = OpenedLater(lambda: connect(settings=settings))
    reader = PromptReader(read, last_known=LastKnown(settings.database_url, folder=settings.data_folder / "last-known"))
    return PromptDesk(reader, prompts=opened.prompts, make_renderer=make_renderer, clock=clock, close=opened.close)


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
    from cuewire.wiring.local import open_local  # SQLAlchemy costs 170 ms, Jinja2 70 ms

    resolved = settings or load()
    return await open_local(where or resolved.database_url, resolved, providers=providers, checkpoint=checkpoint)
