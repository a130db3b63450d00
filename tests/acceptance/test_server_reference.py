"""The API is described three times, in one way: OpenAPI for programs, /docs for people, the guide for newcomers."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.serving import Reply, Serving, serving

GUIDE = Path(__file__).parents[2] / "docs/server.md"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve a database."""
    with serving(CommandLine(tmp_path_factory.mktemp("reference"))) as running:
        yield running


class Page(HTMLParser):
    """What a browser would make of a page: its text, and what it would load or run."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.styles: list[str] = []
        self.tags: set[str] = set()
        self.addresses: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(reply.body.decode())
        self.close()

    @property
    def text(self) -> str:
        """All that can be read."""
        return "".join(self.texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses |= {value or "" for name, value in attrs if name in ("href", "src", "srcset", "action", "data")}

    def handle_data(self, data: str) -> None:
        (self.styles if self.lasttag == "style" and not self.styles else self.texts).append(data)


def operations(server: Serving) -> set[str]:
    """Return all operations of the OpenAPI document, as in `GET /healthz`."""
    paths = server.ask("GET", "/openapi.json").json["paths"]
    return {f"{method.upper()} {path}" for path, said in paths.items() for method in said}


@pytest.mark.contract("S3-134")
def test_the_guide_names_every_operation_and_no_other(server: Serving) -> None:
    named = set(re.findall(r"^\| `([A-Z]+ /\S*)` \|", GUIDE.read_text(), re.MULTILINE))

    assert {re.sub(r":path}", "}", operation) for operation in operations(server)} == named
    assert len(named) > 15


@pytest.mark.contract("S3-134")
def test_the_api_describes_itself_and_shows_that_at_docs(server: Serving) -> None:
    document = server.ask("GET", "/openapi.json").json
    reply = server.ask("GET", "/docs")
    page = Page(reply)

    assert document["openapi"].startswith("3.")
    assert document["components"]["schemas"]["RunRequest"]["required"] == ["prompt"]
    assert reply.headers["content-type"].startswith("text/html")
    for path, said in document["paths"].items():
        for method, operation in said.items():
            assert re.search(rf"{method.upper()}\s+{re.escape(path)}\s+{re.escape(operation['summary'])}", page.text)
    assert all(name in page.text for name in document["components"]["schemas"])


@pytest.mark.contract("S3-134", "S3-129")
def test_the_page_needs_nothing_from_elsewhere_and_its_policy_lets_its_own_style_through(server: Serving) -> None:
    reply = server.ask("GET", "/docs")
    page = Page(reply)
    (style,) = page.styles
    policy = dict(part.strip().split(" ", 1) for part in reply.headers["content-security-policy"].split(";"))

    assert page.addresses == {"/openapi.json"}
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "svg"}
    assert not [name for name in page.attributes if name.startswith("on") or name == "style"]
    assert not re.search(r"url\(|@import|@font-face", style)
    assert policy == {
        "default-src": "'none'",
        "style-src": f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'",
    }
