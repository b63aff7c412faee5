"""What the review screen does beside a yes or a no: another base, a push (six characters), commands to copy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from orchestrator.journal.text import clean
from tui import deciding
from tui.actions import Action
from tui.mishap import mishap
from tui.screens.prompting import PromptingScreen
from tui.session_view import ActFault, SessionView
from tui.views.diff import plain_lines
from tui.views.page import field
from tui.views.paint import flat
from tui.views.review import Sheet
from tui.widgets.page_view import PageView

_DECIDES = frozenset(
    f"review.{name}" for name in ("arm", "arm_session", "confirm", "reject", "base", "override", "deliver", "push")
)
"""Actions that change something: none of them is for whoever only watches."""


class PushingScreen(PromptingScreen):
    """Base of the review screen."""

    view: SessionView
    sheet: Sheet | None = None
    _busy = False
    """Whether a decision is being carried out."""
    _push: deciding.PushAsked | None = None
    """The push whose commit is being typed."""

    @property
    def facts(self) -> PageView:
        """What is known beside the diff."""
        return self.query_one("#facts", PageView)

    @property
    def only_watched(self) -> str:
        """Why nothing can be decided here; empty where it can."""
        return self.view.acts.why_not if self.view.acts is not None else ""

    def offers(self, action: Action) -> bool:
        """Say whether an action can be done now."""
        return not (self.only_watched and action.id in _DECIDES) and self.applies(action)

    def applies(self, action: Action) -> bool:
        """Say whether an action makes sense now."""
        return True

    def why_not(self, action: Action) -> str:
        """Say why an action cannot be done now; a push has keys of its own."""
        if self.only_watched and action.id in _DECIDES:
            return self.only_watched
        if self.sheet is not None and self.sheet.subject == "push" and action.id in ("review.arm", "review.confirm"):
            return "what leaves this machine asks for six characters of the commit: p"
        return super().why_not(action)

    def _carry_out(self, doing: Awaitable[str]) -> None:
        """Carry a decision out; the app owns the work, so that leaving this screen does not cut it short."""

        async def carry() -> None:
            try:
                said, tone = flat(await doing), "good"
            except ActFault as fault:
                said, tone = flat(str(fault)), "warn"
            except Exception as error:  # a defect of ours must not take the window and the work with it
                said, tone = mishap(error), "warn"
            finally:
                self._busy = False
            if self in app.screen_stack:
                self.facts.show((field("said", said, "accent"), *self.facts.lines))
                self.facts.action_first()
                self.tell(said, tone)
            else:
                app.notify(clean(said), timeout=10, markup=False)

        app, self._busy = self.app, True
        self.unsay()
        app.run_worker(carry(), group="decisions", exit_on_error=False, description="a decision")

    def action_base(self) -> None:
        """Ask on what it is to be drafted instead; nothing is decided by asking."""
        if self.sheet is not None:
            label = f"it is on {self.sheet.base}; draft it on (tip, deployed, or a commit) >"
            self.prompt.ask(
                "base", label if len(label) < self.app.size.width // 2 else "on (tip, deployed, a commit) >"
            )

    def _draft_on(self, base: str) -> None:
        if self.sheet is not None:
            self._carry_out(deciding.rebase(self.view, self.sheet, base))

    def action_push(self) -> None:
        """Ask where to push to; the repository's own remote is proposed."""
        if self.sheet is None:
            return
        if self.sheet.subject == "push":
            self.act(self._ask_push(self.sheet.draft, self.sheet.url))
        else:
            self.act(self._propose_push(self.sheet))

    async def _propose_push(self, sheet: Sheet) -> None:
        url, by_hand = await deciding.address_for(self.view, sheet.draft)
        if by_hand:
            raise ActFault(f"this repository has {flat(by_hand)}: push it yourself; y copies the commands")
        self.prompt.ask("push-to", "push a new branch to >", url)

    async def _ask_push(self, draft: str, url: str) -> None:
        self._push = await deciding.ask_push(self.view, draft, url)
        self.prompt.ask("push", "first six characters of the commit >")

    def action_copy_commands(self) -> None:
        """Copy the commands that push it by hand, and show them."""
        if self.sheet is not None:
            self.act(self._copy(self.sheet), "copied, if the terminal lets programs copy; they are shown in the facts")

    async def _copy(self, sheet: Sheet) -> None:
        text = await deciding.commands_for(self.view, sheet.draft)
        self.app.copy_to_clipboard(clean(text))
        self.facts.show((*plain_lines(text), *sheet.facts))
        self.facts.action_first()
        self.set_class(True, "-facts")

    def push_answers(self) -> dict[str, Callable[[str], None]]:
        """The answers to questions about a push, and about the base."""
        return {"push-to": self._push_to, "push": self._push_now, "base": self._draft_on}

    def _push_to(self, url: str) -> None:
        if self.sheet is not None:
            self.act(self._ask_push(self.sheet.draft, url))

    def _push_now(self, typed: str) -> None:
        asked, self._push = self._push, None
        if asked is not None:
            self._carry_out(deciding.push(self.view, asked, typed))
