"""Where a person decides: exactly what would happen, whole; a yes takes two keys and binds what is shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget

from tui import deciding
from tui.actions import Action
from tui.actions import of as actions_of
from tui.bindings import bindings_of
from tui.keys_in_order import key_age
from tui.screens.pushing import PushingScreen
from tui.session_view import ActFault
from tui.views.approval_gate import ApprovalGate
from tui.views.call_review import rule_standing
from tui.views.footer import footer
from tui.views.paint import Line, flat, line
from tui.views.review import Sheet, Standing, standing_of
from tui.views.review_words import file_lines, hint_words, seen_words, state_words
from tui.widgets.back import BackButton
from tui.widgets.diff import DiffView
from tui.widgets.page_view import PageView
from tui.widgets.painted import TextBlock
from tui.widgets.prompt import Choice, PromptBar

if TYPE_CHECKING:
    from tui.session_view import SessionView

ReadSheet = Callable[["SessionView", str], Awaitable[Sheet]]
WIDE, MID, STATE_ROWS = 160, 100, 4
_PARTS = ("back", "diff", "facts")


class ReviewScreen(PushingScreen):
    """Paints one Sheet; `tick()` is called by the app's one ticker. No key of it has priority over a question."""

    CSS_PATH = "review.tcss"
    AUTO_FOCUS = "#back"
    BINDINGS = bindings_of("review", "page")
    keys_of = "review"

    def __init__(self, view: SessionView, approval: str | None = None, read: ReadSheet = deciding.read_sheet) -> None:
        super().__init__()
        self.view: SessionView = view
        self._approval = approval or next(iter(view.to_review), "")
        self._read = read
        self._gate = ApprovalGate(view.clock, lambda: key_age(self.app))
        self._overridden = False
        self._unread = ""
        """Why there is nothing to show."""
        self._key_moves_focus = False
        self._painted: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Make the frame."""
        yield TextBlock(id="header")
        yield TextBlock(id="counts")
        yield TextBlock(id="state")
        with Container(id="body"):
            files = PageView(id="files")
            files.can_focus = False
            yield files
            yield DiffView(id="diff")
            yield PageView(id="facts")
        yield BackButton()
        yield PromptBar()
        yield TextBlock(id="footer")

    @property
    def diff(self) -> DiffView:
        """What would change."""
        return self.query_one("#diff", DiffView)

    def on_mount(self) -> None:
        """Read what is put before the person."""
        self.load(self._approval)

    def load(self, approval: str) -> None:
        """Show an approval; whatever was armed is not any more, and nothing of it has been seen."""
        self._approval, self.sheet, self._unread, self._push = approval, None, "", None
        self._overridden = False
        self._gate.disturb()
        self.diff.show_files(())
        self.facts.show(())
        self.run_worker(self._load(approval), group="sheet", exclusive=True, exit_on_error=False)
        self.tick()

    async def _load(self, approval: str) -> None:
        try:
            sheet = await self._read(self.view, approval)
        except ActFault as fault:
            self._unread = flat(str(fault))
        except Exception as error:  # a defect of ours must not take the window and the work with it
            from tui.mishap import mishap

            self._unread = mishap(error)
        else:
            self.sheet = sheet
            self.diff.show_files(sheet.files)
            self.facts.show(sheet.facts)
        self._gate.disturb()
        self._painted = ()
        self.tick()

    # -- what disturbs a decision ------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        """Choose the arrangement; what is under the fingers moved."""
        self._gate.disturb()
        width = event.size.width
        self.set_class(width < MID, "-small")
        self.set_class(MID <= width < WIDE, "-mid")
        self._painted = ()
        self.tick()

    def on_screen_suspend(self) -> None:
        """Something else came to the front: what was armed is not any more."""
        self._gate.disturb()

    def on_screen_resume(self) -> None:
        """It came (back) to the front."""
        self._gate.disturb()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A focus that no key moved disturbs."""
        if not self._key_moves_focus:
            self._gate.disturb()
        self._key_moves_focus = False

    # -- painting ----------------------------------------------------------------------------

    def tick(self) -> None:
        """Paint what changed; called by the app's ticker, and after what the person does."""
        if not self.is_mounted:
            return
        diff, gate = self.diff, self._gate
        armed = int(gate.armed_s + 0.999)
        width = self.app.size.width
        yes = armed, gate.for_session, gate.quiet
        state = (self.view.version, self.view.notice, yes, diff.sights, diff.current, self.said, width,
                 self._overridden, self._busy, self.sheet, self._unread, self.prompt.kind)  # fmt: skip
        if state == self._painted:
            return
        self._painted = state
        if self.standing[0] != "waits":
            gate.disarm()
        self._paint_top(width)
        self.query_one("#files", PageView).show(file_lines(diff.files, diff.seen, diff.current))
        self.query_one("#files", PageView).go_to_line(diff.current, above=2)
        self.prompt.hint(self.said or self._hint())
        self.query_one("#footer", TextBlock).show(footer("review", self.offers, width))

    @property
    def standing(self) -> tuple[Standing, str]:
        """Where the decision stands, as the journal says."""
        if self.sheet is None:
            return "decided", self._unread
        if self.sheet.subject == "rule":
            return rule_standing(self.sheet, self.view.rules)
        return standing_of(self.sheet, self.view.fixes, self.view.incident.pending, self.view.incident.decided)

    def _paint_top(self, width: int) -> None:
        sheet = self.sheet
        waiting = list(self.view.incident.pending)
        place = f"  {waiting.index(self._approval) + 1} of {len(waiting)} waiting" if self._approval in waiting else ""
        title = flat(sheet.title) if sheet else "reading …"
        self.query_one("#header", TextBlock).show(
            line(("review  ", "accent"), (title, "strong"), (place, "warn"), (f"  {self._approval}", "dim"))
        )
        counts = seen_words(sheet, self.diff.seen, self._overridden) if sheet else line((self._unread, "warn"))
        self.query_one("#counts", TextBlock).show(counts)
        self.query_one("#state", TextBlock).show_whole(self._state_words(), width, STATE_ROWS)

    def _state_words(self) -> Line:
        if self.sheet is None:
            return ()
        push = self._push if self.prompt.kind == "push" else None
        return state_words(self.sheet, self.standing, self._gate, push, busy=self._busy)

    def _hint(self) -> Line:
        sheet = self.sheet if self.standing[0] == "waits" else None
        return hint_words(sheet, () if self._all_seen else self._unseen(), self.only_watched)

    def _unseen(self) -> list[str]:
        return [flat(file.path) for file, seen in zip(self.diff.files, self.diff.seen, strict=True) if not seen]

    @property
    def _all_seen(self) -> bool:
        return self._overridden or all(self.diff.seen)

    # -- what is offered ---------------------------------------------------------------------

    def applies(self, action: Action) -> bool:
        """Say whether an action makes sense now."""
        standing, sheet = self.standing[0], self.sheet
        subject = sheet.subject if sheet else ""
        match action.id:
            case "review.arm":
                return standing == "waits" and subject != "push" and not self._busy
            case "review.arm_session":
                return standing == "waits" and subject == "tool_call" and not self._busy
            case "review.confirm":
                return standing == "waits" and bool(self._gate.armed_s)
            case "review.reject":
                return standing in ("waits", "stands") and not self._busy
            case "review.base":
                return standing == "waits" and subject == "fix" and not self._busy
            case "review.override":
                return standing == "waits" and not self._all_seen
            case "review.deliver":
                return standing == "approved" and subject == "fix" and not self._busy
            case "review.push":
                return standing == "delivered" or (standing == "waits" and subject == "push")
            case "review.commands":
                return standing in ("delivered", "approved") and bool(sheet and sheet.draft)
            case "review.unseen":
                return sheet is not None and not all(self.diff.seen)
            case "review.next" | "review.previous":
                return bool(set(self.view.to_review) - {self._approval})
            case _:
                return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse what is not offered now."""
        found = _ACTIONS.get(action)
        return True if found is None else self.offers(found)

    # -- saying yes --------------------------------------------------------------------------

    def action_arm_session(self) -> None:
        """Arm a yes to exactly this call for the rest of the session."""
        if self.sheet is not None and self.sheet.subject == "tool_call":
            self.action_arm(for_session=True)

    def action_arm(self, for_session: bool = False) -> None:
        """Arm the approval of exactly what is shown, and look once more whether it still is so."""
        sheet = self.sheet
        if sheet is None or self._gate.quiet:
            return
        if sheet.trouble:
            self.tell(f"it cannot be approved: {flat(sheet.trouble)}")
            self._void_changed(sheet)
        elif not self._all_seen:
            self.tell(f"not seen to the end: {', '.join(self._unseen()[:4])}; u goes there, O lets it count anyway")
        elif self._gate.arm(sheet.digest, for_session=for_session):
            self.unsay()
            self.run_worker(self._look_again(sheet), group="look", exclusive=True, exit_on_error=False)
        self.tick()

    async def _look_again(self, sheet: Sheet) -> None:
        try:
            now = await self._read(self.view, sheet.approval)
        except ActFault:
            return  # it was decided or withdrawn: the journal says so
        if self.sheet is sheet and (now.trouble or (now.digest, now.files) != (sheet.digest, sheet.files)):
            self._gate.disturb()
            self.sheet = now
            self.diff.show_files(now.files)
            self.facts.show(now.facts)
            self.tell("what is shown changed: look at it again")
            if now.trouble:
                self._void_changed(now)
            self.tick()

    def _void_changed(self, sheet: Sheet) -> None:
        """Have what cannot hold any more voided and asked for anew, so that nobody is stuck with it."""
        self.act(deciding.void_changed(self.view, sheet))

    def action_confirm(self) -> None:
        """Say yes to what was armed."""
        sheet = self.sheet
        if sheet is None or self._busy or self.standing[0] != "waits":
            return
        digest = self._gate.confirm(sheet.digest)
        if digest is not None and self._all_seen:
            self._carry_out(deciding.approve(self.view, sheet, digest, for_session=self._gate.for_session))
        self.tick()

    def action_override(self) -> None:
        """Ask whether files count that were not seen to their end."""
        left = self._unseen()
        words = line((f"let {len(left)} unseen file{'s' if len(left) > 1 else ''} count? it is recorded  ", "warn"),
                     ("! yes  ", "accent"), ("esc no", "dim"))  # fmt: skip
        self._gate.disarm()
        self.prompt.choose(Choice("unseen", words, {"!": "unseen"}))

    def action_deliver(self) -> None:
        """Deliver what was approved."""
        if self.sheet is not None:
            self._carry_out(deciding.deliver(self.view, self.sheet))

    # -- saying no, and what comes after -----------------------------------------------------

    def action_reject(self) -> None:
        """Ask why."""
        self._gate.disarm()
        stands = self.standing[0] == "stands"
        self.prompt.ask("reject", "take it back: why >" if stands else "what is wrong with it (it is passed on) >")

    def other_answers(self) -> dict[str, Callable[[str], None]]:
        """The answers to this screen's own questions."""
        return {"reject": self._reject, "unseen": self._override, **self.push_answers()}

    def _reject(self, reason: str) -> None:
        if self.sheet is not None:
            self._carry_out(deciding.reject(self.view, self.sheet, reason))

    def _override(self, _: str) -> None:
        sheet = self.sheet
        if sheet is not None:
            left = self._unseen()

            async def record() -> str:
                await deciding.record_unseen(self.view, sheet, left)
                self._overridden = self.sheet is sheet
                return "recorded: unseen files count"

            self.act(record())

    # -- moving ------------------------------------------------------------------------------

    def _give_back_focus(self) -> None:
        self.query_one(BackButton).focus()

    @property
    def _page(self) -> PageView:
        return self.facts if self.has_class("-small") and self.has_class("-facts") else self.diff

    def action_scroll(self, step: int) -> None:
        """Scroll what is shown, while Back has the focus."""
        self._page.action_scroll(step)
        self.tick()

    def action_page(self, step: int) -> None:
        """Scroll by a page."""
        self._page.action_page(step)
        self.tick()

    def action_first(self) -> None:
        """Go to the beginning."""
        self._page.action_first()

    def action_last(self) -> None:
        """Go to the end."""
        self._page.action_last()

    def action_file(self, step: int) -> None:
        """Go to another file."""
        self.diff.step_file(step)
        self.tick()

    def action_unseen(self) -> None:
        """Go to what has not been seen."""
        self.set_class(False, "-facts")
        self.diff.to_unseen()
        self.tick()

    def action_view(self) -> None:
        """Show the facts or the diff."""
        self.toggle_class("-facts")

    def action_move_focus(self, step: int) -> None:
        """Move the focus between Back, the diff and the facts."""
        parts = [one for name in _PARTS if (one := self.query_one(f"#{name}", Widget)).display]
        at = next((index for index, one in enumerate(parts) if one.has_focus), 0)
        wanted = parts[(at + step) % len(parts)]
        self._key_moves_focus = not wanted.has_focus
        wanted.focus()

    def action_press(self) -> None:
        """Do what has the focus: Back goes back, the rest does nothing."""
        if self.query_one(BackButton).has_focus:
            self.dismiss(None)

    def action_waiting(self, step: int) -> None:
        """Show another approval that waits, or that stands for the session."""
        waiting = self.view.to_review
        if waiting:
            at = waiting.index(self._approval) + step if self._approval in waiting else 0
            self.unsay()
            self.load(waiting[at % len(waiting)])

    def action_back(self) -> None:
        """Disarm what is armed; else go back, with nothing decided."""
        if self._gate.armed_s:
            self._gate.disarm()
            self.tell("disarmed", "good")
            self.tick()
        else:
            self.dismiss(None)


_ACTIONS = {action.run.partition("(")[0]: action for action in actions_of("review") if action.id != "review.previous"}
