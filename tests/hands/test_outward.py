"""What sends bytes off this machine happens by a person's key press and by nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from orchestrator.engines.base import Desk, ToolUse
from orchestrator.hands.policy import Rule
from orchestrator.journal.codec import Entry
from orchestrator.journal.events import AgentCustomToolUse, PolicyDecided
from orchestrator.session.desk import SessionDesk
from tests.hands import toy_roster
from tests.hands.conftest import MakeRig, Rig

ALLOW = Rule(name="allow-all", answer="allow")
SEND = ToolUse(id="c1", name="toys_send", input={})


@pytest.fixture(autouse=True)
def released() -> Iterator[None]:
    toy_roster.RELEASE.set()
    yield
    toy_roster.RELEASE.set()


@pytest.fixture
async def loose(make_rig: MakeRig) -> Rig:
    """Hands under a rule that allows everything, with a person who could be asked."""
    return await make_rig(ALLOW, attended=True)


def _decision(rig: Rig) -> tuple[str, str]:
    body = rig.events("warroom.policy_decided")[-1].body
    assert isinstance(body, PolicyDecided)
    return body.decision, body.rule


@pytest.mark.parametrize("thread", ["toys", "orchestrator", "others"])
async def test_an_engine_never_sends_whatever_the_rules_say_and_nobody_is_asked(loose: Rig, thread: str) -> None:
    result = await loose.ask("toys", SEND, thread)
    assert result.outcome == "denied"
    assert "only a person's key press" in result.text
    assert _decision(loose) == ("deny", "outward")
    assert not loose.events("warroom.tool_started", "warroom.approval_requested")


async def test_a_persons_press_sends_and_is_on_record_as_that(make_rig: MakeRig) -> None:
    rig = await make_rig()
    result = await rig.hands.call("toys", "toys", SEND, by_person=True)
    assert result.outcome == "ok"
    assert _decision(rig) == ("allow", "person")


async def test_a_press_does_not_pass_a_rule_that_denies(make_rig: MakeRig) -> None:
    rig = await make_rig(Rule(name="never", answer="deny", tool="toys_send"))
    assert (await rig.hands.call("toys", "toys", SEND, by_person=True)).outcome == "denied"
    assert not rig.events("warroom.tool_started")


async def test_what_was_denied_stays_denied_when_it_is_pressed_under_the_same_id(loose: Rig) -> None:
    await loose.ask("toys", SEND, "toys")
    assert (await loose.hands.call("toys", "toys", SEND, by_person=True)).outcome == "denied"
    assert not loose.events("warroom.tool_started")


async def test_a_press_that_a_crash_cut_short_is_not_repeated_by_warroom(loose: Rig) -> None:
    asked = AgentCustomToolUse(name="toys_send", input={})
    (event,) = await loose.journal.append(Entry(body=asked, thread="toys", source_id="c1"))
    result = await loose.hands.recover("toys", event)
    assert result is not None
    assert result.outcome == "denied"
    assert not loose.events("warroom.tool_started")


def test_an_engines_desk_has_no_way_to_press() -> None:
    for desk in (Desk, SessionDesk):
        assert list(inspect.signature(desk.call).parameters) == ["self", "thread", "use"]
