"""The registry over a database, with all that belongs to it."""

from __future__ import annotations

from functools import partial

from cuewire.engine.app import RegistryFaces
from cuewire.engine.checks import run_checks
from cuewire.engine.run import Engine
from cuewire.model.actors import Actor
from cuewire.ports import Renderer
from cuewire.registry.history import History
from cuewire.registry.labels import LabelGuard
from cuewire.registry.live import Live
from cuewire.registry.news import News
from cuewire.registry.prompts import Registry, RegistryParts
from cuewire.registry.resolver import Resolver
from cuewire.registry.reviews import Reviews
from cuewire.registry.scopes import Scopes, TemplateTypes
from cuewire.registry.templates import Templates
from cuewire.stores.database import OpenDatabase
from cuewire.stores.events import SqlEventStore
from cuewire.stores.prompts import SqlPromptStore
from cuewire.stores.reviews import SqlLabelRuleStore, SqlReviewStore
from cuewire.stores.scopes import SqlScopeStore, SqlTemplateTypeStore
from cuewire.template.catalogue import TEMPLATE_TYPES, words


def wire_registry(
    database: OpenDatabase, *, engine: Engine, resolver: Resolver, news: News, renderer: Renderer, actor: Actor
) -> RegistryFaces:
    """Return the registry for an actor; the caller closes `live`."""
    prompts, events = SqlPromptStore(database), SqlEventStore(database)
    rules, reviews, scopes = SqlLabelRuleStore(database), SqlReviewStore(database), SqlScopeStore(database)
    types = TemplateTypes(SqlTemplateTypeStore(database), TEMPLATE_TYPES, actor=actor)
    live = Live(prompts, events, news=news)
    registry = Registry(
        RegistryParts(
            store=prompts,
            events=events,
            guard=LabelGuard(rules, reviews),
            types=types,
            resolver=resolver,
            renderer=renderer,
            live=live,
        ),
        actor=actor,
    )
    return RegistryFaces(
        prompts=registry,
        templates=Templates(registry, types, renderer=renderer, words=words, actor=actor),
        reviews=Reviews(
            rules,
            reviews,
            prompts=registry,
            resolver=resolver,
            run_checks=partial(run_checks, engine),
            actor=actor,
        ),
        strategies=Scopes("strategy", scopes, resolver=resolver, actor=actor),
        configurations=Scopes("configuration", scopes, resolver=resolver, actor=actor),
        history=History(events, actor=actor),
        live=live,
    )
