"""Two servers that are told the same, and what each replied, with all taken out that no two servers can have alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from tests.support.serving import Reply, Serving

Said: TypeAlias = tuple[int, Mapping[str, str], Any]
"""Status, headers and body of a reply, comparable with that of the twin."""

NOBODY = "018bcfe5-6800-7fff-bfff-ffffffffffff"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_OWN_ID = re.compile(r"(?<=/)\d+$")
_IDS = {"number": "version_id", "action": "event_id", "effective": "scope_id"}
"""The fields that tell a version, an event and a strategy, whose ids are not those of prompts."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_TOKEN = re.compile(r"@(RUN|PAGE)(\d+)@")
_OWN_HEADERS = {"connection", "date", "content-length", "x-cuewire-overhead-ms"}


@dataclass(frozen=True)
class Step:
    """One request. In path and body, @S@ is the sequence, @RUN2@ its third execution, @PAGE0@ its first cursor."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Twin:
    """One of the two; knows what the other calls differently."""

    server: Serving
    _prefix: str = ""
    _runs: list[str] = field(default_factory=list)
    _pages: list[str] = field(default_factory=list)
    _names: dict[object, str] = field(default_factory=dict)

    def begin(self, prefix: str) -> None:
        """Begin a sequence."""
        self._prefix = prefix
        self._runs, self._pages = [], []

    def ask(self, step: Step) -> Said:
        """Send a request, and return what came back."""
        body = None if step.body is None else self._filled(step.body.decode("latin-1")).encode("latin-1")
        reply = self.server.ask(step.method, self._filled(step.path), body, X_Request_Id="twin", **step.headers)
        if run := reply.headers.get("x-cuewire-execution-id"):
            self._runs.append(run)
        headers = {name: self._plain_text(text) for name, text in reply.headers.items() if name not in _OWN_HEADERS}
        if "location" in headers:
            headers["location"] = _OWN_ID.sub(
                lambda found: self._named(("prompt_id", int(found[0]))), headers["location"]
            )
        return reply.status, headers, self._plain(_read(reply), "")

    def _filled(self, text: str) -> str:
        def value(found: re.Match[str]) -> str:
            known = self._runs if found[1] == "RUN" else self._pages
            return known[int(found[2]) % len(known)] if known else NOBODY

        return _TOKEN.sub(value, text.replace("@S@", self._prefix))

    def _plain(self, value: Any, key: str) -> Any:
        if isinstance(value, dict):
            id_of = next((name for field, name in _IDS.items() if field in value), "prompt_id")
            return {
                self._plain_text(name): self._plain(item, id_of if name == "id" else name)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self._plain(item, key) for item in value]
        if isinstance(value, str):
            if key == "next":
                self._pages.append(value)
                return "cursor"
            is_time = (key == "at" or key.endswith("_at")) and _TIME.fullmatch(value)
            return "time" if is_time else self._plain_text(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            if key.endswith("_ms") or key == "created":
                return f"a {type(value).__name__}" if value >= 0 else "negative"
            if key in ("prompt_id", *_IDS.values()):
                return self._named((key, value))
        return value

    def _plain_text(self, text: str) -> str:
        return _ID.sub(lambda found: self._named(found[0]), text)

    def _named(self, own: object) -> str:
        """Return a name for what each database calls as it likes: the same, if it came up at the same place."""
        return self._names.setdefault(own, f"number {len(self._names)}")


def _read(reply: Reply) -> Any:
    kind = reply.headers.get("content-type", "").partition(";")[0]
    if kind == "text/event-stream":
        return list(_joined(reply.body.decode()))
    if kind.endswith("json") and reply.body:
        return msgspec.json.decode(reply.body)
    return reply.body.decode()


def _joined(text: str) -> Iterator[Any]:
    """Yield the events, with pieces that follow each other as one: where a stream is cut is a matter of time."""
    pieces = ""
    for event in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in event.split("\n") if ": " in line)
        if "data" not in fields:
            continue
        data: Any = fields["data"] if fields["data"] == "[DONE]" else msgspec.json.decode(fields["data"])
        if fields.get("event") == "piece":
            pieces += data["text"]
        elif isinstance(data, dict) and (piece := _openai_piece(data)):
            pieces += piece
        else:
            yield [pieces, fields.get("event"), fields.get("id"), data]
            pieces = ""


def _openai_piece(data: Mapping[str, Any]) -> str:
    choices = data.get("choices") or [{}]
    piece: str = choices[0].get("delta", {}).get("content") or ""
    return piece
