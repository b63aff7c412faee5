"""Server-sent events: however they are cut into pieces, the same frames; what is broken is named and passed over."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engines.managed.sse import Decoder, Frame

ENDS = ("\n", "\r", "\r\n")


def decoded(*chunks: bytes, limit: int = 1 << 20) -> list[Frame]:
    decoder = Decoder(limit)
    return [frame for chunk in chunks for frame in decoder.feed(chunk)]


def text_of(end: str) -> bytes:
    lines = [
        ": keep-alive", "",
        "event: agent.message", 'data: {"type": "agent.message",', 'data: "id": "a"}', "",
        'data: {"type": "agent.thinking", "id": "b"}', "",
        "event: ping", 'data: {"type": "ping"}', "",
        "event: error", 'data: {"type": "error", "error": {"type": "overloaded_error"}}', "",
        "data: {", "",
        "event: agent.message", 'data: {"type": "cut',
    ]  # fmt: skip
    return end.join(lines).encode()


WHOLE = [
    ("ping", None),
    ("event", "a"),
    ("event", "b"),
    ("ping", None),
    ("error", None),
    ("bad", None),
]


def brief(frames: list[Frame]) -> list[tuple[str, object]]:
    return [(frame.kind, frame.data.get("id")) for frame in frames]


@given(st.sampled_from(ENDS), st.lists(st.integers(0, 300), max_size=12), st.booleans())
def test_the_same_frames_however_they_are_cut(end: str, places: list[int], marked: bool) -> None:
    raw = (b"\xef\xbb\xbf" if marked else b"") + text_of(end)
    cuts = sorted({0, len(raw), *(place for place in places if place < len(raw))})
    pieces = [raw[start:stop] for start, stop in pairwise(cuts)]
    assert brief(decoded(*pieces)) == WHOLE, "the last frame is not whole: it is not handed on"


def test_the_type_in_the_data_counts() -> None:
    (frame,) = decoded(b'event: ping-pong\ndata: {"type":"agent.message"}\n\n')
    assert (frame.kind, frame.data) == ("event", {"type": "agent.message"})
    (frame,) = decoded(b'data: {"type":"error","error":{"type":"api_error"}}\n\n')
    assert frame.kind == "error"


def test_an_error_frame_that_is_no_json_is_one_nevertheless() -> None:
    (frame,) = decoded(b"event: error\ndata: upstream went away\n\n")
    assert (frame.kind, frame.data["error"]) == ("error", {"message": "upstream went away"})


@pytest.mark.parametrize("pieces", [1, 50])
def test_a_frame_that_is_too_large_is_passed_over_and_not_kept(pieces: int) -> None:
    huge = b"data: " + b"x" * 5000
    size = -(-len(huge) // pieces)
    cut = [huge[at : at + size] for at in range(0, len(huge), size)]
    decoder = Decoder(1000)
    frames = [frame for chunk in (*cut, b"\n\n", b'data: {"type":"a"}\n\n') for frame in decoder.feed(chunk)]
    assert [frame.kind for frame in frames] == ["bad", "event"]
    assert "larger than" in str(frames[0].data["why"])


def test_many_lines_make_a_frame_too_large_as_well() -> None:
    frames = decoded(b"data: " + b"y" * 100 + b"\n", *[b"data: " + b"y" * 100 + b"\n"] * 20, b"\n", limit=1000)
    assert [frame.kind for frame in frames] == ["bad"]


def test_what_is_broken_is_told_by_its_head_only() -> None:
    (frame,) = decoded(b"data: " + b"z" * 10_000 + b"\x00\n\n")
    assert frame.data["bytes"] == 10_001
    assert len(str(frame.data["head"])) == 200
