"""A key goes only where it is meant to go and is shown nowhere; each way it can fail is one line: what to set."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any

import anthropic
import pytest

from orchestrator.config.model import EngineSettings
from orchestrator.engines.client import make_client, patient
from orchestrator.engines.credentials import CredentialError, Endpoint, endpoint, held_secrets, origin_of
from orchestrator.engines.faults import explain, in_doubt, wait_of
from tests.managed.conftest import KEY, Command
from tests.managed.endpoints import endpoint_of, not_recorded
from tests.standin import Options, Standin

HOME = "https://api.anthropic.com"
PROXY = "https://llm.example.com/team"


def settled(env: dict[str, str], **engine: Any) -> Endpoint:
    return endpoint(EngineSettings.model_validate(engine), env)


@pytest.mark.parametrize(
    ("env", "engine", "base_url", "key", "kind"),
    [
        ({"ANTHROPIC_API_KEY": "k1"}, {}, HOME, "k1", "api_key"),
        ({"ANTHROPIC_API_KEY": " k1\n"}, {}, HOME, "k1", "api_key"),
        ({"ANTHROPIC_AUTH_TOKEN": "t1"}, {}, HOME, "t1", "auth_token"),
        ({"ANTHROPIC_API_KEY": "k1", "ANTHROPIC_AUTH_TOKEN": "t1"}, {}, HOME, "k1", "api_key"),
        ({"ANTHROPIC_API_KEY": "k1", "ANTHROPIC_BASE_URL": PROXY + "/"}, {}, PROXY, "k1", "api_key"),
        ({"ANTHROPIC_API_KEY": "k1"}, {"base_url": HOME + "/"}, HOME, "k1", "api_key"),
        (
            {"ANTHROPIC_API_KEY": "k1"},
            {"base_url": "https://API.anthropic.com:443"},
            "https://API.anthropic.com:443",
            "k1",
            "api_key",
        ),
        (
            {"ANTHROPIC_API_KEY": "k1", "ANTHROPIC_BASE_URL": PROXY},
            {"base_url": "https://llm.example.com/other"},
            "https://llm.example.com/other",
            "k1",
            "api_key",
        ),
        ({"TEAM": "k2", "ANTHROPIC_API_KEY": "k1"}, {"base_url": PROXY, "key_env": "TEAM"}, PROXY, "k2", "api_key"),
        ({"TEAM": "k2"}, {"key_env": "TEAM"}, HOME, "k2", "api_key"),
        ({"ANTHROPIC_API_KEY": "k1"}, {"base_url": PROXY, "key_env": "ANTHROPIC_API_KEY"}, PROXY, "k1", "api_key"),
    ],
)
def test_an_address_gets_the_key_that_is_meant_for_it(
    env: dict[str, str], engine: dict[str, str], base_url: str, key: str, kind: str
) -> None:
    found = settled(env, **engine)
    assert (found.base_url, found.key, found.kind) == (base_url, key, kind)
    assert key not in repr(found)


@pytest.mark.parametrize(
    ("env", "engine", "says"),
    [
        ({}, {}, "there is no key for api.anthropic.com: set ANTHROPIC_API_KEY in the environment"),
        ({"ANTHROPIC_API_KEY": "  "}, {}, "set ANTHROPIC_API_KEY"),
        (
            {"ANTHROPIC_API_KEY": "k1"},
            {"base_url": PROXY},
            "no key is named for https://llm.example.com/team: set engine.key_env",
        ),
        ({"ANTHROPIC_API_KEY": "k1"}, {"base_url": "http://api.anthropic.com"}, "no key is named for"),
        ({"ANTHROPIC_API_KEY": "k1"}, {"base_url": "https://api.anthropic.com:8443"}, "no key is named for"),
        ({"ANTHROPIC_API_KEY": "k1", "ANTHROPIC_BASE_URL": PROXY}, {"base_url": HOME}, "no key is named for"),
        (
            {"ANTHROPIC_API_KEY": "k1"},
            {"base_url": PROXY, "key_env": "TEAM"},
            "there is no key for llm.example.com: set TEAM",
        ),
        (
            {"TEAM": "k2", "ANTHROPIC_BASE_URL": PROXY},
            {"key_env": "TEAM"},
            "TEAM (engine.key_env) is meant for https://api.anthropic.com",
        ),
        ({"ANTHROPIC_API_KEY": "k1\nX-Other: y"}, {}, "ANTHROPIC_API_KEY holds characters that no key has"),
        (
            {"ANTHROPIC_API_KEY": "k1", "ANTHROPIC_BASE_URL": "llm.example.com"},
            {},
            "ANTHROPIC_BASE_URL is not an http or https address",
        ),
        ({"ANTHROPIC_API_KEY": "k1", "ANTHROPIC_BASE_URL": "https://u:p@x"}, {}, "must hold no user name, password"),
    ],
)
def test_where_no_key_may_be_sent_one_line_says_what_to_set(
    env: dict[str, str], engine: dict[str, str], says: str
) -> None:
    with pytest.raises(CredentialError) as refusal:
        settled(env, **engine)
    message = str(refusal.value)
    assert says in message
    assert "\n" not in message
    assert not any(value in message for value in ("k1", "k2", "u:p"))


def test_origins_compare_by_scheme_host_and_port() -> None:
    assert origin_of("https://API.Anthropic.com") == origin_of("https://api.anthropic.com:443/v1")
    assert (
        len({origin_of(u) for u in ("https://a", "http://a", "https://a:444", "https://a.b", "http://[::1]:80")}) == 5
    )


def test_an_open_way_is_said_unless_it_stays_on_this_machine() -> None:
    assert settled({"ANTHROPIC_API_KEY": "k1", "ANTHROPIC_BASE_URL": "http://10.0.0.5"}).remarks
    assert not settled({"ANTHROPIC_API_KEY": "k1", "ANTHROPIC_BASE_URL": "http://127.0.0.1:1"}).remarks
    assert not settled({"ANTHROPIC_API_KEY": "k1"}).remarks
    (remark,) = settled({"ANTHROPIC_API_KEY": "k1", "ANTHROPIC_BASE_URL": HOME + "/v1/"}).remarks
    assert "ends in /v1" in remark


def test_a_configured_header_may_hold_a_space_and_no_line_break() -> None:
    env = {"ANTHROPIC_API_KEY": "k1", "GATE": "Bearer one"}
    assert settled(env, header_env={"x-gate": "GATE"}).headers == {"x-gate": "Bearer one"}
    for value, says in (("a\nb: c", "no header has"), ("", "there is no x-gate for api.anthropic.com: set GATE")):
        with pytest.raises(CredentialError, match=says):
            settled({**env, "GATE": value}, header_env={"x-gate": "GATE"})


def test_the_sdk_is_imported_only_where_something_is_sent() -> None:
    script = (
        "import sys, orchestrator.compose, orchestrator.engines.choosing, orchestrator.engines.managed.sync\n"
        "import orchestrator.engines.client, orchestrator.engines.faults, orchestrator.engines.reporting\n"
        "import tui.commands.agents, tui.commands.agents_remote\n"
        "print(*sorted(m for m in sys.modules if '.' not in m))"
    )
    ran = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert not set(ran.stdout.split()) & {"anthropic", "httpx2", "httpcore2", "textual", "polars"}


def test_whatever_the_settings_make_a_key_is_an_own_held_secret() -> None:
    env = {
        "TEAM": "team-key-1",
        "GATE": "Bearer gate-key-2",
        "ANTHROPIC_API_KEY": "k-env-3",
        "ANTHROPIC_CUSTOM_HEADERS": "x-one: custom-4\nx-two:custom-5",
    }
    held = held_secrets(EngineSettings(key_env="TEAM", header_env={"x-gate": "GATE"}), env)
    assert set(held) == {"team-key-1", "Bearer gate-key-2", "gate-key-2", "k-env-3", "custom-4", "custom-5"}


def test_a_proxy_is_used_where_the_settings_name_it_and_for_https_only() -> None:
    address = "http://me:p%40ss-word-9@proxy.lan:3128"
    env = {"ANTHROPIC_API_KEY": "k1", "HTTPS_PROXY": address, "EMPTY": " ", "ODD": "socks5://proxy.lan:1080"}
    assert settled(env).proxy == ""
    asked = settled(env, proxy_env="HTTPS_PROXY")
    assert asked.proxy == address
    assert "ss-word" not in repr(asked)
    assert {"p%40ss-word-9", "p@ss-word-9"} <= set(held_secrets(EngineSettings(proxy_env="HTTPS_PROXY"), env))
    here = {"base_url": "http://localhost:8000", "key_env": "HTTPS_PROXY"}
    assert settled(env, **here, proxy_env="HTTPS_PROXY").proxy == "", "a proxy has another localhost, and reads the key"
    for name in ("EMPTY", "ODD", "MISSING"):
        with pytest.raises(CredentialError, match=f"{name} .*proxy"):
            settled(env, proxy_env=name)


async def test_a_configured_host_gets_its_own_key_and_no_header_that_is_meant_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The SDK reads these from the process's environment whatever it is told."""
    env = {
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_AUTH_TOKEN": "other-" + KEY,
        "ANTHROPIC_CUSTOM_HEADERS": f"x-gate: gate-{KEY}\nAuthorization: Bearer {KEY}",
        "ANTHROPIC_WORKSPACE_ID": "wrkspc_home",
        "TEAM": "team-key-1",
        "GATE": "gate-key-2",
    }
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with Standin(options=Options(key="team-key-1")) as there:
        to = settled(env, base_url=there.base_url, key_env="TEAM", header_env={"x-own": "GATE"})
        async with make_client(to, not_recorded) as client:
            assert [one async for one in patient(client).beta.agents.list()] == []
        (request,) = there.requests
        seen = {name.lower(): value for name, value in request.headers.items()}
        assert seen.get("x-own") == "gate-key-2"
        assert "x-gate" not in seen
        assert "anthropic-workspace-id" not in seen
        assert KEY not in str(request)


