"""What comes in: folders, files, standard input, commands and alerts become one incident with its sources."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from orchestrator.intake.folder import enclosing_repository
from orchestrator.intake.gather import Candidate, Gathered
from orchestrator.intake.incident import make_incident
from orchestrator.intake.model import Intake, IntakeError, IntakeOptions, NamedInput
from orchestrator.intake.naming import shown, slug
from orchestrator.intake.spool import Spool
from orchestrator.intake.stream import spool_command, spool_input, spool_pipe
from subagents.contract import Clock, Problem

_TEXT_BYTES, _TEXT_LINES = 4096, 40


async def take_in(  # noqa: PLR0913  the door: one argument for each thing a command line can give
    inputs: Sequence[str],
    *,
    repo: str | Sequence[str] | None = None,
    command: Sequence[str] | None = None,
    stdin: BinaryIO | None = None,
    spool: Path,
    clock: Clock,
    config: IntakeOptions = IntakeOptions(),  # noqa: B008  frozen
) -> Intake:
    """Turn what the person gave into an incident; raise IntakeError where nothing usable came in.

    `inputs` are paths, or `-` for `stdin`; `repo` is one git repository or several; `command` is run as typed.
    Streams are copied into `spool`.
    """
    repos = [repo] if isinstance(repo, str) else list(repo or ())
    gathered = Gathered(Spool(spool), config)
    several = len({*inputs}) > 1
    for given in dict.fromkeys(inputs):
        if given == "-":
            await _standard_input(gathered, stdin, clock)
        else:
            await _path(gathered, given, several, clock)
    if command:
        await _command(gathered, list(command), clock)
    await asyncio.to_thread(_add_settled, gathered, repos)
    await asyncio.to_thread(gathered.finish)
    incident = make_incident(gathered, shown(_name(inputs, repos, command), 100), _identity(inputs, command))
    if not gathered.specs and incident.alert is None and not incident.text:
        raise IntakeError(_nothing(gathered, inputs), tuple(gathered.problems))
    return Intake(
        incident=incident,
        specs=tuple(gathered.specs),
        problems=tuple(gathered.problems),
        unused=tuple(gathered.unused),
    )


_READ = "what is read: logs, metrics, deploys, alerts, traces, flags, git repositories"


def _nothing(gathered: Gathered, inputs: Sequence[str]) -> str:
    if not gathered.problems and inputs:
        return f"nothing usable came in: there is no file in {', '.join(shown(given) for given in inputs)}; {_READ}"
    if not gathered.problems:
        return "nothing was given: name a folder, a file, `-` for standard input, or a command after `--`"
    more = len(gathered.problems) - 1
    tail = f" (and {more} more)" if more else ""
    told = gathered.problems[0]
    return f"nothing usable came in: {told.line()}{tail}{'' if told.todo else f'; {_READ}'}"


def _identity(inputs: Sequence[str], command: Sequence[str] | None) -> list[str]:
    return [os.path.abspath(given) for given in inputs if given != "-"] + list(command or ())


def _name(inputs: Sequence[str], repos: list[str], command: Sequence[str] | None) -> str:
    """The incident's name where nothing in it gives one."""
    for given in inputs:
        if given != "-":
            return Path(os.path.abspath(given)).name.partition(".")[0]
    if command:
        return " ".join([os.path.basename(command[0]), *command[1:3]])
    return Path(os.path.abspath(repos[0])).name if repos and not inputs else "incident"


async def _path(gathered: Gathered, given: str, several: bool, clock: Clock) -> None:
    path, mode, why = _look_up(given)
    origin, limits = shown(given.rstrip("/") or given), gathered.options.limits
    if why:
        gathered.problems.append(Problem(what=f"cannot be opened ({why})", where=origin, todo="check the path"))
        gathered.unused.append(origin)
    elif stat.S_ISDIR(mode):
        prefix = f"{path.name}/" if several else ""
        await asyncio.to_thread(gathered.add_folder, path, origin, prefix)
    elif stat.S_ISFIFO(mode):
        into = gathered.spool.place("input.pipe")
        gathered.problems.extend(await spool_pipe(path, into, limits, clock))
        await asyncio.to_thread(_spooled, gathered, into, "pipe", origin)
    else:
        await asyncio.to_thread(gathered.add_file, Candidate(path, path.name, origin, explicit=True))


