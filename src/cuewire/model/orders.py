"""What a caller asks for: a prompt, its inputs, and how to run it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from cuewire.model.errors import InvalidInput
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
    """

    model: str | None
    parameters: Mapping[str, Any] | None
    metadata: Mapping[str, Any] | None
    idempotency_key: str | None
    timeout_s: float | None
    strategy: str | None
    language: str | None
    configuration: str | None


class Order(Value, frozen=True):
    """One run as asked for, checked at the border: all of it can be stored."""

    reference: Reference
    inputs: Inputs
    model: str | None
    parameters: dict[str, Any]
    metadata: dict[str, Any]
    idempotency_key: str | None
    timeout_s: float | None
    configuration: str | None = None


def parse_order(
    prompt: str,
    inputs: Inputs | None,
    *,
    model: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
    timeout_s: float | None = None,
    strategy: str | None = None,
    language: str | None = None,
    configuration: str | None = None,
) -> Order:
    """Check what a caller gave to `run` or `stream`. Raises InvalidInput with the place that is wrong."""
    given = check_object(inputs, pointer="/inputs")
    chosen = check_object(parameters, pointer="/parameters")
    if chosen:
        check_parameters(chosen)
    if model is not None:
        parse_model(model)
    if idempotency_key is not None:
        _check_key(idempotency_key)
    if timeout_s is not None and not 0 < timeout_s <= 86_400:
        raise InvalidInput("timeout must be more than 0 and at most 86,400 seconds", field="/timeout_s")
    return Order(
        reference=parse_reference(prompt, strategy=strategy, language=language),
        inputs=given,
        model=model,
        parameters=chosen,
        metadata=check_object(metadata, pointer="/metadata"),
        idempotency_key=idempotency_key,
        timeout_s=timeout_s,
        configuration=None if configuration is None else check_name(configuration, field="/configuration"),
    )


def _check_key(key: object) -> None:
    if not isinstance(key, str) or not 1 <= len(key) <= MAX_KEY or not is_storable(key):
        raise InvalidInput(f"idempotency key must be 1 to {MAX_KEY} characters of text", field="/idempotency_key")
