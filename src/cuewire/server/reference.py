"""The OpenAPI document as one page that loads nothing: no script, no font, no other host."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from typing import Any

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}"
    "code,pre{font:14px/1.45 ui-monospace,monospace}pre{background:#f3f5f7;padding:.75rem;overflow:auto}"
    "summary{cursor:pointer;padding:.4rem 0}b{display:inline-block;min-width:4rem}h2{margin-top:2.5rem}"
    "@media(prefers-color-scheme:dark){body{background:#14171a;color:#e4e7ea}pre{background:#1f2428}a{color:#7ab8ff}}"
)
POLICY = f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
"""The Content-Security-Policy under which the page works."""


def page(document: Mapping[str, Any]) -> str:
    """Return the page of an OpenAPI document."""
    return "".join(_parts(document))


def _parts(document: Mapping[str, Any]) -> Iterator[str]:
    info = document["info"]
    title = f"{escape(info['title'])} {escape(info['version'])}"
    yield '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    yield f"<title>{title}</title><style>{_STYLE}</style>"
    yield f"<h1>{title}</h1><p>{escape(info['description'])}</p>"
    yield '<p>For programs: <a href="/openapi.json">openapi.json</a>.</p>'
    yield "<p>Each request carries the header <code>Authorization: Bearer KEY</code>.</p><h2>Operations</h2>"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code> "
            yield f"{escape(operation['summary'])}</summary><p>{escape(operation.get('description', ''))}</p>"
            if "parameters" in operation:
                yield f"<h4>Parameters</h4>{_listing(operation['parameters'])}"
            if "requestBody" in operation:
                yield f"<h4>Body</h4>{_listing(operation['requestBody']['content'])}"
            reply = next(said for status, said in operation["responses"].items() if status.startswith("2"))
            yield f"<h4>Reply</h4>{_listing(reply)}</details>"
    yield "<h2>Shapes</h2>"
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>{_listing(schema)}</details>'
    yield "</html>"


def _listing(value: object) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2))}</pre>"
