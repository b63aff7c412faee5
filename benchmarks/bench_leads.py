"""Which of fifty changes, by words alone: held out by repository, less each judgement in turn, beside a simple rule."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.evaluate.baselines.changes import cosines
from subagents.deploys.leads import EFFECT, MESSAGE, PLACE, REWRITTEN, UNDOES, WORDS
from subagents.deploys.question import ask
from subagents.deploys.reach import ServiceMap
from subagents.deploys.said_when import told_onset
from subagents.deploys.sources.records import Commit, TouchedPath
from subagents.deploys.suspects import score_all
from subagents.deploys.timeline import Timeline

Floats = NDArray[np.float64]
CASES = Path(__file__).resolve().parents[1] / ".." / "shared" / "cases"
SHIPPED = {
    "overlap": WORDS, "message": MESSAGE, "time": PLACE, "kind": EFFECT, "undoes": -UNDOES, "rewritten": -REWRITTEN,
}  # fmt: skip
"""The weight of each judgement, by the name of its part; a judgement is its points by its weight."""
RIDGE, ROUNDS, RESAMPLES, SEED = 0.1, 40, 4000, 7
TOP1_BAR, TOP3_BAR = 0.52, 0.75


@dataclass(frozen=True)
class Case:
    """What is judged of one case's changes that are not ruled out, newest first."""

    name: str
    repository: str
    judged: Floats
    """One row for each change, one column for each judgement of `SHIPPED`."""
    given: Floats
    """Points of what has no weight here: that a change was undone."""
    culprit: int | None
    """Its row; None where it was ruled out."""
    simple: int
    """Its rank, from 0, by text similarity and recency."""


def main() -> None:
    """Print the tables; without the cases say so."""
    cases = read()
    if not cases:
        print(f"  no labelled cases at {CASES.resolve()}")
        return
    shipped = np.array(list(SHIPPED.values()))
    show("as shipped", [rank(case, shipped) for case in cases], f" bars {TOP1_BAR} {TOP3_BAR}")
    held = held_out(cases)
    show("held out by repository", held)
    show("text similarity, recency", [case.simple for case in cases])
    print(f"  weights fitted on all: {dict(zip(SHIPPED, fit(cases).round(2).tolist(), strict=True))}")
    for name in SHIPPED:
        show(f"  without {name}", held_out(cases, without=list(SHIPPED).index(name)))
    for met, test in ((lambda r: r == 0, "Top-1"), (lambda r: r < 3, "Top-3")):
        low, mean, high = difference(held, [case.simple for case in cases], met)
        print(f"  {test} held out less text similarity: {mean:+.3f} [{low:+.3f} {high:+.3f}]")
    for name in sorted({case.repository for case in cases}):
        show(f"  {name}", [place for case, place in zip(cases, held, strict=True) if case.repository == name])


def read() -> list[Case]:
    """Read the labelled cases, or none."""
    labels = CASES / "labels" / "reverts.jsonl"
    if not labels.exists():
        return []
    culprits = {row["id"]: row["culprit_commit"] for row in map(json.loads, labels.read_text().splitlines())}
    found = [json.loads(gzip.decompress(path.read_bytes())) for path in sorted((CASES / "reverts").glob("*.json.gz"))]
    return [case(record, culprits[record["id"]]) for record in found if record["id"] in culprits]


def case(record: dict[str, Any], culprit: str) -> Case:
    """Judge the changes of one case as the deploys specialist does."""
    reported = datetime.fromisoformat(record["reported_at"].replace("Z", "+00:00"))
    text = record["symptom"]
    commits = {row["sha"]: commit(row) for row in record["commits"]}
    question = ask([], told_onset(text, reported) or reported, [], text)
    scored = score_all(Timeline(None, commits, [], []), question, ServiceMap([], []))
    live = [entry for entry in scored if not entry.ruled_out and isinstance(entry.change, Commit)]
    live.sort(key=lambda entry: -entry.at.timestamp() if entry.at else 0.0)
    points = [{part.name: part.points for part in entry.parts} for entry in live]
    judged = [[row.get(name, 0.0) / weight for name, weight in SHIPPED.items()] for row in points]
    shas = [entry.change.sha for entry in live if isinstance(entry.change, Commit)]
    return Case(
        record["id"], record["id"].split("-", 1)[1].rsplit("-", 1)[0], np.array(judged),
        np.array([row.get("undone", 0.0) for row in points]),
        shas.index(culprit) if culprit in shas else None, simple_rank(record, culprit),
    )  # fmt: skip


