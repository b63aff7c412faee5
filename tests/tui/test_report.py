"""The report on the screen: all of it, as plain lines; the status goes to the clipboard cleaned."""

from __future__ import annotations

import pytest

from orchestrator.journal.events import Note
from tests.tui.decisions import ticked
from tests.tui.payloads import CONTROL, MARKUP, forbidden
from tests.tui.stage import SIZES, Stage, painted, shown, until
from tests.tui.story import FakeActs, Teller, finished, opened, view_of
from tui.screens.report import ReportScreen
from tui.views.report import report_lines, sections_of


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_it_can_be_read_to_its_end_and_gone_back_from(size: tuple[int, int]) -> None:
    screen = ReportScreen(view_of(finished()))
    async with Stage(screen).run_test(size=size) as pilot:
        await until(pilot, lambda: len(screen.page.lines) > 5)
        assert "checkout answers 5xx" in shown(pilot.app)
        first = screen.page.line_at_top
        await ticked(pilot, "n")
        if screen.page.rows > size[1]:
            assert screen.page.line_at_top > first
        await ticked(pilot, "G")
        assert screen.page.lines[-1].text.split()[0] in shown(pilot.app)
        await ticked(pilot, "escape")
        assert pilot.app.screen is not screen


async def test_it_says_when_something_came_since_and_reads_it_in() -> None:
    events = finished()
    acts = FakeActs(events)
    view = view_of(events, acts)
    screen = ReportScreen(view)
    async with Stage(screen).run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: len(screen.page.lines) > 5)
        tell = Teller(events[-1].ts)
        tell._seq = len(events)
        event = tell(Note(text="the pool was raised by hand", by="person", level="warning"))
        events.append(event)
        view.learn(event)
        await ticked(pilot)
        assert "1 newer events: R reads them in" in shown(pilot.app)
        await ticked(pilot, "R")
        assert any("the pool was raised by hand" in one.text for one in screen.page.lines)


async def test_the_status_is_copied_clean() -> None:
    screen = ReportScreen(view_of(finished()))
    async with Stage(screen).run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: len(screen.page.lines) > 5)
        await ticked(pilot, "y")
        assert pilot.app.clipboard.startswith("one\ntwo")
        assert "\x1b" not in pilot.app.clipboard


async def test_no_incident_yet_is_said() -> None:
    screen = ReportScreen(view_of([]))
    async with Stage(screen).run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "writing" not in shown(pilot.app))
        assert screen.page.lines


async def test_foreign_text_stays_text() -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in {**CONTROL, **MARKUP}.values()]
    tell = Teller()
    events = [tell(opened(title=" ".join(texts))), *(tell(Note(text=text)) for text in texts)]
    screen = ReportScreen(view_of(events, FakeActs(events)))
    async with Stage(screen, guarded=False).run_test(size=(200, 120)) as pilot:
        await until(pilot, lambda: len(screen.page.lines) > 5)
        assert not [char for line in painted(pilot.app) for char in line if forbidden(char)]
        styles = [part.style for strip in screen._compositor.render_strips() for part in strip if part.style]
        assert not [style for style in styles if style.link]


def test_a_fence_is_shown_as_it_is_and_holds_no_heading() -> None:
    lines = report_lines("# Top\n\ntext\n\n````\n## not a section\n```\n````\n## Section\n")
    assert [lines[at].text for at in sections_of(lines)] == ["# Top", "## Section"]
    assert [one.text for one in lines] == [
        "# Top",
        "",
        "text",
        "",
        "````",
        "## not a section",
        "```",
        "````",
        "## Section",
    ]
