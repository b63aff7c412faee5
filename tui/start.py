"""What the app is asked to open with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.compose import Request


@dataclass(frozen=True)
class Start:
    """What the app opens with: a request, a kept session, or (neither) the list of sessions."""

    request: Callable[[], Request] | None = None
    """Called after the first frame: making one imports much."""
    session: str | None = None
    go_on: bool = False
    config: Path | None = None
    words: str = "opening …"
    slow: bool = False
    """A slow line: fewer frames."""
