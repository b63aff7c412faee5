"""Bad input by the command line: an exit status, clear lines, all good data kept, never a traceback, never a hang."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.journal.faults import DiskFull
from orchestrator.session import Session
from tests.cli.command import InProcess, Ran, environment, settle, warroom
from tests.cli.incidents import T0, git, write_incident, write_logs, write_metrics

NOTHING: list[tuple[str, Callable[[Path], list[str]], str]] = []
"""(name, make the input and return the arguments, what the one line must say): nothing usable, status 2."""


def nothing(said: str) -> Callable[[Callable[[Path], list[str]]], Callable[[Path], list[str]]]:
    def keep(make: Callable[[Path], list[str]]) -> Callable[[Path], list[str]]:
        NOTHING.append((make.__name__, make, said))
        return make

    return keep


@nothing("nothing usable")
def empty_folder(at: Path) -> list[str]:
    (at / "empty").mkdir()
    return ["empty"]


@nothing("No such file or directory")
def missing_path(at: Path) -> list[str]:
    return ["nowhere"]


@nothing("")
def empty_file(at: Path) -> list[str]:
    (at / "app.log").write_text("")
    return ["app.log"]


@nothing("")
def binary_file(at: Path) -> list[str]:
    (at / "app.log").write_bytes(bytes(range(256)) * 40)
    return ["app.log"]


@nothing("")
def folder_of_the_unknown(at: Path) -> list[str]:
    (at / "photos").mkdir()
    (at / "photos" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 100)
    return ["photos"]


@nothing("command not found")
def missing_command(at: Path) -> list[str]:
    return ["--", "no-such-command-here"]


@nothing("")
def failing_command(at: Path) -> list[str]:
    return ["--", "sh", "-c", "echo no cluster >&2; exit 3"]


@nothing("")
def loop_of_links(at: Path) -> list[str]:
    (at / "loop").symlink_to("loop")
    return ["loop"]


@nothing("warroom.toml:1")
def broken_settings(at: Path) -> list[str]:
    (at / "warroom.toml").write_text("[services\n")
    write_logs(at / "app.jsonl")
    return ["app.jsonl"]


@pytest.mark.parametrize(("make", "said"), [(m, s) for _, m, s in NOTHING], ids=[n for n, _, _ in NOTHING])
def test_nothing_usable_is_status_2_and_one_line(
    tmp_path: Path, quick: InProcess, make: Callable[[Path], list[str]], said: str
) -> None:
    ran = quick("run", "--headless", *make(tmp_path))
    assert ran.status == 2, ran.err
    assert ran.out == ""
    assert said in ran.complaint()
    sessions = tmp_path / "state" / "sessions"
    assert not sessions.exists() or os.listdir(sessions) == []
    assert not list((tmp_path / "state").glob("spool-*"))


def test_nothing_on_standard_input(tmp_path: Path) -> None:
    ran = warroom(tmp_path, "run", "-", "--headless", stdin="")
    assert ran.status == 2
    assert "nothing came" in ran.complaint()


SOME: list[tuple[str, Callable[[Path], list[str]], str]] = []
"""(name, make the input and return the arguments, what a problem must say): partly usable, status 0."""


def some(said: str) -> Callable[[Callable[[Path], list[str]]], Callable[[Path], list[str]]]:
    def keep(make: Callable[[Path], list[str]]) -> Callable[[Path], list[str]]:
        SOME.append((make.__name__, make, said))
        return make

    return keep


@some("app.jsonl")
def half_broken_jsonl(at: Path) -> list[str]:
    write_logs(at / "app.jsonl", broken=True)
    return ["app.jsonl"]


@some("nowhere")
def one_path_missing(at: Path) -> list[str]:
    write_logs(at / "app.jsonl")
    return ["app.jsonl", "nowhere"]


@some("UTF-8")
def invalid_utf8(at: Path) -> list[str]:
    write_logs(at / "app.jsonl")
    lines = (at / "app.jsonl").read_bytes().splitlines(keepends=True)
    lines[10:10] = [b'{"ts":"2026-02-03T09:00:40Z","service":"orders","level":"INFO","message":"\xff\xfe\xc3("}\n'] * 5
    (at / "app.jsonl").write_bytes(b"".join(lines))
    return ["app.jsonl"]


@some("bomb")
def gz_bomb(at: Path) -> list[str]:
    write_logs(at / "app.jsonl")
    with gzip.open(at / "bomb.log.gz", "wb", compresslevel=9) as out:
        line = b"2026-02-03T09:00:00Z INFO " + b"a" * (1 << 20) + b"\n"
        for _ in range(120):
            out.write(line)
    return ["app.jsonl", "bomb.log.gz"]


@some("cut short")
def torn_gz(at: Path) -> list[str]:
    write_logs(at / "app.jsonl")
    whole = gzip.compress((at / "app.jsonl").read_bytes())
    (at / "app.jsonl").unlink()
    (at / "app.jsonl.gz").write_bytes(whole[: len(whole) * 2 // 3])
    return ["app.jsonl.gz"]


@some("")
def mixed_zones(at: Path) -> list[str]:
    write_logs(at / "app.jsonl")
    text = (at / "app.jsonl").read_text().splitlines()
    text[::3] = [line.replace('Z"', '+00:00"', 1) for line in text[::3]]
    text[1::3] = [line.replace('Z"', '"', 1) for line in text[1::3]]
    (at / "app.jsonl").write_text("\n".join(text) + "\n")
    return ["app.jsonl"]


@some("time")
def no_time_stamps(at: Path) -> list[str]:
    (at / "app.log").write_text("".join(f"ERROR request {n} failed: voucher ring is empty\n" for n in range(400)))
    return ["app.log"]


@some("no git repository")
def no_repository(at: Path) -> list[str]:
    write_logs(at / "app.jsonl")
    return ["app.jsonl"]


@some("not a git repository")
def repository_that_is_none(at: Path) -> list[str]:
    write_logs(at / "app.jsonl")
    (at / "plain").mkdir()
    return ["app.jsonl", "--repo", "plain"]


@some("commit")
def unborn_repository(at: Path) -> list[str]:
    write_logs(at / "app.jsonl")
    (at / "repo").mkdir()
    git(at / "repo", "init", "-q", "-b", "main")
    return ["app.jsonl", "--repo", "repo"]


@some("")
def dirty_repository(at: Path) -> list[str]:
    write_incident(at / "incident")
    (at / "incident" / "repo" / "orders" / "app.py").write_text("half an edit")
    return ["incident"]


@some("shallow")
def shallow_repository(at: Path) -> list[str]:
    write_incident(at / "incident")
    repo = at / "incident" / "repo"
    subprocess.run(
        ["git", "clone", "-q", "--depth", "2", f"file://{repo}", str(at / "shallow")], check=True, capture_output=True
    )
    shutil.rmtree(repo)
    (at / "shallow").rename(repo)
    return ["incident"]


@some("")
def corrupt_repository(at: Path) -> list[str]:
    write_incident(at / "incident")
    for place in (at / "incident" / "repo" / ".git" / "objects").glob("??/*"):
        place.chmod(0o644)
        place.write_bytes(place.read_bytes()[:10] + b"rot")
    return ["incident"]


@some("")
def metrics_with_gaps(at: Path) -> list[str]:
    write_metrics(at / "metrics.csv")
    lines = (at / "metrics.csv").read_text().splitlines()
    kept = [line for n, line in enumerate(lines) if n == 0 or (n // 40) % 3 != 1]
    kept[20:20] = ["2026-02-03T09:02:00Z,orders,latency_p95_ms,NaN", "not,a,row", "2026-02-03T09:02:00Z,orders,x,abc"]
    (at / "metrics.csv").write_text("\n".join(kept) + "\n")
    return ["metrics.csv"]


@some("")
def hostile_text(at: Path) -> list[str]:
    write_logs(at / "app.jsonl")
    with (at / "app.jsonl").open("a") as log:
        for second in range(30):
            message = "\x1b]0;owned\x07\x1b[2J \u202e <script>alert(1)</script> [x](http://evil.example) ``` @here"
            line = {"ts": f"2026-02-03T09:58:{second:02}Z", "service": "orders", "level": "FATAL", "message": message}
            log.write(json.dumps(line) + "\n")
    return ["app.jsonl"]


@some("record 1")
def commits_of_odd_types(at: Path) -> list[str]:
    write_logs(at / "app.jsonl")
    odd = {"sha": "a" * 40, "files_changed": 3, "parents": 1, "message": 5, "author": {"name": {"name": {}}}}
    (at / "commits.json").write_text(json.dumps([None, odd]))
    return ["app.jsonl", "commits.json"]


@some("unusable.md")
def runbooks_that_are_none(at: Path) -> list[str]:
    (at / "own" / "runbooks").mkdir(parents=True)
    write_logs(at / "own" / "app.jsonl")
    (at / "own" / "runbooks" / "unusable.md").write_bytes(b"\xff\xfe no steps")
    return ["own"]


@some("")
def lone_surrogates(at: Path) -> list[str]:
    write_logs(at / "app.jsonl")
    with (at / "app.jsonl").open("a") as log:
        log.write('{"ts":"2026-02-03T09:58:00Z","service":"orders","level":"INFO","message":"cut \\ud800"}\n')
    return ["app.jsonl"]


@some("")
def pipe_without_writer(at: Path) -> list[str]:
    write_logs(at / "app.jsonl")
    os.mkfifo(at / "silent.log")
    return ["app.jsonl"]


FILES = (
    half_broken_jsonl,
    invalid_utf8,
    gz_bomb,
    torn_gz,
    mixed_zones,
    no_time_stamps,
    hostile_text,
    metrics_with_gaps,
    commits_of_odd_types,
    runbooks_that_are_none,
    lone_surrogates,
)


def test_all_bad_files_at_once_beside_a_good_one(tmp_path: Path, quick: InProcess) -> None:
    given = [name for make in FILES for name in made_in(tmp_path / make.__name__, make)]
    os.mkfifo(tmp_path / "silent.log")
    (tmp_path / "empty").mkdir()
    (tmp_path / "dark.log").write_bytes(bytes(range(256)) * 40)
    ran = settle(quick("run", "--headless", *given, "empty", "dark.log", "nowhere", "--repo", "empty"))
    told = "\n".join(ran.json()["problems"]).lower()
    for word in (
        "app.jsonl",
        "utf-8",
        "bomb",
        "cut short",
        "time",
        "metrics.csv",
        "commits.json",
        "unusable.md",
        "dark.log",
        "nowhere",
        "git repository",
    ):
        assert word in told, (word, told)
    assert ran.json()["service"] == "orders"
    nothing_acts(tmp_path, ran)


def made_in(folder: Path, make: Callable[[Path], list[str]]) -> list[str]:
    folder.mkdir()
    return [f"{folder.name}/{name}" for name in make(folder)]


def test_all_bad_repositories_at_once_beside_good_telemetry(tmp_path: Path, quick: InProcess) -> None:
    write_incident(tmp_path / "incident")
    shutil.rmtree(tmp_path / "incident" / "repo")
    repositories = []
    for make in (unborn_repository, dirty_repository, shallow_repository, corrupt_repository):
        folder = tmp_path / make.__name__
        folder.mkdir()
        make(folder)
        found = next(path for path in (folder / "repo", folder / "incident" / "repo") if path.exists())
        repositories += ["--repo", str(found)]
    ran = settle(quick("run", "--headless", "incident", *repositories))
    told = "\n".join(ran.json()["problems"]).lower()
    for word in ("commit", "shallow", "corrupt"):
        assert word in told, (word, told)
    assert ran.json()["service"] == "orders"
    nothing_acts(tmp_path, ran)


def nothing_acts(home: Path, ran: Ran) -> None:
    """Neither the run's output nor the report holds a character that a terminal would obey."""
    report = settle(warroom(home, "report", ran.json()["session"])).out
    for text in (ran.out, ran.err, report):
        assert not [char for char in text if (ord(char) < 32 and char != "\n") or char in "\x7f\x9b\u202e"]


