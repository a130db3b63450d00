"""Policies as JSON: the shapes of their parts, which say by name what the model says."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from cuewire.model.policies import (
    MOST_CALLS,
    MOST_CANDIDATES,
    Count,
    FailureClass,
    Match,
    Milliseconds,
    Policy,
    PromptName,
    Times,
)
from cuewire.wire.shapes import Shape


class OneCandidateShape(Shape, frozen=True, tag_field="mode", tag="none"):
    """One candidate."""


class StaticCountShape(Shape, frozen=True, tag_field="mode", tag="static_count"):
    """So many candidates, the models taken in turn."""

    count: Count


class ConfigParamShape(Shape, frozen=True, tag_field="mode", tag="config_param"):
    """As many candidates as a parameter of the run's configuration says."""

    param: Annotated[str, Meta(min_length=1, max_length=128)]


class ModelSpecificShape(Shape, frozen=True, tag_field="mode", tag="model_specific"):
    """As many candidates as each model's own binding says, in the binding's group."""


class BindingShape(Shape, frozen=True):
    """A model of a version; one with a configuration counts in runs of that configuration only."""

    model: str
    priority: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)] = 0
    group: Annotated[int, Meta(ge=0, le=MOST_CANDIDATES - 1)] = 0
    configuration: str | None = None
    parameters: dict[str, Any] = {}
    parallel: OneCandidateShape | StaticCountShape | ConfigParamShape = OneCandidateShape()
    active: bool = True


class ModelChoiceShape(Shape, frozen=True):
    """Which models are eligible, and in which order."""

    strategy: Literal["default", "specific", "by_power"] = "default"
    preference: Literal["highest", "lowest", "balanced"] = "highest"
    min_power: int | None = None


class GroupsShape(Shape, frozen=True):
    """Whether a later group runs; with `race` the first valid candidate ends everything else."""

    policy: Literal["all", "until_success", "until_score", "race"] = "all"
    score: float | None = None


class FirstShape(Shape, frozen=True, tag_field="method", tag="first"):
    """The valid candidate that comes first in the plan."""


class FastestShape(Shape, frozen=True, tag_field="method", tag="fastest"):
    """The valid candidate that was there first."""


class RandomShape(Shape, frozen=True, tag_field="method", tag="random"):
    """Any valid candidate, drawn by the execution's id."""


class ConsensusShape(Shape, frozen=True, tag_field="method", tag="consensus"):
    """What most valid candidates say; `quorum` is the share that must agree."""

    quorum: Annotated[float, Meta(ge=0, le=1)] = 0.0
    tolerance: Annotated[float, Meta(ge=0, le=1)] = 1e-9


class MetricShape(Shape, frozen=True, tag_field="method", tag="metric"):
    """The best by a figure."""

    metric: Literal["cost", "latency", "shortest", "longest", "fewest_tokens"]


class JudgeShape(Shape, frozen=True, tag_field="method", tag="judge"):
    """What another prompt ranks first, blind; with `reverse` it looks twice."""

    prompt: PromptName
    reverse: bool = False


class VoteShape(Shape, frozen=True, tag_field="method", tag="vote"):
    """What several judges rank highest together."""

    judges: Annotated[tuple[PromptName, ...], Meta(min_length=2, max_length=9)]


class RetryShape(Shape, frozen=True):
    """How often a failed call is repeated at the same endpoint, and after which wait."""

    max_retries: Times = 0
    strategy: Literal["fixed", "linear", "exponential"] = "exponential"
    delay_ms: Milliseconds = 1_000
    cap_ms: Milliseconds = 30_000
    jitter: bool = True


class FailoverShape(Shape, frozen=True):
    """Which endpoints are asked when one has failed for good, and for which failures (all by default)."""

    strategy: Literal["none", "same_model_other_provider", "next_by_priority", "by_power"] = "none"
    model: Literal["same", "different", "require_same"] = "same"
    scope: tuple[FailureClass, ...] = ()
    max_failovers: Times = 3
    delay_ms: Milliseconds = 0


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:
    """Return a JSON Schema with what it refers to in its place."""
    if isinstance(schema, dict):
        if isinstance(name := schema.get("$ref"), str):
            return _inlined(parts[name.rpartition("/")[2]], parts)
        return {key: _inlined(value, parts) for key, value in schema.items() if key != "discriminator"}
    return [_inlined(item, parts) for item in schema] if isinstance(schema, list) else schema


def _schema() -> dict[str, Any]:
    (schema,), parts = msgspec.json.schema_components([Policy], ref_template="#/{name}")
    inlined: dict[str, Any] = _inlined(schema, parts)
    return inlined


WrittenPolicy: TypeAlias = Annotated[dict[str, Any], Meta(extra_json_schema=_schema())]
"""A policy as an author writes it, read by `parse_policy`: what is left out is as for one call to one model."""

ParallelShape: TypeAlias = OneCandidateShape | StaticCountShape | ConfigParamShape | ModelSpecificShape
SelectionMethodShape: TypeAlias = (
    FirstShape | FastestShape | RandomShape | ConsensusShape | MetricShape | JudgeShape | VoteShape
)


class CacheShape(Shape, frozen=True):
    """Whether an answer that was given before may be given again; `ttl_s` is null for entries that hold for good."""

    ttl_s: float | None = None
    must_match: tuple[Match, ...] = ("model", "provider")
    sampled: bool = False
    volatile: bool = False


class PolicyShape(Shape, frozen=True):
    """How a run of a version goes about it; what is left out is as for one call to one model."""

    parallel: ParallelShape = OneCandidateShape()
    models: tuple[BindingShape, ...] = ()
    choice: ModelChoiceShape = ModelChoiceShape()
    diversity: Literal["seed", "temperature", "none"] = "seed"
    groups: GroupsShape = GroupsShape()
    selection: SelectionMethodShape = FirstShape()
    retry: RetryShape = RetryShape()
    failover: FailoverShape = FailoverShape()
    max_repairs: Annotated[int, Meta(ge=0, le=3)] = 0
    validation: Literal["strict", "warn", "none"] = "strict"
    max_candidates: Count = 8
    at_once: Count = 8
    candidate_timeout_s: Annotated[float, Meta(gt=0, le=86_400)] | None = None
    max_calls: Annotated[int, Meta(ge=1, le=MOST_CALLS)] | None = None
    max_usd: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    cache: CacheShape | None = None
