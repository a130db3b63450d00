"""The first page, where a browser signs in: three small files that load nothing from anywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy under which the page works."""

PAGES: Mapping[str, tuple[str, str]] = {
    "/": ("text/html", "sign-in.html"),
    "/sign-in.css": ("text/css", "sign-in.css"),
    "/sign-in.js": ("text/javascript", "sign-in.js"),
}
"""The media type and the file of each path."""


@cache
def text_of(path: str) -> str:
    """Return what is at a path of PAGES."""
    return (files("cuewire.server") / "static" / PAGES[path][1]).read_text(encoding="utf-8")
