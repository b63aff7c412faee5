"""Evidence of each kind opens beside what was kept, says whether it changed, and closing it leaves no trace."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from orchestrator.journal.events import FindingReported
from subagents.contract import Evidence, Fact, Finding, SourceSpec, Suspect, ToolError, evidence
from subagents.roster import build
from subagents.specialist import Roster
from tests.tui.decisions import file_diff, ticked
from tests.tui.payloads import CONTROL, MARKUP, forbidden
from tests.tui.stage import SIZES, Stage, painted, settled, shown, until, war_room
from tests.tui.story import LOG, METRIC, FakeActs, Teller, call, finished, opened, view_of
from tui import seams
from tui.evidence_opening import CommitFacts, LogLines, Opened, Series, open_evidence
from tui.screens.evidence import EvidenceScreen
from tui.session_view import ActFault, SessionView
from tui.views.board import why_lines
from tui.views.chart import Chart, Marker, drawn
from tui.views.evidence import chart_of, cited_by, frozen_lines, now_lines
from tui.views.paint import Ref, text_of
from tui.views.stream_rows import finding_detail
from tui.widgets.page_view import PageView

SHA = "4be1" + "0" * 36
KINDS = {
    "commit": (f"commit:repo/{SHA}#pool.py:4", "diff"),
    "deploy": ("deploy:deploys.json#rel-42", json.dumps({"id": "rel-42", "service": "shop", "by": "ada"})),
    "flag": ("flag:flags.json#x", json.dumps({"id": "x", "to": {"on": True}})),
    "trace": ("trace:spans.json#t1", json.dumps([{"service": "shop", "ms": 9}])),
    "runbook": ("runbook:bad-deploy#roll-back", "Roll back\nSay who rolls back, then do it.\n$ deployctl rollback"),
    "log": (LOG, "ERROR pool is empty\nERROR pool is empty"),
    "metric": (METRIC, json.dumps([[f"2026-03-29T09:{at:02}:00Z", 0.2 if at < 8 else 12.0] for at in range(13)])),
}


FINDING = Ref("finding", "f-1")


class Sources(FakeActs):
    """Sources that hold some evidence now."""

    def __init__(self, **held: str) -> None:
        super().__init__()
        self.held = {KINDS[kind][0]: text for kind, text in held.items()}
        self.roster: Roster | None = None
        self.asked: list[str] = []

    async def resolve(self, ref: str, context_lines: int = 0) -> Evidence:
        self.asked.append(ref)
        if ref not in self.held:
            raise ActFault(f"{ref}: the source is gone")
        return evidence(ref, self.held[ref].encode(), "label")


def story(*kinds: str, acts: FakeActs | None = None) -> SessionView:
    """A session whose one finding cites evidence of these kinds, each kept as it was."""
    tell = Teller()
    kept = tuple(evidence(ref, text.encode(), f"kept {kind}") for kind, (ref, text) in KINDS.items())
    refs = tuple(KINDS[kind][0] for kind in kinds)
    about = Suspect(kind="commit", key=SHA, label="Tune the pool")
    facts = (Fact(quantity="baseline", value=0.25, unit="%", citation=METRIC),) if "metric" in kinds else ()
    found = Finding(agent="deploys", claim="it was the pool", topic="change", about=about, stance="for", weight=0.8,
                    citations=refs, facts=facts, at="2026-03-29T09:06:00Z")  # fmt: skip
    events = [tell(opened()), *call(tell, "deploys", "deploys_x", "c", "x", citations=kept)]
    events.append(tell(FindingReported(id="f-1", finding=found), "deploys"))
    return view_of(events, acts or Sources())


@asynccontextmanager
async def opening(
    view: SessionView, ref: Ref = FINDING, size: tuple[int, int] = (160, 40), **more: Any
) -> AsyncIterator[tuple[EvidenceScreen, Pilot[None]]]:
    screen = EvidenceScreen(view, ref, **more)
    async with Stage(screen).run_test(size=size) as pilot:
        await until(pilot, lambda: screen.opened is not None or not screen.cited)
        await settled(pilot)
        yield screen, pilot


@pytest.mark.parametrize("kind", list(KINDS))
async def test_each_kind_opens_and_is_as_it_was(kind: str) -> None:
    ref, text = KINDS[kind]
    async with opening(story(kind, acts=Sources(**{kind: text}))) as (screen, pilot):
        said = shown(pilot.app)
        assert screen.opened is not None
        assert screen.opened.state == "same"
        assert "as it was when it was cited" in said
        assert ref in said
        assert screen.opened.digest in said
        wanted = {"metric": "baseline 0.25", "deploy": "rel-42", "flag": '"on": true', "trace": '"ms": 9'}
        wanted |= {"runbook": "$ deployctl rollback", "log": "pool is empty", "commit": "diff"}
        assert wanted[kind] in said


@pytest.mark.parametrize("kind", list(KINDS))
async def test_what_changed_or_is_gone_is_marked_and_the_kept_excerpt_is_shown(kind: str) -> None:
    text = KINDS[kind][1].replace("9", "7").replace("pool", "lake").replace("diff", "other").replace("who", "whom")
    changed = Sources(**{kind: text + " "})
    async with opening(story(kind, acts=changed)) as (screen, pilot):
        assert "CHANGED SINCE it was cited" in shown(pilot.app)
        assert screen.query_one("#frozen").display
    async with opening(story(kind)) as (screen, pilot):
        said = shown(pilot.app)
        assert "CANNOT BE OPENED NOW: the source is gone" in said, "which citation that is stands below"
        assert "shown is what was kept" in said


async def test_citations_are_stepped_through_and_the_ref_is_copied() -> None:
    held = {kind: text for kind, (_, text) in KINDS.items()}
    async with opening(story("log", "deploy", "runbook", acts=Sources(**held))) as (_, pilot):
        assert "1 of 3" in shown(pilot.app)
        await ticked(pilot, "n")
        assert "rel-42" in shown(pilot.app)
        await ticked(pilot, "N", "N")
        assert "deployctl" in shown(pilot.app)
        await ticked(pilot, "y")
        assert pilot.app.clipboard == KINDS["runbook"][0]
        await ticked(pilot, "v")
        assert "kept in the session" in shown(pilot.app)


async def test_closing_it_leaves_the_war_room_as_it_was() -> None:
    events = finished()
    async with war_room(view_of(events)) as (room, pilot):
        await ticked(pilot, "b", "j")
        board = room.list_of("board")
        before, text = board.row, shown(pilot.app)
        await ticked(pilot, "enter")
        (asked,) = [one for one in pilot.app.heard if isinstance(one, seams.EvidenceRequested)]  # type: ignore[attr-defined]
        assert room.view is not None
        screen = EvidenceScreen(view=room.view, ref=asked.ref)
        await pilot.app.push_screen(screen)
        await until(pilot, lambda: screen.opened is not None)
        await ticked(pilot, "n", "escape")
        assert pilot.app.screen is room
        assert board.row is before
        assert board.has_focus
        assert shown(pilot.app) == text


async def test_a_hypothesis_opens_what_its_grounds_cite_strongest_first() -> None:
    view = view_of(finished())
    title, cited = cited_by(view, Ref("hypothesis", f"commit:{SHA}"))
    assert "Tune the connection pool" in title
    assert [cited_by(view, Ref("verdict", ""))[0], cited_by(view, Ref("finding", "f-none"))[0]] == [
        "the verdict",
        "finding f-none",
    ]
    assert [one.ref for one in cited] == [f"commit:repo/{SHA}#pool.py:4", LOG]
    assert [one.ref for one in cited_by(view, Ref("verdict", ""))[1]] == [METRIC]
    assert cited_by(view, Ref("citation", LOG))[1][0].ref == LOG
    assert cited_by(view, Ref("finding", "f-none"))[1] == ()


@pytest.mark.parametrize(("size", "rows"), [((80, 24), 1), ((80, 40), 3)])
async def test_the_claim_is_said_once_and_as_far_as_there_is_room(size: tuple[int, int], rows: int) -> None:
    tell = Teller()
    found = Finding(agent="logs", claim="first " + "and then again " * 40, topic="errors", citations=(LOG,))
    kept = (evidence(LOG, b"ERROR pool is empty", "kept"),)
    events = [tell(opened()), *call(tell, "logs", "logs_x", "c", "x", citations=kept)]
    view = view_of([*events, tell(FindingReported(id="f-1", finding=found), "logs")], Sources())
    async with opening(view, size=size) as (_, pilot):
        said = shown(pilot.app)
        assert said.count("first and then again") == 1
        assert sum("and then again" in one for one in said.splitlines()) == rows
        assert [one for one in said.splitlines() if "and then again" in one][-1].rstrip().endswith("…")


@pytest.mark.parametrize("kinds", [("commit", "metric", "log"), ("metric", "commit", "deploy")])
async def test_each_citation_has_one_line_of_the_list_and_the_whole_is_below(kinds: tuple[str, ...]) -> None:
    async with opening(story(*kinds), size=(72, 24)) as (screen, pilot):
        assert screen.query_one("#cites", PageView).rows == 3
        rows = shown(pilot.app).splitlines()
        assert any(f"commit:repo/{SHA[:12]}…#pool.py:4" in one for one in rows)
        assert any(one.startswith("> ") for one in rows[2:5])
        await pilot.resize_terminal(120, 36)
        await settled(pilot)
        assert METRIC in [one.strip("> │┃") for one in shown(pilot.app).splitlines()]


async def test_what_cites_nothing_says_so() -> None:
    async with opening(story(), Ref("finding", "f-1")) as (_, pilot):
        assert "it names no evidence" in shown(pilot.app)


# -- logs, with the specialist's own tool --------------------------------------------------------


async def test_log_lines_stand_in_their_context_read_from_the_file_as_it_is(tmp_path: Path) -> None:
    lines = [f"2026-03-29T09:{at // 60:02}:{at % 60:02}Z INFO line {at}" for at in range(300)]
    file = tmp_path / "shop.log"
    file.write_text("\n".join(lines) + "\n")
    byte = sum(len(one) + 1 for one in lines[:200])
    ref = f"log:shop.log@{byte}+2"
    roster = build([SourceSpec(id="shop.log", kind="logs", path=str(file))])
    resolver = roster.agents["logs"].resolver
    assert resolver is not None

    class Live(Sources):
        async def resolve(self, ref: str, context_lines: int = 0) -> Evidence:
            try:
                assert resolver is not None
                return resolver.resolve(ref, context_lines)
            except ToolError as error:
                raise ActFault(str(error)) from error

    acts = Live()
    acts.roster = roster
    view = story(acts=acts)
    view.incident.evidence[ref] = resolver.resolve(ref)
    found = await open_evidence(view, ref)
    assert found.state == "same"
    assert isinstance(found.more, LogLines)
    made, at = now_lines(found)
    marked = [one.text for one in made if text_of(one.gutter).startswith(">")]
    assert marked == lines[200:202]
    assert made[at].text == lines[200]
    async with opening(view, Ref("citation", ref), (120, 36)) as (_, pilot):
        said = shown(pilot.app)
        assert f">  {lines[200]}" in said
        assert f"   {lines[199]}" in said
        assert "as cited" in said
    file.write_text(file.read_text().replace("line 200", "line two"))
    assert (await open_evidence(view, ref)).state == "changed"
    file.unlink()
    gone = await open_evidence(view, ref)
    assert gone.state == "gone"
    assert lines[200] in "".join(one.text for one in now_lines(gone)[0])


# -- commits -------------------------------------------------------------------------------------


def test_a_commit_shows_the_cited_line_of_the_hunk_message_and_author() -> None:
    ref = f"commit:repo/{SHA}#pool.py:4"
    diff = file_diff("pool.py", ["a", "b", "c", "SIZE = 20"], ["a", "b", "c", "SIZE = 2"]) + file_diff(
        "x.py", [], ["y"]
    )
    facts = CommitFacts(SHA, "Ada", "2026-03-29 08:00:00 UTC", "Tune the pool", "Why not.", diff)
    made, _ = now_lines(Opened(ref, "commit", "same", None, evidence(ref, b"hunk"), more=facts))
    said = "\n".join(text_of(one.gutter) + one.text for one in made)
    assert "Ada" in said
    assert "Tune the pool" in said
    assert "Why not." in said
    (cited,) = [one for one in made if text_of(one.gutter).startswith(">")]
    assert cited.text == "+SIZE = 2"
    assert "1 more file: x.py" in said
    none = CommitFacts(SHA, "", "unknown", "s", "", "", "no diff was exported")
    made, _ = now_lines(Opened(ref, "commit", "same", None, evidence(ref, b"-a\n+b"), more=none))
    assert "no diff was exported" in "\n".join(one.text for one in made)


# -- charts --------------------------------------------------------------------------------------


def chart(points: int = 60, **more: Any) -> Chart:
    made = tuple((60.0 * at, 0.2 if at < points // 2 else 12.0) for at in range(points))
    fields: dict[str, Any] = {"points": made, "unit": "%", "baseline": 0.2, "onset": 60.0 * (points // 2),
                              "markers": (Marker(60.0 * (points // 2 - 2), "deploy v42"),), **more}  # fmt: skip
    return Chart(**fields)


@pytest.mark.parametrize("width", [20, 40, 79, 118, 198])
@pytest.mark.parametrize("points", [1, 2, 60, 2000])
def test_a_chart_fits_any_width_and_says_its_extremes_and_marks(width: int, points: int) -> None:
    lines = [text_of(one) for one in drawn(chart(points), width, 20)]
    assert all(len(one) <= max(width, 18) for one in lines[1:-2])
    assert "min " in lines[0]
    first = "01-01 00:00"[: width - 10] if points > 24 * 60 else "00:00:00"
    assert any(f"UTC └{first}" in one for one in lines), "of several days each moment has its own"
    if points > 24 * 60 and width > 40:
        assert any("01-01 16:38 deploy v42" in one for one in lines)
    assert sum("│" in one for one in lines) >= 3
    if points > 2:
        assert "max 12" in lines[0]
        assert any("^" in one for one in lines)
        assert any("deploy v42" in one for one in lines)


def test_a_chart_of_one_value_or_of_none_or_below_zero_is_drawn() -> None:
    assert text_of(drawn(Chart(()), 80, 20)[0]) == "no points to draw"
    flat = drawn(Chart(((0.0, 5.0), (60.0, 5.0)), baseline=5.0), 40, 10)
    assert any("▄" in text_of(one) or "█" in text_of(one) for one in flat)
    below = drawn(Chart(((0.0, -5.0), (60.0, 5.0))), 40, 10)
    assert "min -5  max 5" in text_of(below[0])


def test_many_changes_leave_room_for_the_curve_and_those_near_the_onset_are_told() -> None:
    markers = tuple(Marker(60.0 * at, f"deploy at {at}") for at in range(10, 60, 4))
    lines = [text_of(one) for one in drawn(chart(markers=markers), 80, 16)]
    assert len(lines) <= 16
    assert sum("│" in one for one in lines) >= 6
    told = [one.split("deploy at ")[1] for one in lines if "deploy at " in one]
    assert told == ["22", "26", "30", "34"], "the onset is at 30"
    assert "9 more, farther from the onset" in "".join(lines)
    tall = [text_of(one) for one in drawn(chart(markers=markers, onset=None), 80, 40)]
    assert sum("deploy at " in one for one in tall) == 9
    assert "deploy at 58" in tall[-2]
    assert "4 more, before these" in tall[-1]


def test_a_gap_in_the_data_stays_a_gap() -> None:
    points = (*((60.0 * at, 5.0) for at in range(10)), *((60.0 * at, 5.0) for at in range(30, 40)))
    bottom = text_of(drawn(Chart(points), 90, 8)[7 - 2])
    assert "█" in bottom
    assert "     " in bottom[12:]


async def test_a_metric_is_drawn_from_what_was_kept_where_its_source_is_gone() -> None:
    view = story("metric")
    async with opening(view) as (screen, pilot):
        said = shown(pilot.app)
        assert "commit 4be100000000 Tune the pool" in said
        assert screen.opened is not None
        made = chart_of(view, screen.opened, (Fact(quantity="baseline", value=0.25, unit="%", citation=METRIC),))
        assert made is not None
        assert made.baseline == 0.25
        assert len(made.points) == 13
        wide = Series(tuple((float(at), 1.0) for at in range(50)), "ms", 1.0, 20.0)
        more = chart_of(view, Opened(METRIC, "metric", "same", None, evidence(METRIC, b"[]"), more=wide), ())
        assert more is not None
        assert (len(more.points), more.unit, more.onset) == (50, "ms", 20.0)


# -- sizes and foreign text ----------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_it_fits_every_size(size: tuple[int, int]) -> None:
    held = {kind: text for kind, (_, text) in KINDS.items()}
    kinds = ("log", "commit", "metric")
    async with opening(story(*kinds, acts=Sources(**held)), size=size) as (_, pilot):
        for _ in kinds:
            lines = painted(pilot.app)
            assert len(lines) == size[1]
            assert any("as it was when it was cited" in one for one in lines)
            await ticked(pilot, "n")


@pytest.mark.parametrize("kind", ["control", "markup"])
async def test_foreign_text_stays_text_in_evidence_of_every_kind(kind: str) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in (CONTROL if kind == "control" else MARKUP).values()]
    every = "\n".join(texts)
    made: dict[str, tuple[LogLines | Series | CommitFacts | None, str]] = {
        "log": (LogLines((*texts, every), 1, 2), every),
        "commit": (CommitFacts(SHA, every, every, every, every, file_diff("pool.py", texts, [every]), every), every),
        "metric": (Series(((0.0, 1.0), (60.0, 2.0)), every), every),
        "deploy": (None, json.dumps({one: one for one in texts} | {"list": texts})),
        "flag": (None, every),
        "runbook": (None, every),
    }

    async def open_(view: SessionView, ref: str) -> Opened:
        more, text = made[ref.partition(":")[0]]
        held = Evidence(ref=ref, digest="sha256:0", excerpt=text, label=every)
        return Opened(ref, ref.partition(":")[0], "changed", held, held, every, more)

    view = story(*made)
    found = view.incident.findings["f-1"]
    assert found.about is not None
    about = found.about.model_copy(update={"label": every, "key": every})
    view.incident.findings["f-1"] = found.model_copy(update={"claim": every, "about": about})
    screen = EvidenceScreen(view, Ref("finding", "f-1"), open_)
    async with Stage(screen, guarded=False).run_test(size=(200, 90)) as pilot:
        for _ in made:
            await until(pilot, lambda: screen.opened is not None)
            await settled(pilot)
            lines = painted(pilot.app)
            assert not [char for line in lines for char in line if forbidden(char)]
            if kind == "markup" and screen.opened is not None and screen.opened.kind != "metric":
                assert all(any(text in line for line in lines) for text in texts if '"' not in text)
            styles = [part.style for strip in screen._compositor.render_strips() for part in strip if part.style]
            assert not [style for style in styles if style.link or any(key.startswith("@") for key in style.meta)]
            await ticked(pilot, "n")
    assert frozen_lines(Opened("x", "log", "gone"))[1].text == "no excerpt was kept"


async def test_a_fact_is_told_in_the_same_words_wherever_it_is_shown() -> None:
    fact = Fact(quantity="lag", value=7250.123456789, unit="s", citation=METRIC)
    about = Suspect(kind="commit", key=SHA, label="Tune the pool")
    found = Finding(agent="deploys", claim="it came late", topic="change", about=about, stance="for", weight=0.8,
                    citations=(METRIC, LOG), facts=(fact,))  # fmt: skip
    tell, kept = Teller(), (evidence(METRIC, KINDS["metric"][1].encode(), "kept"),)
    events = [tell(opened()), *call(tell, "deploys", "deploys_x", "c", "x", citations=kept)]
    view = view_of([*events, tell(FindingReported(id="f-1", finding=found), "deploys")], Sources())
    words = "lag 7250.12 s (2.0 h)"
    assert any(words in text_of(one) for one in finding_detail(found))
    rests = [one.text for one in why_lines(view.hypotheses[0]) if one.text.startswith("rests on ")]
    assert rests == [f"rests on {METRIC}: {words}", f"rests on {LOG}"]
    async with opening(view) as (_, pilot):
        assert words in shown(pilot.app)
