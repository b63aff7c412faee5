"""What the diff of a change, or its paths where there is none, says in a score: hunk by hunk, with its place."""

from __future__ import annotations

from subagents.deploys.diffkinds import INNOCENT, KINDS, DiffReading, innocent_paths, read_diff_kinds, weight
from subagents.deploys.overlap import Overlap
from subagents.deploys.paths import INERT, not_production, path_class
from subagents.deploys.scores import Part, Question
from subagents.deploys.sources.patch import diffs_of
from subagents.deploys.sources.records import Commit

_DANGER = 1.35
"""Log-odds of a danger of one."""
_CAP = 2.2
"""Most that what a diff does can say."""
MECHANISM_FROM = 0.7
"""A diff that was read and holds nothing this dangerous shows no way to the symptom: what else fits counts for less."""
_TOLD_FROM = 0.5
"""Least weight of a further hunk that is told."""


def read_diff(commit: Commit) -> DiffReading | None:
    """Return what a change's diff does, or None where there is none to read."""
    return read_diff_kinds(diffs_of(commit)) if commit.patch else None


def _innocent_by_name(commit: Commit) -> str | None:
    """Return why its paths alone say that it has no effect, or None; what is not listed might have one."""
    files = commit.files
    if len(files) != commit.file_count or (files and path_class(files[0].path) not in INERT
                                           and not not_production(files[0].path)):  # fmt: skip
        return None
    return innocent_paths([touched.path for touched in files])


_OF_TESTS = frozenset({"test", "ci", "nowhere"})
"""What is innocent where it is production that fails."""
_BY_PATHS = " (by its paths)"
ELSEWHERE = INNOCENT["nowhere"] + _BY_PATHS
"""Why a change of which only the paths are known, all of another environment, is innocent."""


def innocence(commit: Commit, reading: DiffReading | None, of_tests: bool) -> str:
    """Return why a change cannot have had an effect on what fails, or empty."""
    why = reading.innocent if reading is not None else _innocent_by_name(commit)
    if why is None or (of_tests and why in _OF_TESTS):
        return ""
    return INNOCENT[why] + ("" if reading is not None else _BY_PATHS)


def diff_parts(commit: Commit, reading: DiffReading | None, overlap: Overlap, question: Question) -> list[Part]:
    """Return what a change does, hunk by hunk, and whether that can lead to what is seen."""
    innocent = innocence(commit, reading, question.of_tests)
    if innocent:
        return [Part("kind", -2.5 if reading is None else -3.0, innocent)]
    if reading is None:
        return [_unread_part(commit)]
    if reading.innocent is not None:
        return [Part("kind", 0.3, f"{INNOCENT[reading.innocent]}, and these are what fails")]
    return [
        *_kind_parts(reading, overlap, question.families),
        _fit_part(reading, question.families),
        *_tests_part(reading),
    ]


def _unread_part(commit: Commit) -> Part:
    if commit.is_merge and (not commit.files or commit.patch == ""):
        return Part("kind", -1.0, "a merge; what it brought is scored commit by commit")
    if commit.patch == "":
        return Part("kind", -3.0, "it changes no file")
    return Part("kind", -0.6, (commit.no_patch or "no diff is available") + ": what it does cannot be seen")


def _kind_parts(reading: DiffReading, overlap: Overlap, families: frozenset[str]) -> list[Part]:
    """Return a part for the hunk that weighs most and one for each other that weighs; together they are the danger."""
    sign = reading.strongest
    if sign is None:
        return [Part("kind", -0.2, "the diff shows nothing that could be judged")]
    points = _DANGER * reading.danger - 0.75 - max(0.0, MECHANISM_FROM - reading.danger)
    doubt = ""
    if sign.kind in _NAMED_BY_SYMPTOM and not overlap.in_diff:
        doubt = "; the symptom names nothing of it"
    elif sign.kind == "unmigrated_table" and families and "schema" not in families:
        doubt = "; no error names a table"
    points = points - 0.9 if doubt else min(_CAP, points)
    others = [
        Part("hunk", _DANGER * share * weight(other), f"also: {other.what}", other.path or None, other.line)
        for other, share in zip(reading.signs[1:3], (0.25, 0.1), strict=False)
        if weight(other) >= _TOLD_FROM
    ]
    first = Part("kind", points - sum(p.points for p in others), sign.what + doubt, sign.path or None, sign.line)
    return [first, *others]


_NAMED_BY_SYMPTOM = frozenset({"bumped_dependency", "removed_dependency", "changed_image"})
"""Kinds that count only where the symptom names what was changed: libraries break by name."""


def _fit_part(reading: DiffReading, families: frozenset[str]) -> Part:
    sign = reading.strongest
    if sign is None or not families:
        return Part("fit", 0.0, "what the symptom looks like is unknown")
    common = sorted(reading.leads_to & families)
    danger = min(1.0, reading.danger / 1.5)
    if common:
        telling = 0.9 if common != ["errors"] else 0.45  # nearly everything that breaks shows errors
        return Part("fit", telling * danger, f"such a change can lead to {', '.join(common)}, as seen")
    return Part(
        "fit", -0.7, f"such a change leads to {', '.join(sorted(KINDS[sign.kind].leads_to)) or 'little'}, not seen"
    )


def _tests_part(reading: DiffReading) -> list[Part]:
    """A change that takes a test away along with the code that it changes is less watched than it was."""
    if not reading.lost_tests:
        return []
    first, more = reading.lost_tests[0], len(reading.lost_tests) - 1
    what = f"it also removes the test {first.name}" + (f" and {more} more" if more else "")
    return [Part("tests", 0.5, what, first.path, first.line)]
