"""Each route declares an action, and whoever may not do that is refused, in one place for all that FastAPI serves.

The hot routes, which it does not serve, ask `authorize` themselves, with the name of the prompt.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request
from fastapi.routing import APIRoute

from cuewire.registry.access import LEAST, authorize
from cuewire.server.replies import exchange_of

ACTION = "x-cuewire-action"
"""Where a route says what one must be allowed to do in order to use it."""
ROLE = "x-cuewire-role"
"""Where it says which role that takes, at least."""
TO_ANYONE = frozenset({"probe", "sign_in"})
"""What needs no API key."""
TO_THE_KNOWN = frozenset({"session", "dispatch"})
"""What any API key will do for; where operations are dispatched, each of them is checked."""


async def permit(request: Request) -> None:
    """Refuse who may not do what the route declares. Raises Forbidden."""
    action = action_of(request.scope["route"])
    if action not in TO_ANYONE | TO_THE_KNOWN:
        authorize(exchange_of(request).actor, action)


def action_of(route: APIRoute) -> str:
    """Return what a route declares, "" if that is nothing."""
    return str((route.openapi_extra or {}).get(ACTION, ""))


def check_actions(routes: Sequence[APIRoute]) -> None:
    """Refuse to start with a route that declares no action, or one that is in no table."""
    for route in routes:
        action = action_of(route)
        assert action in {*LEAST, *TO_ANYONE, *TO_THE_KNOWN}, f"route {route.path} declares {action!r}, no action"