async def test_where_the_environment_leads_its_headers_and_workspace_go_along(
    monkeypatch: pytest.MonkeyPatch, standin: Standin
) -> None:
    env = {
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": standin.base_url,
        "ANTHROPIC_CUSTOM_HEADERS": "x-gate: open",
        "ANTHROPIC_WORKSPACE_ID": standin.options.workspace,
    }
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    async with make_client(settled(env), not_recorded) as client:
        assert [one async for one in patient(client).beta.agents.list()] == []
    seen = {name.lower(): value for name, value in standin.requests[0].headers.items()}
    assert (seen["x-gate"], seen["anthropic-workspace-id"]) == ("open", standin.options.workspace)


async def test_nothing_that_changes_something_is_repeated_and_reads_are(standin: Standin) -> None:
    standin.faults.refuse(500, path="/v1/agents", times=9)
    async with make_client(endpoint_of(standin), not_recorded) as client:
        with pytest.raises(anthropic.InternalServerError):
            await client.beta.agents.create(name="x", model="claude-haiku-5-5")
        assert len(standin.requests) == 1
        assert (client.max_retries, patient(client).max_retries) == (0, 3)


async def failure(standin: Standin, to: Endpoint | None = None) -> tuple[str, bool, float]:
    to = to or endpoint_of(standin)
    async with make_client(to, not_recorded) as client:
        with pytest.raises(anthropic.APIError) as caught:
            await client.beta.agents.create(name="x", model="claude-haiku-5-5")
    return explain(caught.value, to), in_doubt(caught.value), wait_of(caught.value, 1.5)


