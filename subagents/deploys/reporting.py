"""From the final ranking to at most about ten findings: for, against, ruled out, and what could not be seen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from subagents import quantities
from subagents.contract import Fact, Finding, Stance, Suspect
from subagents.deploys.model import ChangeLine, ScoredSuspect, SuspectsResult, TimelineResult
from subagents.quantities import counted

AGENT = "deploys"
FOR_FROM = 0.15
"""From this score on a change is reported as a candidate, with its score as the weight."""
EXPLAINS_FROM = 0.5
"""Below this best score it is said that no change explains the symptom."""
CANDIDATES, EXCLUDED, FLAGS, HEADS = 4, 4, 2, 2
DEPLOYED_NOW = "deployed_commit"
"""Not a number to check: the commit that its cited deploy put in place, for the fix to be based on."""


def no_source_gap() -> Finding:
    """Return what is said when there is nothing to look at."""
    return Finding(
        agent=AGENT,
        claim="No change was looked at: no deploys, commits, diffs, flags or repository are among the sources. "
        "Attach deploys.json, commits.json, a diff, or the repository with --repo.",
        topic="gap",
    )


def findings_of(ranking: SuspectsResult, timeline: TimelineResult) -> Iterator[Finding]:
    """Yield the findings, the most important first."""
    latest = _deployed_now(timeline)
    heads = {line.commit for line in timeline.changes if line.kind == "deploy" and line.commit}
    for item in told(ranking.suspects, heads):
        yield _excluded(item) if item.ruled_out else _candidate(item, latest)
    best = next((item for item in ranking.suspects if not item.ruled_out), None)
    if ranking.total and (best is None or best.score < EXPLAINS_FROM):
        yield _none_explains(best, ranking)
    yield from _gaps(ranking, timeline)


def told(suspects: Sequence[ScoredSuspect], heads: Collection[str]) -> list[ScoredSuspect]:
    """Return the changes that get a finding: candidates, then newest deployed heads, flags, and what is ruled out."""
    live = [item for item in suspects if not item.ruled_out]
    commits = [item for item in live if item.kind == "commit"]
    best = [item for item in commits[:CANDIDATES] if item.score >= FOR_FROM or item is commits[0]]
    rest = [item for item in commits if item not in best]
    flags = [item for item in live if item.kind == "flag"][:FLAGS]
    excluded = sorted((item for item in suspects if item.ruled_out), key=_nearness)[:EXCLUDED]
    return [*best, *_latest_heads(rest, heads), *flags, *excluded]


def _latest_heads(commits: list[ScoredSuspect], heads: Collection[str]) -> list[ScoredSuspect]:
    """Return the newest deployed heads among changes not reported yet: the first that a person suspects."""
    deployed = [item for item in commits if item.key in heads and item.deploy and item.at is not None]
    return sorted(deployed, key=lambda item: item.lead_s if item.lead_s is not None else 1e12)[:HEADS]


def _nearness(item: ScoredSuspect) -> tuple[bool, float]:
    """Order what is ruled out by how much a person would suspect it: deployed, and close to the onset."""
    return item.deploy is None and item.kind == "commit", abs(item.lead_s) if item.lead_s is not None else 1e12


def about(item: ScoredSuspect) -> Suspect:
    """Return the suspect of a scored change."""
    return Suspect(kind=item.kind, key=item.key, label=item.label[:80])


def _deployed_now(timeline: TimelineResult) -> dict[str, ChangeLine]:
    """Map each service to its last deploy that names a commit."""
    deploys = [line for line in timeline.changes if line.kind == "deploy" and line.commit and line.at is not None]
    return {line.service: line for line in deploys}


def facts_of(item: ScoredSuspect) -> tuple[Fact, ...]:
    """Return the numbers of a scored change, each with what it cites."""
    took_effect = item.deploy or item.ref
    found = []
    if item.lead_s is not None:
        found.append(Fact(quantity=quantities.LEAD_TIME, value=round(item.lead_s, 3), unit="s", citation=took_effect))
    if (item.deploy or item.kind == "flag") and item.at is not None:
        found.append(Fact(quantity=quantities.DEPLOYED_AT, value=item.at.isoformat(), citation=took_effect))
    if item.committed_at is not None:
        found.append(Fact(quantity=quantities.COMMITTED_AT, value=item.committed_at.isoformat(), citation=item.ref))
    found += item.facts
    found.append(Fact(quantity=quantities.SCORE, value=item.score, citation=item.ref))
    found.append(Fact(quantity=quantities.RANK, value=item.rank, citation=item.ref))
    return tuple(found)


def citations_of(item: ScoredSuspect) -> tuple[str, ...]:
    """Return what a finding about a change cites: its telling hunks, its deploy, itself."""
    kinds = [part.citation for part in item.parts if part.name in ("kind", "hunk", "tests") and part.citation]
    refs = [*kinds, item.deploy or "", item.ref, *(fact.citation for fact in item.facts)]
    return tuple(dict.fromkeys(ref for ref in refs if ref))


def _name(item: ScoredSuspect) -> str:
    return f"flag {item.key}" if item.kind == "flag" else f"{item.key[:12]} “{item.label}”"


def _candidate(item: ScoredSuspect, latest: dict[str, ChangeLine]) -> Finding:
    stance: Stance = "for" if item.score >= FOR_FROM else "against"
    strength = (
        "explains the symptom"
        if item.score >= EXPLAINS_FROM
        else "may matter"
        if stance == "for"
        else "hardly explains it"
    )
    facts, citations = facts_of(item), citations_of(item)
    running = latest.get(item.service)
    if running is not None and running.commit and stance == "for":
        facts = (*facts, Fact(quantity=DEPLOYED_NOW, value=running.commit, citation=running.ref))
    return Finding(
        agent=AGENT,
        claim=f"{_name(item)} {strength}: {item.reasons() or 'nothing speaks for or against it'}.",
        topic="change",
        about=about(item),
        stance=stance,
        weight=item.score if stance == "for" else round(min(0.9, 1.0 - item.score), 4),
        facts=facts,
        citations=citations,
        services=item.services,
        at=item.at,
        terms=item.files[:30],
    )


def _excluded(item: ScoredSuspect) -> Finding:
    return Finding(
        agent=AGENT,
        claim=f"{_name(item)} is ruled out: {item.ruled_out}.",
        topic="change",
        about=about(item),
        stance="rules_out",
        weight=0.95,
        facts=facts_of(item)[:-2],
        citations=citations_of(item),
        services=item.services,
        at=item.at,
    )


def _none_explains(best: ScoredSuspect | None, ranking: SuspectsResult) -> Finding:
    if best is None:
        claim = f"No change explains the symptom: each of the {ranking.total} looked at is ruled out."
        return Finding(agent=AGENT, claim=claim, topic="exclusion")
    if not _any_read(ranking):
        return _look_first(best, ranking)
    return Finding(
        agent=AGENT,
        claim=f"No change explains the symptom: of {ranking.total} looked at the most suspicious is {_name(best)}, "
        "and what it does does not lead there.",
        topic="exclusion",
        facts=(Fact(quantity=quantities.SCORE, value=best.score, citation=best.ref),),
        citations=citations_of(best),
    )


def _any_read(ranking: SuspectsResult) -> bool:
    return any(item.diff == "read" or item.kind == "flag" for item in ranking.suspects if not item.ruled_out)


def _look_first(best: ScoredSuspect, ranking: SuspectsResult) -> Finding:
    """Say that no change is blamed where none could be read, and which to read first."""
    return Finding(
        agent=AGENT,
        claim=f"No change is blamed: of {ranking.total} looked at none came with a diff that could be read. "
        f"Look first at {_name(best)}; the repository (--repo) would show what it does.",
        topic="gap",
        facts=(Fact(quantity=quantities.SCORE, value=best.score, citation=best.ref),),
        citations=citations_of(best),
    )


def _gaps(ranking: SuspectsResult, timeline: TimelineResult) -> Iterator[Finding]:
    if not ranking.total and not timeline.total:
        yield Finding(agent=AGENT, claim="The change sources hold no change in the window.", topic="gap")
    lost = [problem.line() for problem in ranking.problems if problem.lost]
    if lost:
        yield Finding(
            agent=AGENT, claim=("Of the changes, this could not be seen: " + " | ".join(lost[:4]))[:1000], topic="gap"
        )
    unseen = [item for item in ranking.suspects[:20] if item.diff == "none available" and item.score >= FOR_FROM]
    if unseen and _any_read(ranking):
        yield Finding(
            agent=AGENT,
            claim=f"{counted(len(unseen), 'suspicious commit')} without a diff, so what they do is unread: "
            + ", ".join(item.key[:12] for item in unseen[:5])
            + ". Attach the repository with --repo.",
            topic="gap",
            citations=tuple(item.ref for item in unseen[:5]),
        )
