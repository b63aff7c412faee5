"""The logs, searched by a person: how many match and when, the events, and the way into each as evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.worker import Worker

from tui import seams
from tui.actions import Action
from tui.actions import of as actions_of
from tui.bindings import bindings_of
from tui.log_asking import LEAST_AROUND, MOST_AROUND, PAGE, LogAsking, like
from tui.mishap import mishap
from tui.screens.prompting import PromptingScreen
from tui.session_view import ActFault
from tui.views.footer import footer
from tui.views.log_query import LogQuery
from tui.views.log_results import MORE, bars, counted, early_row, event_row, more_row, stamp_of, why_nothing
from tui.views.paint import Line, flat, line, span
from tui.views.ring import Ring
from tui.views.underway import underway
from tui.widgets.line_view import LineView
from tui.widgets.painted import TextBlock
from tui.widgets.prompt import PromptBar

if TYPE_CHECKING:
    from subagents.logs.model import LogLine, LogsContext, LogsSearch
    from tui.session_view import SessionView


class Results(LineView):
    """The events found."""


class LogsScreen(PromptingScreen):
    """Asks through the session, as a person's call; what it was told is in the journal like any other result."""

    CSS_PATH = "logs.tcss"
    AUTO_FOCUS = "#results"
    BINDINGS = bindings_of("logs")
    keys_of = "logs"

    def __init__(self, view: SessionView, query: LogQuery) -> None:
        super().__init__()
        self.view: SessionView = view
        self.query_asked = query
        self._asking = LogAsking(view)
        self._at_work: Worker[None] | None = None
        self._data: LogsSearch | None = None
        """The last answer; its counts are of all that match."""
        self._events: list[LogLine] = []
        self._early: tuple[tuple[str, str], ...] = ()
        """What matched first, while the rest is still read: citation and text."""
        self._around: dict[str, tuple[int, LogsContext]] = {}
        """Lines around an event, by its citation: how many on each side, and what they are."""
        self._painted: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Make the frame."""
        yield TextBlock(id="header")
        yield TextBlock(id="counts")
        yield TextBlock(id="bars")
        yield Results(id="results")
        yield PromptBar()
        yield TextBlock(id="footer")

    @property
    def results(self) -> Results:
        """The list."""
        return self.query_one("#results", Results)

    @property
    def searching(self) -> bool:
        """Whether an answer is waited for."""
        return self._at_work is not None and not self._at_work.is_finished

    def on_mount(self) -> None:
        """Ask at once."""
        self.search(self.query_asked)

    def on_resize(self, event: events.Resize) -> None:
        """Fit to the new size."""
        self.tick()

    # -- asking ------------------------------------------------------------------------------

    def search(self, query: LogQuery) -> None:
        """Ask anew; what was asked before is given up."""
        self._give_up()
        self.query_asked, self.view.asked_of_logs = query, query.typed
        self._data, self._events, self._early = None, [], ()
        self._around.clear()
        self.unsay()
        self._show()
        self._start(cursor=None)

    def _start(self, cursor: str | None) -> None:
        self._at_work = self.run_worker(
            self._search(cursor), group="log search", exclusive=True, exit_on_error=False, description="search the logs"
        )
        self.tick()

    def _give_up(self) -> bool:
        """Cancel what is being asked; say whether there was anything."""
        if self._at_work is None or not self.searching:
            return False
        self._at_work.cancel()
        self._at_work = None
        return True

    async def _search(self, cursor: str | None) -> None:
        try:
            data = await self._asking.search(self.query_asked, cursor)
        except ActFault as fault:
            self.tell(flat(str(fault)))
        except Exception as error:  # a defect of ours must not take the window and the work with it
            self.tell(mishap(error))
        else:
            self._data, self._early = data, ()
            self._events += data.lines
            self._show()
        self._at_work = None
        self._painted = ()
        self.tick()

    async def _widen(self, citation: str, lines: int) -> None:
        try:
            self._around[citation] = lines, await self._asking.around(citation, lines)
        except ActFault as fault:
            self.tell(flat(str(fault)))
            return
        self._show()
        if not self.results.shown.is_unfolded(citation):
            self.results.action_unfold()

    # -- painting ----------------------------------------------------------------------------

    def _show(self) -> None:
        """Put what is known into the list."""
        if not self.is_mounted:
            return
        stamp, data = stamp_of(self._events), self._data
        ring = Ring(len(self._events) + len(self._early) + 1)
        for citation, text in self._early:
            ring.put(early_row(citation, text))
        for event in self._events:
            known = self._around.get(event.citation)
            ring.put(event_row(event, stamp, known[1] if known is not None else None))
        if data is not None and data.more:
            ring.put(more_row(data.more, PAGE))
        self.results.empty = () if data is None else (span("no event", "dim"),)
        self.results.attach(ring)
        self._painted = ()
        self.tick()

    def tick(self) -> None:
        """Paint; called by the app's ticker, and after what the person does."""
        if not self.is_mounted:
            return
        self.results.sync()
        width, told = self.app.size.width, self._asking.preview
        if self.searching and told is not None and not self._events and told.found != self._early:
            self._early = told.found
            self._show()
        state = (width, self.said, told, self.searching, self._data, self._here())
        if state == self._painted:
            return
        self._painted = state
        head = line(("logs  ", "accent"), (flat(self.query_asked.words()), "strong"))
        self.query_one("#header", TextBlock).show(head)
        self.query_one("#counts", TextBlock).show(self._counts())
        data = self._data
        below = () if data is None else bars(data.timeline, width) or why_nothing(self.query_asked, data)
        self.query_one("#bars", TextBlock).show(below)
        self.prompt.hint(self.said or line(("> ", "accent"), ("l asks again", "dim")))
        self.query_one("#footer", TextBlock).show(footer("logs", self.offers, width))

    def _counts(self) -> Line:
        if self.searching:
            told = underway(self._asking.preview) if self._asking.preview is not None else ""
            return line(("searching … ", "good"), (f"{told}  " if told else "", "plain"), ("esc gives up", "dim"))
        if self._data is None:
            return line(("given up: the first that matched", "warn") if self._early else ("no answer", "warn"))
        return counted(self._data)

    def _here(self) -> LogLine | None:
        """Return the event under the cursor."""
        row = self.results.row
        return next((one for one in self._events if row is not None and one.citation == row.key), None)

    def offers(self, action: Action) -> bool:
        """Say whether an action can be done now."""
        match action.id:
            case "logs.open":
                return self.results.row is not None
            case "logs.wider" | "logs.closer" | "logs.like" | "logs.around":
                return self._here() is not None
            case _:
                return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse what is not offered now."""
        found = _ACTIONS.get(action)
        return True if found is None else self.offers(found)

    # -- actions -----------------------------------------------------------------------------

    def action_open_row(self) -> None:
        """Open the event as evidence; on the last row, load what comes next."""
        row = self.results.row
        if row is None:
            return
        if row.key != MORE:
            self.post_message(seams.EvidenceRequested(row.ref)) if row.ref is not None else None
        elif self._data is not None and not self.searching:
            self._start(self._data.cursor)

    def action_context(self, step: int) -> None:
        """Show more or fewer lines around the event."""
        here = self._here()
        if here is None:
            return
        before = self._around[here.citation][0] if here.citation in self._around else 0
        lines = min(MOST_AROUND, before * 2 or LEAST_AROUND) if step > 0 else before // 2
        if lines >= LEAST_AROUND:
            self.run_worker(self._widen(here.citation, lines), group="log context", exclusive=True, exit_on_error=False)
        elif self._around.pop(here.citation, None) is not None:
            self._show()

    def action_like(self) -> None:
        """Ask for events of the same wording."""
        here = self._here()
        if here is not None:
            self._remember_focus()
            self.ask_logs(like(here.text, here.service))

    def action_around(self) -> None:
        """Ask for everything that was logged around the event."""
        here = self._here()
        if here is not None and here.at is not None:
            self._remember_focus()
            self.ask_logs(self._asking.span_around(here.at))

    def _search_logs(self, query: LogQuery) -> None:
        self.search(query)

    def action_back(self) -> None:
        """Give up the search that runs; else the filter; else back."""
        if self._give_up():
            self.tell("given up; l asks again")
        elif self.results.shown.text:
            self.results.look_for("")
        else:
            self.dismiss(None)
        self._painted = ()
        self.tick()


_ACTIONS = {action.run.partition("(")[0]: action for action in actions_of("logs")}
