"""How suspicious each change is: a score in parts that can be read back, on the incident's clock.

The score is a logistic sum of four judgements (time, reach, overlap, kind) and how well the kind fits
the symptom. It is absolute: where no change explains the symptom, the best score is low.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from subagents.deploys.diff_parts import diff_parts, innocence, read_diff
from subagents.deploys.diffkinds import DiffReading
from subagents.deploys.ending import ending
from subagents.deploys.firstpass import closest
from subagents.deploys.leads import look_first, words_alone
from subagents.deploys.overlap import Overlap, OverlapIndex, SymptomTerms
from subagents.deploys.pointed import pointed
from subagents.deploys.reach import Reach, ServiceMap, reach, service_key
from subagents.deploys.restoring import tell_restored
from subagents.deploys.scores import BASE, CLOCK_SLACK, RULED_OUT, Part, Question, Scored, logistic
from subagents.deploys.sources.records import Commit, Deploy
from subagents.deploys.switches import score_switch, switches
from subagents.deploys.timeline import Timeline
from subagents.deploys.timing import lead_in_part, time_part

FIRST = "the history begins with it: what it holds was running before, and was not changed by it"

FillPatches = Callable[[Sequence[Commit]], None]

SHORTLIST = 100
"""Commits whose diffs are read."""


def score_all(
    timeline: Timeline,
    question: Question,
    services: ServiceMap,
    fill: FillPatches | None = None,
    index: OverlapIndex | None = None,
) -> list[Scored]:
    """Score the changes of the timeline, most suspicious first; of very many, those that could best explain it.

    `fill(commits)` reads the diffs of those commits that come from a repository, for the `SHORTLIST` best of
    a first pass that knows no diffs. `index` may have taken in commits before: it is asked about all of them.
    """
    index = index or OverlapIndex(question.terms)
    index.hold(list(timeline.commits.values()))
    commits = closest(timeline, question, services, index)
    reverted = _reverted(list(timeline.commits.values()))
    first = [_score_commit(c, timeline, question, services, index.score(c), reverted) for c in commits]
    first.sort(key=lambda s: -s.score)
    if fill is not None:
        short = [s.change for s in first[:SHORTLIST] if isinstance(s.change, Commit) and s.change.patch is None]
        again = {
            c.sha: _score_commit(c, timeline, question, services, index.score(c), reverted)
            for c in _with_patches(short, fill)
            if c.patch is not None or c.no_patch
        }
        first = [again.get(s.change.sha, s) if isinstance(s.change, Commit) else s for s in first]
        tell_restored(sorted(first, key=lambda s: -s.score), timeline, question, fill)
    scored = first + [score_switch(each, question, services) for each in switches(timeline.flags, question.onset)]
    if words_alone(timeline):
        look_first(first, question)
    else:
        _let_rivals_compete(scored)
    scored.sort(key=lambda s: (bool(s.ruled_out), -s.score, -(s.at.timestamp() if s.at else 0.0)))
    return scored


HEAD_START = 30
"""Diffs that are read before the rest of them: enough to judge while git reads on."""


def _with_patches(commits: Sequence[Commit], fill: FillPatches) -> Iterator[Commit]:
    """Yield the commits as their diffs come: git reads the rest while the first are judged."""
    batches = [batch for batch in (commits[:HEAD_START], commits[HEAD_START:]) if batch]
    pool = ThreadPoolExecutor(1, "diffs")
    try:
        for batch, done in [(batch, pool.submit(fill, batch)) for batch in batches]:
            done.result()
            yield from batch
    finally:
        pool.shutdown(cancel_futures=True)


RIVAL_FROM = 0.25
"""From this score on a change competes with the others for the blame."""


def _let_rivals_compete(scored: Sequence[Scored]) -> None:
    """One change at most did it: share the blame among those that could have, and "none of them" (odds of one)."""
    odds = {id(entry): entry.score / max(1e-9, 1.0 - entry.score) for entry in scored if not entry.ruled_out}
    strong = {id(entry) for entry in scored if not entry.ruled_out and entry.score >= RIVAL_FROM}
    total = sum(odds[key] for key in strong)
    for entry in scored:
        own = odds.get(id(entry))
        if own is None or total == 0.0:
            continue
        rivals = len(strong - {id(entry)})
        if not rivals:
            continue
        share = own / (1.0 + total + (0.0 if id(entry) in strong else own))
        points = math.log(share / (1.0 - share)) - math.log(own)
        told = "another change was" if rivals == 1 else f"{rivals} other changes were"
        entry.parts.append(Part("rivals", points, f"{told} possible, too"))
        entry.score = share


_REVERT = re.compile(r"(?i)^\W*(?:re-?)?revert(?:s|ed)?\b[\s:]*[\"'“]?(?P<what>.+?)[\"'”]?\s*$")
_SAID = "revert"
_REVERTS_SHA = re.compile(r"(?i)\breverts?\s+(?:commit\s+)?(?P<sha>[0-9a-f]{7,64})\b")


def _reverted(commits: Sequence[Commit]) -> dict[str, Commit]:
    """Map commits to the later commit that says it undoes them."""
    saying = [c for c in commits if _SAID in c.subject.lower() or _SAID in c.body.lower()]
    if not saying:
        return {}
    named = {sha[:7].lower() for commit in saying for sha in _REVERTS_SHA.findall(commit.body[:2000])}
    quoted = {match["what"].strip().lower() for c in saying if (match := _REVERT.match(c.subject))}
    by_subject = {key: c for c in commits if (key := c.subject.strip().lower()) in quoted} if quoted else {}
    by_start: defaultdict[str, list[Commit]] = defaultdict(list)
    for commit in commits if named else ():
        if commit.sha[:7] in named:
            by_start[commit.sha[:7]].append(commit)
    found: dict[str, Commit] = {}
    for commit in saying:
        match = _REVERT.match(commit.subject)
        if match and (target := by_subject.get(match["what"].strip().lower())) and target.sha != commit.sha:
            found[target.sha] = commit
        for sha in _REVERTS_SHA.findall(commit.body[:2000]):
            for other in by_start.get(sha[:7].lower(), ()):
                if other.sha.startswith(sha.lower()) and other.sha != commit.sha:
                    found[other.sha] = commit
    return found


def _carriers_before(carriers: Sequence[Deploy], onset: datetime | None) -> list[Deploy]:
    if onset is None:
        return [deploy for deploy in carriers if not deploy.failed]
    return [d for d in carriers if not d.failed and (d.at is None or d.at <= onset + CLOCK_SLACK)]


def _score_commit(
    commit: Commit,
    timeline: Timeline,
    question: Question,
    services: ServiceMap,
    overlap: Overlap,
    reverted: dict[str, Commit],
) -> Scored:
    carriers = [d for d in timeline.carriers.get(commit.sha, []) if not d.failed]
    before = _carriers_before(carriers, question.onset)
    gone = [out for deploy in before if (out := timeline.taken_out(commit.sha, deploy, question.onset)) is not None]
    running = before if not gone else [d for d in before if not timeline.taken_out(commit.sha, d, question.onset)]
    reached = reach(commit, running, question.failing, services)
    head_only = [d for d in carriers if d.commit == commit.sha or d.certain]
    late = bool(head_only) and not before
    at = reached.deploy.at if reached.deploy else (head_only[0].at if late else commit.landed_at)
    lead = (question.onset - at).total_seconds() if question.onset and at else None
    has_deploys = _has_deploys(timeline, reached, question)
    time, too_late = time_part(lead, "deployed" if reached.deploy or late else "landed", late, has_deploys)
    reading = read_diff(commit)
    innocent = innocence(commit, reading, question.of_tests)
    parts = [time, _reach_part(reached), _overlap_part(overlap, reading, question.terms)]
    parts += diff_parts(commit, reading, overlap, question)
    parts += pointed(commit, question, lead) if not innocent else []
    if question.lead_in is not None and at is not None and (reached.deploy or not has_deploys):
        parts += lead_in_part(at, question.lead_in)
    ending_parts, facts = ending(commit, running, timeline, question)
    parts += ending_parts
    if gone and not running:
        what = f"{gone[-1].version or gone[-1].id} took it out of {gone[-1].service} before the onset"
        parts.append(Part("undone", -3.0, what))
    if commit.sha in reverted:
        parts.append(_undone_part(reverted[commit.sha], question.onset))
    score = logistic(BASE + sum(part.points for part in parts))
    ruled_out = too_late or innocent or _cannot_reach(reached)
    if commit.is_first and not any(deploy.commit == commit.sha for deploy in carriers):
        ruled_out = ruled_out or FIRST
    if ruled_out:
        score = min(score, RULED_OUT)
    return Scored(commit, score, parts, lead, at, reached.deploy or (head_only[0] if late else None),
                  reached.services, ruled_out, reading, tuple(carriers), facts)  # fmt: skip


def _undone_part(by: Commit, onset: datetime | None) -> Part:
    """A change that was undone before the onset did not do it; one undone after it was suspected by someone else."""
    if onset is not None and by.committed_at is not None and by.committed_at < onset:
        return Part("undone", -3.0, f"{by.sha[:10]} says that it undid this change before the onset")
    return Part("undone", 0.9, f"{by.sha[:10]} says that it undoes this change, after the onset")


def _has_deploys(timeline: Timeline, reached: Reach, question: Question) -> bool:
    """Say whether the deploys of a service that runs this change are on record, so that none means not running."""
    names = reached.services or tuple(question.failing.weights)
    return any(service_key(name) in timeline.deployed for name in names)


def _reach_part(reached: Reach) -> Part:
    value = reached.value
    return Part("reach", 1.7 * value if value >= 0 else 2.0 * value, reached.how)


def _overlap_part(overlap: Overlap, reading: DiffReading | None, terms: SymptomTerms) -> Part:
    """Naming the same things counts in full only where the diff does something to them."""
    if overlap.strength < 0.02:
        return Part("overlap", -0.5, "names nothing that the symptom names")
    share = 0.85 if reading is None else 0.5 + 0.5 * min(1.0, reading.danger)
    where = f"; in changed lines: {terms.words(overlap.in_diff[:4])}" if overlap.in_diff else ""
    return Part("overlap", 3.2 * overlap.strength * share, f"shares {terms.words(overlap.shared[:5])}{where}")


def _cannot_reach(reached: Reach) -> str:
    """Return why a change cannot have reached what failed, or empty."""
    if reached.surely_elsewhere:
        return f"it cannot reach what failed: {reached.how}, and nothing that failed works with it"
    return ""
