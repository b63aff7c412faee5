"""Sync against the strict stand-in: made once, a no-op makes no version, nothing twice, whatever gets lost."""

from __future__ import annotations

import stat
from pathlib import Path

import anthropic
import pytest

from orchestrator.config.model import EngineSettings
from orchestrator.engines.managed.access import AccessError, access
from orchestrator.engines.managed.register import Place
from orchestrator.engines.managed.sync import Moved
from orchestrator.journal.faults import StateError
from subagents.contract import SPECIALISTS
from tests.managed.conftest import KEY, Creates
from tests.managed.endpoints import benched
from tests.standin import Standin

ALL = ("environment", *SPECIALISTS, "orchestrator")
CREATES = ["POST /v1/environments", *["POST /v1/agents"] * 5]


async def test_a_first_sync_makes_specialists_then_the_coordinator_pinned_to_them(
    standin: Standin, tmp_path: Path, changed: Creates
) -> None:
    async with benched(standin, tmp_path) as bench:
        plan = await bench.make_so()
        assert [step.action for step in plan.steps] == ["create"] * 6
        assert bench.did == [f"create {what}" for what in ALL]
        assert changed() == CREATES
        agents = {versions[-1]["name"]: versions[-1] for versions in standin.state.agents.values()}
        pins = agents["orchestrator"]["multiagent"]["subagents"]["predefined_agents"]
        assert pins == [{"type": "agent", "id": agents[role]["id"], "version": 1} for role in SPECIALISTS]
        (environment,) = standin.state.environments.values()
        assert environment["config"]["networking"] == {
            "type": "limited",
            "allowed_hosts": [],
            "allow_mcp_servers": False,
            "allow_package_managers": False,
        }
        place = bench.sync.register.read(bench.sync.endpoint)
        assert {role: ref.id for role, ref in place.agents.items()} == {role: agents[role]["id"] for role in ALL[1:]}
        assert (place.environment, place.intents) == (environment["id"], ())


async def test_a_second_sync_sends_nothing_and_makes_no_version(
    standin: Standin, tmp_path: Path, changed: Creates
) -> None:
    for _ in range(2):
        async with benched(standin, tmp_path) as bench:
            await bench.make_so()
    assert changed() == CREATES
    assert {len(versions) for versions in standin.state.agents.values()} == {1}


async def test_a_change_makes_one_version_and_re_pins_the_roster(
    standin: Standin, tmp_path: Path, changed: Creates
) -> None:
    async with benched(standin, tmp_path) as bench:
        await bench.make_so()
    changed()
    async with benched(standin, tmp_path, EngineSettings(efforts={"logs": "high"})) as bench:
        plan = await bench.make_so()
        fields = {step.what: [one.field for one in step.changes] for step in plan.steps if step.changes}
        assert fields == {"logs": ["model.effort"], "orchestrator": ["multiagent.roster"]}
        refs = bench.sync.register.read(bench.sync.endpoint).agents
        assert changed() == [f"POST /v1/agents/{refs[role].id}" for role in ("logs", "orchestrator")]
        assert (refs["logs"].version, refs["orchestrator"].version, refs["metrics"].version) == (2, 2, 1)
        assert (await bench.look())[1].idle


async def test_a_lost_state_file_and_another_key_find_again_what_was_made(
    standin: Standin, tmp_path: Path, changed: Creates
) -> None:
    async with benched(standin, tmp_path) as bench:
        await bench.make_so()
        before = bench.sync.register.read(bench.sync.endpoint)
    (tmp_path / "managed.json").unlink()
    changed()
    async with benched(standin, tmp_path) as bench:
        await bench.make_so()
        assert bench.sync.register.read(bench.sync.endpoint) == before
    (tmp_path / "managed.json").write_text("{ damaged")
    standin.options.key = "sk-ant-another-key-0001"
    async with benched(standin, tmp_path) as bench:
        assert bench.sync.register.read(bench.sync.endpoint) == Place()
        await bench.make_so()
        assert bench.sync.register.read(bench.sync.endpoint) == before
    assert changed() == []


