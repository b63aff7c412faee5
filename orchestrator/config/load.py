"""The settings that count: the user's file, the projects' files and the environment, put together."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from orchestrator.config.budgets import lowered, over_budgets
from orchestrator.config.model import Budgets, ConfigFile, EngineSettings, ServiceSettings, Settings, TestSettings
from orchestrator.config.read import ConfigError, ReadFile, read_file
from orchestrator.config.trust import Trust, full_path, restrict, trust_of, user_file
from subagents.contract import Frozen, Problem

FILE_NAME = "warroom.toml"
ENVIRONMENT = {
    "WARROOM_ENGINE": "choice",
    "WARROOM_MODEL": "model",
    "WARROOM_BASE_URL": "base_url",
    "WARROOM_KEY_ENV": "key_env",
}
M = TypeVar("M", EngineSettings, ServiceSettings)


class SettingsFile(Frozen):
    """A file that was read, as it is shown."""

    path: str
    trust: Trust
    digest: str


class Loaded(Frozen):
    """The settings, where they come from, and what of the files does not count."""

    settings: Settings = Settings()
    files: tuple[SettingsFile, ...] = ()
    problems: tuple[Problem, ...] = ()


def load_settings(
    *, cwd: Path, folders: Sequence[Path] = (), env: Mapping[str, str], own: Path | None = None
) -> Loaded:
    """Read the files of `folders` (incidents that were given), of `cwd`, and the user's own; then the environment.

    `own` names the user's file where it is not in the usual place. No other place is searched; later ones win.
    Raises ConfigError where the user's or the cwd's file has faults; an incident's own file that has faults is
    left out, and said.
    """
    problems: list[Problem] = []
    layers: list[tuple[Trust, ConfigFile]] = []
    files: list[SettingsFile] = []
    for path, needed in _places(cwd, folders, own or user_file(env)):
        found = read_file(path)
        problems.extend(found.notes)
        if found.content is None:
            if needed:
                raise ConfigError([*found.faults, *found.notes])
            problems.extend(fault.model_copy(update={"lost": "the whole file"}) for fault in found.faults)
            continue
        trust = trust_of(found, env, own)
        layer, ignored = _layer(found, trust)
        problems.extend(ignored)
        layers.append((trust, layer))
        files.append(SettingsFile(path=str(path), trust=trust, digest=found.digest))
    settings, looser = _merge(layers)
    problems.extend(looser)
    return Loaded(settings=_with_environment(settings, env), files=tuple(files), problems=tuple(problems))


def _places(cwd: Path, folders: Sequence[Path], own: Path) -> list[tuple[Path, bool]]:
    """Return the files to read, least weight first, and whether a fault in it stops the run."""
    given = [(folder / FILE_NAME, False) for folder in folders]
    found: dict[str, tuple[Path, bool]] = {}
    for path, needed in [(own, True), (cwd / FILE_NAME, True), *given]:
        if os.path.lexists(path):
            found.setdefault(os.path.realpath(path), (path, needed))
    return list(reversed(found.values()))


def _layer(found: ReadFile, trust: Trust) -> tuple[ConfigFile, list[Problem]]:
    content, ignored = (found.content or ConfigFile(), []) if trust != "project" else restrict(found)
    return _absolute(content, found.path.parent), ignored


def _absolute_tests(tests: TestSettings, full: Callable[[str], str]) -> TestSettings:
    return tests.model_copy(update={"ro_paths": tuple(map(full, tests.ro_paths))})


def _absolute(content: ConfigFile, folder: Path) -> ConfigFile:
    full = partial(full_path, folder)

    services = {
        name: service.model_copy(
            update={
                **({"repo": full(service.repo)} if service.repo else {}),
                **({"runbooks": tuple(map(full, service.runbooks))} if service.runbooks else {}),
                **({"tests": _absolute_tests(service.tests, full)} if service.tests else {}),
            }
        )
        for name, service in content.services.items()
    }
    sources = tuple(source.model_copy(update={"path": full(source.path)}) for source in content.sources)
    return content.model_copy(
        update={"services": services, "sources": sources, "runbooks": tuple(map(full, content.runbooks))}
    )


def _merge(layers: Sequence[tuple[Trust, ConfigFile]]) -> tuple[Settings, list[Problem]]:
    """Put the layers together, least weight first."""
    services: dict[str, ServiceSettings] = {}
    budgets, engine = Budgets(), EngineSettings()
    for _, layer in layers:
        for name, service in layer.services.items():
            services[name] = _over(services[name], service) if name in services else service
    for trust, layer in layers:
        if trust != "project":
            prices = {**engine.prices, **layer.engine.prices}
            budgets, engine = over_budgets(budgets, layer.budgets), _over(engine, layer.engine)
            engine = engine.model_copy(update={"prices": prices})
    problems: list[Problem] = []
    for trust, layer in layers:
        if trust == "project":
            budgets, refused = lowered(budgets, layer.budgets)
            problems.extend(refused)
            if layer.engine.choice == "offline":
                engine = engine.model_copy(update={"choice": "offline"})
    trusted = [layer for trust, layer in reversed(layers) if trust != "project"]
    projects = [layer for trust, layer in reversed(layers) if trust == "project"]
    return Settings(
        services=services,
        sources=tuple(dict.fromkeys(source for _, layer in layers for source in layer.sources)),
        runbooks=tuple(dict.fromkeys(folder for _, layer in layers for folder in layer.runbooks)),
        policies=tuple(rule for layer in trusted for rule in layer.policies),
        project_policies=tuple(rule for layer in projects for rule in layer.policies),
        budgets=budgets,
        engine=engine,
    ), problems


def _over(below: M, above: M) -> M:
    """Return `below` with what `above` says."""
    return below.model_copy(update={name: getattr(above, name) for name in above.model_fields_set})


def _with_environment(settings: Settings, env: Mapping[str, str]) -> Settings:
    given = {name: (variable, env[variable]) for variable, name in ENVIRONMENT.items() if env.get(variable)}
    if not given:
        return settings
    try:
        said = EngineSettings.model_validate({name: value for name, (_, value) in given.items()})
    except ValidationError as error:
        raise ConfigError(
            [
                Problem(
                    what=str(fault["msg"]).removeprefix("Value error, ").replace("Input should be", "must be"),
                    where=f"environment variable {given[str(fault['loc'][0])][0]}",
                )
                for fault in error.errors(include_url=False, include_input=False)
            ]
        ) from error
    return settings.model_copy(update={"engine": _over(settings.engine, said)})
