"""`warroom audit`: lines for people, lines for programs, and an exit status that says whether the record is proved."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.hands import egress_record
from orchestrator.hands.egress_record import egress_log
from orchestrator.journal.audit import AuditLine
from orchestrator.journal.deeds import record_deed
from orchestrator.journal.events import (
    ApprovalDecided,
    Body,
    Egress,
    Event,
    Note,
    PolicyDecided,
    UserMessage,
    text_content,
)
from orchestrator.journal.home import StateHome
from orchestrator.journal.outside import outside
from tests.cli.command import InProcess, environment, settle
from tests.cli.kept import keep

HOSTILE = "\x1b]0;owned\x07\u202egnp.exe\n      9  2026-01-01 forged line, digest sha256:" + "0" * 64
LINE = re.compile(r" *\d+  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z  [0-9a-f]{12}  \S+ +\S")


def events(*bodies: Body) -> list[Event]:
    at = datetime(2026, 4, 1, 8, tzinfo=UTC)
    return [Event(seq=seq, ts=at, mono=0.0, thread="logs", body=body, hash="") for seq, body in enumerate(bodies, 1)]


STORY = events(
    UserMessage(content=text_content("look at the pool")),
    PolicyDecided(tool_use_id="c1", agent="logs", tool="logs_search", decision="allow", rule="read"),
    ApprovalDecided(id="fix:d-1:1", decision="approve", digest="sha256:" + "ab" * 32, by="dana"),
    Note(text=HOSTILE),
)


def test_a_whole_record(quick: InProcess) -> None:
    session = keep(quick.home, STORY)
    ran = quick("audit", session[:15])
    assert (ran.status, ran.err) == (0, "")
    acts, _, closing = ran.out.partition("\n\n")
    assert all(LINE.match(line) for line in acts.splitlines())
    assert len(acts.splitlines()) == 4
    assert "person        wrote: digest sha256:" in acts
    assert 'says "look at the pool"' in acts
    assert "dana          approved: approval fix:d-1:1, digest sha256:abababababab\n" in acts
    assert re.fullmatch(
        r"chain verified from 1 to 4: yes\nhead anchor matches: yes\nhead: event 4, [0-9a-f]{64}\n", closing
    )


def test_hostile_text_stays_one_quoted_line(quick: InProcess) -> None:
    session = keep(quick.home, STORY)
    for ran in (quick("audit", session), quick("audit", session, "--json")):
        assert not set(ran.out) & {"\x1b", "\x07", "\u202e", "\x7f"}
    text = quick("audit", session).out
    (line,) = [line for line in text.splitlines() if "forged" in line]
    assert line.startswith("      4  ")
    assert re.search(r'says ".*forged line.*"$', line)


def test_lines_for_programs(quick: InProcess) -> None:
    ran = quick("audit", keep(quick.home, STORY), "--json")
    *acts, end = [json.loads(line) for line in ran.out.splitlines()]
    assert [act["record"] for act in acts] == ["act"] * 4
    assert acts[2]["about"]["digest"] == "sha256:" + "ab" * 32
    assert all(len(act["hash"]) == 64 and act["proved"] for act in acts)
    assert (end["record"], end["whole"], end["proved"], end["damage"]) == ("end", True, 4, [])
    assert end["head"] == acts[-1]["hash"]


def test_a_part_of_it(quick: InProcess) -> None:
    session = keep(quick.home, STORY)
    since = quick("audit", session, "--since", "3").out
    assert [line.split()[0] for line in since.partition("\n\n")[0].splitlines()] == ["3", "4"]
    some = quick("audit", session, "--type", "warroom.p*", "--type", "user.message", "--json").out.splitlines()
    assert [json.loads(line).get("seq") for line in some] == [1, 2, None]
    assert "chain verified from 1 to 4: yes" in quick("audit", session, "--since", "99").out
    for unusable, why in (
        (["--since", "0"], "0"),
        (["--since", "x"], "x"),
        (["--type", "warroom.nothing"], "no type"),
        (["--type", "agent.thinking"], "not audited"),
    ):
        ran = quick("audit", session, *unusable)
        assert ran.status == 2
        assert why in ran.complaint()
    assert quick("audit", "nothere").status == 2


def test_a_changed_record_is_named_and_is_exit_status_1(quick: InProcess) -> None:
    session = keep(quick.home, STORY)
    database = quick.home / "state" / "sessions" / session / "journal.db"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE event SET thread = 'metrics' WHERE seq = 2")
    connection.close()
    before = _files(database.parent)
    ran = quick("audit", session)
    assert ran.status == 1
    assert "[NOT PROVED: changed]" in ran.out.splitlines()[1]
    assert "[NOT PROVED: behind damage]" in ran.out.splitlines()[2]
    assert "chain verified from 1 to 4: no, events 1 to 1 of 4 are proved\n  event 2 changed since written\n" in ran.out
    ran = quick("audit", session, "--json")
    assert ran.status == 1
    assert json.loads(ran.out.splitlines()[-1])["damage"][0]["first"] == 2
    assert _files(database.parent) == before, "an audit changes nothing"


def _files(folder: Path) -> dict[str, bytes]:
    """Return what is kept; SQLite's own scratch files come and go with every reader."""
    return {name: (folder / name).read_bytes() for name in ("journal.db", "head.json")}