@pytest.mark.parametrize("at", [0, 1, 5])
async def test_a_lost_answer_to_any_create_creates_nothing_twice(standin: Standin, tmp_path: Path, at: int) -> None:
    path = "/v1/environments" if at == 0 else "/v1/agents"
    standin.faults.lose_answer(path, skip=max(at - 1, 0))
    async with benched(standin, tmp_path) as bench:
        await bench.make_so()
        assert len(standin.state.agents) == 5
        assert len(standin.state.environments) == 1
        assert (await bench.look())[1].idle
        assert bench.clock.slept == [1.0]


async def test_a_create_that_never_arrived_is_sent_again(standin: Standin, tmp_path: Path) -> None:
    standin.faults.add("POST", "/v1/agents", broken="reset")
    standin.faults.refuse(529, "POST", "/v1/agents", skip=2)
    async with benched(standin, tmp_path) as bench:
        await bench.make_so()
        assert len(standin.state.agents) == 5
        assert (await bench.look())[1].idle


async def test_a_crash_between_intent_and_answer_is_settled_by_the_next_sync(standin: Standin, tmp_path: Path) -> None:
    standin.faults.lose_answer("/v1/agents", skip=1)
    standin.faults.refuse(401, "GET", "/v1/agents", skip=1)
    async with benched(standin, tmp_path) as bench:
        with pytest.raises(anthropic.AuthenticationError):
            await bench.make_so()
        place = bench.sync.register.read(bench.sync.endpoint)
        assert place.intents == ("agent:metrics",)
        assert set(place.agents) == {"logs"}
    async with benched(standin, tmp_path) as bench:
        await bench.make_so()
        assert bench.did[:3] == ["keep environment", "keep logs", "keep metrics"]
        assert len(standin.state.agents) == 5
        assert bench.sync.register.read(bench.sync.endpoint).intents == ()


async def test_a_rate_limit_is_waited_for_as_long_as_it_says(standin: Standin, tmp_path: Path) -> None:
    standin.faults.rate_limit("7", path="/v1/agents", method="POST")
    async with benched(standin, tmp_path) as bench:
        await bench.make_so()
        assert bench.clock.slept == [7.0]
        assert [line.startswith("waiting 7 s: ") for line in bench.waited] == [True]
        assert len(standin.state.agents) == 5


async def test_a_lost_answer_to_an_update_is_looked_up_not_sent_twice(standin: Standin, tmp_path: Path) -> None:
    async with benched(standin, tmp_path) as bench:
        await bench.make_so()
        logs = bench.sync.register.read(bench.sync.endpoint).agents["logs"].id
    standin.faults.lose_answer(f"/v1/agents/{logs}")
    async with benched(standin, tmp_path, EngineSettings(efforts={"logs": "high"})) as bench:
        await bench.make_so()
        assert len(standin.state.agents[logs]) == 2
        assert bench.sync.register.read(bench.sync.endpoint).agents["logs"].version == 2


async def test_somebody_elses_change_in_between_is_not_overwritten(standin: Standin, tmp_path: Path) -> None:
    async with benched(standin, tmp_path) as bench:
        await bench.make_so()
        logs = bench.sync.register.read(bench.sync.endpoint).agents["logs"]
    async with benched(standin, tmp_path, EngineSettings(efforts={"logs": "high"})) as bench:
        there, _ = await bench.look()
        await bench.sync.client.beta.agents.update(logs.id, version=1, description="theirs")
        with pytest.raises(Moved, match=f"logs {logs.id} was changed by somebody else"):
            await bench.apply(there)
        assert standin.state.agents[logs.id][-1]["description"] == "theirs"
        _, plan = await bench.look()
        (step,) = [step for step in plan.steps if step.what == "logs"]
        assert [one.field for one in step.changes] == ["description", "model.effort"]
        await bench.make_so()
        assert (await bench.look())[1].idle


async def test_an_archived_agent_is_said_and_a_new_one_takes_its_place(standin: Standin, tmp_path: Path) -> None:
    async with benched(standin, tmp_path) as bench:
        await bench.make_so()
        old = bench.sync.register.read(bench.sync.endpoint).agents["deploys"].id
        await bench.sync.client.beta.agents.archive(old)
        _, plan = await bench.look()
        actions = {step.what: step.action for step in plan.steps}
        assert (actions["deploys"], actions["orchestrator"], actions["logs"]) == ("create", "update", "keep")
        assert plan.remarks == (f"deploys {old} was archived, which cannot be undone: a new one takes its place",)
        await bench.make_so()
        refs = bench.sync.register.read(bench.sync.endpoint).agents
        assert refs["deploys"].id != old
        assert (await bench.look())[1].idle


