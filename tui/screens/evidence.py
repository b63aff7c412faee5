"""What a claim rests on, opened: the source as it is now beside the excerpt that was kept when it was cited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal

from orchestrator.journal.text import clean
from orchestrator.verdict.fact_words import fact_words
from tui.actions import Action
from tui.actions import of as actions_of
from tui.bindings import bindings_of
from tui.evidence_opening import Opened, open_evidence
from tui.screens.prompting import PromptingScreen
from tui.views.evidence import Cited, chart_of, cited_by, frozen_lines, list_lines, now_lines, state_words
from tui.views.footer import footer
from tui.views.page import PageLine, prose
from tui.views.paint import Ref, flat, line
from tui.views.shown import capped, wrap
from tui.widgets.chart import ChartView
from tui.widgets.page_view import PageView
from tui.widgets.painted import TextBlock
from tui.widgets.prompt import PromptBar

if TYPE_CHECKING:
    from tui.session_view import SessionView

Open = Callable[["SessionView", str], Awaitable[Opened]]
BOTH_FROM = 120
"""Columns from which now and then are side by side."""
KEPT = 64
"""Citations that are kept open."""


class EvidenceScreen(PromptingScreen):
    """Opens one citation at a time; closing it leaves the screen below as it was."""

    CSS_PATH = "evidence.tcss"
    AUTO_FOCUS = "#now"
    BINDINGS = bindings_of("evidence", "page")
    keys_of = "evidence"

    def __init__(self, view: SessionView, ref: Ref, open_: Open = open_evidence) -> None:
        super().__init__()
        self.view: SessionView = view
        self._title, self.cited = cited_by(view, ref)
        self._open = open_
        self.at = 0
        """Which citation is shown."""
        self._opened: dict[str, Opened] = {}
        self._shown: Opened | None = None
        self._most = 6
        """Most rows of the list of citations."""

    def compose(self) -> ComposeResult:
        """Make the frame."""
        yield TextBlock(id="header")
        yield TextBlock(id="ground")
        cites = PageView(id="cites")
        cites.can_focus = False
        yield cites
        with Horizontal(id="sides"):
            yield PageView(id="now")
            yield ChartView(id="chart")
            yield PageView(id="frozen")
        yield TextBlock(id="how")
        yield TextBlock(id="ref")
        yield PromptBar()
        yield TextBlock(id="footer")

    def on_mount(self) -> None:
        """Open the first citation."""
        self.set_class(len(self.cited) < 2, "-alone")
        self.show(0)

    def on_resize(self, event: events.Resize) -> None:
        """Choose the arrangement."""
        self.set_class(event.size.width < BOTH_FROM, "-narrow")
        self._most = 6 if event.size.height >= 30 else 3
        self._list()
        self._arrange()
        self.tick()

    @property
    def current(self) -> Cited | None:
        """The citation that is shown."""
        return self.cited[self.at] if self.cited else None

    @property
    def opened(self) -> Opened | None:
        """The current citation, once it is open."""
        return self._opened.get(self.current.ref) if self.current is not None else None

    # -- opening -----------------------------------------------------------------------------

    def show(self, at: int) -> None:
        """Show a citation."""
        self.at = at
        self.remove_class("-frozen")
        current = self.current
        if current is None:
            self._say_only(prose(("it names no evidence", "warn")))
        elif current.ref in self._opened:
            self._put(self._opened[current.ref])
        else:
            self._say_only(prose(("opening …", "dim")))
            self.run_worker(self._load(current.ref), group="evidence", exclusive=True, exit_on_error=False)
        self._list()
        self.tick()

    def _list(self) -> None:
        cites = self.query_one("#cites", PageView)
        cites.show(list_lines(self.cited, self.at, self.app.size.width))
        cites.go_to_line(self.at, above=1)

    async def _load(self, ref: str) -> None:
        try:
            opened = await self._open(self.view, ref)
        except Exception as error:  # a defect of ours must not take the window and the work with it
            from tui.mishap import mishap

            opened = Opened(ref, ref.partition(":")[0], "gone", self.view.incident.evidence.get(ref), why=mishap(error))
        if len(self._opened) >= KEPT:
            self._opened.clear()
        self._opened[ref] = opened
        if self.current is not None and self.current.ref == ref:
            self._put(opened)
            self.tick()

    def _say_only(self, said: PageLine) -> None:
        self._shown = None
        self._arrange()
        self.query_one("#now", PageView).show((said,))
        self.query_one("#frozen", PageView).show(())

    def _put(self, opened: Opened) -> None:
        self._shown = opened
        facts = self.current.facts if self.current is not None else ()
        chart = chart_of(self.view, opened, facts)
        lines, at = now_lines(opened)
        self.query_one("#chart", ChartView).show(chart)
        now = self.query_one("#now", PageView)
        self._arrange()
        now.show(lines)
        self.query_one("#frozen", PageView).show(frozen_lines(opened))
        self.call_after_refresh(lambda: now.go_to_line(at, above=max(1, now.size.height // 3)))

    def _arrange(self) -> None:
        shown = self._shown
        self.set_class(
            shown is not None and shown.kind == "metric" and (shown.now or shown.frozen) is not None, "-chart"
        )
        beside = shown is not None and shown.state != "gone" and (shown.kind == "log" or shown.state == "changed")
        self.set_class(beside and not self.has_class("-narrow"), "-both")

    # -- painting ----------------------------------------------------------------------------

    def tick(self) -> None:
        """Paint the lines around; called by the app's ticker, and after what the person does."""
        if not self.is_mounted:
            return
        current = self.current
        place = f"  {self.at + 1} of {len(self.cited)}" if len(self.cited) > 1 else ""
        head = line(("evidence", "accent"), (place, "warn"), ("  ", "dim"), (flat(self._title), "strong"))
        self.query_one("#header", TextBlock).show(head)
        cites = self.query_one("#cites", PageView)
        cites.styles.height = max(1, min(self._most, cites.rows))
        facts = "; ".join(map(fact_words, current.facts)) if current is not None else ""
        ground = flat(current.ground) if current is not None else ""
        grounds = line((facts, "accent"), ("  " if facts else "", "dim"), (ground, "dim"))
        shown = capped(wrap(grounds, self.app.size.width), self._most // 2)
        self.query_one("#ground", TextBlock).styles.height = len(shown)
        self.query_one("#ground", TextBlock).show(*shown)
        how, ref = state_words(self.opened, current.ref if current is not None else "")
        self.query_one("#how", TextBlock).show(how)
        self.query_one("#ref", TextBlock).show(ref)
        self.prompt.hint(self.said)
        self.query_one("#footer", TextBlock).show(footer("evidence", self.offers, self.app.size.width))

    def offers(self, action: Action) -> bool:
        """Say whether an action can be done now."""
        match action.id:
            case "evidence.next" | "evidence.previous":
                return len(self.cited) > 1
            case "evidence.view":
                return self.opened is not None and self.opened.frozen is not None
            case "evidence.like":
                held = self.opened.now or self.opened.frozen if self.opened is not None else None
                return self.opened is not None and self.opened.kind == "log" and held is not None
            case "evidence.copy":
                return bool(self.cited)
            case _:
                return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse what is not offered now."""
        found = _ACTIONS.get(action)
        return True if found is None else self.offers(found)

    # -- actions -----------------------------------------------------------------------------

    def action_citation(self, step: int) -> None:
        """Show the next citation, or the one before, round and round."""
        self.unsay()
        self.show((self.at + step) % len(self.cited))

    def action_view(self) -> None:
        """Show what was kept beside what is there now, or instead of it where there is room for one."""
        self.toggle_class("-frozen")
        self._main.focus()

    def action_other_side(self) -> None:
        """Give the other side the keys."""
        sides = [one for one in (self.query_one("#now", PageView), self.query_one("#frozen", PageView)) if one.display]
        if sides:
            here = next((at for at, one in enumerate(sides) if one.has_focus), -1)
            sides[(here + 1) % len(sides)].focus()

    @property
    def _main(self) -> PageView:
        now, frozen = self.query_one("#now", PageView), self.query_one("#frozen", PageView)
        return now if now.display else frozen

    def action_scroll(self, step: int) -> None:
        """Scroll, while nothing has the focus."""
        self._main.action_scroll(step)

    def action_page(self, step: int) -> None:
        """Scroll by a page."""
        self._main.action_page(step)

    def action_first(self) -> None:
        """Go to the beginning."""
        self._main.action_first()

    def action_last(self) -> None:
        """Go to the end."""
        self._main.action_last()

    def action_like(self) -> None:
        """Ask for events of the same wording."""
        from tui.log_asking import like

        held = self.opened.now or self.opened.frozen if self.opened is not None else None
        if held is not None:
            self._remember_focus()
            self.ask_logs(like(held.excerpt))

    def action_copy_ref(self) -> None:
        """Copy the citation to the clipboard."""
        if self.current is not None:
            self.app.copy_to_clipboard(clean(self.current.ref, newlines=False))
            self.tell("copied: the citation, if the terminal lets programs copy", "good")

    def action_back(self) -> None:
        """Back to where it was opened."""
        self.dismiss(None)

    def _give_back_focus(self) -> None:
        self._main.focus()


_ACTIONS = {action.run.partition("(")[0]: action for action in actions_of("evidence")}
