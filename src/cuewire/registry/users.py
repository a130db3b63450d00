"""Who has a role here: adding users, giving them roles, disabling them."""

from __future__ import annotations

from collections.abc import Sequence

from cuewire.model.actors import Actor, Role, check_role
from cuewire.model.errors import InvalidInput
from cuewire.model.users import User, check_user_name
from cuewire.ports import Clock, Users
from cuewire.registry.access import authorize


class Roster:
    """The users of one database. What changes of a user holds on every server within a second."""

    def __init__(self, store: Users, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def list(self, *, by: Actor) -> Sequence[User]:
        """Return all users by name. Raises Forbidden."""
        authorize(by, "users:admin")
        return await self._store.list()

    async def add(self, name: str, *, by: Actor, role: Role = "viewer") -> User:
        """Add a user. Raises InvalidInput, UserExists, Forbidden."""
        authorize(by, "users:admin")
        user = User(name=check_user_name(name), role=check_role(role), created_at=self._clock.now())
        await self._store.add(user, by=by.name)
        return user

    async def change(self, name: str, *, by: Actor, role: Role | None = None, disabled: bool | None = None) -> User:
        """Give a user another role, disable or enable them; what is None stays as it is.

        Raises InvalidInput, UserNotFound, Forbidden; Conflict rather than leave the users without an admin.
        """
        authorize(by, "users:admin")
        if role is None and disabled is None:
            raise InvalidInput("there is nothing to change", field="/role", hint="give a role, or disabled")
        return await self._store.change(
            check_user_name(name),
            role=None if role is None else check_role(role),
            disabled=disabled,
            at=self._clock.now(),
            by=by.name,
        )