async def test_a_key_of_another_workspace_sees_nothing_and_says_so_for_what_was_recorded(
    standin: Standin, tmp_path: Path
) -> None:
    foreign = "sk-ant-foreign-00000001"
    standin.options.foreign.add(foreign)
    async with benched(standin, tmp_path) as bench:
        await bench.make_so()
        place = bench.sync.register.read(bench.sync.endpoint)
    async with benched(standin, tmp_path, key=foreign) as bench:
        bench.sync.register.change(bench.sync.endpoint, lambda _: place)
        _, plan = await bench.look()
        assert [step.action for step in plan.steps] == ["create"] * 6
        assert sum("is not there with this key: another workspace" in remark for remark in plan.remarks) == 5


async def test_another_installations_agents_are_theirs_until_they_are_adopted(
    standin: Standin, tmp_path: Path, changed: Creates
) -> None:
    async with benched(standin, tmp_path / "one") as bench:
        await bench.make_so()
        first = bench.wanted.install
    changed()
    async with benched(standin, tmp_path / "two") as bench:
        _, plan = await bench.look()
        assert [step.action for step in plan.steps] == ["create"] * 6
        assert any(f"--adopt {first}" in remark for remark in plan.remarks)
        adopting = await bench.make_so(adopt=first)
        assert {step.action for step in adopting.steps} == {"update"}
        assert len(standin.state.agents) == 5
        assert all(versions[-1]["metadata"]["warroom"] != first for versions in standin.state.agents.values())
        assert not any(path in ("POST /v1/agents", "POST /v1/environments") for path in changed())
        assert (await bench.look())[1].idle


async def test_networking_that_somebody_opened_is_closed_again(standin: Standin, tmp_path: Path) -> None:
    async with benched(standin, tmp_path) as bench:
        await bench.make_so()
        (key,) = standin.state.environments
        await bench.sync.client.beta.environments.update(
            key, config={"type": "cloud", "networking": {"type": "unrestricted"}}
        )
        plan = await bench.make_so()
        assert "config.networking.type" in [one.field for one in plan.steps[0].changes]
        assert standin.state.environments[key]["config"]["networking"]["type"] == "limited"
        assert (await bench.look())[1].idle


@pytest.mark.parametrize(
    ("config", "archive", "fault", "remark"),
    [
        ({"type": "cloud", "networking": {"type": "limited", "allowed_hosts": []}}, False, "", ""),
        ({"type": "cloud"}, False, "", "has unrestricted networking"),
        ({"type": "self_hosted"}, False, "waits for a worker", ""),
        ({"type": "cloud"}, True, "is archived", ""),
        (None, False, "there is no environment env_missing", ""),
    ],
)
async def test_an_environment_of_the_users_own_is_checked_and_never_changed(
    standin: Standin, tmp_path: Path, config: dict[str, object] | None, archive: bool, fault: str, remark: str
) -> None:
    key = "env_missing"
    async with benched(standin, tmp_path) as bench:
        if config is not None:
            key = (await bench.sync.client.beta.environments.create(name="mine", config=config)).id  # type: ignore[arg-type]
        if archive:
            await bench.sync.client.beta.environments.archive(key)
    async with benched(standin, tmp_path, EngineSettings(environment=key)) as bench:
        _, plan = await bench.look()
        assert (fault in plan.fault) if fault else plan.fault == ""
        assert not remark or remark in plan.remarks[0]
        assert plan.steps[0].action == "keep"


async def test_access_is_what_was_synced_for_this_very_key(standin: Standin, tmp_path: Path) -> None:
    env = {"ANTHROPIC_BASE_URL": standin.base_url, "ANTHROPIC_API_KEY": KEY}
    async with benched(standin, tmp_path) as bench:
        register = bench.sync.register
        with pytest.raises(AccessError, match="no agents were made at"):
            access(EngineSettings(), env, register)
        await bench.make_so()
        found = access(EngineSettings(), env, register)
        assert set(found.roles.values()) == {*SPECIALISTS, "orchestrator"}
        assert found.environment in standin.state.environments
        assert access(EngineSettings(environment="env_mine"), env, register).environment == "env_mine"
        assert KEY not in repr(found)
        with pytest.raises(AccessError):
            access(EngineSettings(), {**env, "ANTHROPIC_API_KEY": "sk-ant-another"}, register)
        register.change(bench.sync.endpoint, lambda place: place.without_agent(place.agents["logs"].id))
        with pytest.raises(AccessError, match="not all agents are made"):
            access(EngineSettings(), env, register)


