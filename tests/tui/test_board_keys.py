"""The board under a person's keys: add, pin, rule out, undo, why; and measuring again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.journal.events import BoardEdited, Rechecked
from orchestrator.session.editing import Candidate
from tests.tui.stage import Stage, press, settled, shown, war_room
from tests.tui.story import START, FakeActs, Teller, at_work, finished, opened, view_of
from tui import seams
from tui.screens.warroom import WarRoomScreen
from tui.screens.why import WhyScreen
from tui.session_view import SessionView

SIZES = ((200, 50), (80, 24))


def first_suspect(view: SessionView) -> str:
    return view.hypotheses[0].suspect.id


@pytest.mark.parametrize("size", SIZES)
async def test_words_a_reason_and_a_pin_reach_the_session_by_key(size: tuple[int, int]) -> None:
    acts = FakeActs()
    view = view_of(finished(), acts)
    name = first_suspect(view)
    async with war_room(view, size) as (room, pilot):
        await press(pilot, "h", *"flag x", "enter")
        assert acts.done.pop() == ("edit_board", "add", "flag x", "")
        await press(pilot, "b", "g", "p")
        assert acts.done.pop() == ("edit_board", "pin", name, "")
        await press(pilot, "x")
        assert "why? >" in shown(pilot.app)
        await press(pilot, *"not it", "enter")
        assert acts.done.pop() == ("edit_board", "rule_out", name, "not it")
        assert not acts.done
        assert room.place == "board"


@pytest.mark.parametrize("size", SIZES)
async def test_what_the_session_knows_is_picked_from_a_list_that_typing_narrows(size: tuple[int, int]) -> None:
    acts = FakeActs()
    acts.known = (
        *(Candidate(f"commit:{n:040x}", f"commit {n:012x} change {n} of [red]x") for n in range(1, 30)),
        Candidate("flag:checkout-v2", "flag checkout-v2 off->on\x1b[31m"),
        Candidate("service:billing", "service billing"),
    )
    async with war_room(view_of(finished(), acts), size) as (room, pilot):
        await press(pilot, "h")
        seen = shown(pilot.app)
        assert "change 1 of [red]x" in seen, "untrusted words are words"
        assert "(and 25 more)" in seen
        await press(pilot, *"flag", "down")
        assert "> flag checkout-v2" in shown(pilot.app)
        assert "change 1 of" not in shown(pilot.app)
        await press(pilot, "enter")
        assert acts.done.pop() == ("edit_board", "add", "flag:checkout-v2", "")
        assert room.prompt.size.height == 1, "the list is gone with the question"
        await press(pilot, "h", *["down"] * 9, "enter")
        assert acts.done.pop() == ("edit_board", "add", f"commit:{9:040x}", "")
        await press(pilot, "h", "down", "up", *"the resolver", "down", "enter")
        assert acts.done.pop() == ("edit_board", "add", "the resolver", ""), "what is typed counts where nothing is"
        await press(pilot, "h", "down", "escape", "m", "down", "x", "enter")
        assert acts.done == [("message", "x")], "other questions offer nothing"


async def test_ruling_out_takes_a_reason_and_escape_changes_nothing() -> None:
    acts = FakeActs()
    async with war_room(view_of(finished(), acts)) as (room, pilot):
        await press(pilot, "b", "g", "x", "enter")
        assert "it takes a reason" in shown(pilot.app)
        await press(pilot, "x", "n", "o", "escape", "h", "escape", "c", "escape")
        assert not acts.done
        assert not room.prompt.kind


async def test_what_is_meant_is_what_was_under_the_cursor_when_it_was_asked() -> None:
    acts = FakeActs()
    view = view_of(finished(), acts)
    name = first_suspect(view)
    tell = Teller(START + timedelta(hours=1))
    async with war_room(view, (200, 50)) as (_, pilot):
        await press(pilot, "b", "g", "x")
        event = tell(BoardEdited(action="add", suspect="host:z", by="lee"))
        view.learn(event.model_copy(update={"seq": view.seq + 1}))
        pin = tell(BoardEdited(action="pin", suspect="host:z", by="lee"))
        view.learn(pin.model_copy(update={"seq": view.seq + 1}))
        await settled(pilot)
        assert first_suspect(view) == "host:z", "another one is on top by now"
        await press(pilot, *"no", "enter")
        assert acts.done == [("edit_board", "rule_out", name, "no")]


async def test_keys_that_can_do_nothing_say_why() -> None:
    acts = FakeActs()
    async with war_room(view_of(finished(), acts)) as (_, pilot):
        for key, says in (("p", "b goes to the board"), ("x", "b goes to the board"), ("u", "no word of yours")):
            await press(pilot, "0", key)
            assert says in shown(pilot.app)
        await press(pilot, "b", "g", "u")
        assert "no word of yours" in shown(pilot.app)
    tell = Teller()
    async with war_room(view_of([tell(opened())], acts)) as (_, pilot):
        await press(pilot, "b", "v")
        assert "there is no hypothesis yet: h adds one" in shown(pilot.app)
        await press(pilot, "c")
        assert "no verdict yet" in shown(pilot.app)
    watched = FakeActs(why_not="it is open in another process")
    async with war_room(view_of(finished(), watched)) as (_, pilot):
        await press(pilot, "h")
        assert "open in another process" in shown(pilot.app)
    assert not acts.done
    assert not watched.done


async def test_measuring_again_asks_where_and_says_how_it_stands() -> None:
    acts = FakeActs()
    async with war_room(view_of(finished(), acts), (80, 24)) as (_, pilot):
        await press(pilot, "c", ".", "enter")
        await press(pilot, "c", *"new.csv", "enter")
        assert acts.done == [("recheck", ""), ("recheck", "new.csv")]
        assert "recovered" in shown(pilot.app)


async def test_the_headline_takes_the_state_that_was_measured_again() -> None:
    view = view_of(finished())
    tell = Teller(START + timedelta(hours=1))
    async with war_room(view, (120, 36)) as (_, pilot):
        body = Rechecked(state="recovered", reason="it is back at its baseline and stays", by="dana")
        view.learn(tell(body).model_copy(update={"seq": view.seq + 1}))
        await settled(pilot)
        assert "recovered" in shown(pilot.app).splitlines()[1]
        unknown = Rechecked(state="unknown", reason="there is no newer data", by="dana")
        view.learn(tell(unknown).model_copy(update={"seq": view.seq + 1}))
        await settled(pilot)
        assert "recovered" in shown(pilot.app).splitlines()[1]


@pytest.mark.parametrize("size", SIZES)
async def test_why_shows_the_sum_the_findings_and_a_persons_word_apart(size: tuple[int, int]) -> None:
    view = view_of(finished())
    held = view.hypotheses[0]
    screen = WhyScreen(view=view, suspect=held.suspect.id)
    async with Stage(screen).run_test(size=size) as pilot:
        await settled(pilot)
        page = " ".join(shown(pilot.app).split())
        assert f"{held.score:.2f}" in page
        assert "for it" in page
        assert "not on the board" not in page
        await press(pilot, "enter")
        (asked,) = [one for one in pilot.app.heard if isinstance(one, seams.EvidenceRequested)]  # type: ignore[attr-defined]
        assert asked.ref.id == held.suspect.id
        edit = BoardEdited(action="rule_out", suspect=held.suspect.id, note="[red]no[/red]\x1b[2J", by="dana")
        view.learn(Teller()(edit).model_copy(update={"seq": view.seq + 1}))
        await settled(pilot)
        text = shown(pilot.app)
        assert "[red]no[/red]" in text
        assert "\x1b" not in text
        assert "a person's word" in " ".join(text.split())


async def test_why_of_what_went_away_says_so_and_opens_nothing() -> None:
    view = view_of(at_work())
    async with Stage(WhyScreen(view=view, suspect="host:never-there")).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "not on the board any more" in shown(pilot.app)
        await press(pilot, "enter")
        assert not pilot.app.heard  # type: ignore[attr-defined]


async def test_v_asks_for_the_why_of_the_row_and_an_empty_board_has_a_word() -> None:
    tell = Teller()
    async with war_room(view_of([tell(opened())]), (80, 24)) as (_, pilot):
        await press(pilot, "b")
        assert "no finding is about a suspect; h adds one of your own" in shown(pilot.app)
    async with Stage(WarRoomScreen(place="board")).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "no finding" not in shown(pilot.app), "what is still being opened is not known yet"
    view = view_of(finished())
    async with war_room(view) as (_, pilot):
        await press(pilot, "b", "g", "v")
        heard = pilot.app.heard  # type: ignore[attr-defined]
        assert [one.suspect for one in heard if isinstance(one, seams.WhyRequested)] == [first_suspect(view)]
