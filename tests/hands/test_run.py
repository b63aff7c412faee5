"""The one path for every call: its events, its refusals, its replays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.engines.base import ToolUse
from orchestrator.hands.policy import Rule
from orchestrator.hands.results import DATA_LIMIT
from orchestrator.hands.steps import HANDS
from orchestrator.journal.codec import BODY_LIMIT, Entry
from orchestrator.journal.events import (
    AgentCustomToolUse,
    PolicyDecided,
    ToolFinished,
    ToolStarted,
    UserCustomToolResult,
)
from orchestrator.journal.fold import calls, pending_calls
from subagents.contract import Finding
from tests.hands import toy_roster
from tests.hands.conftest import LOOSE, OWN, MakeRig, Rig, effects

STEPS = [
    "agent.custom_tool_use",
    "warroom.policy_decided",
    "warroom.tool_started",
    "warroom.tool_finished",
    "user.custom_tool_result",
    "warroom.result_acknowledged",
]


@pytest.fixture(autouse=True)
def released() -> Iterator[None]:
    toy_roster.RELEASE.clear()
    yield
    toy_roster.RELEASE.set()


async def test_a_call_is_these_events_in_this_order(rig: Rig) -> None:
    result = await rig.call("toys_double", value=21)
    assert result.outcome == "ok"
    assert result.need() == toy_roster.Said(value=42)
    assert rig.types() == STEPS
    started = rig.events("warroom.tool_started")[0].body
    assert isinstance(started, ToolStarted)
    assert (started.tool_use_id, started.effect, started.attempt) == ("c1", "read", 1)
    assert not pending_calls(rig.journal.events())


@pytest.mark.parametrize(
    ("tool", "by_person", "apart"),
    [("toys_double", True, True), ("toys_double", False, False), ("toys_unkeyed", True, False)],
)
async def test_a_persons_look_is_on_record_as_one_whatever_rule_allows_it(
    make_rig: MakeRig, tmp_path: Path, tool: str, by_person: bool, apart: bool
) -> None:
    rig = await make_rig(Rule(name="mine", answer="allow"))
    use = ToolUse(id="p1", name=tool, input={"value": 1} if tool == "toys_double" else {"path": str(tmp_path)})
    assert (await rig.hands.call("toys", "toys", use, by_person=by_person)).outcome == "ok"
    decided, started = (rig.events(f"warroom.{kind}")[0].body for kind in ("policy_decided", "tool_started"))
    assert isinstance(decided, PolicyDecided)
    assert isinstance(started, ToolStarted)
    assert (decided.rule, started.apart) == ("mine", apart)


async def test_the_same_call_again_gives_the_stored_result_and_runs_nothing(rig: Rig, tmp_path: Path) -> None:
    first = await rig.call("toys_unkeyed", path=str(tmp_path))
    again = await rig.call("toys_unkeyed", path=str(tmp_path))
    assert again == first
    assert rig.types() == STEPS
    assert (tmp_path / "c1.unkeyed").read_text() == "effect\n"


async def test_two_who_ask_at_once_share_one_run(rig: Rig, tmp_path: Path) -> None:
    both = await asyncio.gather(*(rig.call("toys_unkeyed", path=str(tmp_path)) for _ in range(2)))
    assert both[0] == both[1]
    assert (tmp_path / "c1.unkeyed").read_text() == "effect\n"


@pytest.mark.parametrize("change", [{"name": "toys_repeat"}, {"input": {"value": 3}}, {"thread": "others"}])
async def test_an_id_serves_one_call_only(rig: Rig, change: dict[str, Any]) -> None:
    await rig.call("toys_double", value=2)
    asked = {"thread": "toys", "name": "toys_double", "input": {"value": 2}} | change
    result = await rig.ask("toys", thread=asked.pop("thread"), use=ToolUse.model_validate({"id": "c1", **asked}))
    assert result.outcome == "denied"
    assert "c1" in result.text
    assert "used before" in result.text
    assert rig.types() == [*STEPS, "warroom.note"]


async def test_a_tool_that_the_agent_does_not_hold_is_denied(rig: Rig) -> None:
    for agent, name in (("others", "toys_double"), ("toys", "toys_none"), ("nobody", "toys_double")):
        result = await rig.call(name, call_id=f"{agent}-{name}", agent=agent, value=1)
        assert result.outcome == "denied"
        assert "holds no such tool" in result.text
    assert not rig.events("warroom.tool_started")


async def test_bad_arguments_name_the_field(rig: Rig) -> None:
    result = await rig.call("toys_double", value=-1)
    assert result.outcome == "error"
    assert "value: " in result.text
    result = await rig.call("toys_double", call_id="c2", value=1, walue=2)
    assert "walue: " in result.text
    assert not rig.events("warroom.tool_started")


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: float("nan"), "not JSON"),
        (object, "not JSON"),
        (lambda: "\ud800", "not JSON"),
        (lambda: _nested(100), "nested deeper"),
        (lambda: _nested(100_000), "nested deeper"),
        (lambda: "x" * 300_000, "bytes"),
    ],
    ids=["nan", "object", "surrogate", "deep", "very-deep", "large"],
)
async def test_arguments_that_cannot_be_kept_are_an_answered_call(rig: Rig, make: Callable[[], Any], said: str) -> None:
    use = ToolUse.model_construct(id="c1", name="toys_double", input={"value": make()})
    result = await rig.ask("toys", use, "toys")
    assert result.outcome == "error"
    assert said in result.text
    assert not pending_calls(rig.journal.events())


@pytest.mark.parametrize("call_id", ["", "x" * 300, "a\nb", "a\ud800"])
async def test_an_id_that_cannot_be_a_key_is_refused(rig: Rig, call_id: str) -> None:
    use = ToolUse.model_construct(id=call_id, name="toys_double", input={"value": 1})
    assert (await rig.ask("toys", use, "toys")).outcome == "denied"
    assert rig.types() == ["warroom.note"]


async def test_what_a_tool_raises_is_one_line_and_its_trace_goes_to_the_log(rig: Rig) -> None:
    told = {how: await rig.call("toys_fail", call_id=how, how=how) for how in ("tool", "value", "exit", "type")}
    assert {result.outcome for result in told.values()} == {"error"}
    assert told["tool"].text == "no such series: cpu; there are: memory"
    assert told["value"].text == "toys_fail failed: ValueError: boom second line"
    assert "SystemExit" in told["exit"].text
    assert "cannot be stored" in told["type"].text
    assert not any("Traceback" in result.text for result in told.values())
    assert sum("Traceback" in line for line in rig.logged) == 2
    assert b"Traceback" not in rig.stored()


async def test_findings_are_resolved_by_id(rig: Rig) -> None:
    finding = Finding(agent="toys", claim="it burns", topic="symptom")
    rig.board.append(finding)
    result = await rig.call("toys_findings", finding_ids=[finding.id])
    assert result.need() == toy_roster.Said(value=["it burns"])
    missing = await rig.call("toys_findings", call_id="c2", finding_ids=["f-nothere"])
    assert (missing.outcome, "f-nothere" in missing.text) == ("error", True)


# -- bounds, blobs, redaction --------------------------------------------------------------------


async def test_text_is_cut_in_the_middle_and_the_whole_is_in_a_blob(rig: Rig) -> None:
    result = await rig.call("toys_repeat", text="0123456789", times=20_000)
    assert len(result.text.encode()) <= 1000
    assert result.text.startswith("0123456789")
    assert result.text.endswith("0123456789")
    assert "200,000 bytes in all" in result.text
    assert result.need().value == ["0123456789"] * 20_000, "code gets all of it"
    finished = rig.events("warroom.tool_finished")[0].body
    assert isinstance(finished, ToolFinished)
    assert finished.data is None
    assert finished.blob == finished.more == result.more
    assert len(finished.model_dump_json()) < DATA_LIMIT
    blob = rig.journal.directory / "blobs" / str(finished.blob).removeprefix("blob:sha256:")
    assert json.loads(blob.read_bytes())["text"] == "0123456789" * 20_000
    assert await rig.call("toys_repeat", text="0123456789", times=20_000) == result


async def test_a_lost_blob_is_said_and_loses_nothing_else(rig: Rig) -> None:
    await rig.call("toys_repeat", text="0123456789", times=20_000)
    for blob in (rig.journal.directory / "blobs").iterdir():
        blob.unlink()
    again = await rig.call("toys_repeat", text="0123456789", times=20_000)
    assert again.outcome == "ok"
    assert "the whole result is lost" in again.text


async def test_control_characters_do_not_blow_the_stored_text_up(rig: Rig) -> None:
    rig.hands.roster = toy_roster.build(())
    tool = rig.hands.roster.tool("toys", "toys_repeat")
    assert tool is not None
    object.__setattr__(tool, "output_cap", 10_000_000)
    result = await rig.call("toys_repeat", text="\x01" * 1000, times=400)
    assert result.outcome == "ok"
    for event in rig.journal.events():
        assert len(event.body.model_dump_json()) < BODY_LIMIT


async def test_many_citations_keep_their_references_before_their_excerpts(rig: Rig) -> None:
    result = await rig.call("toys_cite", value=200)
    assert len(result.citations) == 200
    kept = rig.events("warroom.tool_finished")[0].body
    assert isinstance(kept, ToolFinished)
    assert len(kept.citations) == 200
    assert all(len(item.excerpt) <= 512 for item in kept.citations)


async def test_a_known_secret_is_in_no_byte_of_the_session(rig: Rig) -> None:
    result = await rig.call("toys_repeat", text=f"password is {OWN} ", times=9000)
    assert OWN not in result.text
    assert "<redacted:" in result.text
    assert not any(OWN in line for line in result.need().value)
    finished = rig.events("warroom.tool_finished")[0].body
    assert isinstance(finished, ToolFinished)
    assert finished.redacted >= 9000
    assert [event.type for event in rig.events("warroom.redacted")] == ["warroom.redacted"], "the arguments held it too"
    await rig.call("toys_fail", call_id=f"id {OWN}"[:2], how="value")
    await rig.journal.close()
    assert OWN.encode() not in rig.stored()


# -- stopping ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "outcome"), [("toys_wait", "timeout"), ("toys_wait_keyed", "timeout"), ("toys_wait_unkeyed", "unknown")]
)
async def test_a_tool_that_takes_too_long_is_left(rig: Rig, tool: str, outcome: str) -> None:
    call = rig.begin(tool)
    await rig.until("warroom.tool_started")
    result = await rig.after(30, call)
    assert result.outcome == outcome
    assert "30 s" in result.text


@pytest.mark.parametrize(("tool", "outcome"), [("toys_wait", "cancelled"), ("toys_wait_unkeyed", "unknown")])
async def test_cancel_ends_what_runs_on_a_thread(rig: Rig, tool: str, outcome: str) -> None:
    call = rig.begin(tool)
    await rig.until("warroom.tool_started")
    assert rig.hands.cancel("others") == 0
    assert rig.hands.cancel("toys") == 1
    assert (await call).outcome == outcome
    assert not pending_calls(rig.journal.events())


async def test_who_stops_waiting_cancels_the_call_and_it_still_gets_its_outcome(rig: Rig) -> None:
    call = rig.begin("toys_wait")
    await rig.until("warroom.tool_started")
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await rig.hands.settled()
    assert (await rig.call("toys_wait")).outcome == "cancelled"


# -- after a crash -------------------------------------------------------------------------------


def _entries(tool: str, effect: str, arguments: dict[str, Any]) -> list[Entry]:
    def own(body: Any, key: str) -> Entry:
        return Entry(body=body, thread="toys", stream=HANDS, source_id=key)

    decided = PolicyDecided(tool_use_id="c1", agent="toys", tool=tool, decision="allow", rule="loose")
    started = ToolStarted.model_validate({"tool_use_id": "c1", "tool": tool, "effect": effect})
    finished = ToolFinished(tool_use_id="c1", tool=tool, outcome="ok", seconds=1.0, text="from before")
    handed = UserCustomToolResult(custom_tool_use_id="c1")
    return [
        Entry(body=AgentCustomToolUse(name=tool, input=arguments), thread="toys", source_id="c1"),
        own(decided, "policy:1:c1"),
        own(started, "started:1:c1"),
        own(finished, "finished:c1"),
        own(handed, "result:c1"),
    ]


@pytest.mark.parametrize("effect", ["read", "keyed", "unkeyed"])
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5])
async def test_each_state_that_a_crash_can_leave(rig: Rig, tmp_path: Path, effect: str, steps: int) -> None:
    tool = {"read": "toys_double", "keyed": "toys_keyed", "unkeyed": "toys_unkeyed"}[effect]
    arguments: dict[str, Any] = {"value": 4} if effect == "read" else {"path": str(tmp_path)}
    await rig.journal.append(*_entries(tool, effect, arguments)[:steps])
    result = await rig.call(tool, **arguments)
    after = calls(rig.journal.events())["c1"]
    assert after.state == "acknowledged"
    happened = effects(tmp_path)
    if steps >= 4:
        assert result.text == "from before"
        assert not happened
    elif steps == 3 and effect == "unkeyed":
        assert result.outcome == "unknown"
        assert "may or may not" in result.text
        assert not happened
        handed = rig.events("user.custom_tool_result")[0].body
        assert isinstance(handed, UserCustomToolResult)
        assert handed.is_error
        assert handed.content[0].text == result.text, "human and model are told the same"
    else:
        assert result.outcome == "ok"
        assert after.started is not None
        assert after.started.attempt == (2 if steps == 3 else 1)
        assert len(happened) == (effect != "read")


async def test_recover_answers_what_nobody_asks_for_again(rig: Rig, tmp_path: Path) -> None:
    await rig.journal.append(*_entries("toys_keyed", "keyed", {"path": str(tmp_path)})[:3])
    event = rig.journal.find("c1")
    assert event is not None
    result = await rig.hands.recover("toys", event)
    await rig.hands.acknowledged()
    assert result is not None
    assert result.outcome == "ok"
    assert not pending_calls(rig.journal.events())


async def test_recover_runs_no_call_whose_arguments_were_redacted(make_rig: MakeRig, tmp_path: Path) -> None:
    rig = await make_rig(*LOOSE)
    call = rig.begin("toys_wait_keyed", text=OWN)
    assert (await call).outcome == "error"
    await rig.hands.steps.write_all(
        Entry(
            body=AgentCustomToolUse(name="toys_repeat", input={"text": "<redacted:own:1>"}),
            thread="toys",
            source_id="x",
        ),
        Entry(body=rig.events("warroom.redacted")[0].body, thread="toys", stream=HANDS, source_id="redacted:x"),
    )
    event = rig.journal.find("x")
    assert event is not None
    result = await rig.hands.recover("toys", event)
    assert result is not None
    assert result.outcome == "error"
    assert "held a secret" in result.text


async def test_a_decision_that_got_stricter_counts_and_one_that_got_looser_does_not(
    make_rig: MakeRig, tmp_path: Path
) -> None:
    rig = await make_rig()  # keyed effects are asked for, and nobody is here
    await rig.journal.append(*_entries("toys_keyed", "keyed", {"path": str(tmp_path)})[:2])
    assert (await rig.call("toys_keyed", path=str(tmp_path))).outcome == "denied"
    loose = await make_rig(*LOOSE, name="other")
    entries = _entries("toys_keyed", "keyed", {"path": str(tmp_path)})
    denied = PolicyDecided(tool_use_id="c1", agent="toys", tool="toys_keyed", decision="deny", rule="earlier")
    await loose.journal.append(entries[0], Entry(denied, "toys", HANDS, "policy:1:c1"))
    result = await loose.call("toys_keyed", path=str(tmp_path))
    assert (result.outcome, "earlier" in result.text) == ("denied", True)
    assert not effects(tmp_path)
