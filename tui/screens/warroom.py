"""The war room: one incident, the agents at work on it, and the answer where a tired person finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Horizontal
from textual.geometry import Size

from tui import seams
from tui.actions import Action
from tui.actions import of as actions_of
from tui.bindings import bindings_of
from tui.hinting import hint_of
from tui.offering import Here, offers, why_not
from tui.screens.boarding import BoardingScreen
from tui.screens.prompting import AGENTS
from tui.views.footer import footer
from tui.views.layout import Layout, layout_for, pair_with
from tui.views.paint import Line, Span, line
from tui.widgets.board import HypothesisBoard
from tui.widgets.line_view import LineView
from tui.widgets.painted import TextBlock
from tui.widgets.prompt import PromptBar
from tui.widgets.stream_pane import MARKS, StreamPane

if TYPE_CHECKING:
    from orchestrator.verdict.board import Hypothesis
    from tui.session_view import SessionView

BOARD = "board"
PLACES = (BOARD, *AGENTS)
HEADLINE_ROWS = 3


class WarRoomScreen(BoardingScreen):
    """Paints a SessionView; `tick()` is called by the app's one ticker."""

    CSS_PATH = "warroom.tcss"
    AUTO_FOCUS = ""
    BINDINGS = bindings_of("warroom")
    keys_of = "warroom"

    def __init__(self, opening: str = "opening …", place: str = AGENTS[0], *, zoomed: bool = False) -> None:
        super().__init__()
        self.view: SessionView | None = None
        self._opening = opening
        self._there = False
        """Whether its widgets are there."""
        self._place = place if place in PLACES else AGENTS[0]
        self._pair = pair_with(AGENTS, self._place)
        self._zoomed = zoomed
        self._layout: Layout = "full"
        self._fitted_to = Size(0, 0)
        self.add_class("-full")
        self._painted: tuple[object, ...] = ()
        self._board_version = -1
        self._noticed = ""
        """What the session's notice was last."""

    def compose(self) -> ComposeResult:
        """Make everything once; arrangements only hide and show."""
        yield TextBlock(id="header")
        yield TextBlock(id="symptom")
        yield TextBlock(id="answer")
        yield TextBlock(id="headline")
        yield TextBlock(id="tabs")
        with Horizontal(id="body"):
            yield HypothesisBoard()
            with Container(id="panes"):
                for number, agent in enumerate(AGENTS):
                    yield StreamPane(number, agent)
        yield PromptBar()
        yield TextBlock(id="footer")
        yield TextBlock(id="notice")

    def on_mount(self) -> None:
        """Show the frame at once, whatever is still being opened."""
        self._there = True
        self.query_one("#notice", TextBlock).show(line(("warroom needs 60 columns and 16 rows", "warn")))
        self.query_one("#header", TextBlock).show(line((self._opening, "strong")))
        self._fit(self.app.size.width, self.app.size.height)
        if self.view is not None:
            self.attach(self.view)

    def on_resize(self, event: events.Resize) -> None:
        """Choose the arrangement for the new size."""
        if event.size != self._fitted_to:
            self._fit(event.size.width, event.size.height)

    def attach(self, view: SessionView) -> None:
        """Show a session from now on; a screen that is not there yet does so once it is."""
        self.view, self.said = view, ()  # what was said of a session that is not there yet is not so any more
        if not self._there:
            return
        self._painted, self._board_version = (), -1
        for pane in self.query(StreamPane):
            pane.show_tab(pane.agent, view.streams.panes[pane.agent])
        self.tick()

    def restore(self, place: str, *, zoomed: bool) -> None:
        """Go to where the person was, who may have gone elsewhere while it was being opened."""
        if (self._place, self._zoomed) != (AGENTS[0], False):
            return
        self._zoomed = zoomed
        self.go_to(place if place in PLACES else AGENTS[0])

    # -- arrangement -------------------------------------------------------------------------

    @property
    def place(self) -> str:
        """Where the person is: `board` or an agent's name."""
        return self._place

    @property
    def zoomed(self) -> bool:
        """Whether that place has the whole room."""
        return self._zoomed

    def _fit(self, width: int, height: int) -> None:
        self._fitted_to = Size(width, height)
        fitting = layout_for(width, height)
        if fitting != self._layout:
            self.remove_class(f"-{self._layout}")
            self.add_class(f"-{fitting}")
            self._layout = fitting
        self._arrange()

    def _visible(self) -> tuple[str, ...]:
        if self._zoomed or self._layout in ("one", "notice"):
            return (self._place,)
        if self._layout == "two":
            return (BOARD,) if self._place == BOARD else self._pair
        return PLACES

    def _arrange(self) -> None:
        visible = self._visible()
        self.set_class(self._zoomed, "-zoomed")
        self.set_class(visible == (BOARD,), "-board")
        # At once, not by a class that takes effect later: the next key may be here already.
        for place in PLACES:
            self.list_of(place).display = place in visible
        self.query_one("#panes").display = visible != (BOARD,)
        if not self.prompt.kind:
            self.set_focus(self.list_of(self._place), scroll_visible=False)
        self._painted = ()
        self.tick()

    def list_of(self, place: str) -> LineView:
        """Return the board or an agent's pane."""
        return self.query_one("#board" if place == BOARD else f"#pane-{place}", LineView)

    def go_to(self, place: str) -> None:
        """Go to the board or to an agent's pane."""
        self._place = place
        self._pair = pair_with(AGENTS, place, self._pair)
        self._arrange()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Follow the focus, however it came to be where it is; word of it may come after the next key moved it on."""
        if event.widget is not self.focused:
            return
        place = next((one for one in PLACES if event.widget is self.list_of(one)), None)
        if place is not None and place != self._place:
            self._place = place
            self._painted = ()

    # -- painting ----------------------------------------------------------------------------

    def tick(self) -> None:
        """Paint what changed; called by the app's ticker, and after what the person does."""
        view = self.view
        if not self._there or self._layout == "notice":
            return
        if view is not None and view.notice != self._noticed:
            self._noticed, self.said = view.notice, ()  # what was said before may not be so any more
        width = self.app.size.width
        now = view.clock.now() if view is not None else None
        ticks = view is not None and (view.running or view.health() is not None)
        second = int(now.timestamp()) if now is not None and ticks else 0
        known = view.version if view is not None else -1
        state = (known, second, width, self._place, self.said, self._layout, self._standing())
        if state == self._painted:
            return
        self._painted = state
        if view is not None and now is not None:
            self._paint_top(view, width)
            self._paint_lists(view)
        self._paint_bottom(width)

    def _standing(self) -> tuple[object, ...]:
        """Return what changes by itself, without an event, and is shown or decides what is offered."""
        view = self.view
        acts = view.acts if view is not None else None
        if view is None or acts is None:
            return ()
        return acts.running, acts.why_not, view.caught_up, view.notice, len(view.to_review)

    def _paint_top(self, view: SessionView, width: int) -> None:
        from tui.views.connection import age_words, lost_words
        from tui.views.incident import answer, header, symptom

        now = view.clock.now()
        note = lost_words(view.health()) or age_words(view.health()) if view.caught_up else "reading …"
        self.query_one("#header", TextBlock).show(header(view.incident, now, width, note, view.meter()))
        self.query_one("#symptom", TextBlock).show(symptom(view.incident, width))
        self.query_one("#answer", TextBlock).show(*answer(view.incident, view.leading))
        self.query_one("#tabs", TextBlock).show(self._tabs(view))

    def _tabs(self, view: SessionView) -> Line:
        parts: list[Span] = []
        for place in PLACES:
            key = "b" if place == BOARD else str(AGENTS.index(place))
            here = place == self._place
            text = f"[{key} {place}]" if here else f" {key} {place} "
            parts += line((text, "match" if here else "plain"))
            if place != BOARD:
                copies, state = len(view.streams.tabs(place)), view.agents.most(place, view.clock.now()).state
                parts += line(MARKS[state], f"{copies} " if copies > 1 else " ")
        return tuple(parts)

    def _paint_lists(self, view: SessionView) -> None:
        visible = self._visible()
        if view.board_version != self._board_version:
            from tui.views.board import board_rows

            self._board_version = view.board_version
            rows = board_rows(view.hypotheses)
            out = sum(one.state == "ruled out" for one in view.hypotheses)
            self.query_one(HypothesisBoard).show(rows, len(view.board.findings), out)
            self.query_one("#headline", TextBlock).show(*(row.line for row in rows[:HEADLINE_ROWS]))
        now = view.clock.now()
        for pane in self.query(StreamPane):
            if pane.agent in visible:
                pane.sync()
                words = view.agents.words(pane.tab, now)
                pane.tell(words, view.streams.tabs(pane.agent), view.meters.words(view.streams.thread_of(pane.tab)))

    def _paint_bottom(self, width: int) -> None:
        self.prompt.hint(self._hint())
        lead = "0-4 pane" if self._layout != "full" else "0-4 b pane"
        self.query_one("#footer", TextBlock).show(footer("warroom", self.offers, width, lead))

    def _hint(self) -> Line:
        return self.said if self.view is None else hint_of(self.view, self.said)

    # -- what is offered ---------------------------------------------------------------------

    def offers(self, action: Action) -> bool:
        """Say whether an action can be done now."""
        if self._layout == "notice":
            return False  # nobody acts on what nobody sees
        return offers(action, Here(self.view, None if self._place == BOARD else self._place, self.on_board))

    def why_not(self, action: Action) -> str:
        """Say why an action cannot be done now."""
        if self._layout == "notice":
            return "too small: nothing is done"
        return why_not(action, self.view) or super().why_not(action)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse what is not offered now."""
        found = _ACTIONS.get(action)
        return True if found is None else self.offers(found)

    def on_board(self) -> Hypothesis | None:
        """Return the hypothesis under the cursor of the board, where the person is there."""
        row = self.list_of(BOARD).row if self._place == BOARD and self._there else None
        held = self.view.hypotheses if self.view is not None and row is not None else ()
        return next((one for one in held if row is not None and one.suspect.id == row.key), None)

    # -- actions -----------------------------------------------------------------------------

    def action_focus_pane(self, number: int) -> None:
        """Go to an agent's pane by its number."""
        self.go_to(AGENTS[number])

    def action_focus_board(self) -> None:
        """Go to the hypotheses."""
        self.go_to(BOARD)

    def action_next_pane(self, step: int) -> None:
        """Go to the next place, round and round."""
        self.go_to(PLACES[(PLACES.index(self._place) + step) % len(PLACES)])

    def action_zoom(self) -> None:
        """Give the place the whole room, and back."""
        self._zoomed = not self._zoomed
        self._arrange()

    def action_next_copy(self) -> None:
        """Show the next copy of the agent in its pane."""
        if self.view is None or self._place == BOARD:
            return
        pane, tabs = self.query_one(f"#pane-{self._place}", StreamPane), self.view.streams.tabs(self._place)
        tab = tabs[(tabs.index(pane.tab) + 1) % len(tabs)] if pane.tab in tabs else tabs[0]
        pane.show_tab(tab, self.view.streams.ring(self._place, tab))
        self._painted = ()
        self.tick()

    def action_follow(self) -> None:
        """Follow or hold the pane."""
        self.list_of(self._place).hold_or_follow()
        self._painted = ()
        self.tick()

    def action_open_row(self) -> None:
        """Open the evidence of the row under the cursor; where there is none to open, unfold the row."""
        here = self.list_of(self._place)
        ref = here.row.ref if here.row is not None else None
        if ref is not None and ref.kind == "approval" and seams.offered("review"):
            self.post_message(seams.ReviewRequested(ref.id))
        elif ref is not None and ref.kind not in ("call", "approval") and seams.offered("evidence"):
            self.post_message(seams.EvidenceRequested(ref))
        else:
            here.action_unfold()

    def action_review(self) -> None:
        """Review what waits."""
        self.post_message(seams.ReviewRequested())

    def action_report(self) -> None:
        """Read the report."""
        self.post_message(seams.ReportRequested())

    def action_resume(self) -> None:
        """Let the session work again."""
        from tui.session_view import ActFault

        if self.view is not None and self.view.acts is not None:
            if self.view.acts.free:
                self.post_message(seams.TakeOverRequested(self.view.acts.session_id))
                return
            try:
                self.view.acts.go_on()
            except ActFault as fault:
                self.tell(str(fault))
            else:
                self.said = ()

    def action_copy_status(self) -> None:
        """Copy the status of five lines to the clipboard."""
        if self.view is not None and self.view.acts is not None:
            self.act(self._copy(), "copied: five lines, if the terminal lets programs copy")

    async def _copy(self) -> None:
        from orchestrator.journal.text import clean

        if self.view is not None and self.view.acts is not None:
            self.app.copy_to_clipboard(clean(await self.view.acts.status_update()))

    def action_sessions(self) -> None:
        """Back to the sessions; this one goes on."""
        self.app.call_later(self.app.run_action, "app.sessions")

    def action_back(self) -> None:
        """Close the filter, or the zoom; take back what was said."""
        here = self.list_of(self._place)
        if here.shown.text:
            here.look_for("")
        elif self._zoomed:
            self.action_zoom()
        self.said = ()
        self._painted = ()
        self.tick()


_ACTIONS = {
    action.run.partition("(")[0]: action for action in actions_of("warroom") if not action.id.startswith("pane.")
} | {action.run: action for action in actions_of("warroom") if action.id in ("pane.follow", "pane.copy")}
