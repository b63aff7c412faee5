"""`warroom logs`: a person searches and compares logs with the specialist's own tools, and with no session."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from subagents.logs import native
from tests.cli.command import InProcess, settle, warroom
from tests.logs.builders import incident_log, iso


@pytest.fixture
def incident(tmp_path: Path) -> Path:
    """A folder with the log of an incident and another service's."""
    folder = tmp_path / "incident"
    folder.mkdir()
    (folder / "orders.log").write_text("".join(f"{line}\n" for line in incident_log()))
    (folder / "billing.log").write_text(f"{iso(1)} INFO up\n{iso(2500)} ERROR \x1b[31mno\u202e route\x1b[0m\n")
    return folder


def test_search_counts_first_and_its_positions_open(quick: InProcess, incident: Path) -> None:
    found = settle(quick("logs", "search", str(incident), "--text", "CONNECTION refused", "--limit", "2"))
    head, services, first, second, more = found.out.splitlines()
    assert head.startswith("120 of ")
    assert "orders 120" in services
    assert more == "118 more (cursor skip=2)"
    position = first.split()[0]
    assert re.fullmatch(r"log:orders\.log@\d+\+1", position)
    opened = settle(quick("logs", "context", str(incident), "--at", position, "-B", "1", "-A", "1"))
    lines = opened.out.splitlines()
    assert len(lines) == 3
    assert lines[1].removeprefix("> ") == first.removeprefix(position).strip()
    page = settle(
        quick("logs", "search", str(incident), "--text", "connection refused", "--cursor", "skip=1", "--limit", "1")
    )
    assert page.out.splitlines()[2] == second


def test_search_as_json_and_its_exit_status(quick: InProcess, incident: Path) -> None:
    found = settle(quick("logs", "search", str(incident), "--regex", r"took \d{3} ms", "--json"))
    data = json.loads(found.out)
    assert data["matches"] == data["services"][0]["count"] > 0
    assert all(re.search(r"took \d{3} ms", line["text"]) for line in data["lines"])
    nothing = quick("logs", "search", str(incident), "--text", "no such words")
    assert nothing.status == 1
    assert nothing.out.startswith("0 of ")


def test_what_terminals_obey_never_reaches_one(quick: InProcess, incident: Path) -> None:
    found = settle(quick("logs", "search", str(incident), "--service", "billing", "--level", "error"))
    assert "\x1b" not in found.out
    assert "no\\u{202e} route" in found.out


def test_patterns_take_the_window_that_an_investigation_would(quick: InProcess, incident: Path) -> None:
    found = settle(quick("logs", "patterns", str(incident), "--limit", "3"))
    assert "window: 2026-03-01 12:3" in found.err
    assert "dial tcp" in found.out.splitlines()[1]
    given = settle(quick("logs", "patterns", str(incident), "--since", "2026-03-01T12:40Z", "--change", "vanished"))
    assert "window" not in given.err
    assert "mail sent" in given.out


def test_the_other_questions(quick: InProcess, incident: Path) -> None:
    bars = settle(quick("logs", "histogram", str(incident), "--text", "refused", "--bucket", "600")).out
    assert "60  ██" in bars
    assert "(3 more like this)" in bars
    empty = settle(quick("logs", "histogram", str(incident), "--text", "nowhere in it")).out
    assert empty.strip() == "no event matches: there is nothing to draw"
    by_level = settle(quick("logs", "histogram", str(incident), "--by", "level", "--json")).json()
    assert {series["name"] for series in by_level["series"]} == {"info", "warn", "error"}
    values = settle(quick("logs", "distinct", str(incident), "--field", "host", "--level", "error")).out
    assert "ledger-db.internal" in values
    assert settle(quick("logs", "stacks", str(incident))).out.startswith("0 stack traces")
    covered = settle(quick("logs", "coverage", str(incident), "--json")).json()
    assert covered["lines"] == covered["events"] == len(incident_log()) + 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("search", "nowhere"), "cannot be opened"),
        (("search", "incident", "--regex", "(?=x)"), "RE2"),
        (("search", "incident", "--since", "yesterday"), "is not a time"),
        (("search", "incident", "--since", "2026-03-01T13:00Z", "--until", "2026-03-01T12:00Z"), "the window is empty"),
        (("patterns", "incident", "--since", "1m"), "after the last event; give moments within those of the logs"),
        (("search", "incident", "--source", "x.log"), "no log source 'x.log'; there are: billing.log, orders.log"),
        (("context", "incident", "--at", "log:orders.log@99999999+1"), "has changed since it was cited"),
        (("context", "incident", "--at", "orders"), "orders"),
        (("patterns",), "Missing argument"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_refused(quick: InProcess, incident: Path, arguments: tuple[str, ...], said: str) -> None:
    refused = quick("logs", *(str(incident) if each == "incident" else each for each in arguments))
    assert refused.status == 2
    assert said in refused.complaint()


def test_standard_input_and_completion(tmp_path: Path) -> None:
    found = settle(
        warroom(tmp_path, "logs", "search", "-", "--level", "error", stdin=f"{iso(0)} ERROR no\n{iso(1)} INFO ok\n")
    )
    assert found.out.startswith("1 of 2 events match")
    untimed = settle(warroom(tmp_path, "logs", "search", "-", "--text", "lost", stdin="lost\n"))
    assert untimed.out == "1 of 1 events match\nlog:stdin@0+1  lost\n"
    ran = settle(warroom(tmp_path, _WARROOM_COMPLETE="bash_complete", COMP_WORDS="warroom logs hi", COMP_CWORD="2"))
    assert ran.out.strip().endswith("histogram")


def test_coverage_says_what_is_not_compiled_and_how_it_is_had(
    quick: InProcess, incident: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "library", lambda: None)
    covered = settle(quick("logs", "coverage", str(incident), "--json"))
    assert covered.json()
    assert "apt-get install gcc" in covered.err
    assert covered.err.count("not compiled") == 1
