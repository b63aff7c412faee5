"""What tests of the evaluation share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.evaluate.pool import Setting
from subagents.clock import SystemClock

STUB = (sys.executable, "-S", "-E", str(Path(__file__).with_name("stub_child.py")))

Settings = Callable[..., Setting]


@pytest.fixture
def setting() -> Settings:
    """Settings with the stand-in for the process of a case."""
    base = Setting(engine="offline", version="1.2.3", build="b" * 12, clock=SystemClock(), command=STUB)

    def made(**changes: Any) -> Setting:
        return replace(base, **changes)

    return made
