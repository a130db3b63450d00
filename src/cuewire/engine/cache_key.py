"""The key of an answer: equal for runs that ask the same, different as soon as anything can change the answer.

And what must be equal where questions need only mean the same. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from cuewire.model.plans import Candidate, Plan
from cuewire.model.policies import Cache, Semantic
from cuewire.model.prompts import Inputs, PromptVersion
from cuewire.model.requests import ChatMessage

_SCHEMA = 1
"""Counts the changes of what a key is made of."""


def cache_key(
    version: PromptVersion,
    plan: Plan,
    messages: Sequence[ChatMessage],
    *,
    cache: Cache,
    configuration: str | None,
    metadata: Mapping[str, Any],
) -> str:
    """Return the key of the answer that the plan leads to."""
    return _hash({**_surroundings(version, plan, cache, configuration, metadata), "messages": messages})


def partition_key(
    version: PromptVersion,
    plan: Plan,
    inputs: Inputs,
    *,
    configuration: str | None,
    metadata: Mapping[str, Any],
    dimensions: int,
) -> str:
    """Return the key of all questions that may be compared with one by what they mean; the policy says which inputs."""
    cache = version.policy.cache
    assert cache is not None, "the policy lets answers be kept"
    assert cache.semantic is not None, "the policy compares questions"
    others = {name: value for name, value in inputs.items() if name not in cache.semantic.on}
    vectors = {"embedding": cache.semantic.model, "dimensions": dimensions}
    return _hash({**_surroundings(version, plan, cache, configuration, metadata), "inputs": others, **vectors})


def subject_key(version: PromptVersion, semantic: Semantic) -> str:
    """Return the key of what one trusts to answer similar questions: a prompt, and how its questions are compared."""
    settings = (semantic.on, semantic.model, semantic.threshold, semantic.verifier)
    return _hash((_SCHEMA, version.prompt_id, settings))


def is_drawn(plan: Plan) -> bool:
    """Tell whether an answer of the plan depends on chance: a temperature above 0, and no seed."""
    return any(
        (candidate.parameters.get("temperature") or 0) > 0 and candidate.parameters.get("seed") is None
        for candidate in plan.candidates
    )


def _surroundings(
    version: PromptVersion, plan: Plan, cache: Cache, configuration: str | None, metadata: Mapping[str, Any]
) -> dict[str, Any]:
    match = cache.must_match
    return {
        "schema": _SCHEMA,
        "project": 1,
        "version": version.id,
        "content": version.content_hash,
        "output": version.output,
        "candidates": [_asked(candidate, cache) for candidate in plan.candidates],
        "agent": metadata.get("agent") if "agent" in match else None,
        "configuration": configuration if "configuration" in match else None,
    }


def _hash(asked: object) -> str:
    return sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()


def _asked(candidate: Candidate, cache: Cache) -> dict[str, Any]:
    match = cache.must_match
    return {
        "group": candidate.group,
        "model": candidate.model.model if "model" in match else None,
        "provider": candidate.model.provider if "provider" in match else None,
        "parameters": candidate.parameters,
    }
