"""`warroom init`: a first warroom.toml, from what the layout of a repository shows."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

_BUILD_FILES = {
    "Dockerfile": None,
    "pyproject.toml": ("python", "-m", "pytest", "-q"),
    "setup.py": ("python", "-m", "pytest", "-q"),
    "requirements.txt": ("python", "-m", "pytest", "-q"),
    "package.json": ("npm", "test"),
    "go.mod": ("go", "test", "./..."),
    "Cargo.toml": ("cargo", "test"),
    "pom.xml": ("mvn", "-q", "test"),
    "build.gradle": ("gradle", "test"),
    "Gemfile": ("bundle", "exec", "rake", "test"),
    "mix.exs": ("mix", "test"),
}
_PARENTS = ("services", "apps", "src", "cmd", "packages", "microservices", "backend")
_NOT_SERVICES = {
    *("tests", "test", "docs", "doc", "scripts", "tools", "vendor", "node_modules", "build", "dist", "target"),
    *("examples", "deploy", "charts", "infra", "terraform", "ci", "bin", "venv", "common", "shared", "lib", "libs"),
}
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")
_SERVICE_LIMIT = 100
_HEAD = """\
# warroom.toml: what warroom should know about this project.
# `warroom config check` names every fault by line; `warroom schema config` prints all that may stand here.
#
# A project's own file may name services, paths and runbooks, and tighten policy. Commands (tests, rollback),
# endpoints and looser policy count from your own file (~/.config/warroom/warroom.toml), or after you have
# accepted this file as it is. Secrets never stand here: they come from the environment.
"""
_TAIL = """
# Evidence that is always looked at.
# [[sources]]
# kind = "logs"
# path = "logs/app.log"

# Rules: the first of your own that fits counts; a project's only tighten.
# [[policies]]
# agent = "codefix"
# tool = "*"
# decision = "ask"
# reason = "show me every draft"

# [budgets]                # of one session; 15 % of each is kept for the verdict
# seconds = 900
# tool_calls = 400
# usd = 5.00               # at list prices; models without a price count tokens only
# [budgets.agents.logs]
# tool_calls = 100

# [engine]
# choice = "offline"   # auto, offline, messages or managed
"""


@dataclass(frozen=True)
class _Service:
    name: str
    folder: str
    """Relative to the repository; empty for the repository itself."""
    tests: tuple[str, ...] | None


def starter_toml(path: Path) -> str:
    """Return the text of a first warroom.toml for a project's folder. It is valid and reads nothing but names."""
    root = Path(os.path.abspath(path))
    services = _detect(root)
    parts = [_HEAD]
    runbooks = [name for name in ("runbooks", "docs/runbooks") if (root / name).is_dir()]
    parts.append(f"runbooks = {json.dumps(runbooks)}\n" if runbooks else '# runbooks = ["runbooks"]\n')
    has_repo = os.path.lexists(root / ".git")
    parts.extend(_block(service, has_repo) for service in services)
    return "".join(parts) + _TAIL


def _detect(root: Path) -> list[_Service]:
    found = [service for parent in _PARENTS for service in _below(root / parent, f"{parent}/")]
    found = found or _below(root, "")
    if len(found) < 1 or (len(found) == 1 and _build_files(root)):
        found = [_Service(_name(root), "", _tests(root))]
    unique: dict[str, _Service] = {}
    for service in found:
        unique.setdefault(service.name, service)
    return list(unique.values())[:_SERVICE_LIMIT]


def _below(folder: Path, prefix: str) -> list[_Service]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []
    usable = [name for name in names if not name.startswith(".") and name.lower() not in _NOT_SERVICES]
    return [
        _Service(name, prefix + name, _tests(folder / name))
        for name in usable
        if name.isprintable() and _encodes(name) and _build_files(folder / name)
    ]


def _encodes(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _build_files(folder: Path) -> list[str]:
    return [name for name in _BUILD_FILES if (folder / name).is_file()]


def _tests(folder: Path) -> tuple[str, ...] | None:
    return next((command for name in _build_files(folder) if (command := _BUILD_FILES[name])), None)


def _name(root: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", root.name).strip("-") or "app"


def _block(service: _Service, has_repo: bool) -> str:
    key = service.name if _BARE_KEY.match(service.name) else json.dumps(service.name, ensure_ascii=False)
    lines = [f"\n[services.{key}]"]
    lines.append('repo = "."' if has_repo else '# repo = "../path/to/its/git/clone"')
    if service.folder:
        lines.append(f"paths = [{json.dumps(service.folder, ensure_ascii=False)}]")
    lines.append('# depends_on = ["another-service"]')
    lines.append('# rollback = "kubectl rollout undo deployment/{service}"   # shown to you, never run')
    command = json.dumps(list(service.tests or ("make", "test")))
    lines.append(f"# [services.{key}.tests]")
    lines.append(f"# command = {command}")
    return "\n".join(lines) + "\n"
