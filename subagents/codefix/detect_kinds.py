"""A command that runs tests: what it is, what it needs to see, and how it is made to say single results."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from subagents.codefix.sandbox_mounts import OUT, WORK

Form = Literal["junit", "unittest", "go", "cargo", "tap", "jest", "reports", "status"]
"""How single results are read: a JUnit file, text of a known kind, JSON, files that the build leaves, or not at all."""

TOP = "@top"
"""Stands for where the export is seen, until that is known."""
REPORT = f"{OUT}/results.xml"
REPORT_JSON = f"{OUT}/results.json"
_PYTEST = (
    *("-p", "no:cacheprovider", f"--junitxml={REPORT}", "-o", "junit_family=xunit1"),
    *("--continue-on-collection-errors", "--color=no"),
)


class NoTests(Exception):
    """There is no way to run tests; the message says why, for people."""


@dataclass(frozen=True)
class TestCommand:
    """A command, how it was found, and what it needs to see."""

    __test__ = False  # not a test class, whatever its name looks like to a runner

    argv: tuple[str, ...]
    found: str
    form: Form = "status"
    folder: str = ""
    """Below the top of the repository."""
    ro_paths: tuple[str, ...] = ()
    ro_binds: Mapping[str, str] = field(default_factory=dict)
    work_at: str = WORK
    """Where the export is seen: at the work tree's own name where its environment is used, so that it fits."""
    env: Mapping[str, str] = field(default_factory=dict)
    report: str = ""
    """Where it leaves its results, in the sandbox."""
    wide: bool = False
    """Its runtime reserves far more addresses than it uses."""
    typed: tuple[str, ...] = ()
    """As a person would type it, where no sandbox is to be had."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class TestConfig:
    """`[services.X.tests]` of the settings."""

    __test__ = False

    service: str
    command: tuple[str, ...]
    ro_paths: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Project:
    """What the tests are looked for in."""

    paths: Collection[str]
    read: Callable[[str], str]
    """Text of a file by its path; empty where there is none."""
    changed: Sequence[str] = ()
    worktree: Path | None = None
    """The user's work tree, for the environment prepared beside it; its code is not used."""

    def has(self, folder: str, name: str) -> bool:
        """Say whether a folder holds a file."""
        return join(folder, name) in self.paths

    def text(self, folder: str, name: str) -> str:
        """Return a file of a folder as text."""
        path = join(folder, name)
        return self.read(path) if path in self.paths else ""

    def below(self, folder: str) -> list[str]:
        """Return the files of a folder, by their paths in it."""
        start = folder + "/" if folder else ""
        return [path[len(start) :] for path in self.paths if path.startswith(start)]


def join(folder: str, name: str) -> str:
    """Return the path of a name in a folder, where the top is the empty folder."""
    return f"{folder}/{name}" if folder else name


def instrument(argv: Sequence[str]) -> TestCommand:
    """Return a command with what makes it say single results, where its kind is known and nothing is in the way."""
    words = tuple(argv)
    names = [PurePosixPath(word).name for word in words]
    plain = TestCommand(words, "", typed=words)
    if names[0] in ("pytest", "py.test") or (names[1:3] == ["-m", "pytest"] and names[0].startswith("python")):
        return replace(plain, argv=(*words, *_PYTEST), form="junit", report=REPORT)
    if names[1:3] == ["-m", "unittest"]:
        verbose = () if {"-v", "--verbose"} & set(words) else ("-v",)
        at = 4 if words[3:4] == ("discover",) else 3
        return replace(plain, argv=(*words[:at], *verbose, *words[at:]), form="unittest")
    if names[:2] == ["go", "test"]:
        return replace(plain, argv=(*words[:2], "-json", *words[2:]), form="go", wide=True)
    if names[:2] == ["cargo", "test"]:
        return replace(plain, form="cargo", wide=True)
    if names[0] == "node" and "--test" in words:
        reporter = () if any(word.startswith("--test-reporter") for word in words) else ("--test-reporter=tap",)
        return replace(plain, argv=(words[0], *reporter, *words[1:]), form="tap", wide=True)
    if names[0] in ("jest", "vitest"):
        extra = ("--json", f"--outputFile={REPORT_JSON}") if names[0] == "jest" else _VITEST
        return replace(plain, argv=(*words, *extra), form="jest", report=REPORT_JSON, wide=True)
    if names[0] in ("mvn", "gradle", "mvnw", "gradlew"):
        return replace(plain, form="reports", wide=True)
    return replace(plain, form="tap", wide=names[0] in ("npm", "pnpm", "yarn", "npx", "node", "java"))


_VITEST = ("--reporter=json", f"--outputFile={REPORT_JSON}")
