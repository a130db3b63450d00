"""What the settings say of limits: of providers, of models, of all calls, and of money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from cuewire.model.errors import ConfigError, InvalidInput
from cuewire.model.limits import Count, Limit, Limits, SpendCaps, Usd
from cuewire.model.references import check_name

LIMITS = Limit.__struct_fields__
"""The settings of a provider, or a model, that are limits."""


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for all limits, as [limits]: no call waits longer than so many seconds."""

    max_wait_s: Annotated[float, Meta(ge=0, le=86_400)] = 120.0


class SpendSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """USD that may be spent in a day of UTC, as [spend]: in all, on single prompts, and by single actors."""

    usd_per_day: Usd | None = None
    prompts: dict[str, Usd] = {}
    actors: dict[str, Usd] = {}


class Limited(Protocol):
    """Settings of a provider or a model that may say limits."""

    @property
    def max_concurrency(self) -> Count | None:
        """Calls at a time."""
        ...

    @property
    def requests_per_minute(self) -> Count | None:
        """Calls a minute."""
        ...

    @property
    def tokens_per_minute(self) -> Count | None:
        """Tokens a minute, in and out."""
        ...


def limits_of(
    providers: Mapping[str, Limited],
    models: Mapping[str, Limited],
    *,
    max_calls_at_once: int | None,
    settings: LimitSettings,
) -> Limits:
    """Return the limits that are set."""
    return Limits(
        max_calls_at_once=max_calls_at_once,
        max_wait_s=settings.max_wait_s,
        providers=_of_each(providers),
        models=_of_each(models),
    )


def caps_of(settings: SpendSettings) -> SpendCaps:
    """Return the caps that are set. Raises ConfigError for what cannot be the name of a prompt."""
    for name in settings.prompts:
        try:
            check_name(name)
        except InvalidInput as error:
            raise ConfigError(f"spend.prompts: {error.message}", field="spend.prompts") from None
    return SpendCaps(usd_per_day=settings.usd_per_day, prompts=settings.prompts, actors=settings.actors)


def _of_each(limited: Mapping[str, Limited]) -> dict[str, Limit]:
    found = {name: Limit(**{field: getattr(each, field) for field in LIMITS}) for name, each in limited.items()}
    return {name: limit for name, limit in found.items() if limit != Limit()}
