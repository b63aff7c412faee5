"""Figures per family: each measure with its 95 % interval, for warroom and for the simple rules, and a calibration."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from orchestrator.evaluate.labels import Label
from orchestrator.evaluate.lines import EvalLine
from orchestrator.evaluate.scoring import AC1, DETECTED, LEADING, LOWER_IS_BETTER, Scores, score_baseline, score_line
from orchestrator.evaluate.statistics import interval
from subagents.contract import Frozen

WARROOM: Final = "warroom"
BINS = 10


class Figure(Frozen):
    """The mean of a measure over the cases that it applies to."""

    measure: str
    mean: float
    low: float
    high: float
    """Ends of the 95 % interval."""
    cases: int
    lower_is_better: bool = False


class Bin(Frozen):
    """The cases whose confidence lies in one tenth of the scale."""

    low: float
    high: float
    cases: int
    confidence: float
    """Their mean confidence."""
    right: float
    right_low: float
    right_high: float


class FamilySummary(Frozen):
    """One family's figures."""

    family: str
    cases: int
    labelled: int
    """How many have a label."""
    scored: int
    """How many have one that says something that is measured."""
    kinds: Mapping[str, int]
    """How many verdicts of each kind; failures by how they failed."""
    seconds: float
    """Mean seconds that the engine worked on a case."""
    contenders: Mapping[str, tuple[Figure, ...]]
    """Figures by who answered: warroom first, then the simple rules."""
    calibration: tuple[Bin, ...] = ()
    calibrated_by: str = ""
    """What `right` means in it."""


class CaseScores(Frozen):
    """The scores of one line, kept beside the lines so that two runs can be compared."""

    id: str
    family: str
    engine: str
    warroom: str
    build: str
    input: str = ""
    scores: Mapping[str, float]


def score_lines(lines: Iterable[EvalLine], labels: Mapping[tuple[str, str], Label]) -> list[CaseScores]:
    """Return the scores of the lines that have a label which says something that is measured."""
    made = []
    for line in lines:
        label = labels.get((line.family, line.id))
        scores = score_line(label, line) if label is not None else {}
        if scores:
            made.append(
                CaseScores(
                    id=line.id,
                    family=line.family,
                    engine=line.engine,
                    warroom=line.warroom,
                    build=line.build,
                    input=line.input,
                    scores=scores,
                )
            )
    return made


def summarise(lines: Sequence[EvalLine], labels: Mapping[tuple[str, str], Label]) -> list[FamilySummary]:
    """Return the figures of each family, by name."""
    families = sorted({line.family for line in lines})
    return [_family(name, [line for line in lines if line.family == name], labels) for name in families]


def _family(name: str, lines: Sequence[EvalLine], labels: Mapping[tuple[str, str], Label]) -> FamilySummary:
    by_contender: dict[str, list[Scores]] = {WARROOM: []}
    judged: list[tuple[EvalLine, Scores]] = []
    labelled = [(line, label) for line in lines if (label := labels.get((line.family, line.id))) is not None]
    for line, label in labelled:
        scores = score_line(label, line)
        if not scores:
            continue
        by_contender[WARROOM].append(scores)
        judged.append((line, scores))
        for answer in line.baselines:
            by_contender.setdefault(answer.name, []).append(score_baseline(label, answer))
    measure = next((one for one in LEADING if any(one in scores for _, scores in judged)), "")
    sure = [
        (_sure(line, measure), scores[measure]) for line, scores in judged if measure in scores and _says(line, measure)
    ]
    figures = {who: figures_of(scores) for who, scores in by_contender.items()}
    return FamilySummary(
        family=name,
        cases=len(lines),
        labelled=len(labelled),
        scored=len(by_contender[WARROOM]),
        kinds=dict(Counter(line.kind or line.failure or "no verdict" for line in lines).most_common()),
        seconds=math.fsum(line.seconds for line in lines) / len(lines),
        contenders={who: made for who, made in figures.items() if made},
        calibration=calibrate(sure),
        calibrated_by=measure,
    )


def _sure(line: EvalLine, measure: str) -> float:
    """Return how sure a line says it is of what a measure asks: of the place, that is the first service's score."""
    return min(1.0, max(0.0, line.services[0].score)) if measure == AC1 and line.services else line.confidence


def _says(line: EvalLine, measure: str) -> bool:
    """Say whether a line commits itself on what a measure asks; who abstains is not right or wrong."""
    if measure == AC1:
        return bool(line.services) and line.kind is not None
    if measure == DETECTED:
        return line.onset is not None
    return line.kind not in (None, "inconclusive")


def figures_of(scored: Sequence[Scores]) -> tuple[Figure, ...]:
    """Return the figure of each measure, in the order in which measures first appear."""
    names = dict.fromkeys(name for scores in scored for name in scores)
    return tuple(_figure(name, [scores[name] for scores in scored if name in scores]) for name in names)


def _figure(name: str, values: Sequence[float]) -> Figure:
    low, high = interval(values)
    return Figure(
        measure=name,
        mean=math.fsum(values) / len(values),
        low=low,
        high=high,
        cases=len(values),
        lower_is_better=name in LOWER_IS_BETTER,
    )


def calibrate(judged: Sequence[tuple[float, float]]) -> tuple[Bin, ...]:
    """Return, for each tenth of confidence that occurs, how often such answers were right."""
    bins: dict[int, list[tuple[float, float]]] = {}
    for sure, right in judged:
        bins.setdefault(min(int(sure * BINS), BINS - 1), []).append((sure, right))
    made = []
    for number, members in sorted(bins.items()):
        rights = [right for _, right in members]
        low, high = interval(rights)
        made.append(
            Bin(
                low=number / BINS,
                high=(number + 1) / BINS,
                cases=len(members),
                confidence=math.fsum(sure for sure, _ in members) / len(members),
                right=math.fsum(rights) / len(rights),
                right_low=low,
                right_high=high,
            )
        )
    return tuple(made)
