"""A secret bound to the one origin that may see it, and the blotting out of what looks like one in others' words."""

from __future__ import annotations

import re
from typing import NoReturn

from cuewire.model.errors import ConfigError

_PREFIXED = re.compile(r"\b(?:sk|pk|rk|gsk|xai|key)-[\w*.-]{4,}", re.ASCII)
_RUN = re.compile(r"[\w+=%-]{24,}", re.ASCII)
_LONGEST_KEY = 1_024
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"',;]+")
_PART = re.compile(r"[A-Za-z]{1,23}|[0-9]{1,23}|[A-Za-z0-9]{0,3}")


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


def redacted(text: str) -> str:
    """Return the text with whatever looks like a key blotted out."""
    return _RUN.sub(_redact_run, _PREFIXED.sub("[redacted]", _BEARER.sub(r"\1 [redacted]", text)))


def _redact_run(run: re.Match[str]) -> str:
    """Blot out a long run of letters if digits are among them, as in keys, signatures and their encoded forms.

    A name is kept that joins words, numbers and the like of `4o`: claude-3-5-sonnet-20241022.
    """
    text = run.group()
    if len(text) > _LONGEST_KEY or not any(character.isdigit() for character in text):
        return text
    parts = text.replace("_", "-").split("-")
    is_name = parts[0].isalpha() and all(map(_PART.fullmatch, parts))
    return text if is_name else "[redacted]"
