"""Which service the logs speak against, and what is told first, where a fault shows on many routes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from subagents.contract import SourceSpec
from subagents.logs.compare import compare, spans_of
from subagents.logs.log_set import LogSet
from subagents.logs.model import LogsPatterns, ServiceEvidence
from subagents.logs.params import PatternsParams
from subagents.logs.ranks import ROUTES_TOLD, rank_services, routes_last, status_class
from subagents.logs.windows import IncidentTimes, choose_windows
from tests.logs.builders import agent_for, at, call, iso, write

BREAKS = 2400
ROUTES = ("/", "/cart", "/login", "/search", "/feed", "/me", "/help", "/terms")


def edge(routes: int) -> list[str]:
    """An hour of an access log that answers 502 from minute 40 on."""
    lines = []
    for second in range(0, 3600, 3):
        moment = datetime.fromtimestamp(at(second).timestamp(), UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
        status = 200 if second < BREAKS else 502
        lines.append(f'10.0.0.7 - - [{moment}] "GET {ROUTES[second // 3 % routes]} HTTP/1.1" {status} 17 "-" "curl"')
    return lines


def ledger() -> list[str]:
    """What runs behind it and breaks then."""
    lines = [f"{iso(second)} INFO entry {second} posted" for second in range(0, BREAKS, 5)]
    lines += [
        f"{iso(second)} ERROR panic: integer divide by zero, entry {second}" for second in range(BREAKS, 3600, 60)
    ]
    return lines


def ranked(*specs: SourceSpec) -> list[ServiceEvidence]:
    logs = LogSet(specs)
    index = logs.index()
    chosen = choose_windows(index, IncidentTimes(started_at=at(BREAKS)))
    assert chosen is not None
    return rank_services(logs, index, spans_of(index, chosen.window, chosen.baseline), [])


@pytest.mark.parametrize("routes", [1, len(ROUTES)])
def test_on_how_many_routes_users_are_hurt_does_not_say_where_it_began(tmp_path: Path, routes: int) -> None:
    found = ranked(write(tmp_path, "edge.log", edge(routes)), write(tmp_path, "ledger.log", ledger()))
    assert [each.service for each in found] == ["ledger", "edge"]


def test_more_routes_add_nothing_to_what_one_tells(tmp_path: Path) -> None:
    (one,) = ranked(write(tmp_path, "edge.log", edge(1)))
    (many,) = ranked(write(tmp_path, "edge.log", edge(len(ROUTES))))
    assert 0 < many.score <= one.score
    assert (many.errors, many.new_patterns) == (one.errors, len(ROUTES))


@pytest.mark.parametrize(
    ("template", "expected"),
    [("GET /cart status=502", "5xx"), ("order done status=404", "4xx"), ("status=502 of old", None), ("failed", None)],
)
def test_the_class_of_a_status_is_read_behind_the_message(template: str, expected: str | None) -> None:
    assert status_class(template) == expected


def test_routes_that_changed_alike_leave_room_for_the_rest(tmp_path: Path) -> None:
    specs = write(tmp_path, "edge.log", edge(len(ROUTES))), write(tmp_path, "ledger.log", ledger())
    asked = PatternsParams(start=at(BREAKS).isoformat(), limit=2 * len(ROUTES) + 2)
    answer = call(agent_for(*specs), "logs_patterns", asked)
    assert isinstance(answer.data, LogsPatterns)
    failed = [place for place, each in enumerate(answer.data.patterns) if each.template.endswith("502")]
    others = [place for place, each in enumerate(answer.data.patterns) if "status=" not in each.template]
    assert len(failed) == len(ROUTES)
    assert max(others) < failed[ROUTES_TOLD]
    (told,) = [each for each in answer.data.patterns if each.more_routes and each.change == "new"]
    assert told is answer.data.patterns[failed[ROUTES_TOLD - 1]]
    assert told.more_routes == len(ROUTES) - ROUTES_TOLD
    assert told.more_routes_events == sum(answer.data.patterns[place].count for place in failed[ROUTES_TOLD:])
    assert f"and 5 more routes with 5xx, {told.more_routes_events} events: at the end of the list" in answer.text


def test_few_routes_stay_where_they_are(tmp_path: Path) -> None:
    logs = LogSet((write(tmp_path, "edge.log", edge(ROUTES_TOLD)),))
    index = logs.index()
    chosen = choose_windows(index, IncidentTimes(started_at=at(BREAKS)))
    assert chosen is not None
    found = compare(index, spans_of(index, chosen.window, chosen.baseline))
    assert routes_last(found) == (found, {})
