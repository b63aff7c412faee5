"""From how strongly evidence points at services to the chance that it began at each.

The chance of the first grows with its own evidence and with its lead over the second; more kinds of evidence, the
number of services and whether an onset was measured were tried beside these two, and told nothing more. What the first
leaves is an upper bound for all the others together. A kind of trouble that nothing given could have shown takes from
it, for what evidence there is may then be a bystander's. The constants were fitted on one half of the recorded cases
with parts of their evidence taken away, and on simulated systems that no rule was chosen on: docs/evaluation.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from orchestrator.engines.offline.sureness import MOST

ODDS_AT_ONE_NAT, GROWTH = 7.0, 1.7
"""Odds of a first with evidence of one nat whose second is as good, and the power that they grow with."""
LEAD_NATS = 1.0
"""What a lead over a second that has nothing adds to the logarithm of the odds."""
TIE = 16.0
"""Power of the ratio to the first by which others that are as good bound it: of several alike none is likelier."""
UNSEEN = 3.0
"""Odds of each kind of trouble that nothing given could have shown: it may be that, at another place."""
SUREST = 0.999


def chances(scores: Sequence[float], unseen: int = 0) -> list[float]:
    """Return the chance of each service, in order; `scores` are 0 to 1, best first: how strongly evidence points at it.

    `unseen` is how many kinds of trouble nothing given could have shown. The order stays; together they are at most 1.
    """
    nats = [-math.log(1.0 - min(score, SUREST)) for score in scores]
    if not nats or nats[0] <= 0:
        return [0.0] * len(nats)
    best = scores[0]
    near = scores[1] / best if len(scores) > 1 else 0.0
    lead = 1.0 - near
    odds = ODDS_AT_ONE_NAT * nats[0] ** GROWTH * math.exp(LEAD_NATS * lead) / (1.0 + UNSEEN * unseen)
    first = min(MOST, odds / (1.0 + odds), 1.0 / (1.0 + sum((score / best) ** TIE for score in scores[1:])))
    rest = [first * (value / nats[0]) ** GROWTH for value in nats[1:]]
    part = min(1.0, (1.0 - first) / total) if (total := sum(rest)) > 0 else 1.0
    return [first, *(chance * part for chance in rest)]
