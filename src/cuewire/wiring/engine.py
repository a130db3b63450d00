"""What runs executions over a database, joined."""

from __future__ import annotations

from typing import NamedTuple

from cuewire.config import Settings
from cuewire.engine.gate import Gate
from cuewire.engine.run import Engine, Surroundings
from cuewire.engine.scene import Scenes
from cuewire.engine.spend import Spending
from cuewire.ports import Clock, Leases, Providers, Renderer
from cuewire.prices.genai import GenaiPriceBook
from cuewire.registry.news import News
from cuewire.registry.resolver import Resolver
from cuewire.stores.database import OpenDatabase
from cuewire.stores.executions import SqlExecutionStore
from cuewire.stores.matches import SqlMatchStore
from cuewire.stores.record_writer import RecordWriter
from cuewire.stores.scopes import SqlScopeStore
from cuewire.stores.spend import SqlSpendStore
from cuewire.wiring.cache import make_cache, make_nearby


class Opened(NamedTuple):
    """What is open, and closed by who opened it."""

    leases: Leases
    settings: Settings
    database: OpenDatabase
    renderer: Renderer
    providers: Providers
    clock: Clock


def make_engine(opened: Opened, *, resolver: Resolver, news: News, gate: Gate) -> Engine:
    """Return the engine; the caller closes it before what is open. Raises ConfigError, MissingExtra."""
    leases, settings, database, renderer, providers, clock = opened
    return Engine(
        Surroundings(
            resolver=resolver,
            scenes=Scenes(SqlScopeStore(database), news=news, models=settings.models),
            cache=make_cache(database, leases=leases, renderer=renderer, news=news, clock=clock),
            nearby=make_nearby(database, clock=clock),
            matches=SqlMatchStore(database),
            renderer=renderer,
            providers=providers,
            prices=GenaiPriceBook(),
            recorder=RecordWriter(database),
            executions=SqlExecutionStore(database),
            gate=gate,
            leases=leases,
            spending=Spending(settings.spend, SqlSpendStore(database), clock=clock),
            clock=clock,
        )
    )
