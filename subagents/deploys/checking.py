"""What the change sources say of claims: moments of changes, lead times, and which names they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from subagents import citations
from subagents import quantities as q
from subagents.contract import Fact, Finding, ToolError, Window
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.question import describes_symptom, onset_of
from subagents.deploys.reporting import DEPLOYED_NOW
from subagents.deploys.sources.records import Commit, Deploy, FlagChange
from subagents.gitstore.environment import PREFIX
from subagents.gitstore.log import LogQuery
from subagents.gitstore.process import Bounds, GitFailed
from subagents.gitstore.reader import Reader
from subagents.verifying import NameKind, Recomputed

ABBREVIATED = 7
"""Least length of an abbreviated commit id."""
GIT_S = 5.0
"""Most seconds that git may take for one look-up; where it takes longer, the answer stays open."""
_PATH = re.compile(r"(?=.*[./])\S{1,300}\Z")
"""What is looked for in all of history: words of a sentence are not."""
ELSEWHERE = {
    **dict.fromkeys((q.ONSET, q.ENDED, q.BASELINE, q.PEAK, q.FACTOR, q.LATEST, *q.LEVELS), "a metric series"),
    **dict.fromkeys(q.TRACED, "a trace"),
    **dict.fromkeys((q.COUNT, q.BASELINE_COUNT, q.FIRST_SEEN, q.LAST_SEEN, *q.COURSES), "log lines"),
}
"""What facts of other quantities have to cite."""


def recompute(catalogue: ChangeCatalogue, fact: Fact, board: Sequence[Finding]) -> Recomputed | None:
    """Return a fact's value from the record or commit that it cites; None where these do not settle it.

    Scores and ranks are the judgement of the method that the finding names: only their citation can be checked.
    """
    if fact.quantity in ELSEWHERE:
        raise ToolError(f"{fact.quantity} cites {ELSEWHERE[fact.quantity]}, not {fact.citation[:120]}")
    if fact.quantity not in (q.DEPLOYED_AT, q.COMMITTED_AT, q.LEAD_TIME, DEPLOYED_NOW):
        return None
    change = cited_change(catalogue, fact.citation)
    if fact.quantity == DEPLOYED_NOW:
        return _deployed_commit(catalogue, fact, change)
    if fact.quantity == q.DEPLOYED_AT and isinstance(change, Commit):
        raise ToolError(f"deployed_at cites a deploy or a flag, not a commit: {fact.citation[:120]}")
    if fact.quantity == q.COMMITTED_AT and not isinstance(change, Commit):
        raise ToolError(f"committed_at cites a commit, not {fact.citation[:120]}")
    at = change.committed_at if isinstance(change, Commit) else change.at
    if at is None:
        raise ToolError(f"{fact.citation} does not say when")
    if fact.quantity != q.LEAD_TIME:
        return Recomputed(value=at.isoformat())
    onset = onset_of(finding for finding in board if describes_symptom(finding))
    return Recomputed(value=round((onset - at).total_seconds(), 3), unit="s") if onset is not None else None


def cited_change(catalogue: ChangeCatalogue, ref: str) -> Commit | Deploy | FlagChange:
    """Return the commit, deploy or flag change that a citation names; raise ToolError where there is none."""
    parsed = citations.parse(ref)
    if isinstance(parsed, citations.CommitRef):
        try:
            return catalogue.commit(parsed.sha, parsed.source)
        except GitFailed as error:
            raise ToolError(f"{ref[:120]} cannot be looked up: {error}") from error
    if isinstance(parsed, citations.RecordRef) and parsed.kind in ("deploy", "flag"):
        held: Iterable[Deploy | FlagChange] = catalogue.deploys if parsed.kind == "deploy" else catalogue.flags
        for record in held:
            if record.source == parsed.source and record.id == parsed.id:
                return record
        raise ToolError(f"no {parsed.kind} {parsed.id!r} in {parsed.source}")
    raise ToolError(f"{ref[:120]!r} is not a change: deploys opens commit:, deploy: and flag: citations")


def _deployed_commit(catalogue: ChangeCatalogue, fact: Fact, change: Commit | Deploy | FlagChange) -> Recomputed | None:
    if not isinstance(change, Deploy):
        raise ToolError(f"{DEPLOYED_NOW} cites a deploy, not {fact.citation[:120]}")
    commit = catalogue.deployed_commit(change)
    if commit is None:
        raise ToolError(f"{fact.citation} names no commit that a source knows")
    return Recomputed(value=commit)


def has(catalogue: ChangeCatalogue, kind: NameKind, name: str) -> bool | None:
    """Say whether the change sources know a name; None where they hold no names of that kind, or cannot say."""
    if kind == "commit":
        return _has_commit(catalogue, name)
    if kind == "path":
        return _has_path(catalogue, name)
    if kind == "service":
        named = {each.service for each in catalogue.deploys} | {each.service for each in catalogue.flags}
        return _among(name, (named | {service.name for service in catalogue.services}) - {""})
    if kind == "deploy":
        return _among(name, {text for each in catalogue.deploys for text in (each.id, each.ref, each.version) if text})
    if kind == "flag":
        return _among(name, {text for each in catalogue.flags for text in (each.id, each.ref, each.flag) if text})
    return None


def _among(name: str, known: set[str]) -> bool | None:
    return name in known if known else None


def _has_commit(catalogue: ChangeCatalogue, name: str) -> bool | None:
    """Say whether a commit is known by its first seven digits or more; `commit:<source>/<id>` asks one source."""
    source, sha = None, name
    if name.startswith("commit:"):
        try:
            parsed = citations.parse(name)
        except ToolError:
            return False
        if not isinstance(parsed, citations.CommitRef):
            return False
        source, sha = parsed.source, parsed.sha
    sha = sha.lower()
    listed = [commit.sha.lower() for commit in catalogue.records().commits if source in (None, commit.source)]
    readers = _readers(catalogue, source)
    if _names_one(sha, listed):
        return True
    for reader in readers:
        try:
            if len(sha) >= ABBREVIATED and reader.resolve([sha])[sha]:
                return True
        except GitFailed:
            return None
    if source is None and _names_one(sha, [each.commit_text.lower() for each in catalogue.deploys if each.commit_text]):
        return True  # a record says that it ran; whether anything else knows it does not matter
    if source is not None and source in catalogue.repos and not readers:
        return None
    return False if listed or readers or source is not None else None


def _names_one(sha: str, known: Sequence[str]) -> bool:
    abbreviated = len(sha) >= ABBREVIATED and PREFIX.match(sha) is not None
    return any(each == sha or (abbreviated and each.startswith(sha)) for each in known)


def _readers(catalogue: ChangeCatalogue, source: str | None = None) -> list[Reader]:
    found = (repo.reader() for name, repo in catalogue.repos.items() if source in (None, name))
    return [reader for reader in found if reader is not None]


def _has_path(catalogue: ChangeCatalogue, name: str) -> bool | None:
    """Say whether a commit of the files changes a path, or a repository has it now or ever had it."""
    commits = catalogue.records().commits
    if any(touched.path == name for commit in commits for touched in commit.files):
        return True
    readers = _readers(catalogue)
    for reader in readers:
        try:
            if reader.file_at(reader.store.state.head, name, 1) is not None or (
                _PATH.match(name) and _ever(reader, name)
            ):
                return True
        except ValueError:  # no path that git would take
            return False
        except GitFailed:
            return None
    if any(commit.file_count > len(commit.files) for commit in commits):
        return None
    return False if commits or readers else None


def _ever(reader: Reader, path: str) -> bool:
    query = LogQuery((reader.store.state.head,), paths=(path,), limit=1)
    return next(reader.log(query, Bounds(GIT_S)), None) is not None


def span(catalogue: ChangeCatalogue) -> Window | None:
    """Return the time from the first to the last change that the sources hold; None where none has a time."""
    spans = [coverage.span for coverage in catalogue.coverage() if coverage.span is not None]
    moments = [moment for each in spans for moment in (each.start, each.end)]
    for reader in _readers(catalogue):
        moments += reader.landed(GIT_S)
    if not moments:
        return None
    return Window(start=min(moments), end=max(moments) + timedelta(microseconds=1))
