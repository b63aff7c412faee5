"""Home: the sessions that are kept, and the way into each."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, cast

from textual import events
from textual.app import ComposeResult

from tui import position
from tui.actions import Action
from tui.bindings import bindings_of
from tui.screens.prompting import PromptingScreen
from tui.views.footer import footer
from tui.views.paint import Row, line, span
from tui.views.ring import Ring
from tui.views.sessions import columns, session_rows
from tui.widgets.line_view import LineView
from tui.widgets.painted import TextBlock
from tui.widgets.prompt import Choice, PromptBar

if TYPE_CHECKING:
    from orchestrator.compose import Request, Surroundings
    from orchestrator.journal.index import SessionRow

RELOAD_TICKS = 40
"""Ticks between looks at what is kept."""


class Desk(Protocol):
    """What the list asks of the app."""

    @property
    def around(self) -> Surroundings:
        """What sessions take from the machine."""

    @property
    def running(self) -> frozenset[str]:
        """Ids of the sessions that work in this process."""

    def open_session(self, session_id: str, *, go_on: bool = False) -> None:
        """Open a kept session."""

    def start_session(self, request: Request) -> None:
        """Start one."""

    def show_last_room(self) -> None:
        """Back to the war room that was left, if any."""

    async def forget_session(self, session_id: str) -> None:
        """Close a session of this process that does not work, before it is deleted."""


class SessionList(LineView):
    """The list; enter opens."""

    empty = (span("no sessions yet: c starts one on a folder or a file; or: warroom run PATH", "dim"),)


class SessionsScreen(PromptingScreen):
    """Reads the index off the loop; repaints when something changed."""

    CSS_PATH = "sessions.tcss"
    AUTO_FOCUS = "#list"
    BINDINGS = bindings_of("sessions")
    keys_of = "sessions"

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, SessionRow] = {}
        self._painted: tuple[Row, ...] | None = None
        self._ticks = 0
        self._reading = False

    @property
    def desk(self) -> Desk:
        """The app, as far as the list needs it."""
        return cast("Desk", self.app)

    def compose(self) -> ComposeResult:
        """Make the frame."""
        yield TextBlock(id="header")
        yield TextBlock(id="columns")
        yield SessionList(id="list")
        yield PromptBar()
        yield TextBlock(id="footer")

    def on_mount(self) -> None:
        """Show the frame at once; the list is read after it."""
        self.query_one("#header", TextBlock).show(line(("warroom", "accent"), ("  sessions", "strong")))
        self.query_one("#list", SessionList).attach(Ring())
        self._paint_bottom()

    def on_screen_resume(self) -> None:
        """Look again whenever the list comes to the front."""
        self._ticks = 0
        self.query_one("#list").focus()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the columns and the footer."""
        self.query_one("#columns", TextBlock).show(line((columns(event.size.width), "dim")))
        self._ticks = 0
        self._paint_bottom()

    def tick(self) -> None:
        """Look at what is kept, now and then."""
        if not self.is_mounted:
            return  # the ticker may be there before the first frame
        if self._ticks % RELOAD_TICKS == 0 and not self._reading:
            self.action_reload()
        self._ticks += 1
        self._paint_bottom()

    def action_reload(self) -> None:
        """Read the list again."""
        self._reading = True
        self.run_worker(self._read(), group="index", exclusive=True, exit_on_error=False)

    async def _read(self) -> None:
        from orchestrator.journal.faults import JournalError, StateError

        try:
            around = await asyncio.to_thread(lambda: self.desk.around)
            rows, seen, live = await asyncio.to_thread(_read_index, around)
        except (StateError, JournalError) as error:
            self.tell(str(error))
            return
        finally:
            self._reading = False
        self._rows = {row.id: row for row in rows}
        made = session_rows(rows, seen, self.desk.running, live, around.clock.now(), self.app.size.width)
        if made != self._painted:
            self._painted = made
            self._show(made)

    def _show(self, rows: Sequence[Row]) -> None:
        ring = Ring(max(1, len(rows)))
        for row in rows:
            ring.put(row)
        self.query_one("#list", SessionList).attach(ring)
        waiting = sum(len(row.approvals) for row in self._rows.values())
        self.query_one("#header", TextBlock).show(
            line(
                ("warroom", "accent"),
                (f"  {len(rows)} session{'s' if len(rows) != 1 else ''}", "strong"),
                (f"  ·  {waiting} waiting for your decision" if waiting else "", "warn"),
            )
        )

    def _paint_bottom(self) -> None:
        self.prompt.hint(self.said or line(("> ", "accent"), ("enter opens; c starts a new one", "dim")))
        self.query_one("#footer", TextBlock).show(footer("sessions", self.offers, self.app.size.width))

    def offers(self, action: Action) -> bool:
        """Say whether an action can be done now."""
        if action.id in ("session.open", "session.resume", "session.delete"):
            return self._chosen is not None
        return True

    @property
    def _chosen(self) -> SessionRow | None:
        row = self.query_one("#list", SessionList).row
        return self._rows.get(row.key) if row is not None else None

    # -- actions -----------------------------------------------------------------------------

    def action_open_row(self) -> None:
        """Open the session under the cursor."""
        if self._chosen is not None:
            self.desk.open_session(self._chosen.id)

    def action_resume(self) -> None:
        """Open it and let it work again."""
        if self._chosen is not None:
            self.desk.open_session(self._chosen.id, go_on=True)

    def action_new(self) -> None:
        """Ask what to look at."""
        self._remember_focus()
        self.prompt.ask("new", "folder or file (--repo DIR names a repository) >")

    def action_delete(self) -> None:
        """Ask before anything goes."""
        row = self._chosen
        if row is None:
            return
        self._remember_focus()
        there = f", and {row.remote} at its server" if row.remote else ""
        words = line(
            ("delete for good: ", "warn"),
            (f"{row.incident} {row.title}"[:60], "strong"),
            (f" ({row.id}, {row.events} events{there})? ", "warn"),
            ("X delete  ", "accent"),
            ("esc keep", "dim"),
        )
        self.prompt.choose(Choice("delete", words, {"X": row.id}))

    def action_back(self) -> None:
        """Close the filter; else go back to the war room."""
        here = self.query_one("#list", SessionList)
        self.said = ()
        if here.shown.text:
            here.look_for("")
        else:
            self.desk.show_last_room()

    def other_answers(self) -> dict[str, Callable[[str], None]]:
        """A new session, and a deletion."""
        return {"new": self._start, "delete": self._delete}

    def _start(self, text: str) -> None:
        from orchestrator.compose import Request

        try:
            words = shlex.split(text)
        except ValueError as error:
            self.tell(f"the quotes do not match ({error})")
            return
        repos = tuple(words[at + 1] for at, word in enumerate(words[:-1]) if word == "--repo")
        marks = {at for at, word in enumerate(words) if word == "--repo"}
        paths = tuple(word for at, word in enumerate(words) if at not in marks and at - 1 not in marks)
        self.desk.start_session(Request(inputs=paths, repos=repos))

    def _delete(self, session_id: str) -> None:
        self.act(self._remove(session_id))

    async def _remove(self, session_id: str) -> str:
        from orchestrator.journal.index import summarise
        from tui.removing import remove

        await self.desk.forget_session(session_id)
        around = self.desk.around
        row = await asyncio.to_thread(lambda: summarise(around.home.session_dir(session_id)))
        if row.remote:
            self.tell(f"deleting {row.remote} at its server …", "good")
        done = await remove(around, row)
        self._ticks = 0
        return done


def _read_index(around: Surroundings) -> tuple[list[SessionRow], dict[str, int], frozenset[str]]:
    from orchestrator.journal.index import Index
    from orchestrator.journal.lock import is_live

    rows = Index(around.home).rows()
    seen = {row.id: position.read(around.home.session_dir(row.id)).seen for row in rows}
    busy = frozenset(row.id for row in rows if row.status != "idle" and is_live(around.home.session_dir(row.id)))
    return rows, seen, busy
