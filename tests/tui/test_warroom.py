"""The war room by keys alone, on events that tests feed."""

from __future__ import annotations

import pytest
from textual import events

from orchestrator.journal.events import AgentMessage, Event, text_content
from tests.tui.stage import Stage, painted, press, settled, shown, war_room
from tests.tui.story import FakeActs, Teller, at_work, bounded, call, dispatched, finished, opened, view_of
from tui import seams
from tui.screens.warroom import PLACES, WarRoomScreen
from tui.widgets.line_view import LineView
from tui.widgets.prompt import PromptBar


def here(room: WarRoomScreen) -> LineView:
    return room.list_of(room.place)


def visible(room: WarRoomScreen) -> set[str]:
    return {place for place in PLACES if room.list_of(place).region.area}


def stream(count: int) -> list[Event]:
    tell = Teller(step_s=0.01)
    made = [tell(opened()), *dispatched(tell, "logs")]
    return made + [tell(AgentMessage(content=text_content(f"line {number}")), "logs") for number in range(count)]


async def test_numbers_and_tab_go_to_every_place_at_every_size() -> None:
    for size in ((200, 50), (80, 24)):
        async with war_room(view_of(at_work()), size) as (room, pilot):
            for key, place in (("1", "logs"), ("4", "codefix"), ("b", "board"), ("0", "orchestrator")):
                await press(pilot, key)
                assert room.place == place
                assert place in visible(room)
                assert room.focused is room.list_of(place)
            seen = []
            for _ in PLACES:
                await press(pilot, "tab")
                seen.append(room.place)
            assert sorted(seen) == sorted(PLACES)
            await press(pilot, "shift+tab")
            assert room.place == seen[-2]


@pytest.mark.parametrize(
    ("size", "places"),
    [((200, 50), set(PLACES)), ((160, 30), set(PLACES)), ((159, 30), {"orchestrator", "logs"}),
     ((120, 36), {"orchestrator", "logs"}), ((99, 40), {"orchestrator"}), ((200, 29), {"orchestrator"})],
)  # fmt: skip
async def test_what_fits_is_shown(size: tuple[int, int], places: set[str]) -> None:
    async with war_room(view_of(at_work()), size) as (room, _):
        assert visible(room) == places


async def test_a_resize_keeps_the_place_and_what_is_read() -> None:
    async with war_room(view_of(stream(200)), (200, 50)) as (room, pilot):
        await press(pilot, "1", "g", *"j" * 3)
        row = here(room).row
        for size in ((80, 24), (59, 10), (120, 36), (200, 50)):
            await pilot.resize_terminal(*size)
            await settled(pilot)
        assert room.place == "logs"
        assert here(room).row is row
        assert not here(room).following


async def test_where_nothing_can_be_seen_nothing_is_done_and_questions_still_can_be_read() -> None:
    acts = FakeActs(running=True)
    async with war_room(view_of(at_work(), acts), (59, 15)) as (room, pilot):
        await press(pilot, "m", "x", "enter", "i", "asterisk", "!", "r", "y")
        assert not room.prompt.kind
        assert not acts.done
        assert "too small" in shown(pilot.app)
        room.ask_leave(1, "it goes on when it is opened again")
        await settled(pilot)
        assert "L leave  S stop  esc stay" in shown(pilot.app)
        await press(pilot, "escape")
        await pilot.resize_terminal(80, 24)
        await press(pilot, "m", "x", "enter")
        assert acts.done == [("message", "x")]


async def test_late_word_of_a_focus_does_not_take_the_person_back() -> None:
    async with war_room(view_of(finished()), (80, 24)) as (room, pilot):
        await press(pilot, "1", "b")
        room.on_descendant_focus(events.DescendantFocus(room.list_of("logs")))
        assert room.place == "board"
        room.list_of("logs").display = True
        room.set_focus(room.list_of("logs"))
        await settled(pilot)
        assert room.place == "logs", "a focus that is there is followed"


