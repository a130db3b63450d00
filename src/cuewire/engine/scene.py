"""What a plan depends on beside the version and the order, looked up: the run's configuration, and what models can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from cuewire.engine.plan import NOWHERE, Scene
from cuewire.model.scopes import Scope
from cuewire.ports import ScopeStore
from cuewire.registry.news import News

_MAX_CACHED = 1_000


class ModelFacts(Protocol):
    """What is known of a model; None is unknown."""

    @property
    def power(self) -> int | None:
        """How able it is: the more the better."""
        ...

    @property
    def window(self) -> int | None:
        """How many tokens fit."""
        ...


class Scenes:
    """Looks scenes up. `models` is what the settings say, by `provider/model`.

    `nowhere` is the scene of runs without a configuration. One is cached until word comes that the registry has
    changed, as versions are.
    """

    def __init__(self, store: ScopeStore, *, news: News, models: Mapping[str, ModelFacts]) -> None:
        self._store = store
        self._powers = {name: model.power for name, model in models.items() if model.power is not None}
        self.windows = {name: model.window for name, model in models.items() if model.window is not None}
        self.nowhere = Scene(powers=self._powers) if self._powers else NOWHERE
        self._cache: dict[str, Scope] = {}
        news.listen(self._drop)

    async def of(self, name: str) -> Scene:
        """Return the scene of a run in a configuration, by its name or id. Raises ScopeNotFound."""
        found = self._cache.get(name)
        if found is None:
            cache = self._cache
            found = await self._store.get("configuration", name)
            if len(cache) < _MAX_CACHED:
                cache[name] = found
        return Scene(configuration=found.name, parameters=found.effective, powers=self._powers)

    def _drop(self) -> None:
        self._cache = {}
