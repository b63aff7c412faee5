"""From the review screen to a branch: a real session, store and repository; what appears there, and what does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from orchestrator.compose import Surroundings
from orchestrator.session import Session
from tests.fix.bench import added, changed, git, snapshot
from tests.fix.rooms import Place, make_place
from tests.tui.decisions import ticked
from tests.tui.stage import Stage, settled, shown, until
from tui.live import LiveSession
from tui.screens.review import ReviewScreen
from tui.views.paint import text_of


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path)


@asynccontextmanager
async def reviewing(place: Place) -> AsyncIterator[tuple[ReviewScreen, Pilot[None], Session]]:
    session = await place.drafted()
    live = LiveSession(session, cast("Surroundings", SimpleNamespace(clock=place.clock)))
    async with Stage(ReviewScreen(view=live.view)).run_test(size=(160, 44)) as pilot:
        await until(pilot, lambda: bool(live.view.incident.pending))
        screen = ReviewScreen(view=live.view)
        await pilot.app.push_screen(screen)
        await until(pilot, lambda: screen.sheet is not None)
        await settled(pilot)
        place.clock.advance(1.0)
        yield screen, pilot, session
    await live.close()


def branches(place: Place) -> list[str]:
    return git(place.repo, "for-each-ref", "--format=%(refname)", "refs/heads").split()


async def test_what_a_yes_does_is_there_to_its_end_in_a_small_window_too(place: Place) -> None:
    async with reviewing(place) as (screen, pilot, _):
        await pilot.resize_terminal(80, 24)
        assert screen.sheet is not None
        does = "".join(screen.sheet.does.split())  # a long path is broken wherever the row ends
        await until(pilot, lambda: screen.size.width == 80 and does in "".join(shown(pilot.app).split()))


async def test_a_yes_makes_exactly_one_new_ref_and_changes_nothing_else(place: Place) -> None:
    before = snapshot(place.repo)
    async with reviewing(place) as (screen, pilot, session):
        (fix,) = session.fixes.fold.fixes.values()
        assert "nothing is pushed" in " ".join(shown(pilot.app).split())
        assert not changed(before, snapshot(place.repo))
        await ticked(pilot, "a", "Y")
        await until(pilot, lambda: screen.standing[0] == "delivered")
        ref = f"refs/heads/{fix.draft.branch}"
        assert branches(place) == ["refs/heads/main", ref]
        assert git(place.repo, "rev-parse", ref) == fix.draft.commit
        new = added(before, snapshot(place.repo))
        assert {path for path in new if "/objects/" not in path} == {
            str(place.repo / ".git" / ref),
            str(place.repo / ".git" / "logs" / ref),
        }
        await ticked(pilot, "y")
        assert f"git -C {place.repo} push origin" in pilot.app.clipboard
        assert fix.draft.message.split("\n", 1)[0] in pilot.app.clipboard


async def test_a_ref_that_appeared_meanwhile_voids_what_was_shown(place: Place) -> None:
    async with reviewing(place) as (screen, pilot, session):
        (fix,) = session.fixes.fold.fixes.values()
        git(place.repo, "branch", fix.draft.branch, "main")
        before = snapshot(place.repo)
        await ticked(pilot, "a")
        await until(pilot, lambda: screen.standing[0] == "void")
        await until(pilot, lambda: bool(screen.view.incident.pending))
        await until(pilot, lambda: "VOID:" in shown(pilot.app))
        assert "appeared meanwhile" in shown(pilot.app)
        place.clock.advance(1.0)
        await ticked(pilot, "Y", "a", "Y")
        assert not changed(before, snapshot(place.repo))
        await ticked(pilot, "n")
        await until(pilot, lambda: screen.sheet is not None)
        place.clock.advance(1.0)
        await ticked(pilot, "a", "Y")
        await until(pilot, lambda: screen.standing[0] == "delivered")
        assert f"refs/heads/{fix.draft.branch}-2" in branches(place)


async def test_a_draft_whose_bytes_changed_in_the_store_is_void_at_the_last_moment(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with reviewing(place) as (screen, pilot, session):
        before = snapshot(place.repo)

        async def same(view: Any, approval: str) -> Any:
            return screen.sheet

        screen._read = same  # the second look sees nothing: only the desk's own check is left
        session.fixes.render = lambda store, base, commit: "another diff"
        await ticked(pilot, "a", "Y")
        await until(pilot, lambda: screen.standing[0] == "void")
        await settled(pilot)
        assert "VOID: the diff is not the one that was shown" in shown(pilot.app)
        assert not changed(before, snapshot(place.repo))


async def test_a_no_reaches_the_subagent_with_its_reason(place: Place) -> None:
    async with reviewing(place) as (screen, pilot, session):
        (fix,) = session.fixes.fold.fixes.values()
        await ticked(pilot, "r", *"keep the log line", "enter")
        await until(pilot, lambda: screen.standing[0] == "rejected" and not screen._busy)
        calls = [e.body for e in session.journal.events(types={"agent.custom_tool_use"})]
        assert any(getattr(body, "input", {}).get("reason") == "keep the log line" for body in calls)
        assert session.fixes.fix(fix.id).reason == "keep the log line"
        assert branches(place) == ["refs/heads/main"]


async def test_the_base_is_shown_and_can_be_switched(place: Place) -> None:
    later = git(place.repo, "commit-tree", "v1^{tree}", "-p", "v1", "-m", "later")
    git(place.repo, "branch", "later", later)
    before = snapshot(place.repo)
    async with reviewing(place) as (screen, pilot, session):
        (fix,) = session.fixes.fold.fixes.values()
        facts = [text_of(one.body) for one in screen.facts.lines]
        assert f"{fix.draft.base[:12]}: tip of main; b: another" in facts
        await ticked(pilot, "b", *"nothing-like-it", "enter")
        await until(pilot, lambda: not screen._busy)
        assert "not drafted anew" in shown(pilot.app)
        assert screen.standing[0] == "waits", "what was there is kept"
        await ticked(pilot, "b", *later[:12], "enter")
        await until(pilot, lambda: screen.standing[0] == "rejected" and not screen._busy)
        await ticked(pilot, "n")
        await until(pilot, lambda: screen.sheet is not None and screen.sheet.draft != fix.id)
        await settled(pilot)
        assert f"{later[:12]}: " in shown(pilot.app)
        place.clock.advance(1.0)
        await ticked(pilot, "a", "Y")
        await until(pilot, lambda: screen.standing[0] == "delivered")
        added(before, snapshot(place.repo))
        assert git(place.repo, "rev-parse", f"{branches(place)[-1]}^") == later
