"""The review screen: nothing but two keys in time, on what was seen whole and still is so, says yes to anything."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator

import pytest
from textual.widgets import Input

from orchestrator.journal.events import ApprovalDecided
from tests.fakes import FakeClock
from tests.tui.decisions import CALL, COMMIT, LONG, SMALL, Case, feed, file_diff, reviewing, ticked
from tests.tui.payloads import CONTROL, MARKUP, forbidden
from tests.tui.stage import SIZES, Stage, painted, settled, shown, until
from tui.actions import live
from tui.screens.help import HelpScreen
from tui.screens.review import ReviewScreen
from tui.views.approval_gate import ARMED_S, QUIET_S, ApprovalGate

# -- the gate, alone -----------------------------------------------------------------------------


def test_no_sequence_of_four_acts_without_the_confirming_one_says_yes() -> None:
    acts = {
        "arm": lambda gate, clock: gate.arm("d"),
        "wait a moment": lambda gate, clock: clock.advance(QUIET_S),
        "wait long": lambda gate, clock: clock.advance(ARMED_S),
        "disturb": lambda gate, clock: gate.disturb(),
        "disarm": lambda gate, clock: gate.disarm(),
    }
    for names in itertools.product(acts, repeat=4):
        clock = FakeClock()
        gate = ApprovalGate(clock)
        for name in names:
            assert acts[name](gate, clock) in (None, True, False), "an act gave a digest"
        armed = "arm" in names and gate.armed_s > 0
        assert (gate.confirm("d") == "d") is (armed and not gate.quiet), names


def test_a_yes_counts_once_for_the_digest_that_was_armed_and_within_ten_seconds() -> None:
    clock = FakeClock()
    gate = ApprovalGate(clock)
    assert not gate.arm("d"), "armed although it has just appeared"
    clock.advance(QUIET_S)
    assert not gate.arm(""), "armed for nothing"
    assert gate.arm("d")
    assert gate.confirm("other") is None
    assert gate.confirm("d") is None, "a wrong digest has to disarm"
    assert gate.arm("d")
    clock.advance(ARMED_S)
    assert gate.confirm("d") is None
    assert gate.arm("d")
    assert gate.confirm("d") == "d"
    assert gate.confirm("d") is None


# -- the screen ----------------------------------------------------------------------------------


def key_sequences() -> Iterator[tuple[str, ...]]:
    """Every pair, and a sample of sequences of four, of all keys that are live here but the confirming one."""
    keys = [key for action in live("review") for key in action.keys if key not in ("Y", "q", "ctrl+c", "ctrl+p")]
    keys = [key for key in keys if key not in ("colon", "question_mark", "escape", "enter")] + ["!", "y", "1"]
    yield from itertools.product(("a", "O", "r", "d", "p"), ("a", "!", "enter", "d", "y"))
    chance = random.Random(7)
    for _ in range(40):
        yield tuple(chance.choice([*keys, "a", "O", "enter"]) for _ in range(4))


@pytest.mark.parametrize("approval", ["fix", CALL])
async def test_no_key_sequence_without_the_confirming_key_approves(approval: str) -> None:
    case = Case()
    name = None if approval == "fix" else approval
    async with reviewing(case, name) as (screen, pilot):
        for keys in key_sequences():
            await feed(pilot, *keys)
            case.clock.advance(QUIET_S)
            assert not case.approved, keys
            if pilot.app.screen is not screen:
                screen = ReviewScreen(view=case.view, approval=name, read=case.read)
                await pilot.app.push_screen(screen)
            elif screen.prompt.kind:
                screen.prompt.dismiss()
        await settled(pilot)
    assert not case.approved


async def test_a_key_that_can_do_nothing_now_says_why() -> None:
    case = Case()
    async with reviewing(case) as (_, pilot):
        for key, why in (("Y", "nothing is armed"), ("S", "only a call"), ("p", "nothing is delivered")):
            await ticked(pilot, key)
            assert why in shown(pilot.app)
    assert not case.desk.done


async def test_armed_and_confirmed_it_approves_exactly_the_digest_and_delivers() -> None:
    case = Case()
    async with reviewing(case) as (_, pilot):
        await ticked(pilot, "a")
        assert "ARMED 10 s" in shown(pilot.app)
        assert "makes exactly one new ref, refs/heads/triage/inc-7-limit, in /src/shop" in shown(pilot.app)
        await ticked(pilot, "Y")
        assert case.desk.done == [("approve", case.draft.id, case.digest), ("deliver", case.draft.id)]
        assert "DELIVERED" in shown(pilot.app)
        await ticked(pilot, "a", "Y")
        assert len(case.desk.done) == 2


async def test_a_call_is_approved_by_its_exact_digest() -> None:
    case = Case(call={"query": "a\nlimit = 9", "limit": 3})
    async with reviewing(case, CALL) as (screen, pilot):
        assert screen.sheet is not None
        text = shown(pilot.app)
        assert "logs wants to run logs_fetch" in text
        assert "query = a" in text
        assert "  | limit = 9" in text
        await ticked(pilot, "a", "Y")
        assert case.acts.done == [("decide", CALL, "approve", screen.sheet.digest)]


async def test_what_became_of_a_call_is_said() -> None:
    for decision, digest, said in (
        ("reject", "", "REJECTED: not in the night"),
        ("void", "", "VOID: not in the night"),
        ("approve", "sha256:of something else", "DECIDED: it was decided or withdrawn"),
    ):
        case = Case()
        async with reviewing(case, CALL) as (screen, pilot):
            asked = case.view.incident.pending[CALL]
            made = {"id": CALL, "decision": decision, "digest": digest or asked.digest, "by": "person"}
            case.view.incident.pending.pop(CALL)
            case.learn(ApprovalDecided.model_validate(made | {"reason": "not in the night"}))
            await settled(pilot)
            assert said in shown(pilot.app)
            assert screen.standing[0] != "waits"


async def test_a_call_whose_record_is_not_what_would_run_cannot_be_approved() -> None:
    case = Case()
    pending = case.view.incident.pending
    pending[CALL] = pending[CALL].model_copy(update={"detail": {"agent": "logs", "tool": "x", "input": {}}})
    async with reviewing(case, CALL) as (_, pilot):
        assert "CANNOT BE APPROVED" in shown(pilot.app)
        await ticked(pilot, "a", "Y")
        assert not case.approved


async def test_the_arming_ends_after_ten_seconds_and_with_escape() -> None:
    case = Case()
    async with reviewing(case) as (screen, pilot):
        await ticked(pilot, "a")
        case.clock.advance(ARMED_S)
        await ticked(pilot, "Y")
        await ticked(pilot, "a")
        await ticked(pilot, "escape")
        assert pilot.app.screen is screen, "escape has to disarm first"
        await ticked(pilot, "Y")
        assert not case.approved


@pytest.mark.parametrize("what", ["appeared", "resized", "focus moved", "came back"])
async def test_keys_of_approval_count_for_nothing_in_the_half_second_after(what: str) -> None:
    case = Case()
    async with reviewing(case, ready=what != "appeared") as (screen, pilot):
        if what == "resized":
            await ticked(pilot, "a")
            await pilot.resize_terminal(110, 30)
        elif what == "focus moved":
            await ticked(pilot, "a")
            screen.diff.focus()
        elif what == "came back":
            await ticked(pilot, "a")
            await pilot.app.push_screen(HelpScreen("review"))
            case.clock.advance(1.0)
            await ticked(pilot, "Y", "escape")
        await settled(pilot)
        await ticked(pilot, "a", "Y", "a", "Y")
        assert not case.approved
        case.clock.advance(QUIET_S)
        await ticked(pilot, "Y")
        assert not case.approved, "what was armed before has to be armed again"
        await ticked(pilot, "a", "Y")
        assert case.approved


async def test_a_focus_that_a_key_moved_keeps_the_arming() -> None:
    case = Case()
    async with reviewing(case) as (screen, pilot):
        assert screen.focused is not None
        assert screen.focused.id == "back"
        await ticked(pilot, "a", "tab", "Y")
        assert case.approved


async def test_the_button_that_has_the_focus_goes_back_with_nothing_decided() -> None:
    case = Case()
    async with reviewing(case) as (screen, pilot):
        await ticked(pilot, "enter")
        assert pilot.app.screen is not screen
        assert not case.desk.done


async def test_every_file_is_seen_to_its_end_first() -> None:
    case = Case(LONG)
    async with reviewing(case) as (screen, pilot):
        assert "1/2 files seen" in shown(pilot.app)
        assert "not seen to the end: app/table.py" in shown(pilot.app)
        await ticked(pilot, "a", "Y")
        assert not case.approved
        assert "ARMED" not in shown(pilot.app)
        await ticked(pilot, "G")
        assert screen.diff.seen == (True, False), "what was jumped over was not seen"
        for _ in range(10):
            await ticked(pilot, "u")
        assert "2/2 files seen" in shown(pilot.app)
        await ticked(pilot, "a", "Y")
        assert case.approved


async def test_a_very_long_line_is_seen_only_when_all_of_it_was_on_the_screen() -> None:
    case = Case(file_diff("a.min.js", [], ["x" * 30_000]))
    async with reviewing(case, size=(80, 24)) as (screen, pilot):
        assert "1 very long line, the longest of 30000 characters" in shown(pilot.app)
        await ticked(pilot, "G")
        assert screen.diff.seen == (False,)
        await pilot.resize_terminal(200, 50)
        await settled(pilot)
        assert screen.diff.seen == (False,)
        for _ in range(12):
            await ticked(pilot, "space")
        await ticked(pilot, "u", "u", "u", "u", "u", "u", "u")
        assert screen.diff.seen == (True,)


async def test_unseen_files_can_be_let_count_which_asks_and_is_recorded() -> None:
    case = Case(LONG)
    async with reviewing(case) as (_, pilot):
        await ticked(pilot, "O", "O", "escape", "a", "Y")
        assert not case.approved
        await ticked(pilot, "O")
        assert "let 1 unseen file count?" in shown(pilot.app)
        await ticked(pilot, "!")
        (note,) = [one for one in case.acts.done if one[0] == "note"]
        assert "app/table.py" in note[1]
        case.clock.advance(QUIET_S)
        await ticked(pilot, "a", "Y")
        assert case.approved


async def test_a_draft_made_anew_voids_the_approval_and_the_screen_says_so() -> None:
    case = Case()
    async with reviewing(case) as (screen, pilot):
        await ticked(pilot, "a")
        case.decide("void", "the draft was made anew")
        await settled(pilot)
        assert "VOID: the draft was made anew" in shown(pilot.app)
        await ticked(pilot, "Y", "a", "Y")
        assert not case.approved
        case.ask()
        await settled(pilot)
        await ticked(pilot, "Y", "a", "Y")
        assert not case.approved, "a new request is not the one that was shown"
        await ticked(pilot, "n")
        await until(pilot, lambda: screen.sheet is not None)
        await ticked(pilot, "n")
        await until(pilot, lambda: screen.sheet is not None and screen.sheet.subject == "fix")
        case.clock.advance(QUIET_S)
        await ticked(pilot, "a", "Y")
        assert case.approved


async def test_what_moved_meanwhile_voids_it_and_the_screen_says_why() -> None:
    case = Case()
    async with reviewing(case) as (_, pilot):
        case.desk.moved = "refs/heads/triage/inc-7-limit appeared meanwhile"
        await ticked(pilot, "a", "Y")
        assert not case.approved
        assert "VOID: refs/heads/triage/inc-7-limit appeared meanwhile" in shown(pilot.app)


async def test_other_bytes_in_the_store_disarm_when_it_is_looked_at_again() -> None:
    case = Case()
    async with reviewing(case) as (_, pilot):
        case.desk.diff_now = SMALL.replace("64", "65")
        await ticked(pilot, "a")
        assert "CANNOT BE APPROVED: the diff is not the one that was put up" in shown(pilot.app)
        case.clock.advance(QUIET_S)
        await ticked(pilot, "Y", "a", "Y")
        assert not case.approved


async def test_a_rejection_asks_why_and_passes_it_on() -> None:
    case = Case()
    async with reviewing(case) as (_, pilot):
        await ticked(pilot, "r", "enter")
        assert not case.desk.done, "a rejection without a reason"
        assert "nothing was decided: a no needs a reason" in shown(pilot.app)
        await ticked(pilot, "r", *"too wide", "enter")
        assert case.desk.done == [("reject", case.draft.id, "too wide")]
        assert "REJECTED: too wide" in shown(pilot.app)
        assert "there is no alternative" in shown(pilot.app)


async def test_only_the_first_six_characters_of_the_commit_push(monkeypatch: pytest.MonkeyPatch) -> None:
    async def address(view: object, draft_id: str) -> tuple[str, str]:
        return "ssh://git@example.org/shop.git", ""

    monkeypatch.setattr("tui.deciding.address_for", address)
    case = Case()
    async with reviewing(case) as (screen, pilot):
        await ticked(pilot, "a", "Y")
        await ticked(pilot, "p")
        assert screen.query_one(Input).value == "ssh://git@example.org/shop.git"
        await ticked(pilot, "enter")
        assert f"LEAVES THIS MACHINE: {COMMIT}" in shown(pilot.app)
        await ticked(pilot, *"4be1d1", "enter")
        assert "nothing was pushed" in shown(pilot.app)
        assert not [one for one in case.desk.done if one[0] == "push"]
        await ticked(pilot, "p", "enter", *COMMIT[:6], "enter")
        assert [one[0] for one in case.desk.done] == ["approve", "deliver", "push"]


async def test_a_push_that_waits_has_no_way_around_the_six_characters() -> None:
    case = Case()
    async with reviewing(case) as (_, pilot):
        await case.desk.ask_push(case.draft.id, "ssh://git@example.org/shop.git")
        name = next(one for one in case.view.incident.pending if one.startswith("push:"))
    async with reviewing(case, name) as (_, pilot):
        await ticked(pilot, "a", "Y", "a", "Y")
        assert not case.approved
        assert "six characters" in shown(pilot.app)


async def test_a_session_that_can_only_be_watched_decides_nothing() -> None:
    case = Case()
    case.acts.why_not = "it is open in another window"
    async with reviewing(case) as (_, pilot):
        assert "can only be looked at here: it is open in another window" in shown(pilot.app)
        await ticked(pilot, "a", "Y", "r")
        assert (bool(case.approved), "reject" in shown(pilot.app)) == (False, False)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_all_parts_are_in_reach_at_every_size(size: tuple[int, int]) -> None:
    case = Case(LONG)
    async with reviewing(case, size=size) as (screen, pilot):
        text = shown(pilot.app)
        assert "Put the limit back" in text
        assert "0 hidden characters" in text
        assert "LIMIT = 64" in text
        assert "tests: red to green" in text
        if size[0] < 100:
            assert "RED TO GREEN" not in text
            await ticked(pilot, "v")
            text = shown(pilot.app)
        assert "RED TO GREEN" in text
        assert "the commit deployed now (v42)" in " ".join(text.split()) or size[0] == 120
        assert screen.facts.display


# -- foreign text --------------------------------------------------------------------------------


def hostile(texts: Iterable[str]) -> Case:
    held = [text.encode("utf-8", "replace").decode() for text in texts]
    flat = [text.replace("\n", " ") for text in held]
    diff = "".join(file_diff(f"src/{one}", [f"old {one}"], [f"new {one}"]) for one in flat)
    every = " ".join(held)
    return Case(
        diff, call={one: one for one in held} | {"list": held}, title=every, message="\n".join(held), base_is=every,
        warnings=tuple(held), evidence=tuple(held), runbook=every,
    )  # fmt: skip


@pytest.mark.parametrize("approval", ["fix", CALL])
@pytest.mark.parametrize("kind", ["control", "markup"])
async def test_foreign_text_stays_text(kind: str, approval: str) -> None:
    texts = (CONTROL if kind == "control" else MARKUP).values()
    case = hostile(texts)
    screen = ReviewScreen(view=case.view, approval=None if approval == "fix" else approval, read=case.read)
    async with Stage(screen, guarded=False).run_test(size=(200, 240)) as pilot:
        await until(pilot, lambda: screen.sheet is not None)
        await settled(pilot)
        lines = painted(pilot.app)
        assert not [char for line in lines for char in line if forbidden(char)]
        if kind == "markup":
            assert all(any(text in line for line in lines) for text in texts)
        styles = [part.style for strip in screen._compositor.render_strips() for part in strip if part.style]
        assert not [style for style in styles if style.link or any(key.startswith("@") for key in style.meta)]


async def test_hidden_characters_are_written_out_and_counted_at_the_top() -> None:
    case = Case(file_diff("a.py", ["x = 1"], ["x = 1 \u202e# \u2066evil"]))
    async with reviewing(case) as (_, pilot):
        text = shown(pilot.app)
        assert "2 hidden characters" in text
        assert "x = 1 \\u{202e}# \\u{2066}evil" in text
