from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.model.errors import ProtocolError
from cuewire.providers.sse import MAX_LINE, EventSplitter

JSON_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"])).map(lambda text: f'{{"a":"{text}"}}'.encode())


def events_of(*blocks: bytes) -> list[bytes]:
    splitter = EventSplitter()
    return [event for block in blocks for event in splitter.feed(block)] + splitter.end()


@pytest.mark.parametrize(
    ("text", "events"),
    [
        (b"data: {}\n\n", [b"{}"]),
        (b"data: 1\n\ndata: 2\n\n", [b"1", b"2"]),
        (b"data:1\n\ndata:  2\n\n", [b"1", b" 2"]),
        (b"data: 1\r\n\r\ndata: 2\r\n\r\n", [b"1", b"2"]),
        (b"data: 1\r\rdata: 2\r\r", [b"1", b"2"]),
        (b": ping\n\ndata: 1\n\n: pong\ndata: 2\n\n", [b"1", b"2"]),
        (b"event: message\nid: 7\nretry: 5\ndata: 1\n\n", [b"1"]),
        (b"data: 1\nid: 7\n\ndata: 2\n\n", [b"1", b"2"]),
        (b'data: {"a":\ndata: 1}\n\n', [b'{"a": 1}']),
        (b"\n\n\ndata: 1\n\n\n\ndata: 2\n\n", [b"1", b"2"]),
        (b"data: 1\n\ndata: 2", [b"1", b"2"]),
        (b"data: 1\n\ndata: 2\n", [b"1", b"2"]),
        (b"data: 1\n\ndata: [DONE]\n\ndata: 3\n\n", [b"1"]),
        (b"data:[DONE]\n\n", []),
        (b'data: {"a":"[DONE]"}\n\n', [b'{"a":"[DONE]"}']),
        (b"database: 1\n\ndata: 2\n\n", [b"2"]),
        (b"<html>\n\n<body>\n\n", []),
        (b"", []),
    ],
)
def test_stream_is_split_into_the_data_of_its_events(text: bytes, events: list[bytes]) -> None:
    assert events_of(text) == events


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@given(events=st.lists(JSON_TEXT, max_size=6), cuts=st.lists(st.integers(0, 400), max_size=12), comments=st.booleans())
def test_events_do_not_depend_on_how_the_network_cuts_them(
    line_end: bytes, events: list[bytes], cuts: list[int], comments: bool
) -> None:
    between = b": wait\n\n" if comments else b""
    text = b"".join(between + b"data: " + event + b"\n\n" for event in events).replace(b"\n", line_end)
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    blocks = [text[start:end] for start, end in zip(places, places[1:], strict=False)]

    assert events_of(*blocks) == events


def test_end_marker_is_noticed() -> None:
    splitter = EventSplitter()

    assert splitter.feed(b"data: 1\n\ndata: [DO") == [b"1"]
    assert not splitter.is_done
    assert splitter.feed(b"NE]\n\n") == []
    assert bool(splitter.is_done)
    assert splitter.feed(b"data: 2\n\n") == []


def test_progress_is_made_by_events_and_comments_and_not_by_bytes() -> None:
    splitter = EventSplitter()
    seen = []
    for block in (b"data: 1", b"2", b"\n\n", b": wait\n\n", b"da"):
        splitter.feed(block)
        seen.append(splitter.progress)

    assert seen == [0, 0, 1, 2, 2]


@pytest.mark.parametrize(
    "block",
    [
        b"data: " + b"x" * (MAX_LINE + 1),
        b"data: " + b"x" * (MAX_LINE + 1) + b"\n\n",
        b"data: " + b"x" * 1_000 + b"\n",
        b": comment\n",
        b"x",
    ],
)
def test_t25_line_or_event_beyond_its_limit_is_refused(block: bytes) -> None:
    splitter = EventSplitter()
    many = block * 5_000 if len(block) < 65_536 else block

    def feed_for_ever() -> None:
        while True:
            splitter.feed(many)

    with pytest.raises(ProtocolError, match="longer than"):
        feed_for_ever()


def test_t25_ten_thousand_tiny_events_are_only_events() -> None:
    assert len(events_of(b"data: {}\n\n" * 10_000)) == 10_000
