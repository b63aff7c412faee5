"""How sure: from evidence to a confidence, by few monotone rules.

Of a culprit or a cause that is no change it is the chance of being right; of an inconclusive verdict it is how much of
the way to a conclusion is gone (by the best candidate, the first change to look at, or the place, which alone is half
of it), and it stays below one half, because a lead that is surer than that has to be a conclusion. Chosen on one half
of the development cases; docs/evaluation.md has the table of the other.
"""

from __future__ import annotations

from orchestrator.engines.offline.case import Case
from orchestrator.verdict.board import Hypothesis

MOST, LEAST = 0.92, 0.3
"""Bounds of what is said of a conclusion, the most also of a place: a dozen right cases support no more."""
UNREAD_MOST = 0.6
"""Most for a change whose diff nobody read: that it does what it would have to do is not shown."""
PER_DOUBT = 0.05
PER_CONTRADICTION, PER_UNCITED, MOST_TAKEN = 0.08, 0.02, 0.24
"""What each contradiction takes, less where it cites nothing that could be checked, and the most that all take."""
OPEN_MOST, OPEN_LEAST = 0.49, 0.05
LEAD_SHARE, PLACE_SHARE = 0.6, 0.5
"""Of a candidate's score, and of the score of the service where it most likely began."""
WORDS_BASE = 0.2
"""How often the first of some fifty commits, ordered by the report's words, is the one, where the words tell least."""


def sure_of_change(case: Case, change: Hypothesis, rival: Hypothesis | None, doubts: int) -> float:
    """Return the chance that a named change did it: its score, less where another is near, less per doubt."""
    lead = change.score - (rival.score if rival else 0.0)
    sure = change.score * (0.75 + 0.25 * min(1.0, lead / 0.5)) - _taken(case, doubts)
    known = case.changes.get(change.suspect.id)
    most = UNREAD_MOST if known is not None and known.unread else MOST
    return _within(sure, LEAST, most)


def sure_of_circumstance(case: Case, score: float, doubts: int) -> float:
    """Return the chance that a circumstance did it; less where no changes were given that could be ruled out."""
    sure = min(0.9, score) - _taken(case, doubts)
    return _within(sure - (0.0 if case.changes_known else 0.1), LEAST, MOST)


def sure_of_lead(case: Case, lead: Hypothesis | None) -> float:
    """Return how sure the lead of an open case is."""
    sure = max(LEAD_SHARE * (lead.score if lead is not None else 0.0), PLACE_SHARE * place_score(case))
    return _within(sure - _taken(case, 0), OPEN_LEAST, OPEN_MOST)


def place_leads(case: Case, lead: Hypothesis) -> bool:
    """Say whether the place where it most likely began tells more than a candidate does."""
    return PLACE_SHARE * place_score(case) > LEAD_SHARE * lead.score


def sure_of_first(case: Case) -> float:
    """Return how sure it is that the change to look at first, by the report's words alone, is the one."""
    if not case.suspects:
        return OPEN_LEAST
    return _within(WORDS_BASE + case.suspects[0].score, OPEN_LEAST, OPEN_MOST)


def place_score(case: Case) -> float:
    """Return how surely it began at the service that is ranked first, 0 to 1."""
    return case.services[0].score if case.services else 0.0


def _taken(case: Case, doubts: int) -> float:
    weighed = sum(PER_CONTRADICTION if one.citations else PER_UNCITED for one in case.contradictions)
    return PER_DOUBT * doubts + min(MOST_TAKEN, weighed)


def _within(value: float, least: float, most: float) -> float:
    return round(min(most, max(least, value)), 2)
