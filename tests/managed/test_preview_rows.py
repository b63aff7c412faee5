"""What a person sees of a preview whose message never comes."""

from __future__ import annotations

from datetime import UTC, datetime

from orchestrator.journal.events import AgentMessage, Event, text_content
from tui.views.stream import Streams


def test_a_preview_that_is_taken_away_leaves_no_word_and_no_hold_on_the_next() -> None:
    streams = Streams()
    streams.preview("logs", "The cause is certainly ")
    streams.preview("logs", "the")
    streams.preview("logs", "")
    streams.preview("logs", "")
    pane = streams.panes["logs"]
    assert list(pane) == []
    streams.preview("logs", "I look")
    said = Event(
        seq=1,
        ts=datetime(2026, 3, 1, tzinfo=UTC),
        mono=0,
        thread="logs",
        body=AgentMessage(content=text_content("I look.")),
        hash="",
    )
    streams.learn(said)
    assert ["".join(part.text for part in row.line) for row in pane] == ["I look."]
