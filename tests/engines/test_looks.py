"""Looks before the verdict: a person's first, each made once; what the budget does not allow takes nothing back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.engines.base import StopReason, ToolUse
from orchestrator.engines.offline.engine import OfflineEngine
from orchestrator.hands.budget import SPENT
from orchestrator.journal.events import BoardEdited, Body, Event, VerdictReached
from orchestrator.journal.verdict import Verdict
from orchestrator.verdict.board_edits import Edit
from subagents.contract import Alert, Brief, Incident, ToolResult
from subagents.roster import build
from tests.engines.desks import FakeDesk
from tests.engines.incidents import BROKEN, SERVICE, Story, investigated, level, minute, write
from tests.engines.test_whole_incidents import BROKE

ASKED = Edit(BoardEdited(action="add", suspect="host:node-9", by="dana"))
LATER = Edit(BoardEdited(action="add", suspect="host:node-7", by="dana"))
SERIES = {(SERVICE, "requests_per_s"): level(200), ("node-7", "node_cpu_pct"): level(31)}


class Watched(FakeDesk):
    """Keeps what is compared, in order; refuses what `refused` names, as a spent budget does."""

    def __init__(self, folder: Path, story: Story, refused: str = "") -> None:
        specs = write(folder, story)
        alert = Alert(title="t", service=SERVICE, metric="http_5xx_ratio", fired_at=minute(BROKEN + 4))
        incident = Incident(id="inc", title="t", service=SERVICE, alert=alert)
        super().__init__(build(specs), Brief(incident=incident, sources=tuple(specs)))
        self.compared: list[str] = []
        self.later: tuple[Edit, ...] = ()
        """What the person does to the board while the first verdict is written."""
        self._refused = refused

    async def call(self, thread: str, use: ToolUse) -> ToolResult[Any]:
        if use.name == "metrics_compare":
            about = str(use.input.get("service") or use.input.get("roles"))
            self.compared.append(about)
            if self._refused and self._refused in about:
                return ToolResult(text=f"{SPENT}: 9 of 9 tool calls used; {use.name} was not run", outcome="denied")
        return await super().call(thread, use)

    async def record(
        self, body: Body, *, thread: str, source_id: str | None = None, stream: str = "local", processed: bool = True
    ) -> Event:
        if isinstance(body, VerdictReached) and self.later:
            self.board_edits, self.later = (*self.board_edits, *self.later), ()
        return await super().record(body, thread=thread, source_id=source_id, stream=stream, processed=processed)


async def concluded(desk: Watched) -> tuple[StopReason, list[Verdict]]:
    stop = await OfflineEngine().run(desk)
    return stop, [event.body.verdict for event in desk.events if isinstance(event.body, VerdictReached)]


async def test_what_a_person_asked_is_looked_into_first_and_no_edit_asks_across_the_sources_again(
    tmp_path: Path,
) -> None:
    desk = Watched(tmp_path, replace(BROKE, series=SERIES))
    desk.board_edits, desk.later = (ASKED,), (LATER,)
    stop, made = await concluded(desk)
    assert (stop, len(made)) == ("end_turn", 2)
    assert desk.compared[0] == "node-9"
    assert desk.compared[-1] == "node-7"
    assert desk.compared.count("['host']") == 1


@pytest.mark.parametrize(
    ("refused", "gap"),
    [
        ("host", "what the sources say of each other was not looked up"),
        ("error_ratio", "what the sources say of each other was not looked up"),
        ("node-9", "host node-9, which you put on the board, was not looked up"),
    ],
)
async def test_a_look_that_the_budget_does_not_allow_is_said_and_takes_no_verdict_back(
    tmp_path: Path, refused: str, gap: str
) -> None:
    free, bound = tmp_path / "free", tmp_path / "bound"
    desks = []
    for folder, refuses in ((free, ""), (bound, refused)):
        folder.mkdir()
        desk = Watched(folder, replace(BROKE, series=SERIES), refuses)
        desk.board_edits = (ASKED,)
        desks.append(desk)
    stop, (whole,) = await concluded(desks[0])
    assert stop == "end_turn"
    stop, (cut,) = await concluded(desks[1])
    assert stop == "budget_reached", "given more, the look is made"
    assert (cut.kind, cut.culprit, cut.confidence.value) == ("culprit", whole.culprit, whole.confidence.value)
    assert {item.text: item.why for item in cut.gaps}[gap].endswith("metrics_compare was not run")
    hosts = [item.reason for item in cut.ruled_out if item.suspect.kind == "host"]
    assert any("not compared" in reason for reason in hosts) == (refused != "node-9")
    assert not any("was given" in reason for reason in hosts)


async def test_what_is_over_is_compared_while_it_lasted(tmp_path: Path) -> None:
    short = [0.3 if BROKEN <= index < BROKEN + 6 else value for index, value in enumerate(level(0.002))]
    asked = {(SERVICE, "http_5xx_ratio"): short, ("web", "http_5xx_ratio"): short}
    broke = [(BROKEN + n / 10, "ERROR pay answered 500") for n in range(60)]
    story = Story(early=broke, lines=("INFO settled",), series=asked, other_lines={"web": broke})
    found = await investigated(tmp_path, story)
    assert found.state.state == "recovered"
    assert [one.text for one in found.contradictions if "does not show" in one.text] == []


async def test_clocks_that_a_series_shows_apart_are_named(tmp_path: Path) -> None:
    early = ("ERROR token refused: token used before issued (iat 431 s ahead)",)
    alone = await investigated(tmp_path, Story(early))
    assert alone.kind == "inconclusive"
    shown = Story(early, series={(SERVICE, "node_timex_offset_seconds"): level(0.002, 431, BROKEN - 1)})
    (tmp_path / "shown").mkdir()
    found = await investigated(tmp_path / "shown", shown)
    assert (found.kind, "clock" in found.headline) == ("no_code_cause", True)
