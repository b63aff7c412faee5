"""Where the programs that run tests are on this machine, and what must be shown to the sandbox for them to work.

Everything is bound read-only under its own name. Nothing here runs anything: it looks at names and small files.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from glob import glob
from importlib.util import find_spec
from pathlib import Path

from subagents.codefix.sandbox_mounts import RefusedPath, check_ro_path

OFFLINE: Mapping[str, str] = {
    "PIP_NO_INDEX": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "UV_OFFLINE": "1",
    "npm_config_offline": "true",
    "npm_config_audit": "false",
    "npm_config_fund": "false",
    "npm_config_update_notifier": "false",
    "COREPACK_ENABLE_NETWORK": "0",
    "CARGO_NET_OFFLINE": "true",
    "GOPROXY": "off",
    "GOSUMDB": "off",
    "GOTOOLCHAIN": "local",
    "GOCACHE": "/tmp/go-build",  # noqa: S108  inside the sandbox
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
}
"""Tools that would download are told that there is no network."""


@dataclass(frozen=True)
class Place:
    """A program, and what the sandbox must see for it to run."""

    program: str
    ro_paths: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    """Where it is from, for people."""
    own: bool = True
    """The project's own environment, or one that the system has for everyone; False: warroom's."""


@dataclass(frozen=True)
class Toolchains:
    """This machine's programs."""

    home: Path = field(default_factory=lambda: Path(os.path.expanduser("~")))
    path: str = field(default_factory=lambda: os.environ.get("PATH", "/usr/bin:/bin"))
    executable: str = sys.executable
    prefixes: tuple[str, ...] = (sys.prefix, sys.base_prefix)
    system: tuple[str, ...] = ("/usr/bin", "/bin", "/usr/local/bin")

    def find(self, name: str) -> Place | None:
        """Return a program by name; None where there is none that the sandbox can be shown."""
        if name == "cargo":
            return self._cargo()
        places = [*self.system, *(part for part in self.path.split(":") if os.path.isabs(part))]
        for folder in places:
            full = os.path.join(folder, name)
            if "/shims" in folder or not os.access(full, os.X_OK) or os.path.isdir(full):
                continue
            real = os.path.realpath(full)
            if real.startswith(("/usr/", "/nix/store/", "/gnu/store/", "/bin/")):
                return Place(full)
            prefix = os.path.dirname(os.path.dirname(real)) if os.path.basename(os.path.dirname(real)) == "bin" else ""
            if shown := _shown(prefix):
                return Place(real, shown, note=prefix)
        return None

    def python(self, worktree: Path | None, folder: str, module: str) -> Place | None:
        """Return a Python that has a module: the project's environment, the system's, or warroom's own."""
        if worktree is not None:
            for inside in dict.fromkeys((folder, "")):
                for name in (".venv", "venv"):
                    if place := self._environment(worktree / inside / name, module):
                        return place
        for program in (os.path.join(place, "python3") for place in self.system):
            if os.access(program, os.X_OK) and (not module or _system_has(module)):
                return Place(program, note="the system's Python")
        if module and find_spec(module) is None:
            return None
        shown = tuple(path for prefix in dict.fromkeys(self.prefixes) for path in _shown(prefix))
        return Place(self.executable, shown, note="warroom's own Python and packages", own=False)

    def _environment(self, place: Path, module: str) -> Place | None:
        """Return a virtual environment's Python where it is one, works here, and has the module."""
        program = place / "bin" / "python"
        if not (place / "pyvenv.cfg").is_file() or not os.access(program, os.X_OK):
            return None
        if module and not _has_module(glob(str(place / "lib" / "python3*" / "site-packages")), module):
            return None
        base = os.path.dirname(os.path.dirname(os.path.realpath(program)))
        shown = (*_shown(str(place)), *(() if base in ("/usr", "/") else _shown(base)))
        if not shown or (base not in ("/usr", "/") and len(shown) < 2):
            return None
        return Place(str(program), shown, {"VIRTUAL_ENV": str(place)}, note=f"{place.name} of the work tree")

    def _cargo(self) -> Place | None:
        place = next((f"{folder}/cargo" for folder in self.system if os.access(f"{folder}/cargo", os.X_OK)), None)
        registry = tuple(path for name in ("registry", "git") for path in _shown(str(self.home / ".cargo" / name)))
        env = {"CARGO_HOME": str(self.home / ".cargo")} if registry else {"CARGO_HOME": "/tmp/cargo"}  # noqa: S108
        if place is not None:
            return Place(place, registry, env)
        for toolchain in _toolchains(self.home / ".rustup"):
            if os.access(toolchain / "bin" / "cargo", os.X_OK) and (shown := _shown(str(toolchain))):
                return Place(str(toolchain / "bin" / "cargo"), (*shown, *registry), env, note=toolchain.name)
        return None


def _shown(path: str) -> tuple[str, ...]:
    """Return the path as a tuple where it exists and may be shown, else nothing."""
    try:
        return (check_ro_path(path),) if path and path != "/usr" else ()
    except RefusedPath:
        return ()


def _has_module(folders: list[str], module: str) -> bool:
    return any(
        os.path.isdir(os.path.join(folder, module)) or os.path.isfile(os.path.join(folder, module + ".py"))
        for folder in folders
    )


def _system_has(module: str) -> bool:
    found = glob("/usr/lib/python3*/dist-packages") + glob("/usr/lib/python3*/site-packages")
    return _has_module(found + glob("/usr/local/lib/python3*/*-packages"), module)


def _toolchains(rustup: Path) -> list[Path]:
    """Return the toolchains of rustup, the default one first."""
    default = ""
    with contextlib.suppress(OSError):
        for line in (rustup / "settings.toml").read_text("utf-8", "replace").splitlines():
            if line.startswith("default_toolchain"):
                default = line.partition("=")[2].strip().strip('"')
    try:
        found = sorted((rustup / "toolchains").iterdir())
    except OSError:
        return []
    return sorted(found, key=lambda place: (place.name != default, not place.name.startswith("stable"), place.name))
