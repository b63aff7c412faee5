"""What the war room asks a person in its prompt line, and what becomes of the answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual import events, on
from textual.screen import Screen

from orchestrator.journal.text import clean
from tui.actions import NOT_NOW, Action, Context
from tui.actions import of as actions_of
from tui.mishap import mishap
from tui.seams import LogsRequested
from tui.views.paint import Line, flat, line
from tui.widgets.line_view import LineView
from tui.widgets.prompt import Choice, PromptBar

if TYPE_CHECKING:
    from tui.session_view import SessionView
    from tui.views.log_query import LogQuery

AGENTS = ("orchestrator", "logs", "metrics", "deploys", "codefix")

ROOMY = 130
"""Columns from which a question says all that can be typed."""

NOTHING_TYPED = {
    "reject": "nothing was decided: a no needs a reason, which is passed on; r asks again",
    "rule-out": "nothing was ruled out: it takes a reason; x asks again",
    "push": "nothing was pushed: it takes the first six characters of the commit; p asks again",
    "push-to": "nothing was pushed: it takes an address; p asks again",
}
"""What an empty answer means, where somebody could take it for a yes or a no."""


def addressed(text: str) -> tuple[str | None, str]:
    """Split `@logs look there` into whom it is for and what is said; None: everyone."""
    name, _, words = text.partition(" ")
    return (name[1:], words.strip()) if name[:1] == "@" and name[1:] in AGENTS else (None, text)


class PromptingScreen(Screen[None]):
    """Asks, and carries out. A question's answer is another key than the one that asked."""

    view: SessionView | None = None
    keys_of: Context | None = None
    """Whose keys are live on it, as the registry names it."""
    _asked_by: LineView | None = None
    """The list that had the focus when something was asked; it gets it back."""

    @property
    def prompt(self) -> PromptBar:
        """The prompt line."""
        return self.query_one(PromptBar)

    def tell(self, words: str, tone: str = "warn") -> None:
        """Say something in the prompt line until something else is to be said there."""
        self.said = line((words, "warn" if tone == "warn" else "good"))
        self._show_said()

    def _show_said(self) -> None:
        if self.is_mounted:  # one that is not there yet shows it with its first frame
            self.prompt.hint(self.said)

    said: Line = ()

    def offers(self, action: Action) -> bool:
        """Say whether an action can be done now."""
        return True

    def why_not(self, action: Action) -> str:
        """Say why an action cannot be done now."""
        return NOT_NOW.get(action.id, "")

    def on_key(self, event: events.Key) -> None:
        """Say why a key does nothing that would do something at another time."""
        if self.prompt.kind or self.keys_of is None:
            return
        action = next((one for one in actions_of(self.keys_of) if event.key in one.keys), None)
        if action is not None and not self.offers(action) and (why := self.why_not(action)):
            self.tell(flat(why))

    def unsay(self) -> None:
        """Take back what was said."""
        self.said = ()
        self._show_said()

    def ask_leave(self, working: int, leaving: str) -> None:
        """Ask whether running work is left or stopped; `leaving` says what leaving means."""
        if not self.is_mounted:
            self.call_later(self.ask_leave, working, leaving)
            return
        self._remember_focus()
        words = line(
            (f"{working} session{'s' if working > 1 else ''} at work: ", "warn"),
            ("L leave  ", "accent"),
            ("S stop  ", "accent"),
            ("esc stay", "dim"),
        )
        meaning = line((f"leave: {leaving}", "dim"))
        self.prompt.choose(Choice("quit", words, {"L": "leave", "S": "stop"}, meaning))

    def _remember_focus(self) -> None:
        focused = self.focused
        if isinstance(focused, LineView):
            self._asked_by = focused

    def act(self, doing: Awaitable[object], done: str = "") -> None:
        """Carry something out off the key's handler; what cannot be done is said, not raised."""

        async def carry() -> None:
            from tui.session_view import ActFault

            try:
                result = await doing
            except ActFault as fault:
                self.tell(flat(str(fault)))
            except Exception as error:  # a defect of ours must not take the window and the work with it
                self.tell(mishap(error))
            else:
                said = done or (str(result) if isinstance(result, str) else "")
                if said:
                    self.tell(said, "good")

        self.run_worker(carry(), group="acts", exit_on_error=False, description=done)

    # -- asking ------------------------------------------------------------------------------

    def action_message(self) -> None:
        """Ask what to say to the agents."""
        self._remember_focus()
        takes_up = self.view.acts.takes_up if self.view is not None and self.view.acts is not None else ""
        if takes_up:
            self.notify(clean(takes_up), title="What it takes up", timeout=12, markup=False)
        whole = self.view is not None and self.view.remote is not None
        self.prompt.ask(
            "message", "steer or ask (@logs …: by way of the orchestrator) >" if whole else "steer or ask >"
        )

    def action_note(self) -> None:
        """Ask for a note."""
        self._remember_focus()
        self.prompt.ask("note", "note >")

    def action_logs(self) -> None:
        """Ask what to look for in the logs; what was asked last is there to be changed."""
        if self.view is not None:
            self._remember_focus()
            self.ask_logs(self.view.asked_of_logs)

    def ask_logs(self, typed: str) -> None:
        """Ask for a search of the logs, with something typed already."""
        from tui.views.log_query import FORM, SHORT_FORM

        if self.view is not None and self.view.acts is not None:
            self.view.acts.about_to_ask("logs")
        self.prompt.ask("logs", FORM if self.app.size.width >= ROOMY else SHORT_FORM, typed)

    def action_budget(self) -> None:
        """Ask to what the budget is raised."""
        self._remember_focus()
        self.prompt.ask("budget", "raise the budget to, such as 10usd 20m 400calls >")

    def action_attach(self) -> None:
        """Ask for a path."""
        self._remember_focus()
        self.prompt.ask("attach", "attach file, folder or repository >")

    def action_interrupt(self) -> None:
        """Ask whose work is to stop."""
        if self.view is None:
            return
        self._remember_focus()
        at_work = self.view.agents.at_work
        numbered = {str(AGENTS.index(name)): name for name in at_work if name in AGENTS}
        copies = (name for name in at_work if name not in AGENTS)
        numbered |= {str(number): name for number, name in zip(range(len(AGENTS), 10), copies, strict=False)}
        names = " ".join(f"{number} {name}" for number, name in numbered.items())
        words = line(
            ("stop whose work? ", "warn"), (f"{names}  ", "accent"), ("* all  ", "accent"), ("esc none", "dim")
        )
        self.prompt.choose(Choice("interrupt", words, {**numbered, "*": "all"}))

    @on(LineView.FilterRequested)
    def _ask_filter(self, event: LineView.FilterRequested) -> None:
        event.stop()
        self._asked_by = event.view
        self.prompt.ask("filter", "show rows that hold >", event.view.shown.text)

    # -- answers -----------------------------------------------------------------------------

    @on(PromptBar.Typed)
    def _typed(self, event: PromptBar.Typed) -> None:
        event.stop()
        if event.kind == "filter" and self._asked_by is not None:
            self._asked_by.look_for(event.text)

    @on(PromptBar.Dismissed)
    def _dismissed(self, event: PromptBar.Dismissed) -> None:
        event.stop()
        self._put_away(event.kind)
        if event.kind == "filter" and self._asked_by is not None:
            self._asked_by.look_for("")

    def _put_away(self, kind: str) -> None:
        """Take away what was explained beside a question, once it is closed."""
        if kind == "message":
            self.app.clear_notifications()

    @on(PromptBar.Answered)
    def _answered(self, event: PromptBar.Answered) -> None:
        if event.kind == "quit":
            return  # the app's own question
        event.stop()
        self._put_away(event.kind)
        answers: dict[str, Callable[[str], None]] = {
            "message": self._say,
            "note": self._write_note,
            "attach": self._add_evidence,
            "budget": self._confirm_budget,
            "raise": self._raise_budget,
            "interrupt": self._confirm_interrupt,
            "stop": self._interrupt,
            "logs": self._ask_logs,
        }
        carry_out = answers.get(event.kind) or self.other_answers().get(event.kind)
        if carry_out is not None and event.text.strip():
            carry_out(event.text.strip())
        elif event.kind in NOTHING_TYPED:
            self.tell(NOTHING_TYPED[event.kind])

    def other_answers(self) -> dict[str, Callable[[str], None]]:
        """Return what becomes of answers to questions that are the screen's own."""
        return {}

    def _say(self, text: str) -> None:
        if self.view is None or self.view.acts is None:
            return
        to, text = addressed(text)
        if to and not text:
            self.tell(f"nothing was said to {to}: it takes some words; m asks again")
            return
        by_way = ", by way of the orchestrator" if self.view.remote is not None and to != AGENTS[0] else ""
        sends = "says" if self.view.remote is None else "sends"
        when = "" if self.view.acts.running else f"; r goes on, and {sends} it"
        said = f"said{f' to {to}{by_way}' if to else ''}; it is in the session{when}"
        self.act(self.view.acts.message(text, to), said)

    def _ask_logs(self, typed: str) -> None:
        from tui.log_asking import read_query
        from tui.views.log_query import QueryFault

        if self.view is None:
            return
        try:
            query = read_query(self.view, typed)
        except QueryFault as fault:
            self.view.asked_of_logs = typed  # to be mended where it is asked again
            self.tell(flat(f"{fault}; l asks again"))
            return
        self._search_logs(query)

    def _search_logs(self, query: LogQuery) -> None:
        self.post_message(LogsRequested(query))

    def _write_note(self, text: str) -> None:
        if self.view is not None and self.view.acts is not None:
            self.act(self.view.acts.note(text), "noted")

    def _add_evidence(self, path: str) -> None:
        if self.view is not None and self.view.acts is not None:
            self.tell(f"looking at {path} …", "good")
            self.act(self.view.acts.attach(path))

    def _confirm_budget(self, typed: str) -> None:
        from orchestrator.hands.budget_words import BudgetWordsFault, in_words, parse_budget

        try:
            raised = in_words(parse_budget(typed))
        except BudgetWordsFault as fault:
            self.tell(flat(str(fault)))
            return
        words = line((f"raise the budget to {raised}? ", "warn"), ("! raise  ", "accent"), ("esc leave it", "dim"))
        self.prompt.choose(Choice("raise", words, {"!": typed}))

    def _raise_budget(self, typed: str) -> None:
        if self.view is not None and self.view.acts is not None:
            self.act(self.view.acts.raise_budget(typed))

    def _confirm_interrupt(self, whose: str) -> None:
        if self._ended_meanwhile():
            return
        whom = "all work" if whose == "all" else f"the work of {whose}"
        words = line((f"stop {whom}? ", "warn"), ("! stop  ", "accent"), ("esc leave it running", "dim"))
        self.prompt.choose(Choice("stop", words, {"!": whose}))

    def _interrupt(self, whose: str) -> None:
        if self.view is not None and self.view.acts is not None and not self._ended_meanwhile():
            thread = None if whose == "all" else whose
            self.act(self.view.acts.interrupt(thread), f"stopping {whose}; what was found is kept")

    def _ended_meanwhile(self) -> bool:
        """Say whether the work ended while a question about it stood, and tell."""
        ended = self.view is not None and self.view.acts is not None and not self.view.acts.running
        if ended:
            self.tell("it ended meanwhile: nothing was stopped")
        return ended
