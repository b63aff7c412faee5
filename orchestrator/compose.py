"""From what the person gave to a wired session: used by the command line, the app and evaluation alike.

    session = await begin(Request(inputs=("incident/",)), Surroundings.of_process())
    session = await take_up("20260301-120000-0a1b2c", Surroundings.of_process())

Faults are ComposeError: one line for people. Everything heavy is imported by what needs it.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pydantic import JsonValue

from subagents.clock import SystemClock
from subagents.contract import Agent, Clock, Coverage, Incident, Problem, ServiceInfo, ServiceTests, SourceSpec, Window

if TYPE_CHECKING:
    from orchestrator.config import Budgets, Loaded
    from orchestrator.config import Settings as Configured
    from orchestrator.engines.base import Engine
    from orchestrator.intake.model import Intake, NamedInput
    from orchestrator.journal.home import StateHome
    from orchestrator.session import Session, Settings

INPUTS = "inputs"
"""Folder in a session's own that holds copies of streams."""

RUNBOOK_FAULTS = 20
"""Most faults of the person's own runbooks that are said."""

REMARKS = 200
"""Most lines that are said of what was given."""

SPOOL = "spool-"
"""Beginning of the names of folders, in the state directory, that hold such copies while intake runs."""


class ComposeError(Exception):
    """What was given cannot be used; the message is one line for people, `problems` has the rest."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Request:
    """What the person asked for."""

    inputs: tuple[str, ...] = ()
    """Paths, or `-` for standard input."""
    command: tuple[str, ...] = ()
    """A command to run, as typed, whose output is evidence."""
    repos: tuple[str, ...] = ()
    engine: str | None = None
    """None: what the settings say."""
    title: str | None = None
    service: str | None = None
    incident: str | None = None
    """The incident's id."""
    since: datetime | None = None
    """Start of the window, where the person gives one."""
    until: datetime | None = None
    config: Path | None = None
    """The user's own warroom.toml where it is not in the usual place."""
    budgets: Budgets | None = None
    """Bounds that the person gave with the request, over those of the settings."""


@dataclass(frozen=True)
class Surroundings:
    """What a session takes from the machine it runs on."""

    home: StateHome
    cwd: Path
    env: Mapping[str, str]
    stdin: BinaryIO | None = None
    clock: Clock = field(default_factory=SystemClock)
    attended: bool = False
    """A person can be asked for approvals."""

    @classmethod
    def of_process(cls, *, attended: bool = False) -> Surroundings:
        """Return this process's; raises StateError where there is no home."""
        from orchestrator.journal.home import StateHome

        stdin = sys.stdin.buffer if sys.stdin is not None else None
        return cls(StateHome.locate(), Path.cwd(), os.environ, stdin, attended=attended)


async def begin(request: Request, around: Surroundings) -> Session:
    """Take in what was given and start a session on it, not yet running.

    Raises ComposeError for unusable input or settings, StateError and DiskFull for the state directory.
    """
    from orchestrator.config.budgets import over_budgets
    from orchestrator.hands.threads import in_thread
    from orchestrator.session import Session

    loaded = _load(request, around)
    name, remark = _resolve_engine(request.engine or loaded.settings.engine.choice, loaded.settings, around)
    engine = choose_engine(name, loaded.settings, around)
    around.home.ensure()
    spool = around.home.path / f"{SPOOL}{secrets.token_hex(6)}"
    try:
        intake = await _take_in(request, loaded, around, spool)
        incident = _incident(intake.incident, request, around.clock)
        directory = await in_thread(lambda: around.home.new_session(around.clock), "new-session")
        specs = with_stores(_move_in(intake.specs, spool, directory / INPUTS), directory)
    except BaseException:
        await in_thread(lambda: _discard(spool), "discard")
        raise
    try:
        services = service_infos(loaded.settings, specs)
        settings = session_settings(loaded.settings, services, around)
        coverage = await in_thread(lambda: _coverage(settings, specs, services), "coverage")
        broken = await in_thread(lambda: _broken_runbooks(loaded.settings, specs), "runbooks")
        shown: list[JsonValue] = [file.model_dump(mode="json") for file in loaded.files]
        said = (Problem(what=remark),) if remark else ()
        remarks = _remarks((*said, *loaded.problems, *intake.problems, *broken))
        placed = replace(settings, directory=directory, shown={"files": shown}, remarks=remarks)
        if request.budgets is not None:
            placed = replace(placed, budgets=over_budgets(placed.budgets, request.budgets))
        return await Session.create(around.home, incident, specs, coverage, engine, placed)
    except BaseException:
        await in_thread(lambda: _discard_unbegun(directory), "discard")
        raise


