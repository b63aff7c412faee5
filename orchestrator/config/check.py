"""`warroom config check`: everything that can be said of one file without running anything."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from orchestrator.config.locate import KeyPath
from orchestrator.config.read import ReadFile, read_file
from orchestrator.config.trust import restrict, trust_of
from subagents.contract import Problem


def check(path: Path, env: Mapping[str, str] | None = None) -> list[Problem]:
    """Return what is wrong with a file, by line; empty where all of it counts."""
    found = read_file(path)
    problems = [*found.faults, *found.notes]
    if found.content is not None:
        problems.extend(_paths(found))
        problems.extend(_names(found))
        if trust_of(found, env if env is not None else os.environ) == "project":
            problems.extend(restrict(found)[1])
    return problems


def _paths(found: ReadFile) -> Iterator[Problem]:
    assert found.content is not None  # noqa: S101  the caller looked
    named: list[tuple[KeyPath, str]] = [(("runbooks", n), path) for n, path in enumerate(found.content.runbooks)]
    named += [(("sources", n, "path"), source.path) for n, source in enumerate(found.content.sources)]
    for name, service in found.content.services.items():
        named += [(("services", name, "repo"), service.repo)] if service.repo else []
        named += [(("services", name, "runbooks", n), path) for n, path in enumerate(service.runbooks)]
    for place, path in named:
        if not os.path.exists(found.path.parent / os.path.expanduser(path)):
            yield Problem(what=f"{path} is not there", where=found.at(place), todo="paths are relative to this file")


def _names(found: ReadFile) -> Iterator[Problem]:
    assert found.content is not None  # noqa: S101  the caller looked
    services = found.content.services
    for name, service in services.items():
        if name in service.depends_on:
            yield Problem(what=f"{name} depends on itself", where=found.at(("services", name, "depends_on")))
