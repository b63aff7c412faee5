"""The small commands, and how every command fails."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import WARROOM, InProcess, environment, settle, warroom


def test_help_and_version(tmp_path: Path) -> None:
    assert "Commands:" in settle(warroom(tmp_path, "--help")).out
    assert "Exit status" in settle(warroom(tmp_path, "--help")).out
    assert settle(warroom(tmp_path, "--version")).out.startswith("warroom ")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bogus"], "No such command 'bogus'"),
        (["run", "--bogus"], "No such option"),
        (["run"], "nothing to look at"),
        (["run", "--"], "nothing follows"),
        (["run", "x", "--engine", "oracle"], "there is no engine 'oracle'"),
        (["run", "x", "--engine", "managed"], "the managed engine cannot begin: there is no key"),
        (["run", "x", "--engine", "messages"], "comes with a later version"),
        (["run", "x", "--since", "yesterday"], "is not a time"),
        (["run", "x", "--since", "2026-03-01T10:00"], "names no zone"),
        (["run", "x", "--config", "none.toml"], "no such file"),
        (["run", "x", "--out", "nowhere/x.json"], "no such directory"),
        (["report"], "Missing argument"),
        (["report", "x", "--format", "pdf"], "'pdf' is not one of"),
        (["schema", "everything"], "is not one of"),
        (["purge"], "Missing option"),
        (["completion", "tcsh"], "is not one of"),
        (["init", "nowhere/at/all"], "no such directory"),
        (["config", "check", "nowhere.toml"], "no such file"),
        (["sessions", "resume", "nothing"], "no session matches"),
    ],
)
def test_wrong_arguments_are_one_line_and_status_2(quick: InProcess, arguments: list[str], said: str) -> None:
    ran = quick(*arguments)
    assert ran.status == 2, ran.err
    assert said in ran.complaint()
    assert ran.out == ""


@pytest.mark.parametrize("arguments", [[], ["sessions"], ["config"]])
def test_without_a_command_the_help_is_shown(tmp_path: Path, arguments: list[str]) -> None:
    ran = warroom(tmp_path, *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert "Commands:\n" in ran.err


@pytest.mark.parametrize("which", ["events", "verdict", "config", "eval"])
def test_schemas_are_json_schema(quick: InProcess, which: str) -> None:
    made = settle(quick("schema", which)).json()
    assert made["$schema"].startswith("https://json-schema.org/")
    assert made["type"] == "object"
    assert made["properties"]


def test_every_event_type_is_in_the_published_schema(quick: InProcess) -> None:
    from orchestrator.journal.events import KNOWN_TYPES

    text = settle(quick("schema", "events")).out
    assert all(f'"const": "{name}"' in text for name in KNOWN_TYPES)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(tmp_path: Path, shell: str) -> None:
    made = settle(warroom(tmp_path, "completion", shell)).out
    assert "_WARROOM_COMPLETE" in made
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=made.encode(), check=True, timeout=30)


def test_completion_answers_with_commands_and_choices(tmp_path: Path) -> None:
    def answers(words: str, number: int) -> list[str]:
        ran = settle(warroom(tmp_path, _WARROOM_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(number)))
        return [line.partition(",")[2] for line in ran.out.splitlines()]

    assert answers("warroom se", 1) == ["sessions"]
    assert answers("warroom sessions d", 2) == ["delete"]
    assert answers("warroom schema ", 2) == ["events", "verdict", "config", "eval"]


def test_init_check_and_no_overwriting(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "shop").mkdir(parents=True)
    (project / "shop" / "pyproject.toml").write_text("")
    settle(warroom(tmp_path, "init", str(project)))
    written = project / "warroom.toml"
    assert "fine" in settle(warroom(tmp_path, "config", "check", str(project))).out
    written.write_text("# mine\n")
    refused = warroom(tmp_path, "init", str(project))
    assert refused.status == 2
    assert "is there already" in refused.complaint()
    assert written.read_text() == "# mine\n"
    settle(warroom(tmp_path, "init", str(project), "--force"))
    assert written.read_text() != "# mine\n"
    nowhere = warroom(tmp_path, "init", "projct")
    assert (nowhere.status, "no such directory" in nowhere.complaint()) == (2, True)
    assert not (tmp_path / "projct").exists()


def test_config_check_names_faults_by_line(tmp_path: Path) -> None:
    (tmp_path / "warroom.toml").write_text("runbooks = []\n\n[engin]\nchoice = 'offline'\n")
    ran = warroom(tmp_path, "config", "check")
    assert ran.status == 2
    assert "warroom.toml:3" in ran.out
    assert "did you mean `engine`" in ran.out


def test_a_projects_file_is_accepted_in_two_steps_and_only_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "warroom.toml"
    file.write_text("[services.shop]\nrollback = 'undo {service}'\n")
    first = settle(warroom(tmp_path, "config", "accept", str(file)))
    digest = first.err.rpartition("--digest ")[2].strip()
    assert warroom(tmp_path, "config", "check", str(file)).status == 2
    file.write_text(file.read_text().replace("undo", "rm"))
    assert "nothing was accepted" in warroom(tmp_path, "config", "accept", str(file), "--digest", digest).complaint()
    second = settle(warroom(tmp_path, "config", "accept", str(file)))
    digest = second.err.rpartition("--digest ")[2].strip()
    settle(warroom(tmp_path, "config", "accept", str(file), "--digest", digest))
    assert warroom(tmp_path, "config", "check", str(file)).status == 0


def test_a_closed_pipe_and_a_full_disk_at_the_end_of_a_pipe(tmp_path: Path) -> None:
    command = f"'{WARROOM}' schema events | head -1; exit ${{PIPESTATUS[0]}}"
    ran = subprocess.run(
        ["bash", "-c", command], env=environment(tmp_path), capture_output=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, b"")
    with open("/dev/full", "w") as full:
        to_full = subprocess.run(
            [str(WARROOM), "schema", "events"],
            env=environment(tmp_path),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert to_full.returncode == 1
    assert to_full.stderr.startswith(b"warroom: ")
    assert b"Traceback" not in to_full.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_standard_streams(tmp_path: Path, closed: str) -> None:
    ran = subprocess.run(
        ["bash", "-c", f"'{WARROOM}' sessions list {closed}"],
        env=environment(tmp_path),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"Traceback" not in ran.stderr
    assert ran.returncode == (2 if ">&-" in closed and not closed.startswith("2") else 0)


def test_an_unexpected_fault_is_one_line_and_its_details_are_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import click

    from tui.commands.faults import run_to_exit_status

    @click.command()
    def broken() -> None:
        hidden = os.environ["HIDDEN_VALUE"]
        raise LookupError(f"surprise {len(hidden)} {os.environ['SHOP_API_TOKEN']}")

    monkeypatch.setenv("WARROOM_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HIDDEN_VALUE", "local value")
    monkeypatch.setenv("SHOP_API_TOKEN", "kp7Zq1vW8xRt5")
    assert run_to_exit_status(broken, []) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert str(tmp_path / "state" / "warroom.log") in said
    log = (tmp_path / "state" / "warroom.log").read_text()
    assert "surprise" in log
    assert "local value" not in log
    assert "kp7Zq1vW8xRt5" not in log
    assert "<redacted:" in log
    assert (tmp_path / "state" / "warroom.log").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["file", "readonly", "link"])
def test_an_unusable_state_directory_is_said(
    tmp_path: Path, quick: InProcess, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    state = tmp_path / "state"
    if kind == "file":
        state.write_text("x")
    elif kind == "link":
        state.symlink_to(state)
    else:
        monkeypatch.setattr("tests.cli.command.STATE", "/proc/none")
    (tmp_path / "app.log").write_text("2026-01-01T00:00:00Z ERROR x\n")
    ran = quick("run", "app.log", "--headless")
    assert ran.status == 2
    assert "cannot keep sessions there" in ran.complaint()


def test_no_colour_codes_reach_a_pipe(tmp_path: Path) -> None:
    for arguments in (["--help"], ["sessions", "list"], ["bogus"]):
        ran = warroom(tmp_path, *arguments, FORCE_COLOR="1")
        assert "\x1b" not in ran.out + ran.err