async def take_up(session_id: str, around: Surroundings, config: Path | None = None) -> Session:
    """Open a session to continue it; raises ComposeError, StateError, JournalError."""
    from orchestrator.journal.events import IncidentOpened
    from orchestrator.journal.reader import JournalReader
    from orchestrator.session import Session

    loaded = _load(Request(config=config), around)
    with JournalReader.open(around.home.session_dir(session_id)) as reader:
        first = next(reader.events(limit=1), None)
    if first is None or not isinstance(first.body, IncidentOpened):
        raise ComposeError(f"{session_id}: it holds no incident, so there is nothing to continue; delete it")
    engine = choose_engine(first.body.engine, loaded.settings, around, begun=True)
    return await Session.open(around.home, session_id, engine, session_settings(loaded.settings, (), around))


def choose_engine(name: str, configured: Configured, around: Surroundings, *, begun: bool = False) -> Engine:
    """Return the engine of that name; raises ComposeError with what to set or run. `begun`: it is to continue."""
    from orchestrator.engines.choosing import ChoiceError, choose

    try:
        return choose(name, configured.engine, around.env, around.home, begun=begun)
    except ChoiceError as error:
        raise ComposeError(str(error)) from error


def _resolve_engine(name: str, configured: Configured, around: Surroundings) -> tuple[str, str]:
    from orchestrator.engines.choosing import resolve

    return resolve(name, configured.engine, around.env, around.home)


def session_settings(configured: Configured, services: tuple[ServiceInfo, ...], around: Surroundings) -> Settings:
    """Return the settings of a session from those of warroom.toml."""
    from orchestrator.hands.policy import policy_of
    from orchestrator.hands.rosters import RosterRecipe
    from orchestrator.hands.usage import Prices
    from orchestrator.session import Settings

    def extra(specs: Sequence[SourceSpec], services: Sequence[ServiceInfo]) -> tuple[Agent, ...]:
        from orchestrator.engines import coordinator

        return (coordinator.agent(_own_runbooks(configured, specs)),)

    return Settings(
        services=services,
        recipe=RosterRecipe(extra_agents=extra),
        policy=policy_of(configured),
        own_secrets=_own_secrets(configured, around.env),
        budgets=configured.budgets,
        prices=Prices(configured.engine.prices),
        attended=around.attended,
        clock=around.clock,
    )


def _own_secrets(configured: Configured, env: Mapping[str, str]) -> tuple[str, ...]:
    """Return what must be seen nowhere: by the names of variables, and by what the settings make a key."""
    from orchestrator.engines.credentials import held_secrets
    from orchestrator.journal.own_secrets import own_secrets_from

    return tuple(dict.fromkeys((*own_secrets_from(env), *held_secrets(configured.engine, env))))


def service_infos(configured: Configured, specs: Sequence[SourceSpec]) -> tuple[ServiceInfo, ...]:
    """Return what the settings say of services, with repositories named by the sources that they became."""
    repos = {os.path.realpath(spec.path): spec.id for spec in specs if spec.kind == "repo"}
    return tuple(
        ServiceInfo(
            name=name,
            repo=repos.get(os.path.realpath(service.repo)) if service.repo else None,
            paths=service.paths,
            rollback=service.rollback,
            depends_on=service.depends_on,
            tests=ServiceTests(**service.tests.model_dump()) if service.tests else None,
        )
        for name, service in configured.services.items()
    )


def with_stores(specs: Sequence[SourceSpec], directory: Path) -> tuple[SourceSpec, ...]:
    """Give each repository a private store in the session's folder: `fix.git`, `fix-2.git`, …"""
    taken = 0
    given: list[SourceSpec] = []
    for spec in specs:
        if spec.kind == "repo" and "store" not in spec.options:
            taken += 1
            name = "fix.git" if taken == 1 else f"fix-{taken}.git"
            options = {**spec.options, "store": str(directory / name)}
            given.append(spec.model_copy(update={"options": options}))
        else:
            given.append(spec)
    return tuple(given)


def _load(request: Request, around: Surroundings) -> Loaded:
    from orchestrator.config import ConfigError, load_settings

    if request.config is not None and not request.config.is_file():
        raise ComposeError(f"{request.config}: no such file; check --config")
    folders = [
        Path(os.path.abspath(around.cwd / given)) for given in request.inputs if given != "-" and "\0" not in given
    ]
    try:
        return load_settings(
            cwd=around.cwd,
            folders=[folder for folder in folders if folder.is_dir()],
            env=around.env,
            own=request.config,
        )
    except ConfigError as error:
        raise ComposeError(str(error), error.problems) from error


