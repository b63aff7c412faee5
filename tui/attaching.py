"""Evidence that a person attaches to a session: taken in as `warroom run` would."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tui.session_view import ActFault

if TYPE_CHECKING:
    from orchestrator.compose import Surroundings
    from subagents.contract import Problem, SourceSpec


async def taken_in(
    path: str, around: Surroundings, directory: Path
) -> tuple[tuple[SourceSpec, ...], tuple[Problem, ...]]:
    """Return what a path holds, and what is wrong with it; raises ActFault."""
    from orchestrator.intake.intake import take_in
    from orchestrator.intake.model import IntakeError

    given = os.path.join(around.cwd, os.path.expanduser(path))  # noqa: ASYNC240  asks the environment, not the disk
    spool = directory / f"attached-{int(around.clock.now().timestamp())}"
    try:
        found = await take_in([given], spool=spool, clock=around.clock)
    except IntakeError as error:
        raise ActFault(str(error)) from error
    return found.specs, found.problems
