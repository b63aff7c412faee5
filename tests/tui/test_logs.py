"""The logs under a person's keys: what was typed is read, counts come first, each event opens, no dead end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from orchestrator.hands.watching import CallPreview
from orchestrator.journal.text import clean
from subagents.contract import SourceSpec, ToolContext, ToolError, ToolResult
from subagents.roster import build
from tests.tui.payloads import CONTROL, MARKUP, forbidden
from tests.tui.stage import SIZES, Stage, painted, press, settled, shown, until, war_room
from tests.tui.story import START, FakeActs, finished, view_of
from tests.tui.test_snapshots import compare
from tui import seams
from tui.log_asking import PAGE, like
from tui.screens.logs import LogsScreen
from tui.views.log_query import LogQuery, QueryFault, read

DAY = datetime(2026, 3, 29, 9, 12, tzinfo=UTC)


class LogActs(FakeActs):
    """A session whose logs are real: small files, read by the specialist's own tools."""

    def __init__(self, *files: Path) -> None:
        super().__init__()
        self.roster = build([SourceSpec(id=file.name, kind="logs", path=str(file)) for file in files])
        self.asked: list[dict[str, object]] = []
        self.hold: asyncio.Event | None = None
        self.cancelled = 0

    async def ask(self, agent: str, tool: str, given: Mapping[str, object]) -> ToolResult[Any]:
        self.asked.append(dict(given))
        try:
            if self.hold is not None:
                await self.hold.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        held = self.roster.tool(agent, tool)
        assert held is not None
        try:
            return held.run(held.params.model_validate(given), ToolContext(key="k", clock=self.view_clock))
        except ToolError as error:
            return ToolResult(outcome="error", text=str(error))

    @property
    def view_clock(self) -> Any:
        from tests.fakes import FakeClock

        return FakeClock(START)


def log_file(tmp_path: Path, name: str = "shop.log", count: int = 30) -> Path:
    path = tmp_path / name
    lines = []
    for n in range(count):
        at = START + timedelta(seconds=20 * n)
        level = "ERROR" if n % 3 == 0 else "INFO"
        lines.append(f"{at:%Y-%m-%dT%H:%M:%S}.000Z {level} [checkout] order {1000 + n} took {n} ms")
    path.write_text("\n".join(lines) + "\n")
    return path


@asynccontextmanager
async def searching(
    acts: LogActs, typed: str = "order", size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[LogsScreen, Pilot[None]]]:
    view = view_of(finished(), acts)
    screen = LogsScreen(view=view, query=read(typed, START))
    async with Stage(screen).run_test(size=size) as pilot:
        await until(pilot, lambda: not screen.searching or acts.hold is not None)
        await settled(pilot)
        yield screen, pilot


async def test_an_event_that_its_status_made_an_error_says_so(tmp_path: Path) -> None:
    """`error` beside a text that says INFO would look like a mistake."""
    path = tmp_path / "shop.log"
    path.write_text("2026-03-29T09:00:00Z INFO [http-1] GET /cart status=503 in 3 ms\n")
    async with searching(LogActs(path), "cart", (80, 24)) as (_, pilot):
        assert "error shop status 503 INFO [http-1] GET /cart" in shown(pilot.app)
        await press(pilot, "space")
        await settled(pilot)
        assert "an error by its status 503, whatever level its text names" in shown(pilot.app)


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("pool is empty", LogQuery("", text="pool is empty")),
        ("/time(d )?out/ service:shop", LogQuery("", regex="time(d )?out", service="shop")),
        ("level:warning  two  blanks", LogQuery("", text="two blanks", level="warn")),
        ("two  blanks", LogQuery("", text="two  blanks")),
        ('service:"a b" x', LogQuery("", text="x", service="a b")),
        ("/service:x \\d+/ level:error", LogQuery("", regex="service:x \\d+", level="error")),
        ("09:10..09:25", LogQuery("", start=DAY.replace(minute=10), end=DAY.replace(minute=25))),
        ("23:50..00:10 x", LogQuery("", text="x", start=datetime(2026, 3, 28, 23, 50, tzinfo=UTC),
                                    end=datetime(2026, 3, 29, 0, 10, tzinfo=UTC))),
        ("2026-03-29T09:00Z.. x", LogQuery("", text="x", start=DAY.replace(minute=0))),
        ("..09:30:15 x", LogQuery("", text="x", end=DAY.replace(minute=30, second=15))),
        ("wait ... what", LogQuery("", text="wait ... what")),
        ("/a 1..2 b/", LogQuery("", regex="a 1..2 b")),
        ("http://x/y service:s", LogQuery("", text="http://x/y", service="s")),
    ],
)  # fmt: skip
def test_what_was_typed_is_read(typed: str, wanted: LogQuery) -> None:
    found = read(typed, DAY)
    assert found.typed == typed.strip()
    assert {**vars(found), "typed": ""} == vars(wanted)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "nothing is asked for"),
        ("/(/", "not a regular expression that RE2 takes"),
        (r"/(a)\1/", "not a regular expression that RE2 takes"),
        ("level:loud x", "no level 'loud'"),
        ("service: x", "service: stands without a value"),
        ("09:30..09:10T x", "is no time"),
        ("2026-03-29T10:00..2026-03-29T09:00", "the end is not after the start"),
        ("25:00..", "is no time"),
    ],
)
def test_what_cannot_be_asked_says_why_in_a_line(typed: str, says: str) -> None:
    with pytest.raises(QueryFault) as fault:
        read(typed, DAY)
    assert says in str(fault.value)
    assert "\n" not in str(fault.value)


