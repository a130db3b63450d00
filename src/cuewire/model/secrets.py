"""A secret bound to the one origin that may see it."""

from __future__ import annotations

from typing import NoReturn

from cuewire.model.errors import ConfigError


class Secret:
    """An API key. It shows itself in no `repr`, no text and no pickle, and only to the origin that it belongs to."""

    __slots__ = ("_origin", "_text")

    def __init__(self, text: str, *, origin: str) -> None:
        self._text = text
        self._origin = origin

    @property
    def origin(self) -> str:
        """The origin, `scheme://host:port`, to which the secret may be sent."""
        return self._origin

    def reveal(self, *, to_origin: str) -> str:
        """Return the secret for sending it to its origin. Raises ConfigError for any other origin."""
        if to_origin != self._origin:
            raise ConfigError(
                f"a key that belongs to {self._origin} would be sent to {to_origin}",
                hint="set the key again together with the new address",
            )
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")
