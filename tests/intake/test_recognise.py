"""What a file is, by its name and by its content."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard

from orchestrator.intake.model import IntakeLimits
from orchestrator.intake.recognise import Recognised, recognise
from tests.intake.folders import DIFF, JSON_LOG, LOG, METRICS

COMMITS = [
    {"sha": "a" * 40, "author": "kim", "timestamp": "2026-03-01T11:00:00Z", "message": "m", "files_changed": ["a.py"]}
]
DEPLOYS = [{"timestamp": "2026-03-01T11:30:00Z", "service": "cart", "commit_sha": "a" * 40, "version": "v2"}]
FLAGS = [{"timestamp": "2026-03-01T11:30:00Z", "flag": "new_cart", "change": "off->on"}]
SPANS = [{"trace_id": "t1", "span_id": "s1", "service": "cart", "start": "2026-03-01T11:30:00Z", "duration_ms": 3}]
POINTS = {"cart": {"error_ratio": [[1772366400, 0.1], [1772366460, 0.2]]}}


def look(tmp_path: Path, name: str, content: Any, explicit: bool = False) -> Recognised:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
    return recognise(path, name, name, IntakeLimits(), explicit)


@pytest.mark.parametrize(
    ("name", "content", "role"),
    [
        ("app.log", LOG, "logs"),
        ("app.log.1", LOG, "logs"),
        ("app.log-20260301", LOG, "logs"),
        ("APP.JSONL", JSON_LOG, "logs"),
        ("x.ndjson", JSON_LOG, "logs"),
        ("notes.txt", LOG, "logs"),
        ("catalina.out", LOG, "logs"),
        ("syslog", b"Mar  1 12:00:00 host app[1]: hi\n", "logs"),
        ("service-output", LOG, "logs"),
        ("lines.json", JSON_LOG, "logs"),
        ("logs.json", [{"ts": "2026-03-01T12:00:00Z", "message": "m"}], "logs"),
        ("metrics.csv", METRICS, "metrics"),
        ("cpu of node 3.csv", b"timestamp,value\n2014-02-14 14:30:00,0.132\n", "metrics"),
        ("wide.csv", b"time;cpu;mem\n2026-03-01T12:00:00Z;1;2\n", "metrics"),
        ("mac.csv", b"ts,value\r2026-03-01T12:00:00Z,1\r", "metrics"),
        ("metrics.json", POINTS, "metrics"),
        ("anything.json", POINTS, "metrics"),
        ("edges.csv", b"ts,caller,service,operation,count,p50_ms\n", "trace_edges"),
        ("graph.csv", b"caller,callee\na,b\n", "topology"),
        ("deploys.json", DEPLOYS, "deploys"),
        ("prod.json", DEPLOYS, "deploys"),
        ("changes.json", COMMITS, "commits"),
        ("wrapped.json", {"commits": COMMITS}, "commits"),
        ("toggles.json", FLAGS, "flags"),
        ("otel.json", {"resourceSpans": []}, "spans"),
        ("s.json", SPANS, "spans"),
        ("flags.json", [], "flags"),
        ("evidence.json", {"kubectl_describe": "text"}, "evidence"),
        ("fix.patch", DIFF, "diff"),
        ("diff.txt", DIFF, "diff"),
        ("change", DIFF, "diff"),
        ("alert.json", {"anything": 1}, "alert"),
        ("page.json", {"title": "down", "service": "web"}, "alert"),
        ("case.json", {"files": {}}, "manifest"),
        ("incident.json", {"title": "down", "service": "web"}, "alert"),
        ("one.json", {"symptom": "s", "commits": COMMITS, "head_sha": "a" * 40}, "case"),
    ],
)
@pytest.mark.parametrize("packed", ["", ".gz", ".zst"])
def test_kinds(tmp_path: Path, name: str, content: Any, role: str, packed: str) -> None:
    raw = content if isinstance(content, bytes) else orjson.dumps(content)
    raw = {"": lambda: raw, ".gz": lambda: gzip.compress(raw), ".zst": lambda: zstandard.compress(raw)}[packed]()
    found = look(tmp_path, name + packed, raw)
    assert found.role == role, found
    assert found.problems == ()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("README.md", b"# hi\n", "Markdown counts"),
        ("README.txt", b"read me\n", "documentation"),
        ("requirements.txt", b"textual\n", "documentation"),
        ("page.html", b"<html></html>\n", "nothing that warroom knows"),
        ("people.csv", b"name,age\nkim,3\n", "columns that warroom does not know"),
        ("package.json", b'{"name":"web","version":"1","description":"d"}', "nothing that warroom knows"),
        ("app.log", b"", "empty"),
        ("app.log", bytes(range(256)) * 40, "binary"),
        ("app.log", b"\x7fELF" + b"\0" * 400, "binary"),
        ("app.log", b"PK\x03\x04rest", "zip archive"),
        ("app.log.xz", b"\xfd7zXZ\x00rest", "xz-compressed"),
        ("app.log.gz", gzip.compress(gzip.compress(b"a\n", mtime=0), mtime=0), "an archive inside an archive"),
        ("logs.tar.gz", gzip.compress(b"a" * 257 + b"ustar\x0000" + b"a" * 300, mtime=0), "tar archive"),
        ("alert.json", b'{"title": "down",', "not valid JSON"),
        ("alert.json", b"[" * 5000 + b"]" * 5000, "not valid JSON"),
        ("alert.json", b"[" * 90 + b"]" * 90, "nested deeper"),
        ("alert.json", b'{"value": ' + b"9" * 10**6 + b"}", "not valid JSON"),
        ("alert.json", b'{"value": NaN}', "not valid JSON"),
        ("alert.json", b'{"title": "\\ud800"}', "not valid JSON"),
        ("alert.json", b'{"title": "' + b"x" * (1 << 20) + b'"}', "larger than"),
    ],
)
def test_refused(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    found = look(tmp_path, name, content)
    assert found.role is None
    assert reason in found.reason


@pytest.mark.parametrize("transaction", ["3/9", "3/12", "14/0"])
def test_a_table_of_a_database_without_names_of_columns_is_a_log(tmp_path: Path, transaction: str) -> None:
    rows = (
        f'2026-03-01 12:00:00.123 UTC,"app","shop",812,"10.0.0.7:51000",65f1.32c,1,"INSERT",2026-03-01 11:00:00 UTC,'
        f'{transaction},0,ERROR,40P01,"deadlock detected","Process 8 waits.\nProcess 9 waits.",,,,,"INSERT\n'
        'INTO orders",,,"","client backend",,0\n'
    ) * 3
    assert look(tmp_path, "postgresql.csv", rows.encode()).role == "logs"
    assert look(tmp_path, "postgresql-2026-03-01.csv.gz", gzip.compress(rows.encode())).role == "logs"


def test_numbers_without_names_of_columns_are_no_log(tmp_path: Path) -> None:
    for row in ("2026-03-01T12:00:00Z,orders,error,5", "1772366400,12,7"):
        assert look(tmp_path, "export.csv", f"{row}\n".encode() * 9).role != "logs"


def test_a_log_with_a_few_odd_bytes_stays_a_log(tmp_path: Path) -> None:
    assert look(tmp_path, "a.log", LOG * 40 + b"\0\0\xff\xfe\x80caf\xe9\n" + LOG).role == "logs"
    assert look(tmp_path, "colour.log", b"\x1b[31mERROR\x1b[0m pool\n" * 50).role == "logs"


def test_a_log_truncated_under_its_writer(tmp_path: Path) -> None:
    assert look(tmp_path, "a.log", bytes(200_000) + LOG).role == "logs"
    assert look(tmp_path, "b.log", bytes(30_000) + LOG).role == "logs"
    assert look(tmp_path, "c.log", bytes(200_000)).role is None


def test_broken_records_are_kept_by_name_and_said(tmp_path: Path) -> None:
    found = look(tmp_path, "deploys.json", b'[{"service": "cart"},\n {"serv')
    assert found.role == "deploys"
    assert "line 2" in found.problems[0].what


def test_a_one_line_json_log_is_no_alert(tmp_path: Path) -> None:
    line = {"ts": "2026-03-01T12:00:00Z", "level": "error", "service": "cart", "message": "pool exhausted"}
    assert look(tmp_path, "app.jsonl", line).role == "logs"
    assert look(tmp_path, "pasted", line, explicit=True).role == "logs"


def test_an_alert_under_a_logs_name_is_an_alert(tmp_path: Path) -> None:
    alert = {"version": "4", "groupKey": "k", "alerts": [{"labels": {"service": "cart"}}]}
    assert look(tmp_path, "pasted.txt", alert).role == "alert"
    assert look(tmp_path, "commits.json", alert).role == "alert"


def test_duplicate_keys_take_the_last(tmp_path: Path) -> None:
    found = look(tmp_path, "alert.json", b'{"title": "a", "title": "b"}')
    assert found.document == {"title": "b"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_other_encodings_are_known(tmp_path: Path, encoding: str) -> None:
    text = "2026-03-01 12:00:00 ERROR caf\u00e9 pool exhausted\n" * 20
    if encoding == "utf-16-le":
        text = text.replace("\u00e9", "e")
    found = look(tmp_path, "app.log", text.encode(encoding))
    assert found.role == "logs"
    assert found.encoding == encoding
    alert = look(tmp_path, "alert.json", '{"title": "d\u00f6wn", "service": "web"}'.encode(encoding))
    assert alert.document == {"title": "d\u00f6wn", "service": "web"}


def test_explicit_text_is_a_log(tmp_path: Path) -> None:
    assert look(tmp_path, "thing.dat", b"something broke\n").role is None
    assert look(tmp_path, "thing.dat", b"something broke\n", explicit=True).role == "logs"


def test_a_large_answer_is_known_by_its_beginning(tmp_path: Path) -> None:
    points = [[1772366400 + 60 * i, "1"] for i in range(9000)]
    answer = {"status": "success", "data": {"result": [{"metric": {"__name__": "up"}, "values": points}]}}
    path = tmp_path / "export.json"
    path.write_bytes(orjson.dumps(answer))
    small = IntakeLimits(document_bytes=100_000)
    assert recognise(path, path.name, path.name, small).role == "metrics"
    path.write_bytes(orjson.dumps({"notes": ["x" * 99] * 3000}))
    assert recognise(path, path.name, path.name, small) == Recognised(None, "larger than 0 MiB", "give a smaller file")


@pytest.mark.parametrize(
    ("name", "content", "role"),
    [
        ("postgresql.csv", b'2026-03-01 12:00:00.123 UTC,"app","shop",4711,"[local]",65e1,1,"SELECT",0\n' * 3, None),
        ("access.jsonl", b'{"time": "2026-03-01T12:00:00Z", "status": 200, "path": "/pay", "ms": 12}\n' * 3, "logs"),
        ("lines.txt", b"worker 7 started\nworker 8 started\n", "logs"),
        ("orders.csv", b"id,day,state\nA1,2026-03-01,open\nA2,2026-03-01,paid\n", None),
        ("paid.csv", b"id,created,customer,sum\n" + b"7,2026-03-01T12:00:00Z,Ann,3.5\n" * 3, None),
        ("builds.json", b'{"builds": [{"number": 7, "result": "SUCCESS", "timestamp": 1772366400}]}', None),
        ("said.jsonl", b'{"ts": "2026-03-01T12:00:00Z", "name": "cart", "value": 1, "msg": "kept"}\n' * 3, "logs"),
        ("spans.log", b'{"timestamp": 1772366400, "name": "cart", "fields": {"message": "kept", "ms": 3}}\n', "logs"),
        ("versions.json", b'{"cart": {"2026-03-01T12:00:00Z": "v7"}, "mail": {"2026-03-01T12:00:00Z": "v2"}}', None),
        ("gc.txt", b"1772366400 full 12 ms\n1772366460 full 13 ms\n", "logs"),
        ("hits.jsonl", b'{"time": "2026-03-01T12:00:00Z", "host": "web1", "status": 503, "ms": 12}\n' * 3, "logs"),
        ("calls.jsonl", b'{"time": "2026-03-01T12:00:00Z", "user_id": 7, "ms": 12}\n' * 3, "logs"),
        ("load.jsonl", b'{"time": "2026-03-01T12:00:00Z", "host": "web1", "cpu": 0.5}\n' * 3, "metrics"),
        ("fans.txt", b"2026-03-01 12:00:00\nCPU  MEM\nfine  fine\n", "logs"),
        ("told.txt", b"2026-03-01 12:00:00\ntotal used free\nnothing to see here\n", "logs"),
        ("missing.txt", b"# Collectl: not installed\n2026-03-01 12:00:00 no figures\n" * 3, "logs"),
        ("trades.csv", b"AAA,buy,100\nBBB,sell,90\n", None),
        ("duty.csv", b"date,primary,secondary\n2026-03-01,ann,bob\n2026-03-02,bob,ann\n", None),
        ("released.csv", b"time,service,version\n2026-03-01T12:00:00Z,cart,1.2.10\n", None),
        ("up.csv", b"time,cart,mail\n2026-03-01T12:00:00Z,true,false\n", "metrics"),
        ("limits.json", b'{"retries": [{"time": 10, "count": 1}, {"time": 20, "count": 2}]}', None),
        ("access_log", b'10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 7\n', "logs"),
    ],
)
def test_what_only_looks_like_metrics_is_none(tmp_path: Path, name: str, content: bytes, role: str | None) -> None:
    assert look(tmp_path, name, content).role == role


def test_a_table_of_numbers_with_units_needs_no_english(tmp_path: Path) -> None:
    rows = "".join(f'2026-03-01T12:0{i}:00Z;"10{i},5 ms";"{i} %"\n' for i in range(5))
    assert look(tmp_path, "panel.csv", f"Zeit;shop;cart\n{rows}".encode()).role == "metrics"


def test_an_answer_without_data_says_why_it_is_not_used(tmp_path: Path) -> None:
    found = look(tmp_path, "up.json", b'{"status": "success", "data": {"resultType": "matrix", "result": []}}')
    assert (found.role, found.reason) == (None, "a query's failure instead of data: no series matched it")