@pytest.mark.parametrize("place", PLACES)
async def test_a_room_that_opens_at_a_place_shows_that_place(place: str) -> None:
    room = WarRoomScreen(place=place)
    async with Stage(room).run_test(size=(120, 36)) as pilot:
        room.attach(view_of(finished()))
        await settled(pilot)
        assert place in visible(room)
        assert room.focused is room.list_of(place)


async def test_who_went_elsewhere_while_a_session_was_opened_stays_there() -> None:
    for keys, stands in (((), ("metrics", True)), (("b",), ("board", False)), (("z",), ("orchestrator", True))):
        room = WarRoomScreen()
        async with Stage(room).run_test(size=(120, 36)) as pilot:
            await press(pilot, *keys)
            room.restore("metrics", zoomed=True)
            room.attach(view_of(finished()))
            await settled(pilot)
            assert (room.place, room.zoomed) == stands


async def test_the_best_of_the_board_stand_above_the_panes_and_not_above_the_board() -> None:
    async with war_room(view_of(finished()), (120, 36)) as (room, pilot):
        best = "4be100000000 Tune the connection pool"
        for key, above in (("0", True), ("b", False), ("0", True)):
            await press(pilot, key)
            assert room.query_one("#headline").display is above
            assert f" {best}" in shown(pilot.app)


async def test_zoom_gives_one_place_the_room_and_back() -> None:
    async with war_room(view_of(at_work())) as (room, pilot):
        await press(pilot, "3", "z")
        assert visible(room) == {"deploys"}
        await press(pilot, "escape")
        assert visible(room) == set(PLACES)


async def test_reading_holds_the_view_and_counts_what_is_new() -> None:
    events = stream(200)
    view = view_of(events[:150])
    async with war_room(view, (80, 24)) as (room, pilot):
        await press(pilot, "1", "k", "k")
        before = [line[:-1] for line in painted(pilot.app)[7:20]]  # all but the scroll bar
        for event in events[150:]:
            view.learn(event)
        await settled(pilot)
        assert [line[:-1] for line in painted(pilot.app)[7:20]] == before
        assert f"▼ {len(events) - 150} new" in shown(pilot.app)
        await press(pilot, "f")
        assert "line 199" in shown(pilot.app)
        assert "new" not in painted(pilot.app)[5]
        await press(pilot, "f")
        assert "held" in painted(pilot.app)[5]
        await press(pilot, "G")
        assert here(room).following


async def test_a_call_unfolds_to_its_arguments_duration_and_result() -> None:
    tell = Teller()
    events = [tell(opened()), *dispatched(tell, "logs"), *call(tell, "logs", "logs_search", "l9", "first\nsecond")]
    async with war_room(view_of(events), (120, 36)) as (_, pilot):
        await press(pilot, "1", "G")
        assert "second" not in shown(pilot.app)
        await press(pilot, "space")
        text = shown(pilot.app)
        for said in ("query = 5xx", "limit = 3", "allow, rule read", "84 ms, ok", "first", "second"):
            assert said in text
        await press(pilot, "space")
        assert "second" not in shown(pilot.app)


async def test_states_of_agents_are_words() -> None:
    async with war_room(view_of(at_work(), after_s=7.0)) as (_, pilot):
        text = shown(pilot.app)
        assert "1 logs ~ runs stacks, 8 s" in text
        assert "2 metrics = done" in text
        assert "3 deploys ~ quiet" in text
        assert "waits for" in text
    async with war_room(view_of(finished())) as (_, pilot):
        assert "4 codefix ! asks for your yes or no" in shown(pilot.app)


async def test_a_filter_leaves_rows_out_and_a_search_leaves_them_in() -> None:
    async with war_room(view_of(stream(120)), (120, 36)) as (room, pilot):
        await press(pilot, "1", "slash", *"line 11")
        assert here(room).shown.rows == 11
        await press(pilot, "enter")
        assert room.focused is here(room)
        assert here(room).shown.rows == 11
        await press(pilot, "n")
        assert here(room).shown.rows == 121
        row = here(room).row
        assert row is not None
        assert "line 11" in row.line[0].text
        await press(pilot, "n", "N")
        assert here(room).row is row
        await press(pilot, "escape")
        assert not here(room).shown.text
        await press(pilot, "slash", *"line 5", "escape")
        assert here(room).shown.rows == 121


