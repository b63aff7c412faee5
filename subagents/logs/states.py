"""How one thing stands by a line of a recorded output: well, amiss, or so that nobody can say that all is well."""

from __future__ import annotations

from typing import Literal, NamedTuple

Thing = Literal["workload", "container", "node", "monitor", "object"]
RUNS: frozenset[Thing] = frozenset({"workload", "container"})
"""What the things are of which it depends whether users are served."""
DONE = frozenset({"Completed", "Succeeded", "PodCompleted", "Terminating"})
"""What has done its work, or is being removed, says nothing."""


class State(NamedTuple):
    """How one thing stands."""

    thing: Thing
    subject: str
    well: bool | None
    """None: it may be amiss. Nothing is said of it, but that all is well is not said either."""
    words: str
    """How, where it is amiss."""


def of_replicas(subject: str, ready: int, wanted: int) -> State | None:
    """Return how a workload stands; None where it is scaled to nothing."""
    return State("workload", subject, ready >= wanted, f"has {ready} of {wanted} ready") if wanted else None
