"""The bytes of a document as text, and text as databases can hold it."""

from __future__ import annotations

from cuewire.files.losses import Losses
from cuewire.model.errors import InvalidInput
from cuewire.model.text import cleaned


def read(data: bytes, *, losses: Losses) -> str:
    """Return the text of a document, its lines ended by `\\n` alone. Raises InvalidInput."""
    return storable(decoded(data).replace("\r\n", "\n"), losses=losses)


def decoded(data: bytes) -> str:
    """Return a text in UTF-8 as it stands there, without a byte order mark. Raises InvalidInput."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("the file is not UTF-8", hint="save it as UTF-8") from None


def storable(text: str, *, losses: Losses) -> str:
    """Return the text with U+FFFD for each character that no database can store, and tell how many there were."""
    made, count = cleaned(text)
    if count:
        losses.add(f"{count} characters", "no database can store them; U+FFFD stands in their place")
    return made