async def test_m_says_something_and_typing_loses_no_key() -> None:
    acts = FakeActs()
    async with war_room(view_of(at_work(), acts), (80, 24)) as (room, pilot):
        await press(pilot, "m", *"why 12zqfi?", "enter")
        assert acts.done == [("message", "why 12zqfi?")]
        assert room.focused is here(room)
        await press(pilot, "m", *"no", "escape")
        assert len(acts.done) == 1


async def test_note_and_attach_ask_for_what_they_need() -> None:
    acts = FakeActs()
    async with war_room(view_of(at_work(), acts)) as (_, pilot):
        await press(pilot, "w", *"rolled back", "enter")
        await press(pilot, "plus", *"/tmp/x.log", "enter")
        assert acts.done == [("note", "rolled back"), ("attach", "/tmp/x.log")]
        assert "/tmp/x.log (logs)" in shown(pilot.app)


async def test_interrupt_takes_two_questions_and_another_key() -> None:
    acts = FakeActs(running=True)
    async with war_room(view_of(at_work(), acts)) as (_, pilot):
        await press(pilot, "i")
        assert "1 logs" in painted(pilot.app)[-2]
        await press(pilot, "i", "enter", "y", "1")
        assert not acts.done
        await press(pilot, "1", "enter", "i", "escape")
        assert not acts.done
        await press(pilot, "i", "1", "exclamation_mark")
        assert acts.done == [("interrupt", "logs")]
        await press(pilot, "i", "asterisk", "exclamation_mark")
        assert acts.done[-1] == ("interrupt", "all")


async def test_what_ended_while_the_question_stood_is_not_said_to_be_stopped() -> None:
    acts = FakeActs(running=True)
    async with war_room(view_of(at_work(), acts)) as (_, pilot):
        for before, after in ((("i", "*"), "!"), (("i",), "*")):
            acts.running = True
            await press(pilot, *before)
            acts.running = False
            await press(pilot, after)
            assert "nothing was stopped" in painted(pilot.app)[-2]
            assert not acts.done


async def test_a_budget_is_raised_by_what_is_typed_and_another_key() -> None:
    acts = FakeActs()
    async with war_room(view_of(bounded(), acts)) as (_, pilot):
        assert "$ raises it" in painted(pilot.app)[-2]
        await press(pilot, "dollar_sign", *"lots", "enter")
        assert "'lots' is no budget" in painted(pilot.app)[-2]
        await press(pilot, "dollar_sign", *"10usd logs:9calls", "enter")
        assert "raise the budget to $10.00, logs: 9 tool calls?" in painted(pilot.app)[-2]
        await press(pilot, "dollar_sign", "enter", "y", "Y", "escape")
        assert not acts.done
        await press(pilot, "dollar_sign", *"10usd", "enter", "exclamation_mark")
        assert acts.done == [("raise_budget", "10usd")]
        assert "raised to 10usd" in shown(pilot.app)


async def test_where_nothing_is_bounded_nothing_is_raised() -> None:
    acts = FakeActs()
    async with war_room(view_of(finished(), acts)) as (room, pilot):
        await press(pilot, "dollar_sign")
        assert not room.prompt.kind


async def test_what_cannot_be_done_is_not_offered_and_does_nothing() -> None:
    acts = FakeActs(why_not="open in another window")
    async with war_room(view_of(finished(), acts)) as (room, pilot):
        for key in ("m", "w", "plus", "i", "r", "a", "R"):
            await press(pilot, key)
            assert not room.query_one(PromptBar).kind
        assert not acts.done
        assert "steer or ask" not in painted(pilot.app)[-1]


