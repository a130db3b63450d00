"""What the floors send and read: typed JSON of the chat completions format, nothing else."""

from __future__ import annotations

import msgspec

from bench.sides.meter import EVENTS_PER_STREAM, must_be_answer, question

MODEL = "gpt-4o-mini"


class Message(msgspec.Struct):
    """The text of an answer."""

    content: str


class Choice(msgspec.Struct):
    """One answer."""

    message: Message


class Usage(msgspec.Struct):
    """Tokens of a request."""

    prompt_tokens: int
    completion_tokens: int


class Answer(msgspec.Struct):
    """The body of a plain answer."""

    choices: list[Choice]
    usage: Usage


class Delta(msgspec.Struct):
    """A piece of text."""

    content: str = ""


class Piece(msgspec.Struct):
    """One choice of an event."""

    delta: Delta


class Event(msgspec.Struct):
    """One event of a stream."""

    choices: list[Piece]
    usage: Usage | None = None


encode = msgspec.json.Encoder().encode
decode_answer = msgspec.json.Decoder(Answer).decode
decode_event = msgspec.json.Decoder(Event).decode


def request_body(number: int, *, stream: bool = False) -> bytes:
    """Encode one request."""
    messages = [{"role": "user", "content": question(number)}]
    return encode({"model": MODEL, "messages": messages, "stream": stream})


def read_answer(body: bytes) -> int:
    """Decode and check a plain answer."""
    must_be_answer(decode_answer(body).choices[0].message.content)
    return 1


class Events:
    """Splits the bytes of one stream into lines and decodes each event."""

    def __init__(self) -> None:
        self._rest = b""
        self._text: list[str] = []
        self._count = 0
        self.is_over = False

    def feed(self, data: bytes) -> None:
        """Take the bytes of one read."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if not line.startswith(b"data: "):
                continue
            if line[6:12] == b"[DONE]":
                self.is_over = True
                return
            event = decode_event(line[6:])
            self._count += 1
            if event.choices:
                self._text.append(event.choices[0].delta.content)

    def close(self) -> int:
        """Check that the stream was whole and give its number of events."""
        must_be_answer("".join(self._text))
        if self._count != EVENTS_PER_STREAM:
            raise SystemExit(f"stream had {self._count} events, expected {EVENTS_PER_STREAM}")
        return self._count
