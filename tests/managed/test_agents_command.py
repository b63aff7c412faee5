"""`warroom agents sync|status|show|archive` as a person or a script uses them, and which engine `auto` is."""

from __future__ import annotations

import json

import pytest

from orchestrator.compose import ComposeError, Request, Surroundings, begin, choose_engine
from orchestrator.config import Settings
from orchestrator.config.model import EngineSettings
from orchestrator.engines.choosing import resolve
from orchestrator.engines.managed.register import Register
from orchestrator.journal.reader import JournalReader
from tests.managed.conftest import KEY, Command, Creates
from tests.standin import Standin


@pytest.fixture
def keyed(command: Command, standin: Standin, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line with a key, before any sync."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", standin.base_url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    return command


def test_nothing_is_made_without_a_yes(keyed: Command, changed: Creates) -> None:
    dry, unsaid = keyed("agents", "sync", "--dry-run"), keyed("agents", "sync")
    assert (dry.status, unsaid.status) == (4, 4)
    assert dry.out == unsaid.out
    assert "+ logs: create logs (claude-haiku-5-5 medium;" in dry.out
    assert "roster: the specialists, no inline agents, no workflows" in dry.out
    assert "To make these changes: warroom agents sync --yes" in unsaid.err
    assert keyed("agents", "status").status == 4
    assert changed() == []


def test_a_yes_makes_them_once_and_status_agrees(keyed: Command, changed: Creates) -> None:
    first = keyed("agents", "sync", "--yes")
    assert first.status == 0, first.err
    assert first.err.splitlines()[:2] == ["made environment", "made logs v1"]
    assert len(changed()) == 6
    again = keyed("agents", "sync", "--yes")
    assert (again.status, "Nothing to change." in again.err) == (0, True)
    status = keyed("agents", "status", "--json")
    assert status.status == 0
    rows = json.loads(status.out)["agents"]
    assert [row["what"] for row in rows] == ["environment", "logs", "metrics", "deploys", "codefix", "orchestrator"]
    assert {row["state"] for row in rows} == {"as defined"}
    assert changed() == []


def test_the_exact_difference_is_shown_prompts_as_a_unified_diff(synced: Command, standin: Standin) -> None:
    versions = next(one for one in standin.state.agents.values() if one[-1]["name"] == "logs")
    prompt = versions[-1]["system"]
    first = prompt.splitlines()[0]
    theirs = {
        **versions[-1],
        "version": 2,
        "system": prompt.replace(first, "\x1b[31mObey me.", 1),
        "description": "old",
    }
    versions.append(theirs)
    shown = synced("agents", "sync", "--dry-run")
    assert shown.status == 4
    assert "~ logs: update agent_" in shown.out
    assert (
        "    description:\n      --- there\n      +++ here\n      @@ -1 +1 @@\n      -old\n      +Reads log"
        in shown.out
    )
    assert "    system:\n      --- there\n      +++ here\n      @@ -1,3 +1,3 @@\n" in shown.out
    assert f"      +{first}" in shown.out
    assert "Obey me." in shown.out
    assert "\x1b" not in shown.out
    assert "    multiagent.roster:" in shown.out
    assert synced("agents", "status").out.count("differs: ") == 2


def test_yes_looks_again_where_somebody_else_changed_something(
    synced: Command, standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARROOM_MODEL", "claude-sonnet-5-5")
    standin.faults.refuse(409, "POST", "/v1/agents/*", message="version mismatch")
    said = synced("agents", "sync", "--yes")
    assert said.status == 0, said.err
    assert "was changed by somebody else meanwhile; looking again" in said.complaint
    standin.faults.refuse(409, "POST", "/v1/agents/*", times=9, message="version mismatch")
    said = synced("agents", "sync", "--yes", WARROOM_MODEL="claude-haiku-5-5")
    assert said.status == 4
    assert "somebody else keeps changing the agents" in said.err


def test_show_prints_what_is_there(synced: Command) -> None:
    one = synced("agents", "show", "orchestrator", "--remote")
    assert one.status == 0
    assert "tool     conclude" in one.out
    assert "roster   inline agents disabled" in one.out
    assert "You lead an incident investigation." in one.out
    every = synced("agents", "show", "--remote", "--json")
    assert [agent["name"] for agent in json.loads(every.out)][-1] == "orchestrator"
    assert synced("agents", "show", "nobody", "--remote").complaint.startswith("warroom: there is no agent 'nobody'")
    local = synced("agents", "show", "logs")
    assert "logs_search" in local.out
    assert "metrics_rank" not in local.out


def test_archiving_takes_two_steps_and_says_that_there_is_no_way_back(
    synced: Command, changed: Creates, standin: Standin
) -> None:
    changed()
    asked = synced("agents", "archive", "deploys")
    assert (asked.status, "This would be archived for good:" in asked.err) == (0, True)
    assert synced("agents", "archive", "deploys", "--confirm", "000000000000").status == 2
    assert changed() == []
    token = asked.err.split("--confirm ")[1].strip()
    assert synced("agents", "archive", "deploys", "--confirm", token).status == 0
    assert [path.endswith("/archive") for path in changed()] == [True]
    assert synced("agents", "archive", "deploys").complaint.startswith("warroom: there is no agent 'deploys'")
    said = synced("agents", "sync", "--yes")
    assert (said.status, "which cannot be undone: a new one takes its place" in said.out) == (0, True)
    assert sum(not one[-1]["archived_at"] for one in standin.state.agents.values()) == 5


def test_archive_all_leaves_nothing_of_this_installation_in_use(synced: Command, standin: Standin) -> None:
    assert synced("agents", "archive").status == 2
    token = synced("agents", "archive", "--all").err.split("--confirm ")[1].strip()
    standin.faults.lose_answer("/v1/agents/*/archive")
    said = synced("agents", "archive", "--all", "--confirm", token)
    assert said.status == 0, said.err
    assert all(one[-1]["archived_at"] for one in standin.state.agents.values())
    assert all(one["archived_at"] for one in standin.state.environments.values())
    assert "nothing of this installation" in synced("agents", "archive", "--all").err
    assert synced("agents", "show", "--remote").complaint.endswith("`warroom agents sync` makes them")


@pytest.mark.parametrize("body", [b'{"data": 7}', b'{"data": [{"name": "no id"}]}', b"<html>hello</html>", b"[]"])
def test_an_address_that_is_not_the_api_is_said(synced: Command, standin: Standin, body: bytes) -> None:
    standin.faults.add("GET", "/v1/agents", body=body)
    said = synced("agents", "status")
    assert said.status == 3, said.err
    assert "is it Anthropic's API, or a proxy of it?" in said.complaint


def test_settings_that_cannot_be_are_said_by_agent(keyed: Command) -> None:
    (keyed.cwd / "mine.toml").write_text('[engine.models]\nlogs = "no model!"\n')
    said = keyed("agents", "sync", "--config", "mine.toml")
    assert said.complaint.startswith("warroom: agent logs: 'no model!' is no model id")
    (keyed.cwd / "mine.toml").write_text('[engine.models]\nsomebody = "claude-haiku-5-5"\n')
    assert keyed("agents", "sync", "--config", "mine.toml").status == 2
    assert keyed("agents", "sync", "--config", "missing.toml").complaint.endswith("no such file; check --config")


def test_auto_is_managed_where_a_key_is_there_and_its_agents_are_synced(
    keyed: Command, standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = {"ANTHROPIC_BASE_URL": standin.base_url, "ANTHROPIC_API_KEY": KEY}
    engine = EngineSettings()
    assert resolve("auto", engine, {}, keyed.home) == ("offline", "")
    name, remark = resolve("auto", engine, env, keyed.home)
    assert name == "offline"
    assert "no agents were made at 127.0.0.1" in remark
    assert "run `warroom agents sync` once" in remark
    misled = resolve("auto", EngineSettings(base_url="https://llm.example.com"), env, keyed.home)
    assert (misled[0], "set engine.key_env" in misled[1]) == ("offline", True)
    assert keyed("agents", "sync", "--yes").status == 0
    assert resolve("auto", engine, env, keyed.home) == ("managed", "")
    assert resolve("auto", engine, {}, keyed.home) == ("offline", "")
    assert resolve("offline", engine, env, keyed.home) == ("offline", "")


def test_the_managed_engine_without_a_key_or_agents_is_one_line(keyed: Command, standin: Standin) -> None:
    env = {"ANTHROPIC_BASE_URL": standin.base_url, "ANTHROPIC_API_KEY": KEY}
    for given, says in (({}, "set ANTHROPIC_API_KEY in the environment"), (env, "run `warroom agents sync` once")):
        around = Surroundings(keyed.home, keyed.cwd, given)
        with pytest.raises(ComposeError) as refusal:
            choose_engine("managed", Settings(), around)
        assert str(refusal.value).startswith("the managed engine cannot begin: ")
        assert says in str(refusal.value)
    with pytest.raises(ComposeError, match="there is no engine 'gpt'"):
        choose_engine("gpt", Settings(), Surroundings(keyed.home, keyed.cwd, {}))
    assert keyed("agents", "sync", "--yes").status == 0
    chosen = choose_engine("managed", Settings(), Surroundings(keyed.home, keyed.cwd, env))
    assert (chosen.name, chosen.shown_as) == ("managed", "Claude Managed Agents, claude-opus-5-5 v1")


async def test_a_session_says_why_a_key_is_not_used_and_never_records_it(keyed: Command, standin: Standin) -> None:
    env = {"ODD_NAME": KEY, "ANTHROPIC_BASE_URL": standin.base_url, "ANTHROPIC_API_KEY": KEY[::-1]}
    (keyed.cwd / "mine.toml").write_text(f'[engine]\nbase_url = "{standin.base_url}"\nkey_env = "ODD_NAME"\n')
    (keyed.cwd / "app.log").write_text(f"2026-03-01T12:00:00Z ERROR refused {KEY} and {KEY[::-1]}\n")
    around = Surroundings(keyed.home, keyed.cwd, env)
    request = Request(inputs=("app.log",), config=keyed.cwd / "mine.toml", title=f"leak {KEY}")
    await (await begin(request, around)).close()
    (session,) = keyed.home.session_ids()
    with JournalReader.open(keyed.home.session_dir(session)) as reader:
        stored = "".join(event.model_dump_json() for event in reader.events())
    assert "there is a key, but the offline investigator works: no agents were made" in stored
    assert KEY not in stored
    assert "redacted:" in stored


def test_an_install_is_told_apart_by_its_state_home_and_not_by_its_key(keyed: Command) -> None:
    register = Register(keyed.home)
    assert register.install == Register(keyed.home).install
    assert len(register.install) == 16
