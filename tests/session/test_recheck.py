"""A re-check: newer data dropped in, the verdict's symptom measured again by the same tools, the answer on record."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.asked import ComposeError, Surroundings
from orchestrator.hands.rosters import RosterRecipe
from orchestrator.journal.blobs import BlobStore
from orchestrator.journal.events import MAIN_THREAD, FindingReported, IncidentOpened, Rechecked, VerdictReached
from orchestrator.journal.verdict import Confidence, Symptom, Verdict
from orchestrator.recheck import Result, recheck
from orchestrator.recheck.looking import Looker
from orchestrator.session import Session, SessionFault
from orchestrator.verdict.report import build_report
from orchestrator.verdict.report_markdown import render_markdown
from orchestrator.verdict.report_model import Report
from subagents import quantities as q
from subagents.contract import Fact, SourceSpec, Window
from subagents.metrics.model import CoverageReport, SeriesReport
from subagents.metrics.params import CoverageParams, SeriesParams
from tests.fakes import FakeClock
from tests.session.conftest import Room

T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
KNOWN, ALL = 90, 150


def at(minute: float) -> datetime:
    return T0 + timedelta(minutes=minute)


def errors(minute: int) -> float:
    """Usual until 60, broken until 100, on its way until 110, well again."""
    wobble = 0.0004 * (minute * 7 % 5)
    if minute < 60 or minute >= 110:
        return 0.01 + wobble
    return (0.2 if minute < 100 else 0.2 - 0.019 * (minute - 100)) + wobble


def write(path: Path, minutes: range, *names: str, value: Callable[[int], float] = errors) -> Path:
    lines = ["ts,service,metric,value"]
    for minute in minutes:
        stamp = at(minute).strftime("%Y-%m-%dT%H:%M:%SZ")
        lines += [f"{stamp},checkout,error_ratio,{value(minute):.5f}"] if "error_ratio" in names else []
        slow = 900 if "slow" in names and minute >= 100 else 120
        lines.append(f"{stamp},billing,latency_p95_ms,{slow + minute % 4}")
    path.write_text("\n".join(lines) + "\n")
    return path


def around(room: Room, tmp_path: Path) -> Surroundings:
    return Surroundings(home=room.home, cwd=tmp_path, env={}, clock=room.clock)


async def concluded(room: Room, tmp_path: Path) -> Session:
    """A session with a verdict on `metrics.csv`, by whatever engine."""
    room.clock = FakeClock(at(ALL))
    path = write(tmp_path / "metrics.csv", range(KNOWN), "error_ratio")
    spec = SourceSpec(id="metrics.csv", kind="metrics", path=str(path))
    session = await room.create(specs=[spec], recipe=RosterRecipe(), clock=room.clock)
    asked = SeriesParams(name="error_ratio", service="checkout")
    view = (await Looker(session).ask("metrics", "metrics_series", asked, SeriesReport)).view
    symptom = Symptom(
        text="errors", service="checkout", metric="error_ratio", onset=view.onset, facts=view.facts,
        citations=(view.citation,),
    )  # fmt: skip
    await conclude(session, symptom)
    return session


async def conclude(session: Session, symptom: Symptom | None) -> None:
    verdict = Verdict(kind="inconclusive", headline="?", confidence=Confidence(value=0.3), symptom=symptom)
    await session.desk.record(VerdictReached(verdict=verdict), thread=MAIN_THREAD)


def report_of(session: Session) -> Report:
    return build_report(session.journal.events(), BlobStore(session.directory).read)


async def test_newer_files_say_recovering_then_recovered_by_the_same_measurements(room: Room, tmp_path: Path) -> None:
    session = await concluded(room, tmp_path)
    here = around(room, tmp_path)

    async def again(*paths: Path) -> Result:
        return await recheck(session, [str(path) for path in paths], here, "dana")

    same = (await again()).body
    assert same.state == "unknown"
    assert "no newer data" in same.reason
    assert "09:29:00" in same.reason
    assert same.missing[0].startswith("export checkout,error_ratio from 2026-03-01T09:29:00Z on")

    gone = (await again(write(tmp_path / "gone.csv", range(KNOWN, 120)))).body
    assert gone.state == "unknown"
    assert "vanished" in gone.reason
    assert "no recovery" in gone.reason

    part = (await again(write(tmp_path / "part.csv", range(KNOWN, 107), "error_ratio"))).body
    assert (part.state, part.as_of, part.sources) == ("unknown", at(106), ("part.csv",)), "others go on: it stopped"
    assert "it stops at 09:46:00 UTC" in part.reason

    (tmp_path / "gone.csv").unlink()
    away = (tmp_path / "metrics.csv").rename(tmp_path / "elsewhere")
    lost = (await again()).body
    assert lost.state == "unknown"
    assert "cannot be measured any more: metrics.csv: cannot be opened (No such file" in lost.reason
    away.rename(tmp_path / "metrics.csv")
    full = (await again(write(tmp_path / "full.csv", range(KNOWN, 140), "error_ratio", "slow"))).body
    assert (full.state, full.as_of, full.by) == ("recovered", at(139), "dana")
    assert "back since 09:48" in full.reason
    assert full.worse
    assert full.worse[0].startswith("billing latency_p95_ms left its baseline at 09:4")

    (held,) = [
        event.body for event in session.journal.events(types={"warroom.finding"})
        if isinstance(event.body, FindingReported) and event.body.id in full.findings
    ]  # fmt: skip
    assert {fact.quantity for fact in held.finding.facts} == {q.LATEST, q.BASELINE}
    assert session.desk.claims.holds(held.id), "what it rests on was recomputed"
    assert report_of(session).verdict is not None
    state = report_of(session).verdict.state  # type: ignore[union-attr]  # the line above
    assert (state.state, state.as_of) == ("recovered", at(139))
    page = render_markdown(report_of(session))
    assert "- State: recovered as of 2026-03-01 10:19:00 UTC" in page
    assert "Meanwhile worse: billing" in page
    assert "by dana" in page
    assert all(entry.resolved for entry in report_of(session).evidence)

    still = (await again()).body
    assert still.state == "unknown"
    after = report_of(session).verdict
    assert after is not None
    assert (after.state.state, after.state.as_of) == ("recovered", at(139)), "what was known then stands"
    assert "cannot tell: there is no newer data" in render_markdown(report_of(session))


async def test_the_same_file_read_again_still_failing_and_one_that_contradicts(room: Room, tmp_path: Path) -> None:
    session = await concluded(room, tmp_path)
    write(tmp_path / "metrics.csv", range(100), "error_ratio")
    body = (await recheck(session, (), around(room, tmp_path))).body
    assert (body.state, body.as_of, body.sources) == ("ongoing", at(99), ())
    assert "as far from its baseline" in body.reason
    other = write(tmp_path / "other.csv", range(30, 140), "error_ratio", value=lambda minute: errors(minute - 45))
    body = (await recheck(session, (str(other),), around(room, tmp_path))).body
    assert body.state == "unknown"
    assert "another clock" in body.reason


async def test_what_lies_in_the_future_says_nothing_and_hides_nothing_that_comes_later(
    room: Room, tmp_path: Path
) -> None:
    session = await concluded(room, tmp_path)
    here = around(room, tmp_path)
    ahead = write(tmp_path / "ahead.csv", range(100_000, 100_030), "error_ratio", value=lambda _: 0.01)
    body = (await recheck(session, (str(ahead),), here)).body
    assert body.state == "unknown", "a wrong clock does not say that it is over"
    assert any("ahead.csv goes on until 2026-05-09" in text and "future" in text for text in body.remarks)
    body = (await recheck(session, (str(write(tmp_path / "b.csv", range(KNOWN, 140), "error_ratio")),), here)).body
    assert (body.state, body.as_of) == ("recovered", at(139))
    assert any("future" in text for text in body.remarks)


async def test_a_whole_export_made_again_takes_the_place_of_the_older_one(room: Room, tmp_path: Path) -> None:
    session = await concluded(room, tmp_path)
    here = around(room, tmp_path)
    body = (await recheck(session, (str(write(tmp_path / "again.csv", range(140), "error_ratio")),), here)).body
    assert (body.state, body.as_of) == ("recovered", at(139))
    assert "metrics.csv: 2 series are held, and gone on with, by again.csv: analysed there, once" in body.remarks[0]
    assert session.desk.claims.holds(body.findings[0]), "what cites the older file is still recomputed"
    coverage = await Looker(session).ask("metrics", "metrics_coverage", CoverageParams(), CoverageReport)
    assert coverage.series == 2, "a later round counts nothing twice"


async def test_a_file_that_contradicts_is_left_out_and_the_others_are_measured(room: Room, tmp_path: Path) -> None:
    session = await concluded(room, tmp_path)
    here = around(room, tmp_path)
    other = write(tmp_path / "other.csv", range(60, 145), "error_ratio", value=lambda minute: errors(minute - 45))
    assert (await recheck(session, (str(other),), here)).body.state == "unknown"
    good = write(tmp_path / "good.csv", range(KNOWN, 140), "error_ratio")
    body = (await recheck(session, (str(good),), here)).body
    assert (body.state, body.as_of) == ("recovered", at(139))
    assert any("other.csv is not counted" in text for text in body.remarks)


@pytest.mark.parametrize(
    ("text", "says"),
    [("NaN", "newer.csv has no usable point"), ("0.01", "newer.csv has fewer than two usable points of it")],
)
async def test_newer_data_that_is_no_measure_is_not_called_none(
    room: Room, tmp_path: Path, text: str, says: str
) -> None:
    session = await concluded(room, tmp_path)
    newer = tmp_path / "newer.csv"
    newer.write_text(f"ts,service,metric,value\n{at(KNOWN).isoformat()},checkout,error_ratio,{text}\n")
    body = (await recheck(session, (str(newer),), around(room, tmp_path))).body
    assert body.state == "unknown"
    assert "too little newer data" in body.reason
    assert says in body.reason


async def test_a_folder_that_the_session_was_started_on_is_read_again(room: Room, tmp_path: Path) -> None:
    session = await concluded(room, tmp_path)
    opened = session.desk.fold.opened
    assert isinstance(opened, IncidentOpened)
    session.desk.fold.opened = opened.model_copy(update={"settings": {"folders": [str(tmp_path), "/not/there"]}})
    write(tmp_path / "dropped.csv", range(KNOWN, 140), "error_ratio")
    body = (await recheck(session, (), around(room, tmp_path))).body
    assert (body.state, body.sources) == ("recovered", ("dropped.csv",))
    ahead = write(tmp_path / "ahead.csv", range(140, ALL + 30), "error_ratio")
    body = (await recheck(session, (str(ahead),), around(room, tmp_path))).body
    assert any("future" in remark for remark in body.remarks)


async def test_without_a_verdict_or_a_symptom_or_a_usable_path_it_says_what_would_help(
    room: Room, tmp_path: Path
) -> None:
    session = await room.create(recipe=RosterRecipe())
    with pytest.raises(SessionFault, match="no verdict yet"):
        await recheck(session, (), around(room, tmp_path))
    await conclude(session, None)
    body = (await recheck(session, (), around(room, tmp_path))).body
    assert body.state == "unknown"
    assert "attach it" in body.missing[0]
    with pytest.raises(ComposeError):
        await recheck(session, (str(tmp_path / "nothing-here"),), around(room, tmp_path))


def line(minute: float, text: str, level: str = "ERROR") -> str:
    return json.dumps({"ts": at(minute).isoformat(), "service": "checkout", "level": level, "message": text}) + "\n"


def log(path: Path, start: float, end: float, failing: Callable[[float], bool], quiet: float = 1e9) -> Path:
    lines = []
    for step in range(int(start * 6), int(end * 6)):
        minute = step / 6
        if minute < quiet:
            lines.append(line(minute, f"served request {step}", "INFO"))
        if failing(minute):
            lines.append(line(minute, f"no voucher slot left after {step} ms"))
    path.write_text("".join(lines))
    return path


async def test_a_symptom_that_only_logs_show_is_counted_again(room: Room, tmp_path: Path) -> None:
    path = log(tmp_path / "app.log", 0, 60, lambda minute: minute >= 30)
    spec = SourceSpec(id="app.log", kind="logs", path=str(path))
    session = await room.create(specs=[spec], recipe=RosterRecipe())
    first = path.read_text().index('{"ts": "' + at(30).isoformat() + '", "service": "checkout", "level": "ERROR"')
    count = Fact(
        quantity=q.COUNT, value=180, unit="events", citation=f"log:app.log@{first}+1",
        window=Window(start=at(30), end=at(60)),
    )  # fmt: skip
    symptom = Symptom(
        text="no voucher slot", service="checkout", onset=at(30), facts=(count,), citations=(count.citation,)
    )
    await conclude(session, symptom)
    here = around(room, tmp_path)
    assert "no newer data" in (await recheck(session, (), here)).body.reason

    log(path, 0, 70, lambda minute: minute >= 30)
    assert (await recheck(session, (), here)).body.state == "ongoing"

    log(path, 0, 100, lambda minute: 30 <= minute < 75)
    body = (await recheck(session, (), here)).body
    assert body.state == "recovered"
    assert "0 events in the last" in body.reason
    assert session.desk.claims.holds(body.findings[0]), "the count was counted again by the checker"

    with path.open("a") as more:
        for step in range(30):
            more.write(line(101 + step, f"hello {step}", "INFO").replace("checkout", "web"))
    silent = (await recheck(session, (), here)).body
    assert silent.state == "unknown"
    assert "logged nothing at all" in silent.reason
    with path.open("a") as more:
        more.write(line(90_000, "hello from tomorrow", "INFO"))
    stray = (await recheck(session, (), here)).body
    assert (stray.state, stray.as_of) == ("unknown", at(130)), "one line of another clock is not how it stands"
    assert "in the future" in stray.remarks[0]
    kinds = [event.body.state for event in session.journal.events() if isinstance(event.body, Rechecked)]
    assert kinds == ["unknown", "ongoing", "recovered", "unknown", "unknown"]


async def test_a_file_of_what_came_later_is_one_series_with_the_first_for_a_later_round(
    room: Room, tmp_path: Path
) -> None:
    session = await concluded(room, tmp_path)
    later = write(tmp_path / "later.csv", range(KNOWN, ALL), "error_ratio")
    assert (await recheck(session, [str(later)], around(room, tmp_path), "dana")).body.state == "recovered"
    look = Looker(session)
    coverage = await look.ask("metrics", "metrics_coverage", CoverageParams(), CoverageReport)
    assert coverage.series == 2
    whole = SeriesParams(name="error_ratio", service="checkout")
    view = (await look.ask("metrics", "metrics_series", whole, SeriesReport)).view
    assert (view.source, view.state, view.points) == ("metrics.csv", "recovered", ALL)
    assert view.onset is not None
    assert at(57) <= view.onset <= at(60)
