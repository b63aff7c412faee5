"""The way to a server's sessions for commands: faults in one line each, the client closed at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tui.commands.faults import ENGINE_FAILED, Fault, narrate

if TYPE_CHECKING:
    from orchestrator.asked import Surroundings
    from orchestrator.engines.managed.reach import Reach


@asynccontextmanager
async def reached(around: Surroundings, config: Path | None, *, about: str = "") -> AsyncIterator[Reach]:
    """Open the way; what goes wrong on it is a Fault of one line. `about`: what may not be there."""
    import anthropic

    from orchestrator.asked import ComposeError
    from orchestrator.attaching import reach_here
    from orchestrator.engines.managed.claims import ClaimRefused
    from orchestrator.engines.managed.deletion import NotEnded
    from orchestrator.engines.managed.reach import explained
    from orchestrator.journal.faults import JournalError, StateError
    from orchestrator.session import SessionFault

    try:
        reach = reach_here(around, config)
    except (ComposeError, StateError) as error:
        raise Fault(str(error)) from error
    for remark in reach.to.remarks:
        narrate(f"warroom: {remark}")
    async with reach.client:
        try:
            yield reach
        except (ComposeError, StateError, JournalError, SessionFault, ClaimRefused, NotEnded) as error:
            raise Fault(str(error)) from error
        except anthropic.NotFoundError as error:
            if not about:
                raise Fault(explained(error, reach.to), ENGINE_FAILED) from error
            raise Fault(f"{reach.to.host} has no session {about} for the key in {reach.to.key_name}") from error
        except Exception as error:
            words = explained(error, reach.to)
            if not words:
                raise
            raise Fault(words, ENGINE_FAILED) from error
