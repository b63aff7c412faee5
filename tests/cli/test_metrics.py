"""`warroom metrics`: a person asks the metrics specialist's own tools, with no session."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from tests.cli.command import InProcess, settle, warroom
from tests.cli.incidents import write_logs, write_metrics
from tui.commands import tool_answers

ALERT = {"title": "orders answers slowly", "service": "orders", "fired_at": "2026-02-03T09:45:00Z"}


@pytest.fixture
def incident(tmp_path: Path) -> Path:
    """A folder with metrics, logs, the alert, and a topology."""
    folder = tmp_path / "incident"
    folder.mkdir()
    write_metrics(folder / "metrics.csv")
    write_logs(folder / "orders.jsonl")
    (folder / "alert.json").write_text(json.dumps(ALERT))
    (folder / "topology.csv").write_text("caller,callee\nweb,orders\n")
    return folder


def test_what_moved_and_what_did_not(quick: InProcess, incident: Path) -> None:
    ran = settle(quick("metrics", "onsets", str(incident)))
    head, *moved, still = ran.out.splitlines()
    assert head == "2 series moved, 2 kept their baseline"
    assert all(line.startswith("09:42:00Z orders ") and "ongoing" in line for line in moved)
    assert still == "nothing that hurts on: web"
    data = settle(quick("metrics", "onsets", str(incident), "--service", "orders", "--limit", "1", "--json")).json()
    assert [view["service"] for view in data["moved"]] == ["orders"]
    assert data["more"] == 1


def test_where_it_began_is_asked_as_the_alert_has_it(quick: InProcess, incident: Path) -> None:
    symptom, split, first, reason, *_ = settle(quick("metrics", "rank", str(incident))).out.splitlines()
    assert "the alert's service orders, and what it describes" in symptom
    assert split == "compared: before and after 09:42:00Z"
    assert first.startswith("1. orders: score ")
    assert reason.startswith("     errors: error_rate_pct 0.3 -> 21.2")
    other = settle(quick("metrics", "rank", str(incident), "--service", "web", "--started", "2026-02-03T09:50Z")).out
    assert "the alert's service web" in other
    assert "after 09:50:00Z" in other


def test_times_are_compared_from_the_onset_on_or_as_they_are_given(quick: InProcess, incident: Path) -> None:
    found = settle(quick("metrics", "compare", str(incident), "--limit", "2"))
    assert "window: from 2026-02-03 09:42:00 UTC, the onset of orders latency_p95_ms" in found.err
    head, first, second, more = found.out.splitlines()
    assert head == "2026-02-03 09:42:00 to 10:09:30Z against 2026-02-03 09:00:00 to 09:41:59Z"
    assert first.startswith("! orders latency_p95_ms: 50 ms -> ")
    assert second.startswith("! orders error_rate_pct")
    assert more == "2 more with smaller differences"
    given = settle(
        quick("metrics", "compare", str(incident), "--since", "2026-02-03T09:20Z", "--until", "2026-02-03T09:40Z")
    )
    assert "window" not in given.err
    assert "!" not in given.out


class Terminal(io.StringIO):
    """Standard error as a terminal."""

    def isatty(self) -> bool:
        return True


def test_what_is_read_is_told_at_once_and_taken_away(
    quick: InProcess, incident: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Terminal()
    monkeypatch.setattr(sys, "stderr", told)
    monkeypatch.setenv("COLUMNS", "300")
    settle(quick("metrics", "compare", str(incident)))
    begun, *_ = told.getvalue().split("\r\x1b[K")[1:]
    assert begun == f"  reading {incident} …"
    assert "\r\x1b[K  reading 2 files, " in told.getvalue()
    told.truncate(0)
    quick("metrics", "compare", str(incident / "nowhere"))
    *_, said = told.getvalue().split("\r\x1b[K")
    assert said.startswith("warroom: nothing usable came in")


def test_what_is_said_between_two_tools_has_a_line_of_its_own(
    quick: InProcess, incident: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Terminal()
    monkeypatch.setattr(tool_answers, "_REDRAW_S", 0.0)
    monkeypatch.setattr(sys, "stderr", told)
    settle(quick("metrics", "compare", str(incident)))
    assert "% " in told.getvalue(), "no progress was told"
    assert "\x1b[K  window: from" in told.getvalue()


def test_without_an_onset_or_an_alert_a_window_has_to_be_named(quick: InProcess, tmp_path: Path) -> None:
    write_metrics(tmp_path / "flat.csv", flat=True)
    ran = quick("metrics", "compare", str(tmp_path / "flat.csv"))
    assert ran.status == 2
    assert "--since TIME" in ran.complaint()


def test_a_series_is_drawn_with_its_onset(quick: InProcess, incident: Path) -> None:
    arguments = ("metrics", "series", str(incident), "--name", "latency_p95_ms", "--service", "orders")
    head, citation, *points, cut = settle(quick(*arguments, "--points", "14")).out.splitlines()
    assert head.startswith("09:42:00Z orders latency_p95_ms rises 50 ms -> 490 ms")
    assert citation.startswith("metric:metrics.csv/orders/latency_p95_ms@")
    (onset,) = [point for point in points if point.endswith("<- onset")]
    assert onset.startswith("2026-02-03 09:45:00")
    assert max(point.count("█") for point in points) == 50
    assert cut.endswith("more points between these (--points)")
    several = quick("metrics", "series", str(incident), "--name", "latency_p95_ms")
    assert several.status == 2
    assert "orders, web" in several.complaint()


def test_the_other_questions(quick: InProcess, incident: Path) -> None:
    assert "web -> orders: calls not measured" in settle(quick("metrics", "edges", str(incident))).out
    covered = settle(quick("metrics", "coverage", str(incident), "--json")).json()
    assert covered["series"] == 4
    assert covered["edges"] == 1
    said = settle(quick("metrics", "coverage", str(incident))).out
    assert said.startswith("4 series on 2 services, 1 call edge, 0 spans")


def test_standard_input_and_what_is_no_metrics(incident: Path) -> None:
    piped = settle(warroom(incident, "metrics", "onsets", "-", stdin=(incident / "metrics.csv").read_text()))
    assert piped.out.startswith("2 series moved")
    logs = warroom(incident, "metrics", "onsets", "orders.jsonl")
    assert logs.status == 2
    assert logs.complaint() == "warroom: no metrics or traces in orders.jsonl; what is there: logs"
    outside = warroom(incident, "metrics", "onsets", "metrics.csv", "--since", "90m")
    assert outside.status == 2
    assert "the series cover 2026-02-03 09:00:00 to " in outside.complaint()