@pytest.mark.parametrize(
    ("key", "why"),
    [("dollar_sign", "no budget is set"), ("i", "nothing is at work"), ("a", "nothing waits for your yes or no")],
)
async def test_a_key_that_can_do_nothing_now_says_why(key: str, why: str) -> None:
    """A dead key looks like a hung program."""
    async with war_room(view_of(at_work()[:2], FakeActs()), (80, 24)) as (room, pilot):
        await press(pilot, key)
        assert why in painted(pilot.app)[-2]
        assert not room.prompt.kind
        await press(pilot, "escape", "b", "f")
        assert "nothing to follow" in painted(pilot.app)[-2]


async def test_what_waits_is_said_beside_what_was_said() -> None:
    async with war_room(view_of(finished(), FakeActs()), (80, 24)) as (room, pilot):
        room.tell("copied", "good")
        await press(pilot, "j")
        assert painted(pilot.app)[-2].startswith("copied  ! 1 waits: a reviews")


async def test_copying_is_asked_for_by_a_key_and_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    async with war_room(view_of(finished())) as (_, pilot):
        copied: list[str] = []
        monkeypatch.setattr(pilot.app, "copy_to_clipboard", copied.append)
        await press(pilot, "y")
        assert copied == ["one\ntwo\nthree"]


async def test_the_footer_follows_work_that_ends_after_its_last_event() -> None:
    """The last event says `done` a moment before the run has ended."""
    acts = FakeActs(running=True)
    async with war_room(view_of(finished(), acts), (120, 36)) as (_, pilot):
        assert "i interrupt" in painted(pilot.app)[-1]
        acts.running = False
        await settled(pilot)
        assert "r go on" in painted(pilot.app)[-1]
        assert "i interrupt" not in painted(pilot.app)[-1]


async def test_r_lets_it_go_on() -> None:
    acts = FakeActs()
    async with war_room(view_of(finished(), acts)) as (_, pilot):
        await press(pilot, "r")
        assert acts.done == [("go_on", "")]


async def test_evidence_and_review_are_asked_for_where_they_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seams, "offered", lambda name: True)
    async with war_room(view_of(finished())) as (room, pilot):
        await press(pilot, "2", "g", "j", "j", "enter", "b", "g", "enter", "a", "4", "G", "enter")
        heard = pilot.app.heard  # type: ignore[attr-defined]
        assert [(type(one).__name__, getattr(one, "ref", None) and one.ref.id) for one in heard] == [
            ("EvidenceRequested", "f-1"),
            ("EvidenceRequested", f"commit:{'4be1' + '0' * 36}"),
            ("ReviewRequested", None),
            ("ReviewRequested", None),
        ]
        assert heard[-1].approval == "a-1"
        assert room.place == "codefix"


async def test_without_an_evidence_screen_enter_unfolds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seams, "offered", lambda name: False)
    async with war_room(view_of(finished()), (120, 36)) as (_, pilot):
        await press(pilot, "3", "G", "k", "k", "enter")
        assert "commit:repo/4be1" in shown(pilot.app)


async def test_the_board_unfolds_the_first_until_the_person_does() -> None:
    view = view_of(at_work())
    async with war_room(view) as (room, pilot):
        assert "deploys: 4be1" in shown(pilot.app)
        await press(pilot, "b", "g", "space")
        assert "deploys: 4be1" not in shown(pilot.app)
        view.board_version += 1
        view.version += 1
        await settled(pilot)
        assert "deploys: 4be1" not in shown(pilot.app)
        assert room.place == "board"


async def test_nothing_is_painted_while_nothing_happens() -> None:
    async with war_room(view_of(finished())) as (room, pilot):
        await settled(pilot)
        strips: list[int] = []
        for place in PLACES:
            room.list_of(place).refresh = lambda *_, **__: strips.append(1)  # type: ignore[method-assign,assignment]
        for _ in range(5):
            await settled(pilot)
        assert not strips
