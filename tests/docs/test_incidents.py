"""docs/incidents.md: its example is written and read whole, and what it states is what the code says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from orchestrator.config.model import Budgets, ConfigFile, EngineSettings, PolicyRule, ServiceSettings, SourceSettings
from orchestrator.config.read import read_file
from orchestrator.intake import alerts
from orchestrator.intake.alerts import parse_alert
from orchestrator.intake.model import Intake, IntakeLimits
from orchestrator.intake.recognise import role_by_name
from runbooks.library import Library
from subagents.contract import Brief
from subagents.deploys.agent import build as deploys
from subagents.deploys.sources.rows import ROW_LIMIT
from subagents.files import DEFAULT_LIMITS
from subagents.metrics.model import KINDS
from subagents.metrics.sources.load import load
from tests.intake.folders import kinds, take
from tests.logs.builders import read

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "incidents.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FILES = {note.removeprefix("file="): text for _, note, text in BLOCKS if note.startswith("file=")}


def block(language: str, note: str = "") -> str:
    (text,) = [text for kind, said, text in BLOCKS if (kind, said) == (language, note)]
    return str(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "case" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "case"


async def taken(folder: Path) -> Intake:
    return await take(folder, spool=folder.parent / "spool")


async def test_every_file_of_the_example_is_what_the_page_says(folder: Path) -> None:
    found = await taken(folder)
    assert kinds(found) == {
        "orders.log": "logs",
        "web.jsonl": "logs",
        "metrics.csv": "metrics",
        "deploys.json": "deploys",
        "commits.json": "commits",
        "flags.json": "flags",
        "spans.json": "spans",
        "topology.csv": "topology",
        "trace_edges.csv": "trace_edges",
        "evidence/kubectl_describe": "logs",
        "evidence/events": "logs",
        "runbooks": "runbooks",
    }
    assert found.unused == ()
    assert [problem.what for problem in found.problems] == ["no git repository"]
    alert = found.incident.alert
    assert alert is not None
    assert (alert.service, alert.metric, alert.threshold, alert.observed) == ("orders", "http_5xx_ratio", 0.05, 0.31)


async def test_every_record_of_the_example_is_understood(folder: Path) -> None:
    found = await taken(folder)
    logs = [read(spec)[0].coverage() for spec in found.specs if spec.kind == "logs"]
    metrics = load(tuple(spec for spec in found.specs if spec.kind in KINDS)).coverage
    lines = {line.source: line for line in (*logs, *metrics, *deploys(found.specs).problems)}
    for name in ("orders.log", "web.jsonl", "metrics.csv", "deploys.json", "commits.json", "flags.json", "spans.json"):
        line = lines[name]
        assert (line.items > 0, line.understood, line.dropped) == (True, line.items, 0), name
        assert line.problems == (), name
    library = Library.load([folder / "runbooks"])
    assert [hit.slug for hit in library.search("pool exhausted", limit=1)] == ["orders-pool"]
    assert Brief(incident=found.incident, sources=found.specs)


async def test_the_manifest_says_what_a_file_is(tmp_path: Path) -> None:
    case = tmp_path / "case"
    case.mkdir()
    (case / "case.json").write_text(block("json", "manifest"), encoding="utf-8")
    (case / "orders.log").write_text(FILES["orders.log"], encoding="utf-8")
    (case / "numbers.csv").write_text(FILES["metrics.csv"], encoding="utf-8")
    found = await taken(case)
    assert kinds(found) == {"orders.log": "logs", "numbers.csv": "metrics"}
    incident = found.incident
    assert (incident.id, incident.title, incident.service) == ("INC-0412", "orders 5xx", "orders")
    assert incident.services == ("orders", "web", "payments")
    assert incident.window is not None
    assert incident.started_at is not None


def test_file_names_of_the_table_are_recognised() -> None:
    rows = re.findall(r"^\| (`[^|]+) \| (?:logs|deploys|metrics|commits|spans|changes|single|recorded|the)", PAGE, re.M)
    assert len(rows) >= 5
    for names in rows:
        for name in re.findall(r"`([^`]+)`", names):
            assert role_by_name(name.replace("*", "x")) is not None, name


def test_alert_keys_of_the_table_are_read() -> None:
    sets = {
        "title": alerts.TITLE_KEYS,
        "summary": alerts.SUMMARY_KEYS,
        "service": alerts.SERVICE_KEYS,
        "metric": alerts.METRIC_KEYS,
        "threshold": alerts.THRESHOLD_KEYS,
        "observed": alerts.OBSERVED_KEYS,
        "severity": alerts.SEVERITY_KEYS,
        "fired at": alerts.FIRED_KEYS,
        "impact began": alerts.START_KEYS,
    }
    for what, keys in sets.items():
        (row,) = re.findall(rf"^\| {what} \| (.+) \|$", PAGE, re.MULTILINE)
        named = re.findall(r"`([^`]+)`", row)
        assert named, what
        assert [key for key in keys if key in named] == named, f"{what}: keys, in the order of the code"
    assert parse_alert({"title": "t", "api_token": "x", "zone": "a"}, "alert.json").alert.labels == {"zone": "a"}


def test_limits_of_the_table_are_the_codes() -> None:
    limits = IntakeLimits()

    def stated(what: str) -> str:
        (row,) = re.findall(rf"^\| {re.escape(what)} \| (.+) \|$", PAGE, re.MULTILINE)
        return str(row)

    assert stated("levels of folders") == str(limits.depth)
    assert stated("names in one folder that is given") == f"{limits.entries:,}"
    assert stated("files used as sources") == f"{limits.sources:,}"
    assert stated("a JSON document that is parsed to see what it is") == f"{limits.document_bytes >> 20} MiB"
    assert stated("an alert or a manifest") == f"{limits.alert_bytes >> 20} MiB"
    assert stated("depth of JSON") == str(limits.json_depth)
    assert stated("records of a deploys, commits or flags file") == f"{ROW_LIMIT:,}"
    assert stated("standard input, a pipe, a command's output") == (
        f"{limits.stream_bytes >> 30} GiB; silent for {limits.stream_idle_s:.0f} s "
        f"(a command: {limits.command_idle_s:.0f} s), "
        f"or {limits.stream_total_s:,.0f} s ({limits.command_total_s:.0f} s) in all"
    )
    assert stated("what comes out of one compressed file") == (
        f"{DEFAULT_LIMITS.total >> 30} GiB, and {DEFAULT_LIMITS.ratio} times its size once "
        f"{DEFAULT_LIMITS.ratio_after >> 20} MiB have come out"
    )


def test_the_settings_example_is_valid_and_the_reference_names_every_key(tmp_path: Path) -> None:
    path = tmp_path / "warroom.toml"
    path.write_text(block("toml"), encoding="utf-8")
    found = read_file(path)
    assert found.faults == ()
    assert found.content is not None
    assert set(found.content.services) == {"orders"}
    reference = PAGE.partition("\n| part | says |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`([a-z_]+)`", reference))
    for model in (ServiceSettings, SourceSettings, PolicyRule, Budgets, EngineSettings):
        fields = set(model.model_fields) - {"origin", "reason"}
        assert fields <= named, f"{model.__name__}: {sorted(fields - named)}"
    assert set(ConfigFile.model_fields) <= named | {"services", "runbooks"}


def test_the_json_of_the_example_is_json() -> None:
    for name, text in FILES.items():
        if name.endswith(".json"):
            json.loads(text)
