"""What a project's own warroom.toml is believed: names and paths within it, and stricter policy. The rest waits.

Endpoints, headers, names of keys, commands, paths that lead out of the project and looser policy count from the
user's own file, or once the person has accepted the project's file: this path with these very bytes.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from orchestrator.config.locate import KeyPath
from orchestrator.config.model import ConfigFile, EngineSettings, ServiceSettings
from orchestrator.config.read import ConfigError, ReadFile, read_file
from orchestrator.journal.faults import StateError
from orchestrator.journal.home import StateHome
from subagents.contract import Clock, Problem

Trust = Literal["user", "accepted", "project"]
ACCEPT_COMMAND = "warroom config accept"
_STORE = "accepted.json"


def user_file(env: Mapping[str, str]) -> Path:
    """Return where the user's own file is, whether or not it exists."""
    base = env.get("XDG_CONFIG_HOME", "")
    return (Path(base) if os.path.isabs(base) else _home(env) / ".config") / "warroom" / "warroom.toml"


def _home(env: Mapping[str, str]) -> Path:
    given = env.get("HOME", "")
    return Path(given) if os.path.isabs(given) else Path.home()


def accepted_digests(env: Mapping[str, str]) -> dict[str, str]:
    """Return the digest that was accepted for each path; a store that cannot be read accepts nothing."""
    try:
        stored = json.loads((StateHome.locate(env).path / _STORE).read_bytes())
    except (OSError, ValueError, RecursionError, StateError):
        return {}
    files = stored.get("files") if isinstance(stored, dict) else None
    entries = files.items() if isinstance(files, dict) else ()
    return {
        path: entry["digest"]
        for path, entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("digest"), str)
    }


def accept(path: Path, env: Mapping[str, str], clock: Clock, digest: str | None = None) -> str:
    """Accept a project's file as it is now; return its digest.

    `digest` is what the person looked at. Raises ConfigError where the file is not valid or is another one by
    now, StateError where the state directory cannot be used.
    """
    path = _place(path)
    found = read_file(path)
    if found.content is None:
        raise ConfigError(list(found.faults))
    if digest is not None and digest != found.digest:
        changed = Problem(what="it has changed since it was looked at", where=str(path), todo="look at it again")
        raise ConfigError([changed])
    home = StateHome.locate(env).ensure().path
    files = {known: {"digest": digest} for known, digest in accepted_digests(env).items()}
    files[str(path)] = {"digest": found.digest, "accepted_at": clock.now().isoformat()}
    handle, name = tempfile.mkstemp(dir=home, prefix=_STORE)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump({"files": files}, out, indent=1, sort_keys=True)
        out.flush()
        os.fsync(out.fileno())
    Path(name).replace(home / _STORE)
    return found.digest


def full_path(folder: Path, given: str) -> str:
    """Return the absolute path that a file in `folder` means by `given`."""
    return os.path.abspath(folder / os.path.expanduser(given))


def trust_of(found: ReadFile, env: Mapping[str, str], own: Path | None = None) -> Trust:
    """Say how far a file is believed; `own` is the user's file where it is not in the usual place."""
    path = os.path.realpath(found.path)
    if path == os.path.realpath(own or user_file(env)):
        return "user"
    believed = accepted_digests(env).get(str(_place(found.path)))
    return "accepted" if found.digest and believed == found.digest else "project"


def _place(path: Path) -> Path:
    """Return where a file is that people accept: its folder, which its paths are relative to, and its name there.

    A link is a file of the folder that it is in, not of the one that it leads to.
    """
    return Path(os.path.realpath(path.parent)) / path.name


def restrict(found: ReadFile) -> tuple[ConfigFile, list[Problem]]:
    """Return what counts of a project's file that nobody accepted, and a line for each thing that does not."""
    content = found.content or ConfigFile()
    restriction = _Restriction(found)
    services = {name: restriction.service(name, service) for name, service in content.services.items()}
    kept = content.model_copy(
        update={
            "services": services,
            "sources": tuple(
                source
                for index, source in enumerate(content.sources)
                if restriction.is_inside(source.path, ("sources", index, "path"))
            ),
            "runbooks": restriction.paths(content.runbooks, ("runbooks",)),
            "policies": tuple(
                rule
                for index, rule in enumerate(content.policies)
                if rule.decision != "allow" or restriction.ignore("a rule that allows", ("policies", index, "decision"))
            ),
            "engine": restriction.engine(content.engine),
        }
    )
    return kept, restriction.problems


class _Restriction:
    def __init__(self, found: ReadFile) -> None:
        self._found = found
        self._folder = Path(os.path.realpath(found.path.parent))
        self.problems: list[Problem] = []

    def ignore(self, what: str, place: KeyPath) -> Literal[False]:
        """Note that something does not count."""
        self.problems.append(
            Problem(
                what=f"{what} does not count from a project's file",
                where=self._found.at(place),
                lost=".".join(str(part) for part in place if not isinstance(part, int)),
                todo=f"put it in your own file, or accept this one: {ACCEPT_COMMAND} {self._found.path}",
            )
        )
        return False

    def is_inside(self, given: str, place: KeyPath) -> bool:
        """Say whether a path stays in the project, through all links."""
        path = Path(os.path.realpath(full_path(self._folder, given)))
        return path.is_relative_to(self._folder) or self.ignore("a path outside the project", place)

    def paths(self, given: Iterable[str], place: KeyPath) -> tuple[str, ...]:
        """Return those paths that stay in the project."""
        return tuple(path for index, path in enumerate(given) if self.is_inside(path, (*place, index)))

    def service(self, name: str, service: ServiceSettings) -> ServiceSettings:
        """Return the service without its commands and without paths that lead out."""
        place: KeyPath = ("services", name)
        changes: dict[str, object] = {"runbooks": self.paths(service.runbooks, (*place, "runbooks"))}
        if service.repo is not None and not self.is_inside(service.repo, (*place, "repo")):
            changes["repo"] = None
        if service.rollback is not None:
            changes["rollback"] = None
            self.ignore("a command", (*place, "rollback"))
        if service.tests is not None:
            changes["tests"] = None
            self.ignore("a command", (*place, "tests"))
        return service.model_copy(update=changes)

    def engine(self, engine: EngineSettings) -> EngineSettings:
        """Return no more than the wish to stay offline."""
        for name in sorted(engine.model_fields_set - {"choice"}):
            self.ignore("who decides and where", ("engine", name))
        if engine.choice not in ("auto", "offline"):
            self.ignore("an engine that sends data out", ("engine", "choice"))
        return EngineSettings(choice="offline") if engine.choice == "offline" else EngineSettings()
