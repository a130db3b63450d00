"""What the tests of prompts over REST ask for again and again."""

from __future__ import annotations

from typing import Any

from tests.support.serving import Reply, Serving

PROMPTS = "/api/v1/prompts"


def post(server: Serving, name: str, content: object = "Hello {{ x }}", **more: object) -> Reply:
    """Ask for a new prompt."""
    return server.ask("POST", f"{PROMPTS}/", {"name": name, "content": content, "model": "scripted/echo", **more})


def create(server: Serving, name: str, content: object = "Hello {{ x }}", **more: object) -> Any:
    """Create a prompt and return what is told of it."""
    reply = post(server, name, content, **more)
    assert reply.status == 201, reply.json
    return reply.json


def put(server: Serving, name: str, body: object, **headers: str) -> Reply:
    """Change a prompt; a slash in the name is written %2F."""
    return server.ask("PUT", f"{PROMPTS}/{name}", body, **headers)


def shown(server: Serving, name: str, query: str = "") -> Any:
    """Return a prompt as it is looked up."""
    return server.ask("GET", f"{PROMPTS}/{name}{query}").json


def listed(server: Serving, query: str) -> Any:
    """Return a list of prompts."""
    reply = server.ask("GET", f"{PROMPTS}/?{query}")
    assert reply.status == 200, reply.json
    return reply.json


def names(page: Any) -> list[str]:
    """Return the names of the prompts in a list."""
    return [each["name"] for each in page["items"]]
