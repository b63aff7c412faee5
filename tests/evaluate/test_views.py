"""What investigators are given: neutral names, listed keys, and nothing from outside the case."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.evaluate.cases import Case
from orchestrator.evaluate.lines import EvalLine
from orchestrator.evaluate.pool import Pool
from orchestrator.evaluate.views import ViewError, make_view
from orchestrator.journal.reader import JournalReader
from tests.evaluate.conftest import Settings
from tests.evaluate.trees import SHAS, write_complaint, write_labels, write_outage, write_reading

CANARY = "zebrafinch"
HIDDEN = {
    "family": CANARY,
    "source": f"https://{CANARY}.example",
    "licence": CANARY,
    "answer_may_be_none": CANARY,
    "answer_may_be_healthy": CANARY,
    "labels": {"culprit_commit": CANARY},
    "culprit_commit": CANARY,
}


def everything_in(folder: Path) -> str:
    files = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.is_file())
    return "\n".join(f"{path}\n{path.read_text(errors='replace')}" for path in files)


def test_a_folder_keeps_what_may_be_known_and_nothing_else(tmp_path: Path) -> None:
    folder = write_outage(tmp_path / CANARY / f"{CANARY}-1", **HIDDEN)
    case = json.loads((folder / "case.json").read_text())
    case["alert"].update(source="pager", answer_may_be_none=CANARY)
    case["alert"]["labels"] = [{"answer_may_x": CANARY, "team": "till"}]
    (folder / "case.json").write_text(json.dumps(case))
    (folder / "notes.log").write_text(f"{CANARY}: not named in the manifest\n")
    view = make_view(Case(folder.name, CANARY, folder, "folder"), tmp_path / "work" / "incident")
    assert CANARY not in everything_in(view.path).lower()
    assert sorted(path.name for path in view.path.iterdir()) == [
        *("case.json", "commits.json.gz", "deploys.json", "metrics.csv.gz"),
    ]
    shown = json.loads((view.path / "case.json").read_text())
    assert shown == view.manifest
    assert (shown["alert"]["source"], shown["alert"]["labels"]) == ("pager", [{"team": "till"}])
    assert shown["candidate_services"] == ["ledger", "porch"]
    assert CANARY not in view.incident


def test_the_other_shapes(tmp_path: Path) -> None:
    complaint = write_complaint(tmp_path / f"{CANARY}-2.json.gz", **HIDDEN)
    view = make_view(Case("c", CANARY, complaint, "symptom"), tmp_path / "one")
    assert view.path.name == "incident.json"
    assert CANARY not in everything_in(view.path)
    assert sorted(json.loads(view.path.read_text())) == ["commits", "reported_at", "symptom"]
    reading = write_reading(tmp_path / f"{CANARY}.csv")
    view = make_view(Case("r", CANARY, reading, "series"), tmp_path / "two")
    assert (view.path.name, view.path.read_bytes()) == ("value.csv", reading.read_bytes())
    assert view.manifest == {}


def test_what_lies_outside_the_case_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "f.jsonl").write_text(CANARY)
    folder = write_outage(tmp_path / "f" / "one", files={"logs": ["../../labels/f.jsonl", "link.log", "/etc/hostname"]})
    (folder / "link.log").symlink_to(tmp_path / "labels" / "f.jsonl")
    view = make_view(Case("one", "f", folder, "folder"), tmp_path / "view")
    assert [path.name for path in view.path.iterdir()] == ["case.json"]


def test_a_folder_of_a_case_is_taken_without_what_its_links_lead_to(tmp_path: Path) -> None:
    folder = write_outage(tmp_path / "f" / "one", files={"logs": "logs"})
    (folder / "logs" / "old").mkdir(parents=True)
    (folder / "logs" / "old" / "a.log").write_text("fine\n")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "f.jsonl").write_text(CANARY)
    (folder / "logs" / "b.log").symlink_to(tmp_path / "labels" / "f.jsonl")
    (folder / "logs" / "more").symlink_to(tmp_path / "labels")
    view = make_view(Case("one", "f", folder, "folder"), tmp_path / "view")
    assert CANARY not in everything_in(view.path)
    assert sorted(path.name for path in view.path.rglob("*")) == ["a.log", "case.json", "logs", "old"]


@pytest.mark.parametrize("files", [[".", "incident.json"], ["deploys.json", "labels/f.jsonl"], []])
def test_what_a_case_says_of_itself_is_not_copied(tmp_path: Path, files: list[str]) -> None:
    folder = write_outage(tmp_path / "f" / "one", files=files)
    (folder / "incident.json").write_text(json.dumps({"family": CANARY}))
    (folder / "labels").mkdir()
    (folder / "labels" / "f.jsonl").write_text(CANARY)
    (folder / "label.json").write_text(CANARY)
    view = make_view(Case("one", "f", folder, "folder"), tmp_path / "view")
    assert CANARY not in everything_in(view.path)
    assert {"case.json", "deploys.json"} <= {path.name for path in view.path.iterdir()}


def test_a_case_that_is_reached_by_a_link_is_whole(tmp_path: Path) -> None:
    folder = write_outage(tmp_path / "store" / "one")
    (tmp_path / "linked").symlink_to(folder.parent)
    view = make_view(Case("one", "linked", tmp_path / "linked" / "one", "folder"), tmp_path / "view")
    assert {path.name for path in view.path.iterdir()} == {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("content", [b"", b"[1]", b"\x1f\x8b\x08broken", b'{"a":' * 100])
def test_a_case_that_cannot_be_read_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(ViewError, match=r"bad\.json"):
        make_view(Case("bad", "f", path, "symptom"), tmp_path / "view")
    with pytest.raises(ViewError, match="cannot be read"):
        make_view(Case("gone", "f", tmp_path / "gone.json", "symptom"), tmp_path / "other")


def watched(said: Path, tree: Path) -> tuple[str, ...]:
    """Return the process of a case, which writes down what it opens and lists in a tree."""
    hook = (
        "import os, sys\n"
        f"said, tree = os.open({str(said)!r}, os.O_WRONLY | os.O_CREAT), {str(tree)!r}\n"
        "def hook(event, given):\n"
        "    path = os.fsdecode(given[0]) if given and isinstance(given[0], (str, bytes, os.PathLike)) else ''\n"
        "    if event in ('open', 'os.listdir', 'os.scandir') and path.startswith(tree):\n"
        "        os.write(said, path.encode() + b'\\n')\n"
        "sys.addaudithook(hook)\n"
        "from orchestrator.evaluate.child import main\n"
        "raise SystemExit(main())"
    )
    return (sys.executable, "-P", "-c", hook)


async def test_the_canary_reaches_no_event_of_a_real_session(
    tmp_path: Path, setting: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where a person keeps their settings must not be looked at either: this one would be refused.
    (tmp_path / "settings" / "warroom").mkdir(parents=True)
    (tmp_path / "settings" / "warroom" / "warroom.toml").write_text("nonsense = true\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    folder = write_outage(tmp_path / CANARY / f"{CANARY}-1", **HIDDEN)
    write_labels(tmp_path, **{CANARY: [{"id": folder.name, "culprit_commit": SHAS[1]}]})
    lines: list[EvalLine] = []
    real = replace(setting(keep=tmp_path / "kept"), command=watched(tmp_path / "opened", tmp_path))
    await Pool(real).run([Case(folder.name, CANARY, folder, "folder")], lines.append)
    (line,) = lines
    assert line.failure is None, line.error
    assert (line.family, line.engine, line.kind) == (CANARY, "offline", "culprit")
    assert line.culprit == SHAS[1]
    assert line.services[0].service == "ledger"
    assert {"latest deploy", "largest diff first"} <= {one.name for one in line.baselines}
    kept = tmp_path / "kept" / CANARY / folder.name
    (session,) = (kept / "home" / "sessions").iterdir()
    with JournalReader.open(session) as reader:
        events = [event.body.model_dump_json() for event in reader.events()]
    assert len(events) > 20
    # Of all that lies beside the case's own copy, the copy's originals were opened, and by nobody else.
    opened = (tmp_path / "opened").read_text().splitlines()
    assert sorted(opened) == sorted(str(path) for path in folder.iterdir())
    assert not [event for event in events if CANARY in event.lower()]
    assert not [path for path in (session / "blobs").rglob("*") if CANARY in everything_in(path).lower()]
    assert line.verdict is not None
    assert CANARY not in line.verdict.model_dump_json()
