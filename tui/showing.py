"""The screens of their own that others ask for by a message: shown of the session whose room the person is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import on

from tui import seams
from tui.keys_in_order import KeysInOrder

if TYPE_CHECKING:
    from tui.session_view import SessionView


class ShowingApp(KeysInOrder[int], inherit_bindings=False):
    """Shows what is asked for, where there is a session to show it of."""

    def shown_view(self) -> SessionView | None:
        """Return what is known of the session whose room the person is in, or was in last."""
        raise NotImplementedError

    def _push_seam(self, name: str, **given: Any) -> None:
        if (view := self.shown_view()) is not None and seams.offered(name):
            self.push_screen(seams.screen_class(name)(view=view, **given))

    @on(seams.EvidenceRequested)
    def _show_evidence(self, event: seams.EvidenceRequested) -> None:
        self._push_seam("evidence", ref=event.ref)

    @on(seams.ReviewRequested)
    def _show_review(self, event: seams.ReviewRequested) -> None:
        self._push_seam("review", approval=event.approval)

    @on(seams.WhyRequested)
    def _show_why(self, event: seams.WhyRequested) -> None:
        self._push_seam("why", suspect=event.suspect)

    @on(seams.LogsRequested)
    def _show_logs(self, event: seams.LogsRequested) -> None:
        self._push_seam("logs", query=event.query)

    @on(seams.ReportRequested)
    def _show_report(self) -> None:
        self._push_seam("report")