# -- outside of sessions ---------------------------------------------------------------------------


async def _outside(home: Path) -> None:
    at = iter(datetime(2026, 4, 1, 8, minute, tzinfo=UTC) for minute in (1, 3, 5))
    record = egress_log(home, lambda: next(at))
    for phase in ("sent", "answered", "refused"):
        await record(Egress(host="api.example.com", purpose="model", detail={"phase": phase, "why": HOSTILE}))
    record_deed(home, datetime(2026, 4, 1, 8, 2, tzinfo=UTC), "deleted", {"session": "20260301-120000-0a1b2c"})


async def test_what_was_done_outside_of_sessions_is_told_in_order(quick: InProcess) -> None:
    home = StateHome.locate(environment(quick.home)).ensure().path
    await _outside(home)
    ran = settle(quick("audit", "--outside"))
    acts = ran.out.splitlines()[:4]
    assert [word for line in acts for word in ("sent to", "deleted", "answered", "refused") if word in line] == [
        "sent to",
        "deleted",
        "answered",
        "refused",
    ]
    assert not set(ran.out) & {"\x1b", "\x07", "\u202e"}
    assert "4 acts outside of sessions; no chain of hashes" in ran.out
    told = [json.loads(line) for line in settle(quick("audit", "--outside", "--json")).out.splitlines()]
    assert [one["record"] for one in told] == ["outside"] * 4
    with (home / "egress.log").open("ab") as log:
        log.write(b"{]\n[]\n{}\n")
    torn = quick("audit", "--outside")
    assert (torn.status, torn.out.count("that is no record")) == (1, 3)


def test_a_session_or_what_is_outside_and_not_both(quick: InProcess) -> None:
    for arguments in ((), ("20260301", "--outside")):
        assert quick("audit", *arguments).status == 2
    assert "0 acts" in settle(quick("audit", "--outside")).out


async def test_the_log_of_requests_is_bounded_and_loses_no_line_of_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress_record, "LOG_LIMIT", 2000)
    at = datetime(2026, 4, 1, 8, tzinfo=UTC)
    records = [egress_log(tmp_path, lambda: at) for _ in range(2)]
    for number in range(30):
        await records[number % 2](Egress(host="api.example.com", purpose=f"n{number}"))
    sizes = {name: (tmp_path / name).stat().st_size for name in os.listdir(tmp_path)}
    assert set(sizes) == {"egress.log", "egress.log.1"}
    assert max(sizes.values()) <= 2000
    kept = [str(item.about["purpose"]) for item in outside(tmp_path) if isinstance(item, AuditLine)]
    assert kept == [f"n{number}" for number in range(30 - len(kept), 30)]
    assert len(kept) >= 15
