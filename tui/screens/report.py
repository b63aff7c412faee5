"""The report, from the journal alone, as lines to read and to copy from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult

from orchestrator.hands.threads import in_thread
from orchestrator.journal.text import clean
from tui.actions import Action
from tui.bindings import bindings_of
from tui.screens.prompting import PromptingScreen
from tui.session_view import ActFault
from tui.views.footer import footer
from tui.views.page import PageLine, prose
from tui.views.paint import flat, line
from tui.views.report import report_lines, sections_of
from tui.widgets.page_view import PageView
from tui.widgets.painted import TextBlock
from tui.widgets.prompt import PromptBar

if TYPE_CHECKING:
    from tui.session_view import SessionActs, SessionView


class ReportScreen(PromptingScreen):
    """Shows the report as it was when it was opened; it does not change under the reader."""

    CSS_PATH = "report.tcss"
    AUTO_FOCUS = "#page"
    BINDINGS = bindings_of("report")
    keys_of = "report"

    def __init__(self, view: SessionView) -> None:
        super().__init__()
        self.view: SessionView = view
        self._made_at = -1
        """The last event that is in the report."""

    def compose(self) -> ComposeResult:
        """Make the frame."""
        yield TextBlock(id="header")
        yield PageView(id="page")
        yield PromptBar()
        yield TextBlock(id="footer")

    @property
    def page(self) -> PageView:
        """The report."""
        return self.query_one("#page", PageView)

    def on_mount(self) -> None:
        """Make the report off the loop."""
        self.action_reload()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the footer."""
        self.tick()

    def action_reload(self) -> None:
        """Make it again, with what came since; where one was stays as near as can be."""
        if not self.page.lines:
            self.page.show((prose(("writing the report …", "dim")),))
        self.run_worker(self._load(), group="report", exclusive=True, exit_on_error=False)

    async def _load(self) -> None:
        acts, at = self.view.acts, self.view.seq
        lines: tuple[PageLine, ...]
        try:
            if acts is None:
                raise ActFault("this session cannot be read here")
            held = acts
            lines = await in_thread(lambda: _lines(held), "report")
        except ActFault as fault:
            lines = (prose((flat(str(fault)), "warn")),)
        except Exception as error:  # a defect of ours must not take the window and the work with it
            from tui.mishap import mishap

            lines = (prose((mishap(error), "warn")),)
        self._made_at = at
        self.page.show(lines, self.page.line_at_top)
        self.tick()

    def tick(self) -> None:
        """Paint the lines around; called by the app's ticker."""
        if not self.is_mounted:
            return
        newer = self.view.seq - self._made_at if self._made_at >= 0 else 0
        opened = self.view.incident.opened
        title = flat(opened.incident.title) if opened else ""
        since = f"  {newer} newer events: R reads them in" if newer else ""
        self.query_one("#header", TextBlock).show(line(("report  ", "accent"), (title, "strong"), (since, "warn")))
        self.prompt.hint(self.said)
        self.query_one("#footer", TextBlock).show(footer("report", self.offers, self.app.size.width))

    def offers(self, action: Action) -> bool:
        """Everything can be done always."""
        return True

    def action_section(self, step: int) -> None:
        """Go to the next section, or to the one before."""
        at = self.page.line_at_top
        starts = sections_of(self.page.lines)
        after = [one for one in starts if one > at]
        before = [one for one in starts if one < at]
        wanted = (after[0] if after else None) if step > 0 else (before[-1] if before else 0)
        if wanted is not None:
            self.page.go_to_line(wanted)

    def action_copy_status(self) -> None:
        """Copy the status of five lines to the clipboard."""
        if self.view.acts is not None:
            self.act(self._copy(self.view.acts), "copied: five lines, if the terminal lets programs copy")

    async def _copy(self, acts: SessionActs) -> None:
        self.app.copy_to_clipboard(clean(await acts.status_update()))

    def action_back(self) -> None:
        """Back to the war room."""
        self.dismiss(None)

    def _give_back_focus(self) -> None:
        self.page.focus()


def _lines(acts: SessionActs) -> tuple[PageLine, ...]:
    from orchestrator.journal.blobs import BlobStore
    from orchestrator.verdict.report import ReportError, build_report
    from orchestrator.verdict.report_markdown import render_markdown

    directory = getattr(acts, "directory", None)
    read = BlobStore(directory).read if directory is not None else None
    try:
        return report_lines(render_markdown(build_report(acts.events(), read)))
    except ReportError as error:
        raise ActFault(str(error)) from error