async def test_the_key_asks_in_the_war_room_and_a_fault_stays_to_be_mended() -> None:
    acts = FakeActs(running=True)
    view = view_of(finished(), acts)
    async with war_room(view, (80, 24)) as (room, pilot):
        await press(pilot, "l", *"/(/", "enter")
        assert "not a regular expression" in shown(pilot.app)
        assert not [one for one in pilot.app.heard if isinstance(one, seams.LogsRequested)]  # type: ignore[attr-defined]
        assert acts.readied[:1] == ["logs"], "it gets ready while the person types"
        await press(pilot, "l")
        assert "/(/" in shown(pilot.app)
        await press(pilot, "escape")
        assert not room.prompt.kind
        view.asked_of_logs = "pool level:erro"
        await press(pilot, "l", "r", "enter")
        (asked,) = [one for one in pilot.app.heard if isinstance(one, seams.LogsRequested)]  # type: ignore[attr-defined]
        assert (asked.query.text, asked.query.level) == ("pool", "error")


async def test_where_the_session_is_only_watched_it_says_so() -> None:
    acts = FakeActs(why_not="it is open in another process")
    async with war_room(view_of(finished(), acts)) as (_, pilot):
        await press(pilot, "l")
        assert "open in another process" in shown(pilot.app)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_counts_come_first_and_each_event_opens(tmp_path: Path, size: tuple[int, int]) -> None:
    async with searching(LogActs(log_file(tmp_path)), "order level:error", size) as (_, pilot):
        compare(f"logs_{size[0]}x{size[1]}", shown(pilot.app))
        await press(pilot, "j", "enter")
        (asked,) = [one for one in pilot.app.heard if isinstance(one, seams.EvidenceRequested)]  # type: ignore[attr-defined]
        assert asked.ref.kind == "citation"
        assert asked.ref.id.startswith("log:shop.log@")


async def test_the_rest_is_loaded_page_by_page(tmp_path: Path) -> None:
    acts = LogActs(log_file(tmp_path, count=2 * PAGE + 7))
    async with searching(acts) as (screen, pilot):
        assert f"{PAGE + 7} more" not in shown(pilot.app)
        await press(pilot, "G", "enter")
        await until(pilot, lambda: not screen.searching)
        await press(pilot, "G")
        assert "7 more: enter loads 7" in shown(pilot.app)
        await press(pilot, "enter")
        await until(pilot, lambda: not screen.searching)
        await press(pilot, "G")
        assert " more: " not in shown(pilot.app)
        assert len(screen.results.shown.source) == 2 * PAGE + 7
        assert [one.get("cursor") for one in acts.asked] == [None, f"skip={PAGE}", f"skip={2 * PAGE}"]


def so_far(*lines: str) -> CallPreview:
    found = tuple((f"log:shop.log@{n}+1", clean(text)) for n, text in enumerate(lines))
    return CallPreview("logs", "asked-1-1", "logs_search", 1, 4, clean("2 of 9 match"), START, 1.0, found=found)


