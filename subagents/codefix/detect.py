"""How a project's tests are run: as configured, else by the files it has. Says how it was found.

Reads the tree as stored, never a work tree; what it finds is only ever run in the sandbox.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from subagents.codefix.detect_files import by_files
from subagents.codefix.detect_kinds import TOP, NoTests, Project, TestCommand, TestConfig, instrument
from subagents.codefix.sandbox_mounts import WORK, RefusedPath, check_ro_path
from subagents.codefix.sandbox_toolchains import OFFLINE, Toolchains

__all__ = ["NoTests", "Project", "TestCommand", "TestConfig", "find_command", "instrument"]

ELSEWHERE = "/export"
"""Where the export is seen when something else of this machine is below /work."""


def find_command(project: Project, config: TestConfig | None, tools: Toolchains) -> TestCommand:
    """Return how the tests are run; raises NoTests with the reason where nobody can tell, or a program is missing."""
    command = _configured(project, config, tools) if config is not None else by_files(project, tools)
    seen = (*command.ro_paths, *command.ro_binds.values())
    at = WORK
    if project.worktree is not None and any(path.startswith(f"{project.worktree}/") for path in seen):
        at = str(project.worktree)  # an environment made for that place: paths in it then lead to the export
    elif any(path.startswith(WORK + "/") for path in seen):
        at = ELSEWHERE
    env = {name: value.replace(TOP, at) for name, value in {**OFFLINE, **command.env}.items()}
    binds = {name.replace(TOP, at): value for name, value in command.ro_binds.items()}
    return replace(command, work_at=at, env=env, ro_binds=binds)


def _configured(project: Project, config: TestConfig, tools: Toolchains) -> TestCommand:
    try:
        shown = tuple(check_ro_path(path) for path in config.ro_paths)
    except RefusedPath as error:
        raise NoTests(f"[services.{config.service}.tests] ro_paths: {error}") from error
    command = instrument(config.command)
    place = None
    name = config.command[0]
    if name in ("python", "python3", "pytest", "py.test"):
        place = tools.python(project.worktree, "", "pytest" if command.form == "junit" else "")
        program = place.program if place is not None else "python3"
        rest = command.argv[1:]
        argv = (program, "-m", "pytest", *rest) if name in ("pytest", "py.test") else (program, *rest)
        command = replace(command, argv=argv)
        if shown and any(Path(path, "bin", name).exists() for path in shown):
            command, place = replace(command, argv=(name, *rest)), None  # theirs, found by PATH
    elif "/" not in name:
        place = tools.find(name)
        if place is None and not any(Path(path, "bin", name).exists() or Path(path, name).exists() for path in shown):
            raise NoTests(f"{name}, which [services.{config.service}.tests] names, is not installed here")
    seen = (*shown, *(place.ro_paths if place else ()))
    env = {**(place.env if place else {}), **config.env}
    return replace(
        command,
        found=f"configured for {config.service}",
        ro_paths=tuple(dict.fromkeys(seen)),
        env=env,
        typed=config.command,
    )
