"""The key of an answer: equal for runs that ask the same, different as soon as anything can change the answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from cuewire.model.plans import Candidate, Plan
from cuewire.model.policies import Cache
from cuewire.model.prompts import PromptVersion
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
    match = cache.must_match
    asked = {
        "schema": _SCHEMA,
        "project": 1,
        "version": version.id,
        "content": version.content_hash,
        "messages": messages,
        "output": version.output,
        "candidates": [_asked(candidate, cache) for candidate in plan.candidates],
        "agent": metadata.get("agent") if "agent" in match else None,
        "configuration": configuration if "configuration" in match else None,
    }
    return sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()


def is_drawn(plan: Plan) -> bool:
    """Tell whether an answer of the plan depends on chance: a temperature above 0, and no seed."""
    return any(
        (candidate.parameters.get("temperature") or 0) > 0 and candidate.parameters.get("seed") is None
        for candidate in plan.candidates
    )


def _asked(candidate: Candidate, cache: Cache) -> dict[str, Any]:
    match = cache.must_match
    return {
        "group": candidate.group,
        "model": candidate.model.model if "model" in match else None,
        "provider": candidate.model.provider if "provider" in match else None,
        "parameters": candidate.parameters,
    }
