"""The one place that says who may do what. What is not said here, nobody may do."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from cuewire.model.actors import RANKS, ROLES, Actor, Role, all_fit
from cuewire.model.errors import Forbidden, InvalidInput, PromptNotFound
from cuewire.model.references import no_prompt

LEAST: Mapping[str, Role] = {
    "prompts:read": "viewer",
    "executions:read": "viewer",
    "metrics:read": "viewer",
    "run": "runner",
    "executions:body": "runner",
    "outcomes:write": "runner",
    "prompts:write": "editor",
    "prompts:publish": "publisher",
    "reviews:decide": "publisher",
    "scopes:write": "publisher",
    "types:write": "publisher",
    "events:read": "publisher",
    "rules:write": "admin",
    "users:admin": "admin",
    "keys:admin": "admin",
}
"""Each action with the least role that may do it."""
OF_ALL_PROMPTS = frozenset({"scopes:write", "types:write", "users:admin"})
"""Actions that touch prompts of all names, and so are not for who is limited to some."""
_ALLOWED: Mapping[Role, frozenset[str]] = {
    role: frozenset(action for action, least in LEAST.items() if RANKS[least] <= RANKS[role]) for role in ROLES
}
_FAMILY: Mapping[str, str] = {action: f"{action.partition(':')[0]}:*" for action in LEAST if ":" in action}
SCOPES = frozenset({*LEAST, *_FAMILY.values()})
"""What may narrow a key: an action, or a family of them such as `prompts:*`."""


def authorize(actor: Actor, action: str, prompt: str | None = None, *, said: str | None = None) -> None:
    """Let the actor do the action, to the prompts of this name where it is about one.

    `said` is how the caller named it, where that was an id: what is not for them is then told as what is nowhere.
    Raises Forbidden, which says what is missing; PromptNotFound for a name outside those that the actor is limited to,
    whether or not there is such a prompt.
    """
    if not may(actor, action):
        raise _forbidden(actor, action)
    if actor.prompts is not None and prompt is not None and not actor.sees(prompt):
        if said is not None:
            raise no_prompt(said)
        hint = f"this API key is for {', '.join(actor.prompts)[:200]} only"
        raise PromptNotFound("there is no prompt of this name", field="/prompt", hint=hint)


def authorize_all(actor: Actor, action: str) -> None:
    """Let the actor do the action to prompts of all names at once. Raises Forbidden."""
    authorize(actor, action)
    if actor.prompts is not None:
        raise _limited(actor, action)


def may(actor: Actor, action: str) -> bool:
    """Tell whether the actor may do the action to some prompt, or at all if it touches prompts of all names."""
    if action not in _ALLOWED[actor.role] or (action in OF_ALL_PROMPTS and actor.prompts is not None):
        return False
    return _is_in_scopes(actor, action)


def allowed(actor: Actor) -> tuple[str, ...]:
    """Return all actions that the actor may do, in the order of the table."""
    return tuple(action for action in LEAST if may(actor, action))


def check_scopes(scopes: Collection[str]) -> tuple[str, ...]:
    """Return the scopes, sorted, if there are such. Raises one InvalidInput that lists all that are not."""
    wrong = tuple(
        (f"/scopes/{place}", f"{scope[:40]!r} is not a scope")
        for place, scope in enumerate(scopes)
        if scope not in SCOPES
    )
    if wrong or not scopes:
        said = "; ".join(what for _, what in wrong) or "name at least one scope"
        raise InvalidInput(said, field="/scopes", problems=wrong, hint=f"known: {', '.join(sorted(SCOPES))}")
    return tuple(sorted({*scopes}))


def beyond(actor: Actor, other: Actor) -> list[str]:
    """Return what the other is allowed that the actor is not, in words: nothing where the other is within."""
    found = []
    if RANKS[other.role] > RANKS[actor.role]:
        found.append(f"the role {other.role}")
    if actor.scopes is not None:
        asked = SCOPES if other.scopes is None else other.scopes
        found += sorted(
            scope for scope in asked if scope not in actor.scopes and _FAMILY.get(scope) not in actor.scopes
        )
    if actor.prompts is not None and not (other.prompts is not None and all_fit(actor.prompts, other.prompts)):
        found.append("prompts other than " + ", ".join(actor.prompts)[:200])
    return found


def _is_in_scopes(actor: Actor, action: str) -> bool:
    scopes = actor.scopes
    return scopes is None or action in scopes or _FAMILY.get(action) in scopes


def _forbidden(actor: Actor, action: str) -> Forbidden:
    least = LEAST[action]
    if RANKS[least] > RANKS[actor.role]:
        hint = f"it takes the role {least}; {actor.name} has the role {actor.role}"
    elif _is_in_scopes(actor, action):
        return _limited(actor, action)
    else:
        hint = f"this API key is for {', '.join(sorted(actor.scopes or ())) or 'nothing'} only"
    return Forbidden(f"{actor.name!r} may not do {action!r}", hint=hint)


def _limited(actor: Actor, action: str) -> Forbidden:
    return Forbidden(
        f"{actor.name!r} may not do {action!r} to all prompts",
        hint=f"this API key is for {', '.join(actor.prompts or ())[:200]} only",
    )
