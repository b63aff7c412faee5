"""What it says for a change when it took effect: how long before the onset, and what had begun to fill by then."""

from __future__ import annotations

import math
from datetime import datetime

from subagents.deploys.scores import CLOCK_SLACK, LeadIn, Part

LEAD_IN_NEAR_S = 900.0
"""Up to so long before a resource began to fill a change is taken to have set that off."""


def time_part(lead: float | None, how: str, late: bool = False, unshipped: bool = False) -> tuple[Part, str]:
    """Return the part of time, and why it came too late, or empty.

    `how` it took effect: `deployed`, `changed` while running, or only `landed`; `unshipped`: no deploy on record
    carried it by the onset. `lead` is in seconds before the onset.
    """
    if lead is None:
        return Part("time", -0.4, "when it took effect, or the onset, is unknown"), ""
    if late or lead < -CLOCK_SLACK.total_seconds():
        why = f"it was {'committed' if how == 'landed' and not late else how} {span(-lead)} after the onset"
        return Part("time", -6.0, why), why
    if lead < 0:
        return Part("time", 0.5, f"{how} {span(-lead)} after the onset, within what clocks differ"), ""
    slope = 0.15 if how == "landed" else 0.28
    points = max(-1.2, 1.5 - slope * math.log2(1.0 + lead / 900.0))
    if how == "landed":
        points -= 0.2
        if unshipped:
            why = f"landed {span(lead)} before the onset, but no deploy carried it by then"
            return Part("time", points - 1.0, why), ""
    return Part("time", points, f"{how} {span(lead)} before the onset"), ""


def lead_in_part(at: datetime, lead_in: LeadIn) -> list[Part]:
    """What had begun before a change took effect was not set off by it."""
    gap = (lead_in.at - at).total_seconds()
    if gap < -CLOCK_SLACK.total_seconds():
        return [Part("lead-in", -1.2, f"{lead_in.what} had begun to move {span(-gap)} before it took effect")]
    if gap <= LEAD_IN_NEAR_S:
        points = 0.9 * (1.0 - max(0.0, gap) / LEAD_IN_NEAR_S)
        when = f"{span(gap)} after" if gap >= 1 else "as"
        return [Part("lead-in", points, f"{lead_in.what} began to move {when} it took effect")]
    return []


def span(seconds: float) -> str:
    """Return a length of time for people, in its largest unit."""
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if abs(seconds) >= size * 1.5:
            return f"{seconds / size:.1f} {name}".replace(".0 ", " ")
    return f"{seconds:.0f} s"
