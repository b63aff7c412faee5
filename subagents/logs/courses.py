"""What the requests in the logs show: where they leave their usual course, and where they became slow."""

from __future__ import annotations

from pydantic import AwareDatetime

from subagents.contract import Fact, Frozen, Window
from subagents.logs.counted import PARTS


class Followed(Frozen):
    """Which requests were followed through the logs."""

    window: Window
    whole: bool
    """The window is all of the incident and its baseline; otherwise the part nearest to the incident's start."""
    one_in: int
    """1 where every request was followed, else one in so many."""
    requests: int
    parts: int = PARTS
    """Of `counted.PARTS`: exactly which, so that counts can be made again."""


class FlowBreak(Frozen):
    """A statement that always followed another in a request, and since a moment never does."""

    service: str
    """Who is silent: the likeliest place of the fault."""
    blamed: tuple[str, ...]
    """That service, and beside it its caller where that met trouble before it got there."""
    before_service: str
    before: str
    """The statement that is still logged: how it begins."""
    lost: str
    """The statement that no longer follows."""
    instead: str | None
    """What mostly follows now; None where requests end there."""
    followed: int
    of: int
    """Until `since`: `followed` of `of` times."""
    still: int
    since_of: int
    """From `since` on: `still` of `since_of` times."""
    since: AwareDatetime
    nats: float
    """Log-likelihood ratio of the two shares against one."""
    citation: str
    """The first event that was not followed."""
    usual: str
    """The last time that the statement was logged in its place."""
    now: str | None = None
    """The first event that follows instead."""
    facts: tuple[Fact, ...] = ()
    """The four counts, as they can be counted again."""


class SlowPassages(Frozen):
    """A service at whose ends requests pass far more slowly from one service's event to the next one's."""

    service: str
    peers: tuple[str, ...]
    kinds: int
    of: int
    """Kinds of passage that became slow: the service is an end of `kinds` of `of`."""
    share: float
    """How well it explains all that became slow, 0 to 1."""
    usual_ms: float
    now_ms: float
    """Medians of its surest kind."""
    since: AwareDatetime
    nats: float
    """Log-likelihood ratio of the surest kind."""
    citation: str
    """Where the first slow passage of that kind begins."""
    ends: str = ""
    """Where it ends."""
    facts: tuple[Fact, ...] = ()
    """The two medians, as they can be measured again; none where not every request was followed."""
