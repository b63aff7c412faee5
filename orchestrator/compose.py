"""From what the person gave to a wired session: used by the command line, the app and evaluation alike.

    session = await begin(Request(inputs=("incident/",)), Surroundings.of_process())
    session = await take_up("20260301-120000-0a1b2c", Surroundings.of_process())

Faults are ComposeError: one line for people. Everything heavy is imported by what needs it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from orchestrator.asked import ComposeError as ComposeError
from orchestrator.asked import Found as Found
from orchestrator.asked import Request as Request
from orchestrator.asked import Surroundings as Surroundings
from subagents.contract import Clock, Coverage, Incident, Problem, ServiceInfo, ServiceTests, SourceSpec, Window
from subagents.specialist import Agent

if TYPE_CHECKING:
    from orchestrator.config import Loaded
    from orchestrator.config import Settings as Configured
    from orchestrator.engines.base import Engine
    from orchestrator.hands.spare import Spare
    from orchestrator.intake.model import Intake, NamedInput
    from orchestrator.journal.own_remote import RemoteSession
    from orchestrator.session import Session, Settings

INPUTS = "inputs"
"""Folder in a session's own that holds copies of streams."""

FOLDERS = "folders"
"""Key, among the recorded settings, of the folders that a session was started on."""

RUNBOOK_FAULTS = 20
"""Most faults of the person's own runbooks that are said."""

REMARKS = 200
"""Most lines that are said of what was given."""

SPOOL = "spool-"
"""Beginning of the names of folders, in the state directory, that hold such copies while intake runs."""


async def begin(request: Request, around: Surroundings, found: Found | None = None) -> Session:
    """Take in what was given and start a session on it, not yet running; `found`: one that a server keeps already.

    Raises ComposeError for unusable input or settings, StateError and DiskFull for the state directory.
    """
    from orchestrator.hands.spare import prepared_for

    spare = prepared_for(around.cwd / given for given in request.inputs if given != "-")
    try:
        return await _begun(request, around, found, spare)
    except BaseException:
        if spare is not None:
            await spare.close()
        raise


async def _begun(request: Request, around: Surroundings, found: Found | None, spare: Spare | None) -> Session:
    from orchestrator.config import RECORDED, recorded_rules
    from orchestrator.config.budgets import over_budgets
    from orchestrator.hands.threads import in_thread
    from orchestrator.session import Session

    loaded = _load(request, around)
    engine, remark = (found.engine, "") if found is not None else _engine(request, loaded.settings, around)
    around.home.ensure()
    spool = around.home.path / f"{SPOOL}{secrets.token_hex(6)}"
    try:
        intake = await _take_in(request, loaded, around, spool, found)
        incident = _incident(_told_by(found, intake.incident), request, around.clock)
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
        told: dict[str, JsonValue] = {"files": shown, RECORDED: recorded_rules(loaded.settings)}
        told[FOLDERS] = list(_folders(request, around))
        placed = replace(settings, directory=directory, shown=told, remarks=remarks, spare=spare)
        if found is not None:
            placed = replace(placed, bound=found.bound)
        if request.budgets is not None:
            placed = replace(placed, budgets=over_budgets(placed.budgets, request.budgets))
        return await Session.create(around.home, incident, specs, coverage, engine, placed)
    except BaseException:
        await in_thread(lambda: _discard_unbegun(directory), "discard")
        raise


async def take_up(session_id: str, around: Surroundings, config: Path | None = None) -> Session:
    """Open a session to continue it; raises ComposeError, StateError, JournalError."""
    from orchestrator.config import with_recorded
    from orchestrator.journal.events import IncidentOpened
    from orchestrator.journal.own_remote import REMOTE_TYPES, bound_to
    from orchestrator.journal.reader import JournalReader
    from orchestrator.session import Session

    loaded = _load(Request(config=config), around)
    with JournalReader.open(around.home.session_dir(session_id)) as reader:
        first = next(reader.events(limit=1), None)
        bound = bound_to(reader.events(types=REMOTE_TYPES))
    if first is None or not isinstance(first.body, IncidentOpened):
        raise ComposeError(f"{session_id}: it holds no incident, so there is nothing to continue; delete it")
    if bound is not None and not bound.hands:
        engine = observer(bound, loaded.settings, around)
    else:
        engine = choose_engine(first.body.engine, loaded.settings, around, begun=True)
    settings = session_settings(with_recorded(loaded, first.body.settings), (), around)
    return await Session.open(around.home, session_id, engine, settings)


