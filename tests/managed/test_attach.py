"""Attaching: a session that others drive is watched, never touched; only a person's word takes its hands over."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from anthropic import AsyncAnthropic

from orchestrator.attaching import incident_of
from orchestrator.engines.managed.claims import lost_to
from orchestrator.engines.managed.remote_sessions import HOST_KEY, RemoteRow, retrieve
from orchestrator.hands.budget_fold import SpentFold
from orchestrator.journal.own_remote import bound_to
from tests.managed.conftest import KEY, Command
from tests.managed.elsewhere import OTHER, began, claimed, install_of, journal, made_by, only_here, rest, writes
from tests.standin import Actor, Standin
from tests.standin.cast import caller, lead, scout, talker


@pytest.fixture
def keyed(command: Command, standin: Standin, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line with a key, and no agents of its own."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", standin.base_url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    return command


def test_a_session_of_somebody_else_is_watched_and_nothing_is_sent(keyed: Command, standin: Standin) -> None:
    standin.script({"lead": talker})
    there = began(standin, title="INC-9: the shop is slow", metadata=made_by(OTHER))
    rest(standin, there)
    before = writes(standin)
    said = keyed("attach", there, "--headless")
    assert said.status == 0, said.err
    assert "made by another installation" in said.err
    events = journal(keyed.home)
    bound = bound_to(events)
    assert bound is not None
    assert (bound.id, bound.act, bound.install, bound.hands) == (there, "attached", OTHER, False)
    assert bound.models == {"lead": "claude-opus-5-5 v1", "orchestrator": "claude-opus-5-5 v1"}
    opened = events[0].body.model_dump()
    assert (opened["incident"]["id"], opened["incident"]["title"]) == ("INC-9", "the shop is slow")
    assert opened["incident"]["text"] == "look at the shop"
    assert any(event.type == "agent.message" for event in events)
    assert writes(standin) == before

    again = keyed("attach", there, "--headless")
    assert again.status == 0, again.err
    assert only_here(keyed.home) in again.err, "it is the session that is bound already"
    refused = keyed("attach", there, str(keyed.cwd), "--headless")
    assert refused.status == 2
    assert "is here already" in refused.complaint


async def hands_out(actor: Actor) -> None:
    await actor.hear()
    await actor.delegate("scout", "look")
    await actor.hear()
    await actor.say("Good.")


async def reports(actor: Actor) -> None:
    await actor.hear()
    for number in range(3):
        await actor.say(f"I look, {number}.")
    await actor.report("Seen.")


def test_what_a_watched_session_used_is_what_the_server_says_whatever_was_read_first(
    keyed: Command, standin: Standin
) -> None:
    standin.options.request_cost = 30_000
    standin.script({"lead": hands_out, "scout": reports})
    there = began(standin, "scout")
    rest(standin, there)
    assert keyed("attach", there, "--headless").status == 0
    spent = SpentFold()
    for event in journal(keyed.home):
        spent.learn(event)
    usage = standin.run(lambda: standin.state.sessions[there].usage())
    said = (usage["list_cost"]["amount"], usage["input_tokens"], usage["output_tokens"])
    assert (str(spent.used("usd") // 10_000), spent.used("input_tokens"), spent.used("output_tokens")) == said
    assert spent.agents["scout"].used["turns"] > 0, "what its own stream says was counted for it"


def test_calls_that_wait_are_seen_and_not_answered(keyed: Command, standin: Standin) -> None:
    standin.script({"lead": caller})
    there = began(standin)
    standin.until(lambda state: state.sessions[there].blocked())
    calls = list(standin.state.sessions[there].calls)
    name = attached_in_background(keyed, standin, there)
    events = journal(keyed.home, name)
    kinds = [event.type for event in events]
    assert "agent.custom_tool_use" not in kinds
    assert "warroom.tool_started" not in kinds
    mirrored = [event.body.model_dump()["kind"] for event in events if event.type == "warroom.mirrored"]
    assert mirrored.count("agent.custom_tool_use") == 2
    assert [standin.state.posted(call) for call in calls] == [0, 0]


def attached_in_background(keyed: Command, standin: Standin, there: str) -> str:
    """Watch a session that waits for others until they let it go on: an interrupt, by whoever drives it."""
    import asyncio
    import threading

    from tests.standin.cast import connected, send

    def go_on() -> None:
        standin.until(lambda state: state.listeners(there) > 0)

        async def stop() -> None:
            async with connected(standin) as client:
                await send(client, there, {"type": "user.interrupt"})

        asyncio.run(stop())

    helper = threading.Thread(target=go_on)
    helper.start()
    said = keyed("attach", there, "--headless")
    helper.join()
    assert said.status == 0, said.err
    return only_here(keyed.home)


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("sesn_nowhere1", "has no session sesn_nowhere1"),
        ("nothing", "no session matches"),
        ("../x", "no session matches"),
    ],
)
def test_what_is_not_there_is_said_in_a_line(keyed: Command, named: str, words: str) -> None:
    said = keyed("attach", named, "--headless")
    assert said.status == 2
    assert words in said.complaint
    assert keyed.home.session_ids() == []


def test_without_a_key_it_is_one_line(command: Command) -> None:
    said = command("attach", "sesn_1", "--headless")
    assert said.status == 2
    assert "ANTHROPIC_API_KEY" in said.complaint


def test_a_fresh_claim_of_another_host_is_not_taken_over(keyed: Command, standin: Standin) -> None:
    standin.script({"lead": talker})
    there = began(standin, metadata={**made_by(OTHER), **claimed(OTHER, datetime.now(UTC).isoformat())})
    rest(standin, there)
    before = writes(standin)
    said = keyed("attach", there, "--take-over", "--yes", "--headless")
    assert said.status == 2
    assert "--force" in said.complaint
    assert writes(standin) == before
    assert keyed.home.session_ids() == [], "nothing is made where nothing may be taken over"


def test_taking_over_is_confirmed_claimed_there_and_on_record_here(keyed: Command, standin: Standin) -> None:
    standin.script({"lead": talker})
    there = began(standin, metadata=made_by(OTHER), title="INC-9: slow")
    rest(standin, there)
    asked = keyed("attach", there, "--take-over", "--force")
    assert asked.status == 4
    assert "run on this machine" in asked.err
    assert standin.state.sessions[there].record["metadata"][HOST_KEY] == OTHER
    keyed("attach", there, "--take-over", "--force", "--yes", "--headless")
    mine = install_of(keyed.home)
    assert standin.state.sessions[there].record["metadata"][HOST_KEY] == mine
    bound = bound_to(journal(keyed.home))
    assert bound is not None
    assert (bound.act, bound.by, bound.hands) == ("claimed", "person", True)
    changed = [event for event in standin.state.events(there) if event["type"] == "session.updated"]
    assert lost_to(changed[-1], OTHER) == mine
    assert lost_to(changed[-1], mine) == ""


def test_after_a_take_over_the_calls_that_wait_are_answered_here(keyed: Command, standin: Standin) -> None:
    standin.script({"lead": caller})
    there = began(standin, metadata=made_by(OTHER))
    standin.until(lambda state: state.sessions[there].blocked())
    calls = list(standin.state.sessions[there].calls)
    said = keyed("attach", there, "--take-over", "--force", "--yes", "--headless")
    assert said.status in (0, 3), said.err
    assert [standin.state.posted(call) for call in calls] == [1, 1]
    kinds = [event.type for event in journal(keyed.home)]
    assert kinds.index("warroom.remote_session") < kinds.index("agent.custom_tool_use")


def test_a_claim_that_is_lost_at_once_leaves_nothing_here(
    keyed: Command, standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.script({"lead": talker})
    there = began(standin, metadata=made_by(install_of(keyed.home)))
    rest(standin, there)

    async def other_host(client: AsyncAnthropic, session: str) -> RemoteRow:
        row = await retrieve(client, session)
        return RemoteRow(row.id, {**row.raw, "metadata": {**row.metadata, HOST_KEY: OTHER}})

    monkeypatch.setattr("orchestrator.engines.managed.claims.retrieve", other_host)
    said = keyed("attach", there, "--take-over", "--yes", "--headless")
    assert said.status == 2
    assert "nothing runs here" in said.err
    bound = bound_to(journal(keyed.home))
    assert bound is not None
    assert not bound.hands


def test_force_alone_means_nothing(keyed: Command) -> None:
    said = keyed("attach", "sesn_1", "--force")
    assert said.status == 2
    assert "--take-over" in said.complaint


def test_evidence_is_taken_in_as_by_run(keyed: Command, standin: Standin, tmp_path: Path) -> None:
    standin.script({"lead": talker})
    there = began(standin, title="the shop is slow")
    rest(standin, there)
    log = tmp_path / "shop.log"
    log.write_text("2026-03-01T10:00:00Z shop INFO started\n" * 3)
    said = keyed("attach", there, "--source", str(log), "--headless")
    assert said.status == 0, said.err
    events = journal(keyed.home)
    added = [event.body.model_dump()["spec"] for event in events if event.type == "warroom.source_added"]
    assert [spec["kind"] for spec in added] == ["logs"]
    assert events[0].body.model_dump()["incident"]["title"] == "the shop is slow"


def test_whose_copies_are_told_apart(keyed: Command, standin: Standin) -> None:
    standin.script({"lead": lead, "logs": scout})
    there = began(standin, "logs")
    standin.until(lambda state: state.sessions[there].blocked())
    attached_in_background(keyed, standin, there)
    threads = {event.thread for event in journal(keyed.home)}
    assert {"orchestrator", "logs"} <= threads


@pytest.mark.parametrize(
    ("raw", "first", "identity", "title"),
    [
        ({}, "", "sesn_1", "session sesn_1"),
        ({}, "  \nIt burns\nbadly", "sesn_1", "It burns"),
        ({"title": "INC-2: it burns", "metadata": {"warroom_incident": "INC-2"}}, "x", "INC-2", "it burns"),
        ({"title": "t" * 900, "metadata": "nonsense"}, "", "sesn_1", "t" * 160),
    ],
)
def test_the_incident_is_what_the_session_tells(raw: dict[str, object], first: str, identity: str, title: str) -> None:
    found = incident_of(RemoteRow("sesn_1", {"id": "sesn_1", **raw}), first)
    assert (found.id, found.title) == (identity, title)


def test_a_brief_that_a_warroom_wrote_is_not_taken_for_an_alert() -> None:
    found = incident_of(RemoteRow("sesn_1", {}), "Investigate this\n\n(warroom message m-0123456789abcdef)")
    assert (found.title, found.text) == ("session sesn_1", "")