@pytest.mark.parametrize("given_up", [False, True])
async def test_the_first_matches_are_there_and_open_while_the_rest_is_read(tmp_path: Path, given_up: bool) -> None:
    acts = LogActs(log_file(tmp_path))
    acts.hold = asyncio.Event()
    async with searching(acts) as (screen, pilot):
        screen.view.call_preview(so_far("order 7 is lost", "order 8 is lost\n  at pay [bold]x[/]"))
        screen.tick()
        await settled(pilot)
        text = shown(pilot.app)
        assert "25 % · 1 B of 4 B · 2 of 9 match" in text
        assert "order 7 is lost" in text
        await press(pilot, "G", "enter")
        (asked,) = [one for one in pilot.app.heard if isinstance(one, seams.EvidenceRequested)]  # type: ignore[attr-defined]
        assert asked.ref.id == "log:shop.log@1+1"
        await press(pilot, "space")
        assert "at pay [bold]x[/]" in shown(pilot.app)
        await press(pilot, "escape") if given_up else acts.hold.set()
        await until(pilot, lambda: not screen.searching)
        await settled(pilot)
        text = shown(pilot.app)
        assert ("order 8 is lost" in text) is given_up
        assert ("given up: the first that matched" in text) is given_up
        assert ("30 of 30 events match" in text) is not given_up


async def test_lines_around_an_event_come_and_go(tmp_path: Path) -> None:
    async with searching(LogActs(log_file(tmp_path)), "1012") as (screen, pilot):
        await press(pilot, "plus")
        await until(pilot, lambda: "order 1016" in shown(pilot.app))
        text = shown(pilot.app)
        assert "order 1008" in text
        assert "order 1007" not in text
        assert "> 2026" in text
        await press(pilot, "plus")
        await until(pilot, lambda: "order 1020" in shown(pilot.app))
        await press(pilot, "minus", "minus")
        await until(pilot, lambda: "order 1016" not in shown(pilot.app))
        assert screen.results.row is not None


async def test_nothing_found_says_what_was_searched(tmp_path: Path) -> None:
    async with searching(LogActs(log_file(tmp_path)), "nowhere level:fatal 09:00..09:30", (80, 24)) as (_, pilot):
        text = " ".join(shown(pilot.app).split())
        assert "nothing matches among 30 events; l changes it" in text
        assert "“nowhere” · fatal · from 2026-03-29 09:00:00 UTC" in text
        assert "no event" in text, "an answer, not one to wait for"
        assert "nothing yet" not in text
    async with searching(LogActs(log_file(tmp_path)), "status=503", (80, 24)) as (_, pilot):
        assert 'a field of a JSON record is written "status":503' in shown(pilot.app)
    for typed, why in (
        ("status=503 service:nowhere", "there are: "),
        ("status=503 09:00..09:30", "the events are of "),
        ("level=error refused", "that was looked for as a text; level:error asks for it"),
    ):
        async with searching(LogActs(log_file(tmp_path)), typed, (80, 24)) as (_, pilot):
            assert why in shown(pilot.app)


async def test_where_there_are_no_logs_that_is_said(tmp_path: Path) -> None:
    empty = tmp_path / "empty.log"
    empty.write_text("")
    async with searching(LogActs(empty), "order", (80, 24)) as (_, pilot):
        assert "there are no log events to search: + in the war room attaches logs" in shown(pilot.app)


async def test_what_a_tool_refuses_is_one_line(tmp_path: Path) -> None:
    async with searching(LogActs(log_file(tmp_path)), "x source:no.log", (80, 24)) as (_, pilot):
        assert "no.log" in shown(pilot.app).splitlines()[-2]
        assert "no answer" in shown(pilot.app)


async def test_a_search_that_runs_is_given_up_by_escape_and_asked_again(tmp_path: Path) -> None:
    acts = LogActs(log_file(tmp_path))
    acts.hold = asyncio.Event()
    async with searching(acts) as (screen, pilot):
        assert "searching" in shown(pilot.app)
        await press(pilot, "escape")
        await until(pilot, lambda: acts.cancelled == 1)
        assert "given up" in shown(pilot.app)
        assert pilot.app.screen is screen
        acts.hold.set()
        await press(pilot, "l", "enter")
        await until(pilot, lambda: not screen.searching)
        assert "30 of 30 events match" in shown(pilot.app)
        await press(pilot, "escape")
        assert pilot.app.screen is not screen