@pytest.mark.soak
@pytest.mark.parametrize(("make", "said"), [(m, s) for _, m, s in SOME], ids=[n for n, _, _ in SOME])
def test_what_is_good_is_used_and_what_is_bad_is_said(
    tmp_path: Path, make: Callable[[Path], list[str]], said: str
) -> None:
    ran: Ran = settle(warroom(tmp_path, "run", "--headless", *make(tmp_path)))
    made = ran.json()
    assert made["kind"] is not None
    told = "\n".join(made["problems"])
    assert said.lower() in told.lower(), told
    nothing_acts(tmp_path, ran)


def test_an_unreadable_file_beside_a_good_one(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads every file")
    write_logs(tmp_path / "app.jsonl")
    (tmp_path / "closed.log").write_text("x")
    (tmp_path / "closed.log").chmod(0)
    made = settle(warroom(tmp_path, "run", "--headless", "app.jsonl", "closed.log")).json()
    assert any("closed.log" in line for line in made["problems"])


def test_the_window_of_the_data_is_given_where_a_person_names_one_outside_it(tmp_path: Path, quick: InProcess) -> None:
    write_logs(tmp_path / "app.jsonl")
    made = settle(
        quick("run", "--headless", "app.jsonl", "--since", "2031-01-01T00:00Z", "--until", "2031-01-02T00:00Z")
    ).json()
    assert made["kind"] in ("inconclusive", "no_incident")
    assert T0.year == 2026


def test_a_session_that_cannot_begin_leaves_nothing_behind(
    tmp_path: Path, quick: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise DiskFull("no room left for it")

    monkeypatch.setattr(Session, "create", full)
    write_logs(tmp_path / "app.jsonl")
    ran = quick("run", "--headless", "app.jsonl")
    assert (ran.status, ran.complaint()) == (2, "warroom: no room left for it")
    assert list(state_of(tmp_path).iterdir()) == []


def test_a_window_that_is_none_leaves_no_session_behind(tmp_path: Path, quick: InProcess) -> None:
    write_logs(tmp_path / "app.jsonl")
    ran = quick("run", "--headless", "app.jsonl", "--until", "2026-02-03T10:00Z")
    assert (ran.status, "--until alone" in ran.err) == (2, True)
    assert list(state_of(tmp_path).iterdir()) == []


def state_of(home: Path) -> Path:
    """Return the folder that holds the sessions of a test's own state directory."""
    return Path(environment(home)["WARROOM_HOME"]) / "sessions"
