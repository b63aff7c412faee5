"""A change runs in one place, and the symptom is also where nothing connects to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from subagents.contradiction import Contradiction

DEEPEST = 4
"""Hops within which a failure may travel."""


def unreached(
    change: tuple[str, tuple[str, ...]],
    runs_in: Sequence[str],
    failing: Mapping[str, tuple[str, ...]],
    edges: Iterable[tuple[str, str]],
) -> Contradiction | None:
    """Return that services fail which the change cannot reach; None where it may, or where the graph does not say.

    `change` is its name and citations, `runs_in` where it runs, `failing` the services that fail of themselves with
    what is cited for each, `edges` caller and callee. A failure travels to callers, which wait, and to callees, which
    are loaded.
    """
    callees: defaultdict[str, set[str]] = defaultdict(set)
    callers: defaultdict[str, set[str]] = defaultdict(set)
    for caller, callee in edges:
        callees[caller].add(callee)
        callers[callee].add(caller)
    known = callees.keys() | callers.keys()
    if not runs_in or any(place not in known for place in runs_in):
        return None
    touched = set(runs_in)
    for place in runs_in:
        touched |= _within(place, callers) | _within(place, callees)
    shared = {name for place in touched for name in callees.get(place, ())}
    apart = [
        name
        for name in failing
        if name in known and name not in touched and not (shared & (callees.get(name, set()) | {name}))
    ]
    if not apart:
        return None
    name, refs = change
    return Contradiction(
        kind="reach",
        text=f"{name} runs in {', '.join(runs_in)} only, and {', '.join(apart[:3])} fails too, which neither calls it "
        "nor is called by it",
        citations=tuple(dict.fromkeys((*refs[:2], *(ref for one in apart[:3] for ref in failing[one][:1])))),
    )


def _within(start: str, near: Mapping[str, set[str]]) -> set[str]:
    seen, front = {start}, {start}
    for _ in range(DEEPEST):
        front = {other for one in front for other in near.get(one, ())} - seen
        seen |= front
    return seen