def _look_up(given: str) -> tuple[Path, int, str]:
    """Return the absolute path, its mode, and why it cannot be opened, if it cannot."""
    try:
        path = Path(os.path.abspath(given))
        return path, path.stat().st_mode, ""
    except (OSError, ValueError) as error:
        return Path(), 0, getattr(error, "strerror", None) or "not a path"


async def _standard_input(gathered: Gathered, stdin: BinaryIO | None, clock: Clock) -> None:
    if stdin is None:
        gathered.problems.append(Problem(what="standard input is closed", where="-"))
        return
    into = gathered.spool.place(gathered.options.stream_name or "stdin")
    gathered.problems.extend(await spool_input(stdin, into, gathered.options.limits, clock))
    await asyncio.to_thread(_spooled, gathered, into, gathered.options.stream_name or "stdin", "-")


async def _command(gathered: Gathered, argv: list[str], clock: Clock) -> None:
    name = gathered.options.stream_name or f"command-{slug(os.path.basename(argv[0])) or 'program'}"
    into = gathered.spool.place(gathered.options.stream_name or "stdout")
    gathered.problems.extend(await spool_command(argv, into, gathered.options.limits, clock))
    if into.exists():
        await asyncio.to_thread(_spooled, gathered, into, name, shown(" ".join(argv)))


def _spooled(gathered: Gathered, path: Path, relative: str, origin: str) -> None:
    """What came over a stream: words of a person or of a pager, or a file like any other."""
    if not path.exists() or path.stat().st_size == 0:
        gathered.problems.append(Problem(what="nothing came", where=origin))
        return
    text = "" if gathered.options.stream_name else _as_words(path)
    if text:
        gathered.texts.append(text)
        return
    gathered.add_file(Candidate(path, relative, origin, explicit=True, name=relative))


def _as_words(path: Path) -> str:
    """Return a short pasted text that is neither a log nor JSON; empty where it is something else."""
    from orchestrator.intake.peek import looks_like_log, peek

    seen = peek(path, path.name)
    head = seen.text.strip().lstrip("\ufeff")
    lines = head.splitlines()
    if seen.refused or len(seen.head) > _TEXT_BYTES or len(lines) > _TEXT_LINES or head.startswith(("{", "[", "diff ")):
        return ""
    return "" if looks_like_log(head.encode()) or "\t" in head else head


def _add_settled(gathered: Gathered, repos: list[str]) -> None:
    """The repositories that were named, and the sources that the settings name."""
    for repo in repos:
        _add_repo(gathered, repo)
    for named in gathered.options.named:
        _add_named(gathered, named)
    if gathered.specs and not any(spec.kind == "repo" for spec in gathered.specs):
        gathered.problems.append(
            Problem(
                what="no git repository",
                lost="code is not read and no fix can be drafted",
                todo="name one with --repo PATH",
            )
        )


def _add_named(gathered: Gathered, named: NamedInput) -> None:
    path: Path | None = Path(os.path.abspath(named.path))
    if not os.path.exists(named.path):
        gathered.problems.append(Problem(what="the settings name it, and it is not there", where=shown(named.path)))
        return
    if named.kind == "repo":
        path = enclosing_repository(Path(os.path.abspath(named.path)))
    if path is None:
        gathered.problems.append(
            Problem(what="the settings name it, and it is no git repository", where=shown(named.path))
        )
    elif not any(spec.path == str(path) for spec in gathered.specs):
        gathered.add_spec(named.kind, path, named.id or path.name or named.kind, named.path, dict(named.options))


def _add_repo(gathered: Gathered, given: str) -> None:
    origin = shown(given)
    if "://" in given or given.startswith("git@"):
        gathered.problems.append(
            Problem(
                what="a remote repository",
                where=origin,
                todo="clone it and give the clone's path: warroom fetches nothing",
            )
        )
        return
    path = Path(os.path.abspath(given)) if "\0" not in given else None
    if path is None or not path.is_dir():
        gathered.problems.append(
            Problem(what="no such folder", where=origin, lost="the repository", todo="check --repo")
        )
        return
    found = enclosing_repository(path)
    if found is None:
        gathered.problems.append(Problem(what="not a git repository", where=origin, lost="code and commits"))
    elif not any(spec.kind == "repo" and spec.path == str(found) for spec in gathered.specs):
        gathered.add_repo(found, found.name or "repo", given)
