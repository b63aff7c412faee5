"""The audit from a journal alone: no type is forgotten, no damage passes, nothing is held in memory."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from orchestrator.journal import events as vocabulary
from orchestrator.journal.anchor import AnchorFile, Head
from orchestrator.journal.audit import Audit, AuditLine
from orchestrator.journal.audit_words import NOT_AUDITED, Said, digest, say
from orchestrator.journal.blobs import BlobStore, blob_ref
from orchestrator.journal.chain import Damage
from orchestrator.journal.codec import Entry
from orchestrator.journal.events import KNOWN_TYPES, Body, UnknownBody, parse_body
from orchestrator.journal.reader import JournalReader
from orchestrator.journal.rows import COLUMNS, Row, seal
from orchestrator.journal.store import Journal
from tests.fakes import FakeClock
from tests.journal.logs import build

CONTENT = [{"type": "text", "text": "look at  the pool\nplease"}]
HEX = "a" * 64
SAMPLES: dict[str, dict[str, Any]] = {
    "user.message": {"content": CONTENT, "to": "logs"},
    "user.interrupt": {},
    "user.tool_confirmation": {"tool_use_id": "c1", "result": "deny"},
    "user.define_outcome": {"description": "find it"},
    "agent.message": {"content": CONTENT},
    "agent.custom_tool_use": {"name": "logs_search", "input": {"query": "x"}},
    "agent.thread_message_sent": {"to_session_thread_id": "logs", "content": CONTENT},
    "agent.thread_message_received": {"from_session_thread_id": "orchestrator", "content": CONTENT},
    "agent.thread_context_compacted": {},
    "session.status_running": {"reason": "start"},
    "session.status_rescheduled": {"reason": "503"},
    "session.status_idle": {"stop_reason": {"type": "end_turn"}},
    "session.status_terminated": {"reason": "archived"},
    "session.error": {"error": {"type": "overloaded", "message": "try later"}},
    "session.thread_created": {"session_thread_id": "sthr_1", "agent_name": "logs"},
    "session.thread_status_terminated": {"session_thread_id": "sthr_1", "agent_name": "logs"},
    "span.model_request_end": {"model_request_start_id": "r1", "model_usage": {"model": "m", "input_tokens": 12}},
    "warroom.incident": {
        "session": "s",
        "incident": {"id": "INC-1", "title": "t"},
        "engine": "offline",
        "version": "1",
        "settings": {"a": 1},
    },
    "warroom.source_added": {"spec": {"id": "app", "kind": "logs", "path": "/x/app.log"}},
    "warroom.finding": {"id": "f1", "finding": {"agent": "logs", "claim": "it burns", "topic": "symptom"}},
    "warroom.verdict": {"verdict": {"kind": "inconclusive", "headline": "unclear", "confidence": {"value": 0.2}}},
    "warroom.claims_checked": {"subject": "finding", "id": "f1", "claimant": "logs", "slot": "s", "claim": "it burns"},
    "warroom.policy_decided": {
        "tool_use_id": "c1",
        "agent": "logs",
        "tool": "logs_search",
        "decision": "deny",
        "rule": "warroom.toml:7",
    },
    "warroom.approval_requested": {
        "id": "fix:d-1:1",
        "subject": "fix",
        "digest": digest({"commit": "abc"}),
        "detail": {"commit": "abc"},
    },
    "warroom.approval_decided": {"id": "fix:d-1:1", "decision": "approve", "digest": f"sha256:{HEX}", "by": "dana"},
    "warroom.session_rule": {
        "name": "r1",
        "action": "allow",
        "approval": "call:c1",
        "agent": "logs",
        "tool": "logs_search",
        "digest": f"sha256:{HEX}",
        "by": "dana",
    },
    "warroom.tool_started": {"tool_use_id": "c1", "tool": "logs_search", "effect": "read"},
    "warroom.tool_finished": {
        "tool_use_id": "c1",
        "tool": "logs_search",
        "outcome": "ok",
        "seconds": 0.1,
        "blob": f"blob:sha256:{HEX}",
        "redacted": 3,
    },
    "warroom.fix_drafted": {"id": "d-1", "detail": {"commit": "abc", "diff_digest": f"sha256:{HEX}"}},
    "warroom.fix_checked": {"id": "d-1", "detail": {"commit": "abc", "claim": "red to green"}},
    "warroom.fix_delivered": {"id": "d-1", "detail": {"ref": "refs/heads/triage/x", "commit": "abc"}},
    "warroom.redacted": {"where": "arguments of c1", "counts": {"jwt": 2}},
    "warroom.egress": {"host": "api.example.com", "purpose": "model", "bytes_out": 7, "detail": {"phase": "sent"}},
    "warroom.budget_changed": {"detail": {"by": "dana", "words": "usd raised"}},
    "warroom.board_edited": {"action": "pin", "suspect": "commit:abc"},
    "warroom.rechecked": {"state": "recovered", "reason": "it is back at its baseline and stays"},
    "warroom.remote_session": {"id": "sesn_1", "act": "claimed", "host": "api.example.com", "by": "dana"},
    "warroom.note": {"text": "a remark"},
}


def said(kind: str, **changes: Any) -> Said:
    body = parse_body({"type": kind, **SAMPLES[kind], **changes})
    assert not isinstance(body, UnknownBody), f"the sample of {kind} does not fit its type"
    return say(body)


def test_every_type_is_audited_or_left_out_with_a_reason() -> None:
    audited = {model.model_fields["type"].default for model in say.registry if model is not object}
    assert audited | set(NOT_AUDITED) == KNOWN_TYPES, "a type is neither audited nor left out on purpose"
    assert not audited & set(NOT_AUDITED)
    assert all(len(reason) > 20 for reason in NOT_AUDITED.values())
    assert audited == set(SAMPLES), "each audited type has a sample here"


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_each_type_says_who_and_what(kind: str) -> None:
    who, did, about = said(kind)
    assert did
    assert who or kind.startswith(("agent.", "warroom.fix_", "warroom.verdict"))
    assert "this version does not know" not in did
    assert None not in [about.get("digest", "")]


def test_what_is_said_names_people_digests_and_hashes() -> None:
    assert said("warroom.approval_decided") == Said(
        "dana", "approved", {"approval": "fix:d-1:1", "digest": f"sha256:{HEX}", "reason": ""}
    )
    assert said("warroom.tool_finished").about["result"] == f"blob:sha256:{HEX}"
    assert said("warroom.tool_finished", blob=None).about["result"] == digest({"data": None, "text": ""})
    assert said("agent.custom_tool_use").about["arguments"] == digest({"query": "x"})
    assert said("user.message").about["says"] == "look at the pool please"
    assert said("warroom.redacted").about["jwt"] == 2
    assert said("warroom.policy_decided").did == "policy: deny"
    assert said("warroom.fix_delivered").about["ref"] == "refs/heads/triage/x"
    assert "binds" not in said("warroom.approval_requested").about
    assert said("warroom.approval_requested", detail={"commit": "other"}).about["binds"] == "not what is on record"


@pytest.mark.parametrize(
    ("detail", "did"),
    [
        ({"phase": "sent"}, "sent to"),
        ({"phase": "answered", "status": 200}, "was answered by"),
        ({"phase": "failed", "why": "x"}, "failed to send to"),
        ({"phase": "refused", "why": "x"}, "refused to send to"),
        ({"phase": "\u202eodd"}, "had to do with"),
        ({"draft": "d-1"}, "sent to"),
        ({"draft": "d-1", "outcome": "pushed"}, "was answered by"),
    ],
)
def test_egress_in_each_phase(detail: dict[str, Any], did: str) -> None:
    assert said("warroom.egress", detail=detail).did == did


def test_an_unknown_event_is_a_digest_and_long_text_its_first_words() -> None:
    found = say(UnknownBody.model_validate({"type": "warroom.telepathy", "to": "all"}))
    assert found.about["digest"] == digest({"type": "warroom.telepathy", "to": "all"})
    long = said("agent.message", content=[{"type": "text", "text": "word " * 5000}])
    assert len(str(long.about["says"])) == 80


async def write(directory: Path, *bodies: tuple[str, Body]) -> None:
    journal = Journal.create(directory, FakeClock())
    for number, (thread, body) in enumerate(bodies):
        await journal.append(Entry(body, thread, source_id=f"id{number}"))
    await journal.close()


async def test_agents_are_named_by_their_threads_also_from_the_middle(tmp_path: Path) -> None:
    created = vocabulary.ThreadCreated(session_thread_id="sthr_1", agent_name="metrics")
    asked = vocabulary.AgentCustomToolUse(name="metrics_onset", input={})
    thinking = vocabulary.AgentThinking()
    newer = UnknownBody.model_validate({"type": "warroom.telepathy"})
    bodies: list[tuple[str, Body]] = [
        ("orchestrator", created),
        ("sthr_1", thinking),
        ("sthr_1", asked),
        ("sthr_1", newer),
    ]
    await write(tmp_path / "s", *bodies)
    with JournalReader(tmp_path / "s") as reader:
        audit = Audit(reader, lambda seq, kind: seq >= 3)
        lines = list(audit.lines())
        assert [(line.seq, line.who) for line in lines if isinstance(line, AuditLine)] == [
            (3, "metrics"),
            (4, "metrics"),
        ]
        first = lines[0]
        assert isinstance(first, AuditLine)
        assert first.about["call"] == "id2"
        assert first.hash == next(reader.events(2)).hash
        assert audit.ending().whole


@pytest.mark.parametrize(
    ("statement", "doubts", "holes", "anchor"),
    [
        ("UPDATE event SET thread = 'x' WHERE seq = 9", {9: "changed", 10: "behind damage"}, [], ""),
        ("DELETE FROM event WHERE seq BETWEEN 5 AND 6", {7: "behind damage"}, [(5, 6)], ""),
        ("DELETE FROM event WHERE seq > 15", {}, [(16, 20)], "event 20, which head.json names, is missing"),
        ("UPDATE event SET body = x'00' WHERE seq = 4", {5: "behind damage"}, [(4, 4)], ""),
        ("UPDATE event SET hash = zeroblob(32) WHERE seq = 20", {20: "changed"}, [], "event 20 is not the one"),
    ],
)
async def test_damage_is_shown_where_it_is(
    statement: str, doubts: dict[int, str], holes: list[tuple[int, int]], anchor: str, tmp_path: Path
) -> None:
    directory = await build(tmp_path / "s", 20)
    with sqlite3.connect(directory / "journal.db") as connection:
        connection.execute(statement)
    connection.close()
    with JournalReader(directory) as reader:
        audit = Audit(reader)
        lines = list(audit.lines())
        end = audit.ending()
    acts = {line.seq: line for line in lines if isinstance(line, AuditLine)}
    assert [(item.first, item.last) for item in lines if isinstance(item, Damage)] == holes
    assert {seq: acts[seq].doubt for seq in doubts} == doubts
    assert acts[1].doubt == ""
    assert not end.whole
    assert end.damage
    assert anchor in end.anchor
    assert bool(anchor) is bool(end.anchor)
    assert end.events == 20


async def test_the_anchor_is_looked_at_by_itself(tmp_path: Path) -> None:
    directory = await build(tmp_path / "s", 5)
    with JournalReader(directory) as reader:
        assert reader.anchor_fault == ""
    AnchorFile(directory).write(Head(3, "ab" * 32))
    with JournalReader(directory) as reader:
        assert "event 3 is not the one" in reader.anchor_fault
    (directory / "head.json").unlink()
    with JournalReader(directory) as reader:
        assert "missing" in reader.anchor_fault
        assert not Audit(reader).ending().whole


async def test_a_session_is_audited_while_it_runs(tmp_path: Path) -> None:
    clock = FakeClock()
    journal = Journal.create(tmp_path / "s", clock)
    await journal.append(Entry(vocabulary.Note(text="one"), "logs"))
    with JournalReader(tmp_path / "s") as reader:
        audit = Audit(reader)
        await journal.append(Entry(vocabulary.Note(text="two"), "logs"))
        assert [line.seq for line in audit.lines() if isinstance(line, AuditLine)] == [1]
        end = audit.ending()
        assert (end.live, end.whole, end.events) == (True, True, 1)
    await journal.close()


# -- what a forger does with the file, and the chain alone does not show ---------------------------


def _forged(directory: Path, **changes: Any) -> None:
    """Add a decision nobody took to the file, sealed as warroom seals."""
    with sqlite3.connect(directory / "journal.db") as connection:
        last = Row(*connection.execute(f"SELECT {COLUMNS} FROM event ORDER BY seq DESC LIMIT 1").fetchone())  # noqa: S608
        body = b'{"type":"warroom.approval_decided","id":"call:1","decision":"approve","digest":"","by":"person"}'
        kind, key = "warroom.approval_decided", "decided:call:1"
        row = last._replace(seq=last.seq + 1, stream="hands", type=kind, source_id=key, body=body)._replace(**changes)
        row = row._replace(hash=seal(last.hash, row) or b"")
        connection.execute(f"INSERT INTO event ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)", row)  # noqa: S608
    connection.close()


async def test_an_event_that_was_added_after_the_end_is_not_vouched_for(tmp_path: Path) -> None:
    directory = await build(tmp_path / "s", 5)
    _forged(directory)
    with JournalReader(directory) as reader:
        audit = Audit(reader)
        doubts = [line.doubt for line in audit.lines() if isinstance(line, AuditLine)]
        end = audit.ending()
    assert doubts == ["", "", "", "", "", "came after the anchor"]
    assert "event 6 came after it" in end.loose
    assert not end.whole


@pytest.mark.parametrize("seq", [-3, 0])
async def test_a_row_beside_the_record_is_found(seq: int, tmp_path: Path) -> None:
    directory = await build(tmp_path / "s", 5)
    _forged(directory, seq=seq)
    with JournalReader(directory) as reader:
        end = Audit(reader).ending()
    assert [damage.kind for damage in end.damage] == ["stray"]
    assert not end.whole


async def test_rows_of_the_same_seq_are_found(tmp_path: Path) -> None:
    directory = await build(tmp_path / "s", 5)
    with sqlite3.connect(directory / "journal.db") as connection:
        connection.execute("ALTER TABLE event RENAME TO old")
        connection.execute("CREATE TABLE event AS SELECT * FROM old")
        connection.execute("INSERT INTO event SELECT * FROM old WHERE seq = 3")
    connection.close()
    with JournalReader(directory) as reader:
        assert not Audit(reader).ending().whole


async def test_a_record_under_another_sessions_name_says_whose_it_is(tmp_path: Path) -> None:
    opened = parse_body({"type": "warroom.incident", **SAMPLES["warroom.incident"], "session": "one"})
    await write(tmp_path / "one", ("orchestrator", opened))
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    for name, of in (("one", ""), ("two", "one")):
        with JournalReader(tmp_path / name) as reader:
            audit = Audit(reader, lambda seq, kind: seq > 1)
            assert list(audit.lines()) == []
            assert (audit.ending().recorded_as, audit.ending().whole) == (of, not of)


@pytest.mark.parametrize("harm", ["gone", "changed", ""])
async def test_a_result_that_lies_beside_the_journal_is_looked_at(tmp_path: Path, harm: str) -> None:
    ref = blob_ref(b"the whole result")
    finished = parse_body({"type": "warroom.tool_finished", **SAMPLES["warroom.tool_finished"], "blob": ref})
    await write(tmp_path / "s", ("logs", finished))
    await BlobStore(tmp_path / "s").put(b"the whole result")
    kept = BlobStore(tmp_path / "s").path(ref)
    if harm == "gone":
        kept.unlink()
    elif harm:
        kept.write_bytes(b"another result")
    with JournalReader(tmp_path / "s") as reader:
        audit = Audit(reader)
        (line,) = audit.lines()
        assert isinstance(line, AuditLine)
        assert bool(line.doubt) is bool(harm)
        assert (audit.ending().lost, audit.ending().whole) == (int(bool(harm)), not harm)


async def test_no_act_is_left_out_that_the_end_vouches_for(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "s", FakeClock())
    await journal.append(Entry(vocabulary.Note(text="one"), "logs"))
    with JournalReader(tmp_path / "s") as reader:
        await journal.append(Entry(vocabulary.Note(text="two"), "logs"))
        audit = Audit(reader)
        assert len(list(audit.lines())) == audit.ending().events
    await journal.close()