async def _take_in(request: Request, loaded: Loaded, around: Surroundings, spool: Path) -> Intake:
    from orchestrator.intake.intake import take_in
    from orchestrator.intake.model import IntakeError, IntakeOptions

    options = IntakeOptions(services=tuple(loaded.settings.services), named=tuple(_named(request, loaded.settings)))
    try:
        return await take_in(
            request.inputs,
            repo=request.repos[0] if request.repos else None,
            command=request.command or None,
            stdin=around.stdin,
            spool=spool,
            clock=around.clock,
            config=options,
        )
    except IntakeError as error:
        raise ComposeError(str(error), error.problems) from error


def _named(request: Request, configured: Configured) -> list[NamedInput]:
    from orchestrator.intake.model import NamedInput

    named = [NamedInput(path=repo, kind="repo") for repo in request.repos[1:]]
    named += [NamedInput(path=one.repo, kind="repo") for one in configured.services.values() if one.repo]
    for source in configured.sources:
        options = {"service": source.service} if source.service else {}
        named.append(NamedInput(path=source.path, kind=source.kind, id=source.name, options=options))
    return list({(one.kind, os.path.realpath(one.path)): one for one in named}.values())


def _move_in(specs: Sequence[SourceSpec], spool: Path, inputs: Path) -> tuple[SourceSpec, ...]:
    """Make the copies that intake made the session's own."""
    if not spool.exists():
        return tuple(specs)
    os.rename(spool, inputs)
    moved = []
    for spec in specs:
        path = Path(spec.path)
        inside = path.is_relative_to(spool)
        moved.append(spec.model_copy(update={"path": str(inputs / path.relative_to(spool))}) if inside else spec)
    return tuple(moved)


def _discard(spool: Path) -> None:
    import shutil

    shutil.rmtree(spool, ignore_errors=True)


def _discard_unbegun(directory: Path) -> None:
    """Remove the folder of a session that never began: no list shows it, and it holds copies of what was given."""
    if not (directory / "journal.db").exists():
        _discard(directory)


def _coverage(settings: Settings, specs: Sequence[SourceSpec], services: Sequence[ServiceInfo]) -> tuple[Coverage, ...]:
    """Return how much of each source the specialists understand; nothing where they cannot be built."""
    try:
        roster = settings.recipe.shared(specs, services)
    except Exception:  # the session reports it where it builds them for good
        return ()
    return tuple(item for agent in roster.agents.values() for item in agent.problems)


def _own_runbooks(configured: Configured, specs: Sequence[SourceSpec]) -> list[Path]:
    """Return where the runbooks beside the incident and those of the settings are."""
    named = [*configured.runbooks, *(path for one in configured.services.values() for path in one.runbooks)]
    return [*(Path(spec.path) for spec in specs if spec.kind == "runbooks"), *map(Path, named)]


def _broken_runbooks(configured: Configured, specs: Sequence[SourceSpec]) -> tuple[Problem, ...]:
    folders = _own_runbooks(configured, specs)
    if not folders:
        return ()
    from runbooks.library import Library

    found = Library.load(folders, bundled=False).problems
    return tuple(
        Problem(what=one.what, where=one.where, lost=one.lost, todo=one.todo) for one in found[:RUNBOOK_FAULTS]
    )


def _incident(found: Incident, request: Request, clock: Clock) -> Incident:
    changes: dict[str, object] = {}
    if request.title:
        changes["title"] = request.title[:160]
    if request.service:
        changes["service"] = request.service
    if request.incident:
        changes["id"] = request.incident[:80]
    window = _window(found, request, clock)
    if window is not None:
        changes["window"] = window
    return found.model_copy(update=changes) if changes else found


def _window(found: Incident, request: Request, clock: Clock) -> Window | None:
    if request.since is None and request.until is None:
        return None
    end = request.until or (found.window.end if found.window else clock.now())
    start = request.since or (found.window.start if found.window else None)
    if start is None:
        raise ComposeError("--until alone gives no window: add --since")
    if start >= end:
        raise ComposeError(f"the window is empty: it starts {start.isoformat()} and ends {end.isoformat()}")
    return Window(start=start, end=end)


def _remarks(problems: Sequence[Problem]) -> tuple[str, ...]:
    """Return the problems as lines, each once; beyond `REMARKS` only how many more there are."""
    lines = list(dict.fromkeys(problem.line() for problem in problems))
    more = [f"{len(lines) - REMARKS} more problems of this kind with what was given"] if len(lines) > REMARKS else []
    return (*lines[:REMARKS], *more)