async def test_agents_that_were_made_from_other_definitions_begin_nothing_and_continue_what_began(
    standin: Standin, tmp_path: Path
) -> None:
    env = {"ANTHROPIC_BASE_URL": standin.base_url, "ANTHROPIC_API_KEY": KEY}
    other = EngineSettings(efforts={"logs": "high"})
    async with benched(standin, tmp_path) as bench:
        register = bench.sync.register
        assert access(other, env, register, begun=True).coordinator.id == ""
        await bench.make_so()
        made = access(EngineSettings(), env, register)
        with pytest.raises(AccessError, match="logs changed here since the last sync: run `warroom agents sync`"):
            access(other, env, register)
        assert access(other, env, register, begun=True) == made
    async with benched(standin, tmp_path, other) as bench:
        await bench.make_so()
        assert access(other, env, register).specialists["logs"].version == 2


async def test_the_register_is_private_holds_no_key_and_one_sync_at_a_time(standin: Standin, tmp_path: Path) -> None:
    async with benched(standin, tmp_path) as bench:
        await bench.make_so()
        register = bench.sync.register
        assert stat.S_IMODE(register.path.stat().st_mode) == 0o600
        assert KEY not in register.path.read_text()
        with (
            register.exclusive(),
            pytest.raises(StateError, match="another `warroom agents sync` is at it"),
            register.exclusive(),
        ):
            pass
        register.path.write_text('{"version": 2, "places": {}}')
        with pytest.raises(StateError, match="newer warroom"):
            register.read(bench.sync.endpoint)


async def test_a_create_that_is_refused_leaves_no_doubt(standin: Standin, tmp_path: Path) -> None:
    standin.faults.refuse(400, "POST", "/v1/agents", message="model: unknown")
    async with benched(standin, tmp_path) as bench:
        with pytest.raises(anthropic.BadRequestError):
            await bench.make_so()
        place = bench.sync.register.read(bench.sync.endpoint)
        assert (place.intents, place.agents) == ((), {})
        assert place.environment is not None


async def test_an_endpoint_without_lists_is_asked_for_what_was_recorded(standin: Standin, tmp_path: Path) -> None:
    standin.faults.refuse(405, "GET", "/v1/agents", times=99)
    async with benched(standin, tmp_path) as bench:
        with pytest.raises(anthropic.APIStatusError):
            await bench.look()
        await bench.apply(await bench.sync.survey(bench.wanted, making=True))
        assert len(standin.state.agents) == 5
        there, plan = await bench.look()
        assert (plan.idle, there.partial) == (True, True)
        bench.sync.register.change(bench.sync.endpoint, lambda place: place.with_intent("agent:logs"))
        with pytest.raises(anthropic.APIStatusError):
            await bench.sync.survey(bench.wanted, making=True)


async def test_an_api_that_keeps_a_definition_in_another_form_is_not_updated_for_ever(
    standin: Standin, tmp_path: Path, changed: Creates
) -> None:
    async with benched(standin, tmp_path) as bench:
        await bench.make_so()
        for versions in standin.state.agents.values():
            versions[-1]["description"] = versions[-1]["description"] + " (normalised)"
        changed()
        assert (await bench.look())[1].idle
        await bench.make_so()
        assert changed() == []
        (tmp_path / "managed.json").unlink()
        assert not (await bench.look())[1].idle, "without a record it is compared field by field"


async def test_what_a_server_writes_out_as_null_is_no_difference(standin: Standin, tmp_path: Path) -> None:
    async with benched(standin, tmp_path) as bench:
        await bench.make_so()
        for versions in standin.state.agents.values():
            for tool in versions[-1]["tools"]:
                tool["input_schema"] |= {"title": None, "$comment": None}
                for one in tool["input_schema"].get("properties", {}).values():
                    one.setdefault("default", None)
        (tmp_path / "managed.json").unlink()
        assert (await bench.look())[1].idle
