"""What the commands on fixes read: a session's drafts from its journal, the diff from warroom's store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.hands.fix_fold import Fix, FixFold
from orchestrator.hands.fix_terms import FixRefused, FixTerms, digest_of_diff, verify
from orchestrator.journal.events import IncidentOpened, SourceAddedEvent
from tui.commands.faults import Fault

if TYPE_CHECKING:
    from orchestrator.session import Session

REFUSED = 4
"""Exit status: something changed, the remote said no, or nobody said yes."""


@dataclass(frozen=True)
class Kept:
    """A session's drafts, as its journal has them."""

    session: str
    incident: str
    fixes: Mapping[str, Fix]
    repos: Mapping[str, str]
    """Source id -> path of the repository."""

    def choose(self, name: str | None) -> Fix:
        """Return the draft whose id begins with `name`, or the only one that could be meant; raises Fault."""
        if name is None:
            return self._only()
        wanted = name if name.startswith("d-") else f"d-{name}"
        found = [fix for key, fix in self.fixes.items() if key.startswith(wanted)]
        if len(found) != 1:
            known = ", ".join(self.fixes) or "none"
            how = "no draft of it begins" if not found else f"{len(found)} drafts of it begin"
            raise Fault(f"{self.session}: {how} with {name[:40]!r}; there are: {known}")
        return found[0]

    def _only(self) -> Fix:
        for standings in (("waits",), ("approved",), ("delivered",), ("drafted", "void", "rejected")):
            found = [fix for fix in self.fixes.values() if fix.standing in standings]
            if len(found) == 1:
                return found[0]
            if found:
                raise Fault(f"{self.session} has {len(found)} drafts; name one: {', '.join(fix.id for fix in found)}")
        raise Fault(f"no fix was drafted in {self.session}")


@dataclass(frozen=True)
class Now:
    """A draft as it is at this moment."""

    terms: FixTerms | None
    """What approval binds; None where none was asked for."""
    diff: str
    diff_digest: str
    trouble: str = ""
    """Why it cannot be delivered as it was put up for approval; empty when it can."""


def read(name: str) -> Kept:
    """Read a session's drafts, whether or not it is open elsewhere; raises Fault."""
    from tui.commands.opening import open_reader

    fold, incident, repos = FixFold(), "", {}
    with open_reader(name) as reader:
        for event in reader.events():
            fold.learn(event)
            if isinstance(event.body, IncidentOpened):
                incident = event.body.incident.id
            elif isinstance(event.body, SourceAddedEvent) and event.body.spec.kind == "repo":
                repos[event.body.spec.id] = event.body.spec.path
        return Kept(reader.directory.name, incident, fold.fixes, repos)


def now(fix: Fix) -> Now:
    """Make the diff again and look whether everything still is as it was put up for approval."""
    from orchestrator.hands.fix_desk import shown_diff

    terms = FixTerms.model_validate(fix.last.request.detail) if fix.last is not None else None
    render = shown_diff()
    try:
        diff = render(Path(fix.draft.store), fix.draft.base, fix.draft.commit)
    except Exception as error:  # whatever is wrong with the store: it is said, and nothing can be approved
        return Now(terms, fix.draft.diff, "", f"the diff cannot be made again ({error}); what follows is the journal's")
    trouble = ""
    if digest_of_diff(diff) != fix.draft.diff_digest:
        trouble = "the diff is not the one that was drafted"
    elif terms is not None and fix.standing in ("waits", "approved"):
        try:
            verify(terms, render)
        except FixRefused as error:
            trouble = str(error)
    return Now(terms, diff, digest_of_diff(diff), trouble)


@asynccontextmanager
async def opened(session_id: str) -> AsyncIterator[Session]:
    """Open a session to decide in it; raises Fault, also where it is open elsewhere."""
    from orchestrator.compose import ComposeError, Surroundings, take_up
    from orchestrator.hands.approvals import ApprovalError
    from orchestrator.session import SessionFault
    from tui.commands.opening import clear_faults

    with clear_faults():
        try:
            session = await take_up(session_id, Surroundings.of_process(attended=True))
        except (ComposeError, SessionFault) as error:
            raise Fault(str(error)) from error
        try:
            await session.fixes.settle(unchecked=True)
            yield session
        except (FixRefused, ApprovalError) as error:
            raise Fault(str(error), REFUSED) from error
        finally:
            await session.close()
