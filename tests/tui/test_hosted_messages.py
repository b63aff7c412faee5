"""Messages to a session that a server keeps: not sent, queued, heard; and who is addressed."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.journal.events import (
    RemoteRequest,
    SessionError,
    SessionErrorDetail,
    StatusIdle,
    StopReason,
    UserMessage,
    text_content,
)
from tests.tui.hosting import NONCE, REMOTE, at, echo, rows, told
from tests.tui.stage import press, shown, until, war_room
from tests.tui.story import FakeActs, Teller, opened, view_of
from tui.screens.prompting import addressed
from tui.views.paint import text_of

# -- messages


def test_a_message_shows_as_not_sent_queued_and_then_as_heard() -> None:
    said = UserMessage(content=text_content("look at the pool"), to="logs")
    wish = RemoteRequest(what="message", nonce=NONCE, text=f"for logs: look at the pool\n\n(warroom message {NONCE})")
    sent = RemoteRequest(what="message", nonce=NONCE, state="sent", id="sevt_1")
    steps: list[tuple[list[Any], str, int]] = [
        ([said], "not sent yet  you to logs", 1),
        ([said, wish, sent], "queued  you to logs", 1),
        ([said, wish, echo("look at the pool", processed=False)], "queued  you to logs", 1),
        ([said, wish, sent, echo("x", processed=False), echo("x", processed=True)], "you to logs: look", 0),
        ([said, wish, echo("x", processed=True), sent], "you to logs: look", 0),
        ([said, wish, RemoteRequest(what="message", nonce=NONCE, state="refused")], "was not taken  you", 0),
    ]
    for bodies, begins, count in steps:
        view = told(*bodies)
        (row,) = [one for one in rows(view, "orchestrator") if "look at the pool" in one]
        assert row.startswith(begins)
        assert view.streams.queued.count == count


def test_what_the_service_dropped_is_said_to_be_dropped() -> None:
    said = UserMessage(content=text_content("look there"))
    wish = RemoteRequest(what="message", nonce=NONCE, text="look there")
    gone = SessionErrorDetail(type="model_overloaded_error", message="overloaded", retry_status="exhausted")
    view = told(said, wish, echo("look there", processed=False), SessionError(error=gone))
    assert any(row.startswith("was dropped there, say it again  you: look there") for row in rows(view, "orchestrator"))


def test_a_message_of_somebody_else_is_queued_until_it_was_heard() -> None:
    theirs = UserMessage(content=text_content("from the console"))
    waits, heard = at(theirs, REMOTE.id, "sevt_9", processed=False), at(theirs, REMOTE.id, "sevt_9")
    assert any(row == "queued  you: from the console" for row in rows(told(waits), "orchestrator"))
    both = [row for row in rows(told(waits, heard), "orchestrator") if "from the console" in row]
    assert both == ["you: from the console"]


def test_without_a_server_nothing_is_marked() -> None:
    tell = Teller()
    view = view_of([tell(opened()), tell(UserMessage(content=text_content("look there")))])
    assert "you: look there" in rows(view, "orchestrator")
    assert view.streams.queued.count == 0


@pytest.mark.parametrize(
    ("typed", "to", "said"),
    [
        ("@logs look there", "logs", "look there"),
        ("@orchestrator stop", "orchestrator", "stop"),
        ("@logs", "logs", ""),
        ("@nobody look", None, "@nobody look"),
        ("mail me@logs now", None, "mail me@logs now"),
    ],
)
def test_who_is_addressed(typed: str, to: str | None, said: str) -> None:
    assert addressed(typed) == (to, said)


async def test_steering_one_says_which_way_it_goes() -> None:
    view = told()
    acts = FakeActs(running=True)
    view.acts = acts
    async with war_room(view) as (room, pilot):
        await press(pilot, "m")
        assert "by way of the orchestrator" in shown(pilot.app)
        await press(pilot, *"@logs go", "enter")
        await until(pilot, lambda: bool(acts.done))
        assert acts.done == [("message", "go")]
        assert "said to logs, by way of the orchestrator" in text_of(room.said)
        await press(pilot, "m", *"@logs", "enter")
        assert "nothing was said to logs" in text_of(room.said)
        assert "sends it" not in text_of(room.said)


async def test_what_is_said_at_rest_says_what_sends_it() -> None:
    view = told(StatusIdle(stop_reason=StopReason(type="end_turn")))
    acts = FakeActs(running=False)
    view.acts = acts
    async with war_room(view) as (room, pilot):
        await press(pilot, "m", *"go on", "enter")
        await until(pilot, lambda: bool(acts.done))
        assert "r goes on, and sends it" in text_of(room.said)


# -- the connection