async def test_more_like_this_and_all_of_this_time(tmp_path: Path) -> None:
    acts = LogActs(log_file(tmp_path))
    async with searching(acts, "1003") as (screen, pilot):
        await press(pilot, "m", "enter")
        await until(pilot, lambda: not screen.searching and len(acts.asked) == 2)
        assert acts.asked[1]["regex"] == r"ERROR\s+\[checkout\]\s+order\s+\S+\s+took\s+\S+\s+ms"
        assert "10 of 30 events match" in shown(pilot.app)
        await press(pilot, "g", "t", "enter")
        await until(pilot, lambda: not screen.searching and len(acts.asked) == 3)
        assert "match" in shown(pilot.app)


@pytest.mark.parametrize("bad", [*CONTROL.values(), *MARKUP.values()], ids=[*CONTROL, *MARKUP])
def test_a_query_like_a_hostile_event_can_be_read_again(bad: str) -> None:
    typed = like(bad)
    if len(typed) > 2:
        assert read(typed, DAY).regex == typed[1:-1]


async def test_hostile_lines_are_shown_as_they_are_and_do_nothing(tmp_path: Path) -> None:
    path = tmp_path / "bad.log"
    bad = [text.replace("\n", " ").encode("utf-8", "replace") for text in (*CONTROL.values(), *MARKUP.values())]
    path.write_bytes(b"\n".join(b"2026-03-29T09:12:00Z ERROR [s] x " + text for text in bad))
    async with searching(LogActs(path), "x", (200, 50)) as (_, pilot):
        await press(pilot, "space")
        assert not [line for line in painted(pilot.app) if any(forbidden(char) for char in line)]


def test_what_is_asked_is_what_the_tool_takes() -> None:
    found = read("/x/ service:s level:warn source:a.log 09:00..09:10", DAY).arguments()
    assert json.loads(json.dumps(found)) == {
        "regex": "x", "service": "s", "level": "warn", "source": "a.log",
        "start": "2026-03-29T09:00:00+00:00", "end": "2026-03-29T09:10:00+00:00",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("2026-03-29T09:12:00Z [main] ERROR c.a.Orders: order 7 failed",
         r"/\[main\]\s+ERROR\s+c\.a\.Orders:\s+order\s+\S+\s+failed/"),
        ('{"ts":"2026-03-29T09:12:00Z","msg":"order 7 \\"x\\" failed","level":"error"}',
         r'/order\s+\S+\s+"x"\s+failed/'),
        ('{"ts":"2026-03-29T09:12:00Z","msg":"caf\\u00e9 \\ud83d\\ude00 of C:\\\\temp\\nfailed","level":"error"}',
         r"/café\s+😀\s+of\s+C:\\temp/"),
        ('{"log":"{\\"msg\\":\\"it\\\\u0027s \\\\\\"x\\\\\\"\\"}\\n","stream":"stdout","time":"2026-03-29T09:12:00Z"}',
         r"""/it's\s+"x"/"""),
        ("2026-03-29T09:12:00Z token=<redacted:token:abcdef> refused", r"/token=\S+\s+refused/"),
        ("[2026-03-29 09:12:00] took=12ms ok", r"/took=\S+\s+ok/"),
    ],
)  # fmt: skip
def test_like_this_finds_what_it_was_made_from(tmp_path: Path, raw: str, wanted: str) -> None:
    typed = like(raw)
    assert typed == wanted
    path = tmp_path / "a.log"
    path.write_text(raw + "\n")
    acts = LogActs(path)
    tool = acts.roster.tool("logs", "logs_search")
    assert tool is not None
    given = tool.params.model_validate(read(typed, DAY).arguments())
    assert tool.run(given, ToolContext(key="k", clock=acts.view_clock)).need().matches == 1


async def test_evidence_of_a_log_leads_to_more_like_it(tmp_path: Path) -> None:
    from tests.tui.test_evidence import KINDS, Sources, opening, story

    view = story("log", acts=Sources(log=KINDS["log"][1]))
    async with opening(view) as (_, pilot):
        await press(pilot, "m", "enter")
        (asked,) = [one for one in pilot.app.heard if isinstance(one, seams.LogsRequested)]  # type: ignore[attr-defined]
        assert asked.query.regex == r"ERROR\s+pool\s+is\s+empty"
    async with opening(story("commit")) as (_, pilot):
        await press(pilot, "m")
        assert "no line of a log" in shown(pilot.app)
