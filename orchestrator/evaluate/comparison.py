"""Two runs over the same cases, paired."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from orchestrator.evaluate.lines import LinesError, parse_lines
from orchestrator.evaluate.scoring import LOWER_IS_BETTER
from orchestrator.evaluate.statistics import sign_test
from orchestrator.evaluate.summary import CaseScores
from orchestrator.evaluate.wording import some
from subagents.contract import Frozen
from subagents.quantities import counted


class PairedMeasure(Frozen):
    """One measure over the cases that both runs have."""

    measure: str
    first: float
    second: float
    """Means."""
    wins: int
    """Cases on which the second run is better."""
    losses: int
    ties: int
    p: float
    """Two-sided exact sign test; McNemar's exact test where a case scores 0 or 1."""
    lower_is_better: bool = False


class FamilyComparison(Frozen):
    """One family's measures in both runs."""

    family: str
    cases: int
    measures: tuple[PairedMeasure, ...]


def scores_path(lines: Path) -> Path:
    """Return where the scores of a file of lines are: beside it."""
    stem = lines.name.removesuffix(".jsonl")
    return lines.with_name(f"{stem}.scores.jsonl")


def write_scores(lines: Path, scores: Sequence[CaseScores]) -> None:
    """Write the scores of a run beside its lines, whole or not at all; raises OSError."""
    target = scores_path(lines)
    spare = target.with_name(f".{target.name}.part")
    spare.write_text("".join(one.model_dump_json() + "\n" for one in scores), encoding="utf-8")
    spare.replace(target)


def read_scores(lines: Path) -> dict[tuple[str, str], CaseScores]:
    """Return the scores of a run by family and id; raises LinesError where there are none."""
    path = scores_path(lines)
    again = f"run `warroom eval PATH --out {lines}` again: it takes up what is done and scores it"
    if not lines.is_file():
        raise LinesError(f"{lines}: no such file")
    try:
        raw = path.read_bytes().splitlines()
        found = [CaseScores.model_validate_json(line) for line in raw if line.strip()]
    except FileNotFoundError as error:
        if lines.stat().st_size and not _last_run(lines):
            raise LinesError(f"{lines}: is not a file of eval lines") from error
        raise LinesError(f"{lines}: has no scores beside it ({path.name}); {again}") from error
    except (OSError, ValidationError) as error:
        raise LinesError(f"{path}: cannot be read as scores; {again}") from error
    written_since = lines.stat().st_mtime_ns >= path.stat().st_mtime_ns
    if written_since and not {(one.engine, one.warroom, one.build) for one in found} <= _last_run(lines):
        raise LinesError(f"{lines}: the scores beside it are not of its last run; {again}")
    return {(one.family, one.id): one for one in found}


def _last_run(lines: Path) -> set[tuple[str, str, str]]:
    """Return engine, version and build of the last line that is whole."""
    for raw in reversed(lines.read_bytes().splitlines()):
        if good := parse_lines([raw])[0]:
            return {(good[0].engine, good[0].warroom, good[0].build)}
    return set()


def compare(
    first: Mapping[tuple[str, str], CaseScores], second: Mapping[tuple[str, str], CaseScores]
) -> tuple[list[FamilyComparison], list[str]]:
    """Return each family's paired figures, and what was left out."""
    both = [key for key in first if key in second]
    remarks = [f"{which} run: {_run_of(one)}" for which, one in (("first", first), ("second", second))]
    for what, keys in (
        ("only in the first run, not counted", [key for key in first if key not in second]),
        ("only in the second run, not counted", [key for key in second if key not in first]),
        ("with other files in the second run, counted", [key for key in both if _differ(first[key], second[key])]),
    ):
        if keys:
            remarks.append(f"{counted(len(keys), 'case')} {what}: {some(['/'.join(key) for key in keys])}")
    made = []
    for family in sorted({family for family, _ in both}):
        pairs = [(first[key].scores, second[key].scores) for key in both if key[0] == family]
        made.append(FamilyComparison(family=family, cases=len(pairs), measures=_measures(pairs)))
    return made, remarks


def _differ(one: CaseScores, other: CaseScores) -> bool:
    """Say whether two runs are known to have seen other files of a case."""
    return bool(one.input and other.input and one.input != other.input)


def _run_of(scores: Mapping[tuple[str, str], CaseScores]) -> str:
    return ", ".join(sorted({f"{one.engine}, warroom {one.warroom}, build {one.build}" for one in scores.values()}))


def _measures(pairs: Sequence[tuple[Mapping[str, float], Mapping[str, float]]]) -> tuple[PairedMeasure, ...]:
    names = dict.fromkeys(name for before, after in pairs for name in before if name in after)
    return tuple(_paired(name, [(b[name], a[name]) for b, a in pairs if name in b and name in a]) for name in names)


def _paired(name: str, values: Sequence[tuple[float, float]]) -> PairedMeasure:
    lower = name in LOWER_IS_BETTER
    rises = sum(after > before for before, after in values)
    falls = sum(after < before for before, after in values)
    wins, losses = (falls, rises) if lower else (rises, falls)
    return PairedMeasure(
        measure=name,
        first=math.fsum(before for before, _ in values) / len(values),
        second=math.fsum(after for _, after in values) / len(values),
        wins=wins,
        losses=losses,
        ties=len(values) - wins - losses,
        p=sign_test(wins, losses),
        lower_is_better=lower,
    )
