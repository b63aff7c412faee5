"""Settings files that these tests are made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.config import Loaded, load_settings


@dataclass(frozen=True)
class Place:
    """A home, a project that is the current directory, and an incident's folder."""

    root: Path

    @property
    def env(self) -> dict[str, str]:
        return {"HOME": str(self.root / "home"), "WARROOM_HOME": str(self.root / "state")}

    @property
    def own(self) -> Path:
        return self.root / "home" / ".config" / "warroom" / "warroom.toml"

    @property
    def project(self) -> Path:
        return self.root / "project" / "warroom.toml"

    @property
    def incident(self) -> Path:
        return self.root / "incident" / "warroom.toml"

    def write(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def load(self, **env: str) -> Loaded:
        for path in (self.own, self.project, self.incident):
            path.parent.mkdir(parents=True, exist_ok=True)
        return load_settings(cwd=self.project.parent, folders=[self.incident.parent], env={**self.env, **env})


def said(loaded: Loaded) -> str:
    return "\n".join(problem.line() for problem in loaded.problems)
