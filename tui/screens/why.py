"""Why a hypothesis stands where it stands: its score reckoned up, each finding, and a person's word apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult

from tui import seams
from tui.actions import Action
from tui.bindings import bindings_of
from tui.screens.prompting import PromptingScreen
from tui.views.board import why_lines
from tui.views.footer import footer
from tui.views.page import PageLine, prose
from tui.views.paint import Ref, line
from tui.widgets.page_view import PageView
from tui.widgets.painted import TextBlock
from tui.widgets.prompt import PromptBar

if TYPE_CHECKING:
    from orchestrator.verdict.board import Hypothesis
    from tui.session_view import SessionView


class WhyScreen(PromptingScreen):
    """Shows one hypothesis; it follows the board while it is open."""

    CSS_PATH = "why.tcss"
    AUTO_FOCUS = "#page"
    BINDINGS = bindings_of("why")
    keys_of = "why"

    def __init__(self, view: SessionView, suspect: str) -> None:
        super().__init__()
        self.view: SessionView = view
        self._suspect = suspect
        self._board_version = -1

    def compose(self) -> ComposeResult:
        """Make the frame."""
        yield TextBlock(id="header")
        yield PageView(id="page")
        yield PromptBar()
        yield TextBlock(id="footer")

    @property
    def page(self) -> PageView:
        """What is read."""
        return self.query_one("#page", PageView)

    @property
    def hypothesis(self) -> Hypothesis | None:
        """The hypothesis as the board has it now; None where it is not on the board any more."""
        return next((one for one in self.view.hypotheses if one.suspect.id == self._suspect), None)

    def on_mount(self) -> None:
        """Show it."""
        self.tick()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the footer."""
        self.tick()

    def tick(self) -> None:
        """Paint; called by the app's ticker."""
        if not self.is_mounted:
            return
        if self._board_version != self.view.board_version:
            self._board_version = self.view.board_version
            self.page.show(self._lines(), self.page.line_at_top)
        self.query_one("#header", TextBlock).show(line(("why  ", "accent"), ("what the score is made of", "strong")))
        self.prompt.hint(self.said)
        self.query_one("#footer", TextBlock).show(footer("why", self.offers, self.app.size.width))

    def _lines(self) -> tuple[PageLine, ...]:
        held = self.hypothesis
        return why_lines(held) if held is not None else (prose(("it is not on the board any more", "warn")),)

    def offers(self, action: Action) -> bool:
        """Say whether an action can be done now: evidence is opened where there is some."""
        return action.id != "why.evidence" or self._has_evidence()

    def _has_evidence(self) -> bool:
        held = self.hypothesis
        found = (*held.supporting, *held.opposing, *held.excluding) if held is not None else ()
        return any(one.citations for one in found)

    def action_evidence(self) -> None:
        """Open what it rests on."""
        if self._has_evidence():
            self.post_message(seams.EvidenceRequested(Ref("hypothesis", self._suspect)))

    def action_back(self) -> None:
        """Back to the war room."""
        self.dismiss(None)

    def _give_back_focus(self) -> None:
        self.page.focus()
