"""The investigation script: what it reports is what the tools told it, whatever they told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from anthropic import AsyncAnthropic

from tests.standin import Standin
from tests.standin.cast import begin, connected, play, roster, said, send, tool
from tests.standin.scripts import SCRIPTS

REPORTS = ("agent.custom_tool_use",)
TOOLS = {
    "logs": ("logs_coverage", "logs_first_look", "logs_patterns", "logs_stacks"),
    "metrics": ("metrics_coverage", "metrics_rank", "metrics_onsets"),
    "deploys": ("deploys_coverage", "deploys_suspects", "deploys_touches", "deploys_diff"),
    "codefix": ("code_revert_check", "code_draft_revert"),
}
FINDING = ("claim", "topic", "about", "stance", "weight", "facts", "citations", "services", "at", "terms")
VERDICT = ("kind", "headline", "service", "symptom", "cause", "chain", "culprit", "confidence", "ruled_out", "actions")


def report_tool(name: str, fields: tuple[str, ...]) -> dict[str, Any]:
    return tool(name, input_schema={"type": "object", "properties": {field: {} for field in fields}})


@dataclass
class World:
    """An invented incident, and what its tools say."""

    service: str
    metric: str
    day: str
    commit: str
    score: str
    budget_spent: str = ""
    doubt: str = ""

    @property
    def ref(self) -> str:
        return f"metric:m.csv/{self.service}/{self.metric}@{self.day}T09:00:00Z..{self.day}T10:00:00Z"

    def answer(self, name: str, given: Mapping[str, Any]) -> str:
        if name == self.budget_spent:
            return "budget spent, report now"
        if name == "conclude" and self.doubt:
            doubt, self.doubt = self.doubt, ""
            return f"The verdict does not hold:\n- {doubt}: x: it is not so"
        if name == "report_finding":
            return "On the board as f-0123456789."
        log = f"log:{self.service}.log@12+1"
        texts = {
            "logs_first_look": f"window {self.day} 09:30:00 to {self.day} 10:00:00 UTC\nonset 09:31:07 UTC: 1 to 9\n"
            f"signature disk full in {self.service} x7 (no space): text\n{log}  disk full",
            "metrics_rank": f"symptom: {self.moved()}\n 1. {self.service} 0.71: its own latency",
            "metrics_onsets": self.moved() + f"\n{self.ref}  {self.service} {self.metric}",
            "deploys_suspects": f" 1. {self.score} {self.commit[:12]} Change the thing (Ada L)\n"
            f"      +1.3 time: just before  deploy:d.json#77\n"
            f"      +2.0 kind: a limit is lower  commit:r/{self.commit}#src/a.py:3\n"
            f" 2. 0.11 flag new_face new_face off->on\n      -1.0 time: long before  flag:f.json#2",
            "code_draft_revert": f"draft d-0a1b2c3d4e: Revert\ncommit:r/{self.commit}  Revert",
            "runbooks_search": "runbook:disk#free  Free space",
        }
        text = texts.get(name, "nothing of note")
        bars = "\n".join(f"| {line}" for line in text.splitlines())
        return f'<untrusted id="1" kind="result">\n{bars}\n| {self.ref}  m\n</untrusted id="1">'

    def moved(self) -> str:
        return f"09:31:10Z {self.service} {self.metric} rises 2.5 ms -> 40 ms (16x), ongoing; [latency]"


async def cast(client: AsyncAnthropic) -> str:
    refs = []
    for name, names in TOOLS.items():
        tools = [*map(tool, names), report_tool("report_finding", FINDING)]
        made: Any = await client.beta.agents.create(model="claude-haiku-5-5", name=name, tools=tools)  # type: ignore[arg-type]
        refs.append(made.id)
    tools = [tool("runbooks_search"), report_tool("conclude", VERDICT)]
    top = await client.beta.agents.create(
        model="claude-opus-5-5",
        name="chief",
        tools=tools,  # type: ignore[arg-type]
        multiagent=roster(*refs),  # type: ignore[arg-type]
    )
    env = await client.beta.environments.create(name="e")
    return (await client.beta.sessions.create(agent=top.id, environment_id=env.id)).id


async def investigate(server: Standin, client: AsyncAnthropic, world: World) -> list[Any]:
    session = await cast(client)
    await send(client, session, said(f"service: {world.service}\ntitle: something is wrong"))
    await play(client, session, world.answer)
    return [event for event in server.state.events(session) if event["type"] in REPORTS]


@pytest.mark.parametrize(
    "world",
    [
        World("kiosk", "wait_ms", "2031-05-06", "a" * 40, "0.93"),
        World(
            "mill", "grind_ms", "2029-12-31", "0123456789abcdef" * 2 + "01234567", "0.20", doubt="ruled_out[0].suspect"
        ),
    ],
    ids=["culprit", "inconclusive"],
)
async def test_it_reports_what_the_tools_say(world: World) -> None:
    with Standin(SCRIPTS["investigation"]) as server:
        async with connected(server) as client:
            doubted = bool(world.doubt)
            calls = await investigate(server, client, world)
            findings = [call["input"] for call in calls if call["name"] == "report_finding"]
            symptom = next(one for one in findings if one["topic"] == "symptom")
            stated = {fact["quantity"]: fact["value"] for fact in symptom["facts"]}
            assert stated == {"baseline": 2.5, "peak": 40, "factor": 16, "onset": f"{world.day}T09:31:10Z"}
            assert {fact["citation"] for fact in symptom["facts"]} == {world.ref}
            change = next(one for one in findings if one["topic"] == "change")
            assert change["about"]["key"] == world.commit
            asked = next(call["input"] for call in calls if call["name"] == "deploys_suspects")
            assert asked["onset"] == f"{world.day}T09:31:10Z"
            assert set(asked["finding_ids"]) == {"f-0123456789"}
            verdicts = [call["input"] for call in calls if call["name"] == "conclude"]
            assert len(verdicts) == (2 if doubted else 1)
            last = verdicts[-1]
            sure = float(world.score) >= 0.5
            assert last["kind"] == ("culprit" if sure else "inconclusive")
            assert last["service"] == world.service
            assert ("culprit" in last) is sure
            assert ("ruled_out" in last) is not doubted
            if sure:
                assert last["culprit"]["commit"] == world.commit
                assert last["culprit"]["deploy"] == "deploy:d.json#77"
                assert any(call["name"] == "code_draft_revert" for call in calls)
                assert last["ruled_out"][0]["suspect"]["key"] == "new_face"


async def test_a_specialist_that_is_out_of_budget_reports_at_once_and_the_rest_goes_on() -> None:
    world = World("kiosk", "wait_ms", "2031-05-06", "a" * 40, "0.93", budget_spent="logs_first_look")
    with Standin(SCRIPTS["investigation"]) as server:
        async with connected(server) as client:
            calls = await investigate(server, client, world)
            names = [call["name"] for call in calls]
            assert "logs_patterns" not in names
            assert names[-1] == "conclude"


async def test_an_interrupted_specialist_is_done_without_when_the_person_says_so() -> None:
    world = World("kiosk", "wait_ms", "2031-05-06", "a" * 40, "0.93")
    with Standin(SCRIPTS["investigation"]) as server:
        async with connected(server) as client:
            session = await cast(client)
            await send(client, session, said("service: kiosk"))
            server.until(lambda state: state.only().blocked())
            stuck = next(one for one in server.state.only().threads.values() if one.name == "logs")
            await send(client, session, {"type": "user.interrupt", "session_thread_id": stuck.id})
            playing = await play(client, session, world.answer)
            assert playing[-1].stop_reason.type == "end_turn"
            names = [event.get("name") for event in server.state.events()]
            assert "conclude" not in names
            await send(client, session, said("Go on without it."))
            await play(client, session, world.answer)
            server.until(lambda state: state.only().status == "idle")
            assert "conclude" in [event.get("name") for event in server.state.events()]


async def test_a_script_with_a_mistake_shows_it_and_the_server_goes_on() -> None:
    async def broken(actor: Any) -> None:
        await actor.hear()
        raise KeyError("mistake")

    with Standin({"lead": broken}) as server:
        async with connected(server) as client:
            session = await begin(client, text="go")
            server.until(lambda state: state.only().status == "idle")
            errors = [event["error"] for event in server.state.events() if event["type"] == "session.error"]
            assert "mistake" in errors[0]["message"]
            assert (await client.beta.sessions.retrieve(session)).id == session