@pytest.mark.parametrize(
    ("status", "message", "says", "doubt"),
    [
        (401, "invalid", "does not take the key in ANTHROPIC_API_KEY (401)", False),
        (402, "pay", "asks for payment (402)", False),
        (403, "beta access is missing", "may not use Managed Agents at", False),
        (403, "key does not belong to this workspace", "is not for its workspace", False),
        (404, "no such path", "has no Managed Agents for the key", False),
        (400, "model: unknown", "refused the request (400) [it says: model: unknown]", False),
        (429, "slow down", "lets through no more at the moment (429)", False),
        (408, "late", "refused the request (408)", True),
        (500, "oops", "is in trouble (500)", True),
        (529, "overloaded", "is in trouble (529)", True),
    ],
)
async def test_each_refusal_is_one_line(standin: Standin, status: int, message: str, says: str, doubt: bool) -> None:
    standin.faults.refuse(status, "POST", "/v1/agents", message=message)
    line, in_doubt_, wait = await failure(standin)
    assert says in line
    assert "\n" not in line
    assert (in_doubt_, wait) == (doubt, 1.5)


async def test_a_refusal_that_repeats_the_key_or_hides_controls_is_shown_without(standin: Standin) -> None:
    standin.faults.refuse(401, "POST", "/v1/agents", message=f"bad key {KEY}\x1b[2J\nwarroom: all is well")
    line, _, _ = await failure(standin)
    assert KEY not in line
    assert "\x1b" not in line
    assert "\n" not in line


