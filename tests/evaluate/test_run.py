"""A run: what is done is not done again, labels come last, two runs compare."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from orchestrator.evaluate import run as run_module
from orchestrator.evaluate.cases import find_cases
from orchestrator.evaluate.comparison import compare, read_scores, scores_path
from orchestrator.evaluate.labels import read_labels
from orchestrator.evaluate.lines import EvalLine, LineFile, LinesError
from orchestrator.evaluate.pool import Pool
from orchestrator.evaluate.run import Outcome, build_digest, evaluate
from orchestrator.evaluate.summary import CaseScores
from orchestrator.evaluate.table import render, render_comparison
from tests.evaluate.conftest import Settings
from tests.evaluate.trees import write_complaint, write_labels, write_reading, write_tree


class FakeWatcher:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def began(self, to_do: int, done_before: int) -> None:
        self.told += [("to do", to_do), ("before", done_before)]

    def finished(self, line: EvalLine, left: int) -> None:
        self.told.append((line.id, left))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "cases")


async def carry_out(tree: Path, out: Path, pool: Pool) -> tuple[Outcome, FakeWatcher]:
    watcher = FakeWatcher()
    with LineFile(out) as lines:
        return await evaluate(find_cases(tree), lines, pool, watcher), watcher


async def test_labels_are_opened_after_the_last_line_is_written(
    tree: Path, tmp_path: Path, setting: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, counted = tmp_path / "out.jsonl", []

    def counting(*given: object) -> object:
        counted.append(out.read_bytes().count(b"\n"))
        return read_labels(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(run_module, "read_labels", counting)
    outcome, watcher = await carry_out(tree, out, Pool(setting()))
    assert counted
    assert set(counted) == {3}
    assert watcher.told == [("to do", 3), ("before", 0), ("com-1", 2), ("out-1", 1), ("read-1", 0)]
    assert outcome.left == 0
    raw = out.read_text()
    assert "anomaly_windows" not in raw
    assert "decoy" not in raw


async def test_what_is_done_is_not_done_again(tree: Path, tmp_path: Path, setting: Settings) -> None:
    out = tmp_path / "out.jsonl"
    first, _ = await carry_out(tree, out, Pool(setting()))
    whole = out.read_bytes()
    # Killed while the last line was written:
    out.write_bytes(whole[:-40])
    second, watcher = await carry_out(tree, out, Pool(setting()))
    assert watcher.told == [("to do", 1), ("before", 2), ("read-1", 0)]
    assert second.summaries == first.summaries
    assert any("cut short" in remark for remark in second.remarks)
    assert out.read_bytes().startswith(whole[: whole.rindex(b"\n", 0, -1)])
    third, watcher = await carry_out(tree, out, Pool(setting()))
    assert watcher.told == [("to do", 0), ("before", 3)]
    assert third.summaries == first.summaries


async def test_what_failed_is_done_and_runs_again_where_that_is_asked_for(
    tree: Path, tmp_path: Path, setting: Settings
) -> None:
    write_complaint(tree / "complaints" / "mute.json.gz")
    out = tmp_path / "out.jsonl"
    await carry_out(tree, out, Pool(setting()))
    _, watcher = await carry_out(tree, out, Pool(setting()))
    assert watcher.told == [("to do", 0), ("before", 4)]
    outcome, watcher = await carry_out(tree, out, Pool(setting(retry=True)))
    assert watcher.told == [("to do", 1), ("before", 3), ("mute", 0)]
    assert [line.id for line in outcome.lines if line.failure] == ["mute"]


async def test_lines_of_another_engine_version_or_build_do_not_count(
    tree: Path, tmp_path: Path, setting: Settings
) -> None:
    before = tmp_path / "before.jsonl"
    await carry_out(tree, before, Pool(setting()))
    for changed, value in (("engine", "managed"), ("version", "2"), ("build", "c" * 12)):
        out = tmp_path / f"{changed}.jsonl"
        out.write_bytes(before.read_bytes())
        outcome, watcher = await carry_out(tree, out, Pool(setting(**{changed: value})))
        assert watcher.told[:2] == [("to do", 3), ("before", 0)], changed
        assert len(outcome.lines) == 3, changed
        assert any("not counted: 3 lines of another engine or build" in remark for remark in outcome.remarks), changed
        assert out.read_bytes().count(b"\n") == 6, changed


async def test_a_case_that_has_changed_runs_again(tree: Path, tmp_path: Path, setting: Settings) -> None:
    out = tmp_path / "out.jsonl"
    await carry_out(tree, out, Pool(setting()))
    # The same family and id, as in another tree: nothing that was found there may pass as found here.
    write_reading(tree / "readings" / "read-1.csv", jump=60)
    (tree / "outages" / "out-1" / "more.log").write_text("one more file\n")
    outcome, watcher = await carry_out(tree, out, Pool(setting()))
    assert watcher.told == [("to do", 2), ("before", 1), ("out-1", 1), ("read-1", 0)]
    assert len(outcome.lines) == 3
    assert any("2 lines of another engine or build, of a case that has changed" in one for one in outcome.remarks)


async def test_a_tree_without_labels_gives_the_same_lines_unscored(tmp_path: Path, setting: Settings) -> None:
    with_labels, without = write_tree(tmp_path / "a"), write_tree(tmp_path / "b", labels=False)
    scored, _ = await carry_out(with_labels, tmp_path / "a.jsonl", Pool(setting()))
    unscored, _ = await carry_out(without, tmp_path / "b.jsonl", Pool(setting()))

    def lines(path: Path) -> list[dict[str, object]]:
        return [{**json.loads(raw), "elapsed": 0} for raw in path.read_text().splitlines()]

    assert lines(tmp_path / "a.jsonl") == lines(tmp_path / "b.jsonl")
    assert [summary.scored for summary in scored.summaries] == [1, 1, 1]
    assert [summary.scored for summary in unscored.summaries] == [0, 0, 0]
    assert scores_path(tmp_path / "a.jsonl").exists()
    assert not scores_path(tmp_path / "b.jsonl").exists()
    text = render(unscored.summaries, find_cases(without).skipped, unscored.remarks)
    assert "not scored: no labels" in text
    assert "nothing is scored" in text
    assert "skipped  gadgets: no adapter" in text


async def test_the_table(tree: Path, tmp_path: Path, setting: Settings) -> None:
    outcome, _ = await carry_out(tree, tmp_path / "out.jsonl", Pool(setting()))
    text = render(outcome.summaries, (), outcome.remarks)
    assert "outages: 1 case, 1.5 s each (1 culprit)" in text
    # The stand-in blames "b": right for the outage, wrong for the complaint; its simple rule blames "c".
    rows = [line for line in text.splitlines() if line.startswith("  culprit or none right, n=1")]
    label, hit, miss = f"{'  culprit or none right, n=1':<32}", "   1 1.00 [0.21 1.00]", "   0 0.00 [0.00 0.79]"
    assert rows == [f"{label}{miss}  {miss}", f"{label}{hit}  {miss}"]
    assert "0.8-0.9  mean 0.85  1 of 1 right" in text
    assert "Wilson" in text


async def test_labels_that_are_broken_are_said_and_cost_no_line(tree: Path, tmp_path: Path, setting: Settings) -> None:
    (tree / "labels" / "outages.jsonl").write_text('{"id": "out-1", "culprit_commit": "none"}\n{"torn\n[1]\n')
    (tree / "labels" / "readings.jsonl").unlink()
    outcome, _ = await carry_out(tree, tmp_path / "out.jsonl", Pool(setting()))
    assert [(one.family, one.scored) for one in outcome.summaries] == [
        ("complaints", 1),
        ("outages", 1),
        ("readings", 0),
    ]
    assert "outages: 2 lines of its labels cannot be read as labels" in outcome.remarks
    assert "readings: no labels; its cases are not scored" in outcome.remarks


async def test_stopped_in_the_middle_it_shows_what_is_done(
    tree: Path, tmp_path: Path, setting: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUB_PIDS", str(tmp_path / "pids"))
    write_complaint(tree / "complaints" / "zz-hang.json.gz")
    pool = Pool(setting())

    class Stopping(FakeWatcher):
        def finished(self, line: EvalLine, left: int) -> None:
            super().finished(line, left)
            pool.stop()

    with LineFile(tmp_path / "out.jsonl") as lines:
        outcome = await evaluate(find_cases(tree), lines, pool, Stopping())
    assert ([line.id for line in outcome.lines], outcome.left) == (["com-1"], 3)
    assert [summary.family for summary in outcome.summaries] == ["complaints"]


def scores(**values: float) -> CaseScores:
    return CaseScores(id="x", family="f", engine="e", warroom="1", build="b", scores=values)


def test_two_runs_are_paired_and_lower_is_better_where_it_is() -> None:
    first = {("f", str(n)): scores(**{"Top-1": float(n < 2), "wrong conviction": float(n >= 2)}) for n in range(8)}
    second = {("f", str(n)): scores(**{"Top-1": float(n != 0), "wrong conviction": 0.0}) for n in range(9)}
    (family,), remarks = compare(first, second)
    top, wrong = family.measures
    assert (top.wins, top.losses, top.ties) == (6, 1, 1)
    assert (wrong.wins, wrong.losses, wrong.ties) == (6, 0, 2)
    assert (top.p, wrong.p) == pytest.approx((0.125, 0.03125))
    assert (top.first, top.second) == (0.25, 0.875)
    assert remarks == [
        "first run: e, warroom 1, build b",
        "second run: e, warroom 1, build b",
        "1 case only in the second run, not counted: f/8",
    ]
    text = render_comparison([family], remarks)
    assert "f: 8 cases in both" in text
    assert "McNemar" in text


def test_cases_that_are_not_the_same_in_both_runs_are_said() -> None:
    first = {("f", "x"): scores(AC1=1.0).model_copy(update={"input": "one"})}
    _, remarks = compare(first, {("f", "x"): scores(AC1=1.0).model_copy(update={"input": "other", "build": "c"})})
    assert remarks[1:] == [
        "second run: e, warroom 1, build c",
        "1 case with other files in the second run, counted: f/x",
    ]


async def test_scores_of_an_earlier_run_are_not_compared(tree: Path, tmp_path: Path, setting: Settings) -> None:
    out = tmp_path / "out.jsonl"
    await carry_out(tree, out, Pool(setting()))
    assert len(read_scores(out)) == 3
    # Killed before the labels were opened, of another build:
    with LineFile(out) as lines:
        lines.append(lines.lines[0].model_copy(update={"build": "c" * 12}))
    with pytest.raises(LinesError, match="not of its last run; run `warroom eval PATH --out"):
        read_scores(out)
    # Run again as the refusal says, nothing was left to do:
    outcome, watcher = await carry_out(tree, out, Pool(setting()))
    assert (outcome.left, watcher.told[0]) == (0, ("to do", 0))
    os.utime(out, ns=(0, 0))  # as if that was a while ago
    assert len(read_scores(out)) == 3


def test_scores_of_before_cases_had_digests_differ_in_no_files() -> None:
    first = {("f", "x"): scores(AC1=1.0)}
    _, remarks = compare(first, {("f", "x"): scores(AC1=1.0).model_copy(update={"input": "other"})})
    assert len(remarks) == 2


def test_scores_that_are_not_there_or_not_scores(tmp_path: Path) -> None:
    with pytest.raises(LinesError, match="no such file"):
        read_scores(tmp_path / "a.jsonl")
    (tmp_path / "a.jsonl").write_text("")
    with pytest.raises(LinesError, match="has no scores beside it"):
        read_scores(tmp_path / "a.jsonl")
    (tmp_path / "b.jsonl").write_text('{"not": "ours"}\n')
    with pytest.raises(LinesError, match=r"b\.jsonl: is not a file of eval lines$"):
        read_scores(tmp_path / "b.jsonl")
    (tmp_path / "a.scores.jsonl").write_text("nonsense\n")
    with pytest.raises(LinesError, match="cannot be read as scores"):
        read_scores(tmp_path / "a.jsonl")


def test_the_build_is_that_of_code_and_settings(tmp_path: Path) -> None:
    (tmp_path / "warroom.toml").write_text("")
    assert build_digest() == build_digest()
    (tmp_path / "other.toml").write_text("# different\n")
    assert build_digest(tmp_path / "other.toml") != build_digest(tmp_path / "warroom.toml")


def test_labels_of_a_family_whose_file_is_a_folder(tmp_path: Path) -> None:
    write_labels(tmp_path)
    (tmp_path / "labels" / "outages.jsonl").mkdir()
    found, faults = read_labels(tmp_path / "labels", ["outages"])
    assert (found, faults) == ({}, ["outages: no labels; its cases are not scored"])
