"""An App over a database, in this process. Importing this costs a quarter of a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

from cuewire.clock import SystemClock
from cuewire.config import Settings
from cuewire.engine.app import LocalApp, Parts
from cuewire.engine.executions import Executions
from cuewire.engine.live import LiveExecutions
from cuewire.model.actors import Actor
from cuewire.ports import Provider
from cuewire.registry.api_keys import KeyRing
from cuewire.registry.news import News
from cuewire.registry.resolver import Resolver
from cuewire.registry.sessions import SignIns
from cuewire.registry.users import Roster
from cuewire.stores.api_keys import SqlApiKeys
from cuewire.stores.executions import SqlExecutionStore
from cuewire.stores.outcomes import SqlOutcomeStore
from cuewire.stores.places import place_of
from cuewire.stores.prompts import SqlPromptStore
from cuewire.stores.sessions import SqlSessions
from cuewire.stores.users import SqlUsers
from cuewire.template.render import TemplateRenderer
from cuewire.wiring.cache import make_cache_face, make_leases
from cuewire.wiring.engine import Opened, make_engine
from cuewire.wiring.limits import make_gate
from cuewire.wiring.providers import ProviderPool
from cuewire.wiring.registry import wire_registry


async def open_local(
    url: str,
    settings: Settings,
    *,
    providers: Mapping[str, Provider] | None = None,
    checkpoint: Callable[[str], None] | None = None,
) -> LocalApp:
    """Open the App at a database URL; see `connect`."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        place = place_of(url)
        database = await place.open(clock=clock, checkpoint=checkpoint)
        stack.push_async_callback(database.close)
        renderer = TemplateRenderer(clock=clock)
        stack.push_async_callback(renderer.close)
        pool = ProviderPool(settings, clock=clock, given=providers)
        stack.push_async_callback(pool.close)
        gate = make_gate(settings, database if place.file is None else None, clock=clock)
        stack.push_async_callback(gate.close)
        news = News(database, clock=clock)
        resolver = Resolver(SqlPromptStore(database), news=news, clock=clock)
        leases = make_leases(settings, url, clock=clock)
        stack.push_async_callback(leases.close)
        opened = Opened(leases, settings, database, renderer, pool, clock)
        engine = make_engine(opened, resolver=resolver, news=news, gate=gate)
        stack.push_async_callback(engine.close)
        keys = SqlApiKeys(database)
        actor = Actor(name=settings.author, role="admin")
        registry = wire_registry(database, engine=engine, resolver=resolver, news=news, renderer=renderer, actor=actor)
        stack.push_async_callback(registry.live.close)
        live = LiveExecutions()
        stack.push_async_callback(live.close)
        return LocalApp(
            Parts(
                engine=engine,
                registry=registry,
                executions=Executions(SqlExecutionStore(database), SqlOutcomeStore(database), live=live),
                cache=make_cache_face(database, prompts=registry.prompts, news=news, clock=clock, actor=actor),
                actor=actor,
                keys=KeyRing(keys, clock=clock),
                users=Roster(SqlUsers(database), clock=clock),
                sign_ins=SignIns(SqlSessions(database), keys, clock=clock),
                providers=pool,
                clock=clock,
                is_up=lambda: database.is_up,
                close=stack.pop_all().aclose,
            )
        )
