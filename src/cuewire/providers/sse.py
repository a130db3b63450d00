"""Server-sent events: bytes in, the data of events out (WHATWG HTML, section 9.2, as far as model endpoints use it).

Event names, ids and retry times mean nothing to model endpoints and are dropped. Pure.
"""

from __future__ import annotations

from cuewire.model.errors import ProtocolError

MAX_LINE = 2**20
MAX_EVENT = 2 * 2**20

_DONE = b"[DONE]"


class EventSplitter:
    """Splits the bytes of one stream into the data of its events.

    `is_done` is true once the end marker `[DONE]` has been read. `progress` grows whenever an event or a comment is
    completed: a server that sends a byte now and then does not make it grow.
    """

    __slots__ = ("_rest", "is_done", "progress")

    def __init__(self) -> None:
        self._rest = b""
        self.is_done = False
        self.progress = 0

    def feed(self, block: bytes) -> list[bytes]:
        """Take what one read brought and return the data of the events that it completes, each as one line.

        What follows the end marker is dropped. Raises ProtocolError above MAX_LINE or MAX_EVENT bytes.
        """
        text = self._rest + block
        if b"\r" in text:
            text = _with_plain_ends(text)
        end = text.rfind(b"\n\n") + 2
        if end == 1:
            end = 0
        self._rest = text[end:]
        if len(self._rest) > MAX_LINE:
            _check_sizes(self._rest)
        if self.is_done or not end:
            return []
        self.progress += 1
        events = _events(text[:end])
        if _DONE in events:
            self.is_done = True
            del events[events.index(_DONE) :]
        return events

    def end(self) -> list[bytes]:
        """Return the data of a last event whose blank line the end of the stream cut off."""
        return self.feed(b"\n\n")


def _events(text: bytes) -> list[bytes]:
    if text.startswith(b"data: ") and len(text) <= MAX_LINE:
        # Nearly always each event is one data line and a blank one; then two passes in C do it.
        events = text[6:-2].split(b"\n\ndata: ")
        if text.count(b"\n") == 2 * len(events):
            return events
    return _events_by_line(text)


def _events_by_line(text: bytes) -> list[bytes]:
    events: list[bytes] = []
    data: list[bytes] = []
    for line in text.split(b"\n"):
        if line.startswith(b"data:"):
            data.append(line[6:] if line.startswith(b"data: ") else line[5:])
        elif not line and data:
            # A line break between two data lines is white space in JSON; a blank keeps the event on one line.
            event = b" ".join(data)
            if len(event) > MAX_LINE:
                _check_sizes(b"\n".join(data))
            events.append(event)
            data.clear()
    return events


def _check_sizes(event: bytes) -> None:
    if len(event) > MAX_EVENT:
        raise ProtocolError(f"an event of the stream is longer than {MAX_EVENT >> 20} MiB")
    if max(map(len, event.split(b"\n"))) > MAX_LINE:
        raise ProtocolError(f"a line of the stream is longer than {MAX_LINE >> 20} MiB")


def _with_plain_ends(text: bytes) -> bytes:
    """Make every line end a line feed; a carriage return at the very end may be half of a pair and waits."""
    body, last = (text[:-1], b"\r") if text.endswith(b"\r") else (text, b"")
    return body.replace(b"\r\n", b"\n").replace(b"\r", b"\n") + last