def choose_engine(name: str, configured: Configured, around: Surroundings, *, begun: bool = False) -> Engine:
    """Return the engine of that name; raises ComposeError with what to set or run. `begun`: it is to continue."""
    from orchestrator.engines.choosing import ChoiceError, choose

    try:
        return choose(name, configured.engine, around.env, around.home, begun=begun)
    except ChoiceError as error:
        raise ComposeError(str(error)) from error


def observer(bound: RemoteSession, configured: Configured, around: Surroundings) -> Engine:
    """Return what watches a server's session that others drive; raises ComposeError where there is no key for it."""
    from orchestrator.engines.credentials import CredentialError, endpoint
    from orchestrator.engines.managed.observing import ObservingEngine

    try:
        to = endpoint(configured.engine, around.env)
    except CredentialError as error:
        raise ComposeError(f"{bound.id} cannot be watched: {error}") from error
    if bound.host and to.host != bound.host:
        raise ComposeError(f"{bound.id} is kept at {bound.host}, and the key that is set is for {to.host}")
    return ObservingEngine(to, bound)


def _engine(request: Request, configured: Configured, around: Surroundings) -> tuple[Engine, str]:
    from orchestrator.engines.choosing import resolve

    wanted = request.engine or configured.engine.choice
    name, remark = resolve(wanted, configured.engine, around.env, around.home)
    return choose_engine(name, configured, around), remark


def _told_by(found: Found | None, incident: Incident) -> Incident:
    """Return the incident as the server's session names it, with what the evidence here says of it."""
    if found is None:
        return incident
    told = found.incident
    return incident.model_copy(update={"id": told.id, "title": told.title, "text": told.text or incident.text})


def session_settings(configured: Configured, services: tuple[ServiceInfo, ...], around: Surroundings) -> Settings:
    """Return the settings of a session from those of warroom.toml."""
    from orchestrator.hands.policy import policy_of
    from orchestrator.hands.rosters import RosterRecipe
    from orchestrator.hands.usage import Prices
    from orchestrator.session import Settings
    from orchestrator.session.settings import operator

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
        operator=operator(),
    )


def _own_secrets(configured: Configured, env: Mapping[str, str]) -> tuple[str, ...]:
    """Return what must be seen nowhere: by the names of variables, the tests' too, and what the settings make a key."""
    from orchestrator.engines.credentials import held_secrets
    from orchestrator.journal.own_secrets import own_secrets_from

    tests = (service.tests.env for service in configured.services.values() if service.tests is not None)
    environments = (env, *tests)
    named = (secret for environment in environments for secret in own_secrets_from(environment))
    return tuple(dict.fromkeys((*named, *held_secrets(configured.engine, env))))


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


def with_stores(
    specs: Sequence[SourceSpec], directory: Path, known: Sequence[SourceSpec] = ()
) -> tuple[SourceSpec, ...]:
    """Give each repository a private store in the session's folder, one that no other has: `fix.git`, `fix-2.git`, …"""
    taken = {spec.options.get("store") for spec in (*known, *specs)}
    free = (store for number in count(1) if (store := str(directory / _store_name(number))) not in taken)
    return tuple(
        spec.model_copy(update={"options": {**spec.options, "store": next(free)}})
        if spec.kind == "repo" and "store" not in spec.options
        else spec
        for spec in specs
    )


def _store_name(number: int) -> str:
    return "fix.git" if number == 1 else f"fix-{number}.git"


def joining(specs: Sequence[SourceSpec], known: Sequence[SourceSpec], directory: Path) -> tuple[SourceSpec, ...]:
    """Give sources that join a session's known ones ids and stores that are free."""
    taken = {spec.id for spec in known}
    named: list[SourceSpec] = []
    for spec in specs:
        free = (name for number in count(1) if (name := spec.id if number == 1 else f"{spec.id}.{number}") not in taken)
        named.append(spec.model_copy(update={"id": next(free)}))
        taken.add(named[-1].id)
    return with_stores(named, directory, known)


def _folders(request: Request, around: Surroundings) -> Iterator[str]:
    """Yield the folders that were given: where newer data is looked for when the symptom is measured again."""
    for given in request.inputs:
        path = os.path.abspath(around.cwd / given) if given != "-" and "\0" not in given else ""
        if path and os.path.isdir(path):
            yield path


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


async def _take_in(request: Request, loaded: Loaded, around: Surroundings, spool: Path, found: Found | None) -> Intake:
    from orchestrator.intake.intake import take_in
    from orchestrator.intake.model import Intake, IntakeError, IntakeOptions

    if found is not None and not (request.inputs or request.repos or request.command):
        return Intake(incident=found.incident)
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
