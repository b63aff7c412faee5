"""Newer data: taken in as `warroom run` would, and attached to the session under names that are free."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchestrator.asked import ComposeError
from subagents.contract import Problem, SourceSpec

if TYPE_CHECKING:
    from orchestrator.asked import Surroundings
    from orchestrator.session import Session


async def taken_in(
    session: Session, paths: Sequence[str], around: Surroundings
) -> tuple[tuple[SourceSpec, ...], tuple[Problem, ...]]:
    """Return the sources that `paths` brought and the session did not have, and what is wrong with what was given.

    Raises ComposeError where nothing of it can be used.
    """
    from orchestrator.compose import joining
    from orchestrator.intake.intake import take_in
    from orchestrator.intake.model import IntakeError

    if not paths:
        return (), ()
    known = session.desk.brief.sources
    given = [os.path.join(around.cwd, os.path.expanduser(path)) for path in paths]  # noqa: ASYNC240  not the disk
    spool = session.directory / f"rechecked-{session.journal.head.seq}"
    try:
        found = await take_in(given, spool=spool, clock=around.clock)
    except IntakeError as error:
        raise ComposeError(str(error), error.problems) from error
    fresh = _fresh(found.specs, known)
    added = joining(fresh, known, session.directory)
    for spec in added:
        await session.add_source(spec, None)
    return added, found.problems


def _fresh(found: Sequence[SourceSpec], known: Sequence[SourceSpec]) -> list[SourceSpec]:
    there = {os.path.realpath(spec.path) for spec in known}
    return [spec for spec in found if os.path.realpath(spec.path) not in there]
