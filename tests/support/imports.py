"""A bundle as text that a person can check."""

from __future__ import annotations

from collections.abc import Iterator

from cuewire.files.prompt_text import to_text
from cuewire.model.bundles import Bundle


def described(bundle: Bundle) -> str:
    """Return what was read, version by version, and what was lost."""
    return "".join(_lines(bundle))


def _lines(bundle: Bundle) -> Iterator[str]:
    for version in bundle.versions:
        labels = f" {', '.join(version.labels)}" if version.labels else ""
        yield f"=== {version.file.prompt} {version.number}{labels}\n{to_text(version.file)}"
    yield "=== lost\n"
    for loss in bundle.losses:
        yield f"{loss.place} | {loss.what} | {loss.why}\n"
