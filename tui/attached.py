"""A session that others drive at a server: it comes in like any other, and nothing can be done to it from here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.live import LiveSession
from tui.watching import Refusing

if TYPE_CHECKING:
    from orchestrator.asked import Surroundings
    from orchestrator.session import Session


class AttachedSession(Refusing, LiveSession):
    """Follows; refuses all that would be said, decided or stopped there, and says how to take the hands over."""

    takes_up = ""
    watches = True
    leaving = "it goes on at the server; opening the session again catches up"

    def __init__(self, session: Session, around: Surroundings) -> None:
        super().__init__(session, around)
        self.view.say(f"watching only: {self.why_not}")

    @property
    def why_not(self) -> str:
        """Why nothing can be done to it here."""
        return f"others carry out its calls; warroom attach {self.session_id} --take-over brings them here"

    def go_on(self, reason: str = "") -> None:
        """Look again; what is said of watching stays."""
        super().go_on(reason)
        self.view.say(f"watching only: {self.why_not}")

    async def stop(self) -> None:
        """Stop watching: what runs there is not ours to stop."""
        await self._session.interrupt()