async def test_a_host_that_is_not_there_and_one_that_may_not_be_reached(standin: Standin) -> None:
    gone = endpoint_of(standin)
    closed = Endpoint("http://127.0.0.1:9", KEY, "ANTHROPIC_API_KEY")
    line, doubt, _ = await failure(standin, closed)
    assert line.startswith("127.0.0.1:9 cannot be reached (")
    assert doubt
    standin.faults.add("POST", "/v1/agents", broken="reset")
    line, doubt, _ = await failure(standin, gone)
    assert "cannot be reached" in line
    assert doubt


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"ANTHROPIC_API_KEY": ""}, 2, "there is no key for 127.0.0.1"),
        ({"ANTHROPIC_API_KEY": "sk-ant-wrong-000000001"}, 3, "does not take the key in ANTHROPIC_API_KEY (401)"),
        ({"ANTHROPIC_API_KEY": "sk-ant-without-beta-01"}, 3, "may not use Managed Agents at 127.0.0.1"),
        ({"ANTHROPIC_WORKSPACE_ID": "wrkspc_other"}, 3, "is not for workspace wrkspc_other (ANTHROPIC_WORKSPACE_ID)"),
        ({"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}, 3, "127.0.0.1:9 cannot be reached"),
        ({"ANTHROPIC_BASE_URL": "http://169.254.169.254"}, 2, "nothing is sent there"),
        ({"WARROOM_BASE_URL": "http://127.0.0.1:9"}, 2, "no key is named for http://127.0.0.1:9"),
    ],
)
def test_every_command_says_in_one_line_what_to_set(
    synced: Command, standin: Standin, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], status: int, says: str
) -> None:
    monkeypatch.setattr("orchestrator.engines.client.READ_RETRIES", 0)
    standin.options.no_beta.add("sk-ant-without-beta-01")
    said = synced("agents", "status", **change)
    assert (said.status, says in said.complaint) == (status, True), said.err
    assert KEY not in said.err


def test_the_key_is_in_no_file_and_on_no_screen(synced: Command, standin: Standin, tmp_path: Path) -> None:
    """Sync, show, fail, crash, investigate, export: then look everywhere."""
    (synced.cwd / "app.log").write_text(f"2026-03-01T12:00:00Z ERROR key={KEY} refused\n" * 3)
    for arguments in (
        ["agents", "status"],
        ["agents", "show", "--remote"],
        ["agents", "show", "logs", "--remote", "--json"],
    ):
        assert synced(*arguments).status == 0
    standin.faults.refuse(401, "GET", "/v1/agents", message=f"your key {KEY} is not valid")
    assert synced("agents", "status").status == 3
    standin.faults.add("GET", "/v1/agents", body=b'{"data": 7}')
    assert synced("agents", "status").status != 0
    assert synced("run", str(synced.cwd / "app.log"), "--engine", "offline").status == 0
    (session,) = [path.name for path in (tmp_path / "warroom-home" / "sessions").iterdir()]
    assert synced("sessions", "export", session).status == 0
    assert KEY not in "".join(synced.heard)
    for path in (tmp_path / "warroom-home").rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert KEY.encode() not in raw, path
            if path.suffix == ".gz":
                assert KEY.encode() not in gzip.decompress(raw), path
