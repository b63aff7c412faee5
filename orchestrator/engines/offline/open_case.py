"""An open case in words: why nothing is named, what speaks for the place, and what one piece of data would tell."""

from __future__ import annotations

from orchestrator.engines.offline.case import Case

CHANGES = frozenset({"deploys", "commits", "diff", "flags", "repo"})
MEASURED = frozenset({"metrics", "spans", "trace_edges"})
_WANTED = (
    (CHANGES, "the changes of that time: deploys.json, or the repository (--repo PATH)"),
    (frozenset({"logs"}), "the logs of {where} from before the onset on"),
    (MEASURED, "the series of {where} (metrics.csv), from an hour before the onset on"),
)
UNREAD = "the diffs of the first commits listed: the repository (--repo PATH)"


def nothing_explains(case: Case) -> str:
    """Say what was tested in vain, or that there was nothing to test."""
    kinds = {spec.kind for spec in case.brief.sources}
    if not kinds & CHANGES:
        return "no changes were given, and nothing else in the data explains it"
    return "no change on record explains it, nor does anything else in the data"


def place_reasons(case: Case) -> tuple[str, ...]:
    """Return what speaks for the service where it most likely began, or names nobody, in the words of the findings."""
    first = case.services[0].service if case.services else ""
    found = case.of("order", "errors", "mechanism", "onset")
    told = [f for f in found if f.services[:1] in ((first,), ()) and f.citations]
    return tuple(f"{first}: {f.claim}" if f.services and first not in f.claim else f.claim for f in told[:3])


def would_tell(case: Case) -> tuple[str, ...]:
    """Return what one more piece of data would raise the confidence most; empty where all kinds were given."""
    kinds = {spec.kind for spec in case.brief.sources}
    where = case.home or "the services involved"
    if not kinds:
        return ()
    for wanted, words in _WANTED:
        if not kinds & wanted:
            return (f"most would be learnt from {words.format(where=where)}",)
    unread = any(change.unread for change in case.changes.values())
    return (f"most would be learnt from {UNREAD}",) if unread and "repo" not in kinds else ()
