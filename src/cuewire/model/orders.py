"""What a caller asks for: a prompt, its inputs, and how to run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from cuewire.model.actors import LOCAL
from cuewire.model.errors import InvalidInput
from cuewire.model.policies import MOST_CANDIDATES
from cuewire.model.prompts import Inputs
from cuewire.model.references import Reference, check_name, parse_reference
from cuewire.model.requests import check_parameters, parse_model
from cuewire.model.text import check_object, is_storable
from cuewire.model.values import Value

MAX_KEY = 255


class RunOptions(TypedDict, total=False):
    """What `run` and `stream` take by keyword: `model` and `parameters` override the version's.

    `strategy` is a strategy's name or id: its own prompt runs if it has one, else the global one. `language` is the one
    wanted; a nearer or the default one will do. `idempotency_key` makes a repeated request bring back the first one's
    result; `timeout_s` bounds the whole trip. `configuration` names the environment whose parameters and models count.
    `models` asks each of several once, side by side, in place of all that the version names: its policy selects one of
    their answers, and the result has them all.
    """

    model: str | None
    models: Sequence[str]
    parameters: Mapping[str, Any] | None
    metadata: Mapping[str, Any] | None
    idempotency_key: str | None
    timeout_s: float | None
    strategy: str | None
    language: str | None
    configuration: str | None


class Order(Value, frozen=True):
    """One run as asked for, checked at the border: all of it can be stored. `actor` is the name of who asks."""

    reference: Reference
    inputs: Inputs
    model: str | None
    parameters: dict[str, Any]
    metadata: dict[str, Any]
    idempotency_key: str | None
    timeout_s: float | None
    configuration: str | None = None
    models: tuple[str, ...] = ()
    actor: str = LOCAL.name


def parse_order(
    prompt: str,
    inputs: Inputs | None,
    *,
    model: str | None = None,
    models: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
    timeout_s: float | None = None,
    strategy: str | None = None,
    language: str | None = None,
    configuration: str | None = None,
    actor: str = LOCAL.name,
) -> Order:
    """Check what a caller gave to `run` or `stream`. Raises InvalidInput with the place that is wrong.

    `actor` is the name of who calls, which is known and not given.
    """
    given = check_object(inputs, pointer="/inputs")
    chosen = check_object(parameters, pointer="/parameters")
    if chosen:
        check_parameters(chosen)
    if model is not None:
        parse_model(model)
    several = () if models == () else _checked_models(models, model)
    if idempotency_key is not None:
        _check_key(idempotency_key)
    if timeout_s is not None and not 0 < timeout_s <= 86_400:
        raise InvalidInput("timeout must be more than 0 and at most 86,400 seconds", field="/timeout_s")
    return Order(
        reference=parse_reference(prompt, strategy=strategy, language=language),
        inputs=given,
        model=several[0] if len(several) == 1 else model,
        models=several if len(several) > 1 else (),
        parameters=chosen,
        metadata=check_object(metadata, pointer="/metadata"),
        idempotency_key=idempotency_key,
        timeout_s=timeout_s,
        configuration=None if configuration is None else check_name(configuration, field="/configuration"),
        actor=actor,
    )


def _checked_models(models: object, model: str | None) -> tuple[str, ...]:
    if isinstance(models, str) or not isinstance(models, Sequence) or len(models) > MOST_CANDIDATES:
        raise InvalidInput(f"models must be a list of at most {MOST_CANDIDATES}", field="/models")
    if models and model is not None:
        raise InvalidInput("name one model, or a list of models", field="/models")
    several = tuple(models)
    for place, name in enumerate(several):
        parse_model(name, field=f"/models/{place}")
        if name in several[:place]:
            raise InvalidInput(f"{name!r} is named twice", field=f"/models/{place}", hint="repeat it by the policy")
    return several


def _check_key(key: object) -> None:
    if not isinstance(key, str) or not 1 <= len(key) <= MAX_KEY or not is_storable(key):
        raise InvalidInput(f"idempotency key must be 1 to {MAX_KEY} characters of text", field="/idempotency_key")
