"""A flag that goes on before the trouble and back before its end, in incidents that are investigated whole."""

from __future__ import annotations

from pathlib import Path

from orchestrator.journal.events import ClaimsChecked
from subagents import quantities as q
from tests.engines.incidents import BROKEN, SERVICE, Story, desk_of, level, stamp

BACK, OVER = BROKEN + 8, BROKEN + 10


def flag(at: float, change: str) -> dict[str, str]:
    return {"timestamp": stamp(at), "flag": "swift_quotes", "service": SERVICE, "change": change, "actor": "bo"}


ON, OFF = flag(BROKEN - 3, "off->on"), flag(BACK, "on->off")
ENDS = level(0.002, 0.3)[:OVER] + level(0.002)[OVER:]


async def test_a_flag_that_the_symptom_follows_both_ways_is_the_culprit(tmp_path: Path) -> None:
    story = Story(series={(SERVICE, "http_5xx_ratio"): ENDS}, flags=[ON, OFF])
    desk, found = await desk_of(tmp_path, story)
    assert found.kind == "culprit"
    assert found.cause is not None
    assert (found.cause.trigger, found.cause.suspect.key if found.cause.suspect else "") == ("flag", "swift_quotes")
    assert found.state.state == "recovered"
    (told,) = [f for f in desk.findings() if f.about is not None and f.about.key == "swift_quotes" and f.weight > 0.5]
    facts = {(fact.quantity, fact.citation.partition("#")[2]) for fact in told.facts}
    assert {(q.DEPLOYED_AT, "1"), (q.DEPLOYED_AT, "2")} <= facts
    assert q.ENDED in {fact.quantity for fact in told.facts}
    checked = [event.body for event in desk.events if isinstance(event.body, ClaimsChecked)]
    assert [doubt for body in checked for doubt in body.doubts] == []


async def test_a_flag_alone_is_a_lead_and_no_culprit(tmp_path: Path) -> None:
    _, found = await desk_of(tmp_path, Story(series={(SERVICE, "http_5xx_ratio"): level(0.002, 0.3)}, flags=[ON]))
    assert found.kind == "inconclusive"
    assert "swift_quotes" in " ".join([*found.confidence.reasons, *found.confidence.against, found.headline])
