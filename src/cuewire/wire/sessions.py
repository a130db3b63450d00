"""Signing in and out, as browsers say it."""

from __future__ import annotations

from cuewire.model.actors import Role
from cuewire.model.errors import InvalidInput
from cuewire.wire.shapes import Shape


class SignInRequest(Shape, frozen=True, forbid_unknown_fields=True):
    """What is traded for a session: the secret of a link, or an API key."""

    link: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        if bool(self.link) == bool(self.key):
            raise InvalidInput("give a link or an API key", field="/link")


class SessionShape(Shape, frozen=True):
    """Who is signed in: the API key for which the session stands, under which name history knows them, and what they
    may do.
    """

    key_id: str
    key_name: str
    name: str
    role: Role
    actions: tuple[str, ...]
