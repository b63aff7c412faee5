"""Whatever is in a file, intake says what it is, and raises nothing."""

from __future__ import annotations

import tempfile
import unicodedata
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from orchestrator.intake.alerts import looks_like_alert, parse_alert
from orchestrator.intake.json_door import JsonFault, read_json
from orchestrator.intake.manifest import read_manifest
from orchestrator.intake.model import IntakeLimits
from orchestrator.intake.naming import shown, source_id
from orchestrator.intake.recognise import recognise
from orchestrator.intake.shapes import document_role, table_role

WORDS = st.sampled_from(
    [
        "alerts",
        "labels",
        "annotations",
        "event",
        "data",
        "event_type",
        "service",
        "title",
        "startsAt",
        "status",
        "id",
        "files",
        "window",
        "alert",
        "commits",
        "symptom",
        "start",
        "end",
        "subject",
        "name",
        "value",
        "ts",
        "metric",
        "evalMatches",
        "ruleName",
        "commonLabels",
        "orgId",
        "payload",
        "body",
        "details",
        "sha",
        "message",
        "spans",
    ]
)
STAMP = st.just("2026-03-01T12:00:00Z")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | STAMP
DOCUMENTS: st.SearchStrategy[JsonValue] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6), max_leaves=25
)
NAMES = st.sampled_from(
    [
        "alert.json",
        "case.json",
        "metrics.csv",
        "metrics.json",
        "deploys.json",
        "app.log",
        "x.jsonl.gz",
        "x.patch",
        "x.json",
        "evidence.json.zst",
        "topology.csv",
        "x",
        "syslog",
        "README.md",
        "x.tsv",
    ]
)
HEADS = st.sampled_from(
    [b"", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\xff\xfe", b"{", b"[{", b"ts,value\n", b"diff --git ", bytes(70)]
)


@given(DOCUMENTS)
def test_any_document(document: JsonValue) -> None:
    document_role(document)
    looks_like_alert(document)
    parse_alert(document, "x").alert.model_dump_json()
    found = read_manifest(document, "x")
    for problem in found.problems:
        assert "\n" not in problem.line()


@settings(max_examples=200)
@given(NAMES, HEADS, st.binary(max_size=400))
def test_any_bytes_under_any_name(name: str, head: bytes, rest: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(head + rest)
        for explicit in (False, True):
            found = recognise(path, name, name, IntakeLimits(), explicit)
            assert (found.role is None) == bool(found.reason)


@given(st.binary(max_size=300) | st.text(alphabet='[]{}":,0123456789eE+-.\\u\ud7ff', max_size=200).map(str.encode))
def test_the_door(data: bytes) -> None:
    with suppress(JsonFault):
        read_json(data)


@given(st.text(max_size=80))
def test_names(name: str) -> None:
    assert not {unicodedata.category(char) for char in shown(name)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    given_id = source_id(name, {"source"})
    assert set(given_id) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/")
    assert not given_id.startswith(("/", ".", "-"))
    table_role(name.splitlines())
