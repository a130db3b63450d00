"""Users: the people whose API keys are theirs, and who keep their role in one place."""

from __future__ import annotations

import re
from datetime import datetime

from cuewire.model.actors import Role
from cuewire.model.errors import InvalidInput
from cuewire.model.values import Value

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")


class User(Value, frozen=True):
    """A user as stored. The keys of one who is disabled open nothing."""

    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None = None


def check_user_name(name: str, *, field: str = "/name") -> str:
    """Return the name if a user may have it, else raise InvalidInput."""
    if _NAME.fullmatch(name):
        return name
    raise InvalidInput(
        f"{name[:100]!r} is not a user's name",
        field=field,
        hint="use up to 100 of a-z 0-9 . _ @ + -, beginning with a letter or digit",
    )
