"""A repository whose last commit is a fix, and what a check of it shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from subagents.codefix.checks import CheckJob
from subagents.codefix.export import Trees
from subagents.codefix.fixes import Check
from tests.gitstore.repos import commit

APP_BAD = "def add(a, b):\n    return a + b + 1\n"
APP_GOOD = "def add(a, b):\n    return a + b\n"
TEST = """
import unittest
import app

class TestApp(unittest.TestCase):
    def test_adds(self):
        self.assertEqual(app.add(1, 2), 3)
"""
OTHER = "import unittest\n\nclass TestOther(unittest.TestCase):\n    def test_other(self):\n        pass\n"


@dataclass
class Bench:
    """A repository whose last commit is the fix of the one before."""

    repo: Path
    runs: Path

    def job(self, base: dict[str, str | bytes | None], fix: dict[str, str | bytes | None], **more: object) -> CheckJob:
        before = commit(self.repo, base if "Makefile" in base else {"setup.py": "", **base}, "base")
        after = commit(self.repo, fix, "fix", 1_700_000_100)
        given: dict[str, object] = {"limit_s": 60.0, **more}
        return CheckJob("d-1", after, before, Trees(self.repo / ".git"), self.runs, "check-1", **given)  # type: ignore[arg-type]  # by name


Shown = tuple[str, list[str], tuple[str, ...], tuple[str, ...]]


def shown(check: Check) -> Shown:
    return check.claim, [run.outcome for run in check.runs], check.fixed, check.broken