def commit(row: dict[str, Any]) -> Commit:
    """Return a change as the file source reads it."""
    files = tuple(TouchedPath(file["path"], file.get("add"), file.get("del")) for file in row["files"])
    landed = datetime.fromisoformat(row["landed_at"].replace("Z", "+00:00"))
    return Commit("cases", row["sha"], "", landed, row["subject"], row["body"], files, row["n_files"], None)


def simple_rank(record: dict[str, Any], culprit: str) -> int:
    """Return the culprit's rank, from 0, by the simple rule of `warroom eval`."""
    rows = record["commits"]
    texts = [f"{r['subject']}\n{r['body']}\n{' '.join(file['path'] for file in r['files'])}" for r in rows]
    alike = cosines(record["symptom"], texts)
    ranked = sorted(range(len(rows)), key=lambda place: -(alike[place] + 0.1 * float(np.exp(-place / 10.0))))
    return [rows[place]["sha"] for place in ranked].index(culprit)


def shares(case: Case, weights: Floats) -> Floats:
    """Return each change's share of the blame."""
    points = case.judged @ weights + case.given
    odds: Floats = np.exp(points - points.max())
    share: Floats = odds / odds.sum()
    return share


def rank(case: Case, weights: Floats) -> int:
    """Return the culprit's rank, from 0; 99 where it was ruled out. Of equals the newer comes first."""
    if case.culprit is None:
        return 99
    order = np.argsort(-shares(case, weights), kind="stable")
    return int(np.flatnonzero(order == case.culprit)[0])


def fit(cases: Sequence[Case], without: int | None = None) -> Floats:
    """Fit the weights by conditional logit with a ridge towards zero (Newton's steps, halved where one overshoots)."""
    weights = np.zeros(len(SHIPPED))
    used = np.array([place != without for place in range(len(SHIPPED))], dtype=float)
    loss, gradient, curvature = _loss(cases, weights, used)
    for _ in range(ROUNDS):
        step = np.linalg.solve(curvature, gradient)
        for halved in range(12):
            tried = weights - step / 2.0**halved
            found = _loss(cases, tried, used)
            if found[0] <= loss:
                break
        if loss - found[0] < 1e-9:
            break
        weights, (loss, gradient, curvature) = tried, found
    kept: Floats = weights * used
    return kept


def _loss(cases: Sequence[Case], weights: Floats, used: Floats) -> tuple[float, Floats, Floats]:
    loss = RIDGE * float(weights @ weights)
    gradient, curvature = 2 * RIDGE * weights, 2 * RIDGE * np.eye(len(weights))
    for one in cases:
        if one.culprit is None:
            continue
        judged, share = one.judged * used, shares(one, weights * used)
        mean = share @ judged
        loss -= float(np.log(share[one.culprit] + 1e-300))
        gradient = gradient - (judged[one.culprit] - mean)
        curvature = curvature + (judged * share[:, None]).T @ judged - np.outer(mean, mean)
    return loss, gradient, curvature


def held_out(cases: Sequence[Case], without: int | None = None) -> list[int]:
    """Rank each case with weights fitted on the cases of all other repositories."""
    fitted = {
        name: fit([case for case in cases if case.repository != name], without)
        for name in {case.repository for case in cases}
    }
    return [rank(case, fitted[case.repository]) for case in cases]


def difference(one: Sequence[int], other: Sequence[int], met: Callable[[int], bool]) -> tuple[float, float, float]:
    """Return the paired difference of two shares with its 95 % interval: low, mean, high."""
    each = np.array([float(met(a)) - float(met(b)) for a, b in zip(one, other, strict=True)])
    drawn = np.random.default_rng(SEED).integers(0, len(each), (RESAMPLES, len(each)))
    low, high = np.percentile(each[drawn].mean(axis=1), [2.5, 97.5])
    return float(low), float(each.mean()), float(high)


def show(name: str, ranks: Sequence[int], more: str = "") -> None:
    """Print one line."""
    top1, top3 = (sum(place < most for place in ranks) / len(ranks) for most in (1, 3))
    print(f"  {name:34} n={len(ranks):3}  Top-1 {top1:.3f}  Top-3 {top3:.3f}{more}", flush=True)
