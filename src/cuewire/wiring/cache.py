"""What the result cache uses beside the database: memory for vectors, and word of other processes by Redis."""

from __future__ import annotations

from hashlib import sha256

from cuewire.caches.alone import Alone
from cuewire.caches.sign_bits import make_cosines, make_sign_index
from cuewire.config import Settings
from cuewire.engine.cache import ResultCache
from cuewire.engine.cached import CachedAnswers
from cuewire.engine.nearby import Nearby
from cuewire.model.actors import Actor
from cuewire.model.errors import MissingExtra
from cuewire.ports import Clock, Leases, Renderer
from cuewire.registry.news import News
from cuewire.registry.prompts import Registry
from cuewire.stores.cache import SqlCacheStore
from cuewire.stores.database import Database
from cuewire.stores.matches import SqlMatchStore
from cuewire.stores.questions import SqlQuestionStore


def make_cache(database: Database, *, leases: Leases, renderer: Renderer, news: News, clock: Clock) -> ResultCache:
    """Return the cache in front of a database; the caller closes it."""
    return ResultCache(SqlCacheStore(database), leases=leases, renderer=renderer, news=news, clock=clock)


def make_cache_face(database: Database, *, prompts: Registry, news: News, clock: Clock, actor: Actor) -> CachedAnswers:
    """Return what an actor sees and does of the cache of a database."""
    store, matches = SqlCacheStore(database), SqlMatchStore(database)
    return CachedAnswers(store, matches, prompts=prompts, news=news, clock=clock, actor=actor)


def make_nearby(database: Database, *, clock: Clock) -> Nearby:
    """Return what finds earlier questions in a database."""
    return Nearby(SqlQuestionStore(database, compare=make_cosines()), make_index=make_sign_index(), clock=clock)


def make_leases(settings: Settings, url: str, *, clock: Clock) -> Leases:
    """Return by what processes that use a database agree who does a thing; the caller closes it.

    They must name the database, and Redis, by the same addresses. Raises ConfigError, MissingExtra.
    """
    if not settings.redis_url:
        return Alone()
    try:
        from cuewire.caches.redis_leases import RedisLeases
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"redis_url is set, and {error.name} is not installed", hint="install it: pip install 'cuewire[redis]'"
        ) from None
    return RedisLeases(settings.redis_url, database=sha256(url.encode()).hexdigest()[:16], clock=clock)
