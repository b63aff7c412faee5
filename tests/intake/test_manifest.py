"""`case.json` and `incident.json`, and whole cases in one file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson

from subagents.contract import Window
from tests.intake.folders import JSON_LOG, LOG, METRICS, content, kinds, lines, spec, take, write

CASE = {
    "id": "case-7",
    "family": "FAMILY-MARK",
    "source": "SOURCE-MARK",
    "licence": "LICENCE-MARK",
    "answer_may_be_none": True,
    "answer": "ANSWER-MARK",
    "alert": {
        "service": "cart",
        "metric": "error_ratio",
        "summary": "cart is failing",
        "incident_start": "2026-03-01T12:00:00Z",
        "alert_at": "2026-03-01T12:04:00Z",
        "threshold": 0.02,
        "observed": "0.3",
    },
    "window": {"start": "2026-03-01T11:30:00Z", "end": "2026-03-01T12:10:00Z"},
    "candidate_services": ["cart", "web"],
    "files": {"metrics": "numbers.dat", "logs": ["l/one.jsonl.gz", "two.log"]},
}


async def test_a_manifest_names_files_alert_and_window(tmp_path: Path) -> None:
    files = {"case.json": CASE, "numbers.dat": METRICS, "l/one.jsonl.gz": JSON_LOG, "two.log": LOG, "three.log": LOG}
    found = await take(write(tmp_path / "i", files), spool=tmp_path / "s")
    incident = found.incident
    assert (incident.id, incident.title, incident.service) == ("case-7", "cart is failing", "cart")
    assert incident.services == ("cart", "web")
    assert incident.started_at == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert incident.window == Window(
        start=datetime(2026, 3, 1, 11, 30, tzinfo=UTC), end=datetime(2026, 3, 1, 12, 10, tzinfo=UTC)
    )
    assert incident.alert is not None
    assert incident.alert.fired_at == datetime(2026, 3, 1, 12, 4, tzinfo=UTC)
    assert (incident.alert.threshold, incident.alert.observed) == (0.02, 0.3)
    assert kinds(found) == {"numbers.dat": "metrics", "l/one.jsonl.gz": "logs", "two.log": "logs", "three.log": "logs"}


async def test_what_a_case_says_of_itself_reaches_nobody(tmp_path: Path) -> None:
    found = await take(write(tmp_path / "i", {"case.json": CASE, "two.log": LOG}), spool=tmp_path / "s")
    told = found.model_dump_json()
    for word in ("MARK", "answer", "licence", "family"):
        assert word not in told


async def test_paths_that_leave_the_folder_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"outside.log": LOG, "i-neighbour/x.log": LOG})
    names = ["../outside.log", str(tmp_path / "outside.log"), "sub/../../outside.log", "link.log", "gone.log", "sub"]
    folder = write(tmp_path / "i", {"incident.json": {"files": {"logs": [*names, "ok.log", 7, "a\0b"]}}, "ok.log": LOG})
    write(folder, {"sub/x.log": LOG})
    (folder / "link.log").symlink_to("../outside.log")
    found = await take(folder, spool=tmp_path / "s")
    assert sorted(kinds(found)) == ["ok.log", "sub/x.log"]
    text = lines(found)
    assert text.count("outside its folder: refused") == 3
    assert "link.log: the manifest names a link that leads out of its folder: refused" in text
    assert "gone.log: the manifest names it, and it is not there" in text
    assert "a folder where the manifest should name a file" in text
    assert text.count("something that is no path") == 2


async def test_a_manifest_of_odd_types_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    odd = {
        "id": {"a": 1},
        "title": 5,
        "window": {"start": "2026-03-01T12:00:00Z", "end": "2026-03-01T11:00:00Z"},
        "services": [1, None, {"name": "cart"}],
        "files": {"wat": "x.log"},
        "alert": ["no"],
    }
    found = await take(write(tmp_path / "i", {"incident.json": odd, "x.log": LOG}), spool=tmp_path / "s")
    assert found.incident.title == "5"
    assert found.incident.services == ("cart",)
    assert found.incident.window is None
    assert "start before end" in lines(found)
    assert "unknown kind wat" in lines(found)
    assert kinds(found) == {"x.log": "logs"}
    none = await take(write(tmp_path / "j", {"incident.json": [1], "x.log": LOG}), spool=tmp_path / "s")
    assert "the manifest is not an object" in lines(none)


async def test_an_alert_that_names_none_of_the_services(tmp_path: Path) -> None:
    case = {"alert": {"service": "edge", "summary": "s"}, "services": ["cart", "web"]}
    found = await take(write(tmp_path / "i", {"case.json": case, "x.log": LOG}), spool=tmp_path / "s")
    assert found.incident.service is None
    assert "'edge', which is not among the 2 services" in lines(found)


async def test_a_whole_case_in_one_file(tmp_path: Path) -> None:
    commits = [{"sha": "b" * 40, "landed_at": "2026-03-01T11:00:00Z", "subject": "s", "body": "", "files": []}]
    case = {"id": "r-1", "symptom": "it crashes\non start", "reported_at": "2026-03-01T12:00:00Z", "head_sha": "b" * 40}
    write(tmp_path, {"one.json.gz": {**case, "commits": commits, "source": "SOURCE-MARK"}})
    found = await take(tmp_path / "one.json.gz", spool=tmp_path / "s")
    assert found.incident.id == "r-1"
    assert found.incident.title == "it crashes"
    assert found.incident.text == "it crashes\non start"
    assert found.incident.alert is not None
    assert found.incident.alert.fired_at == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    source = spec(found, "one.json.gz/commits")
    assert source.kind == "commits"
    assert source.options == {"head": "b" * 40}
    assert orjson.loads(content(source)) == commits
    assert "MARK" not in found.model_dump_json()


async def test_a_single_series(tmp_path: Path) -> None:
    write(tmp_path, {"cpu-7.csv.gz": "timestamp,value\n2014-02-14 14:30:00,0.132\n"})
    found = await take(tmp_path / "cpu-7.csv.gz", spool=tmp_path / "s")
    assert spec(found, "cpu-7.csv.gz").options == {"metric": "cpu-7"}
