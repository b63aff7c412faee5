"""A session that goes on elsewhere keeps the rules that it began under, as far as they tighten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.asked import Request, Surroundings
from orchestrator.compose import begin, take_up
from orchestrator.config import RECORDED, recorded_rules, with_recorded
from orchestrator.hands.policy import policy_of
from orchestrator.journal.home import StateHome
from tests.config.files import Place
from tests.fakes import FakeClock

ASKS = "[[policies]]\ndecision = 'ask'\ntool = 'logs_search'\narguments = { query = 'x.*' }\n"
DENIES = "[[policies]]\ndecision = 'deny'\ntool = 'code_*'\n[[policies]]\ndecision = 'allow'\ntool = 'logs_*'\n"


def _rules(place: Place, recorded: list[Any], at: Path) -> list[tuple[str, str]]:
    from orchestrator.config import load_settings

    now = with_recorded(load_settings(cwd=at, env=place.env), {RECORDED: recorded})
    return [(rule.decision, rule.tool) for rule in now.project_policies]


def test_rules_of_files_that_are_not_read_any_more_still_tighten(place: Place) -> None:
    place.write(place.project, DENIES)
    place.write(place.incident, ASKS)
    recorded = recorded_rules(place.load().settings)
    home = Path(place.env["HOME"])
    assert _rules(place, recorded, home) == [("deny", "code_*"), ("ask", "logs_search")]
    assert _rules(place, recorded, place.project.parent) == [("deny", "code_*"), ("ask", "logs_search")]
    place.write(place.project, "[[policies]]\ndecision = 'ask'\ntool = 'code_*'\n")
    assert _rules(place, recorded, place.project.parent) == [("ask", "code_*"), ("ask", "logs_search")]
    place.incident.unlink()
    assert _rules(place, recorded, home) == [("deny", "code_*"), ("ask", "logs_search")]


@pytest.mark.parametrize(
    ("stored", "rules"),
    [
        ([{"decision": "allow", "tool": "code_*"}], []),
        ([{"decision": "deny", "tool": "t", "arguments": {"a": "<redacted:jwt:0123456789ab>.*"}}], [("deny", "t", {})]),
        ([{"decision": "forbid", "tool": "t"}], [("ask", "*", {})]),
        (["x"], [("ask", "*", {})]),
        ({"a": 1}, []),
        (None, []),
    ],
)
def test_what_cannot_be_read_loosens_nothing(place: Place, stored: Any, rules: list[Any]) -> None:
    now = with_recorded(place.load(), {RECORDED: stored})
    assert [(rule.decision, rule.tool, dict(rule.arguments)) for rule in now.project_policies] == rules


async def test_a_session_that_is_opened_elsewhere_is_no_looser(place: Place) -> None:
    place.write(place.incident, ASKS + DENIES)
    (place.incident.parent / "app.log").write_text("2026-03-01T09:00:00Z ERROR upstream 503\n" * 5)
    home = StateHome(place.root / "state")
    begun = Surroundings(home, place.root, place.env, None, FakeClock(), attended=True)
    session = await begin(Request(inputs=(str(place.incident.parent),), engine="offline"), begun)
    await session.close()
    async with await take_up(session.id, Surroundings(home, place.root, place.env, None, FakeClock())) as again:
        policy, roster = again._hands.policy, again.roster
        assert policy.decide("codefix", roster.tool("codefix", "code_read"), {}).answer == "deny"
        assert policy.decide("logs", roster.tool("logs", "logs_search"), {"query": "x"}).answer == "ask"
        assert policy.decide("logs", roster.tool("logs", "logs_search"), {"query": "y"}).answer == "allow"


def test_the_rules_are_those_of_the_policy(place: Place) -> None:
    place.write(place.own, DENIES)
    settings = with_recorded(place.load(), {})
    assert settings == place.load().settings
    assert policy_of(settings).depends("logs", "logs_search") is False


async def test_values_of_the_tests_variables_are_own_secrets_when_a_session_is_opened_again(place: Place) -> None:
    env = 'env = { DB_PASSWORD = "swordfish-of-tests", CI = "1" }'
    place.write(place.own, f"[services.shop.tests]\ncommand = ['make']\n{env}\n")
    (place.root / "app.log").write_text("2026-03-01T09:00:00Z ERROR upstream 503\n" * 5)
    around = Surroundings(StateHome(place.root / "state"), place.root, place.env, None, FakeClock(), attended=True)
    session = await begin(Request(inputs=(str(place.root / "app.log"),), engine="offline"), around)
    await session.close()
    async with await take_up(session.id, around) as again:
        told = again._recorder.redactor.redact("it printed swordfish-of-tests")
    assert told.counts == {"own": 1}
