"""The prompt line: takes a text, or a choice by key; nothing else in the app reads what is typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len, set_cell_size
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from orchestrator.journal.text import CleanText, clean
from tui.views.paint import Line, line, span
from tui.widgets.painted import Painted, TextBlock
from tui.widgets.picking import Pick, PickList

MOST = 4000
"""Most characters taken from one prompt."""
HINT_ROWS = 3
"""Most rows that a hint takes: what a fault says to do stands at its end."""


@dataclass(frozen=True)
class Choice:
    """A question that a key answers."""

    kind: str
    words: Line
    keys: Mapping[str, str]
    """Key (as Textual names its character) to the answer that is posted."""
    help: Line = ()
    """A second line, where more has to be said."""


class ChoiceLine(Painted, can_focus=True):
    """Takes the one key that answers a choice; while it has the focus no other binding but quit's is in reach."""

    DEFAULT_CSS = """
    ChoiceLine { height: 100%; width: 1fr; }
    """

    def __init__(self, answer: Callable[[str | None], None]) -> None:
        super().__init__(id="choice")
        self.choice: Choice | None = None
        self._answer = answer
        """Called at once with the answer, or None for a dismissal: the next key may be here already."""

    def render_line(self, y: int) -> Strip:
        """Paint the question."""
        if self.choice is None:
            return self.paint((), self.size.width)
        words = _with_keys(self.choice.words, self.size.width) if y == 0 else self.choice.help
        return self.paint(words, self.size.width)

    def on_key(self, event: events.Key) -> None:
        """Take the key: an answer, a dismissal, or nothing at all."""
        event.stop()
        event.prevent_default()
        if self.choice is None:
            return
        answer = self.choice.keys.get(event.character or event.key) or self.choice.keys.get(event.key)
        if answer is not None:
            self._answer(answer)
        elif event.key == "escape":
            self._answer(None)


def _with_keys(words: Line, width: int) -> Line:
    """Return a question cut to the width so that the keys that answer it are there whole."""
    first = next((at for at, one in enumerate(words) if one.tone == "accent"), len(words))
    keys = words[first:]
    room = width - sum(cell_len(one.text) for one in keys)
    asked = list(words[:first])
    while asked and sum(cell_len(one.text) for one in asked) > room:
        last = asked.pop()
        left = room - sum(cell_len(one.text) for one in asked)
        if left > len("…? "):
            cut = set_cell_size(last.text, left - len("…? ")).rstrip()
            asked.append(span(f"{cut}…? ", last.tone))
    return (*asked, *keys)


class PromptInput(Input):
    """An input whose enter takes effect at once: what is typed after it is not its any more."""

    def __init__(self, submit: Callable[[str], None], move: Callable[[int], None]) -> None:
        super().__init__(id="prompt-input", max_length=MOST, select_on_focus=False)
        self._submit_text, self._move = submit, move

    async def action_submit(self) -> None:
        """Hand the text over."""
        self._submit_text(self.value)

    def on_key(self, event: events.Key) -> None:
        """Keep the focus: a tab would take it elsewhere, and leave a question that no key answers."""
        if event.key in ("up", "down"):
            self._move(1 if event.key == "down" else -1)
        if event.key in ("tab", "shift+tab", "up", "down"):
            event.stop()
            event.prevent_default()


class PromptBar(Horizontal):
    """A hint, a text being typed, or a question: one row, and more where what is said needs them."""

    DEFAULT_CSS = """
    PromptBar { height: 1; }
    PromptBar > TextBlock { width: 1fr; }
    PromptBar.-typing > TextBlock { width: auto; }
    PromptBar > Input { width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
    PromptBar > Input:focus { border: none; }
    PromptBar.-explaining { height: 2; }
    """

    class Answered(Message):
        """A text was given, or a choice made."""

        def __init__(self, kind: str, text: CleanText) -> None:
            self.kind, self.text = kind, text
            super().__init__()

    class Dismissed(Message):
        """The prompt was closed without an answer."""

        def __init__(self, kind: str) -> None:
            self.kind = kind
            super().__init__()

    class Typed(Message):
        """The text changed while it is being typed."""

        def __init__(self, kind: str, text: CleanText) -> None:
            self.kind, self.text = kind, text
            super().__init__()

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self.kind = ""
        """What is asked for now; empty: nothing."""
        self._hint: Line = ()
        self._before: Widget | None = None
        """What had the focus when something was asked: it gets it back with the answer."""

    def compose(self) -> ComposeResult:
        """Make the three things that can be in the row."""
        yield TextBlock(id="prompt-hint")
        yield ChoiceLine(self._chosen)
        yield PromptInput(self.submit, self.move)
        yield PickList()

    def on_mount(self) -> None:
        """Show the hint, and nothing to be typed into."""
        self._show("hint")

    def _show(self, what: Literal["hint", "text", "choice"]) -> None:
        # At once, not by a class that takes effect later: the next key may be here already.
        if what != "hint":
            self.styles.height = None
        self.query_one("#prompt-hint").display = what != "choice"
        self.query_one(Input).display = what == "text"
        self.query_one(ChoiceLine).display = what == "choice"

    def hint(self, words: Line) -> None:
        """Show what the prompt is for while nothing is asked."""
        self._hint = words
        if not self.kind:
            self._show_hint()

    def _show_hint(self) -> None:
        hint = self.query_one("#prompt-hint", TextBlock)
        self.styles.height = hint.show_whole(self._hint, self.app.size.width, HINT_ROWS)

    def on_resize(self) -> None:
        """Fit the hint to the new width."""
        if not self.kind:
            self._show_hint()

    def ask(self, kind: str, label: str, text: str = "") -> None:
        """Ask for a text."""
        self._close()
        self._before = self.screen.focused
        self.kind = kind
        label_block = self.query_one("#prompt-hint", TextBlock)
        words = line((f"{label} ", "accent"))
        label_block.styles.width = sum(len(one.text) for one in words)
        label_block.styles.height = 1
        label_block.show(words)
        self.add_class("-typing")
        typed = self.query_one(Input)
        typed.value = clean(text, newlines=False)
        typed.cursor_position = len(typed.value)
        self._show("text")
        self.screen.set_focus(typed, scroll_visible=False)

    @property
    def picks(self) -> PickList:
        """What can be picked instead of typed."""
        return self.query_one(PickList)

    def offer(self, kind: str, picks: Sequence[Pick]) -> None:
        """Offer something to pick, where that is still what is asked for."""
        if self.kind == kind:
            self.picks.offer(picks, self.query_one(Input).value)
            self._fit_picks()

    def move(self, step: int) -> None:
        """Go through what can be picked, by what is typed now: word of it may come later."""
        self.picks.narrow(self.query_one(Input).value)
        self.picks.move(step)

    def _fit_picks(self) -> None:
        self.styles.height = 1 + self.picks.rows if self.picks.rows else None

    def choose(self, choice: Choice) -> None:
        """Ask for a key."""
        self._close()
        self._before = self.screen.focused
        self.kind = choice.kind
        asking = self.query_one(ChoiceLine)
        asking.choice = choice
        self.add_class("-asking")
        self.set_class(bool(choice.help), "-explaining")
        self._show("choice")
        asking.refresh()
        self.screen.set_focus(asking, scroll_visible=False)

    def dismiss(self) -> None:
        """Close what is asked, if anything is."""
        kind = self.kind
        self._close()
        if kind:
            self.post_message(self.Dismissed(kind))

    def _close(self) -> None:
        if self.kind and self._before is not None and self._before.is_attached:
            self.screen.set_focus(self._before, scroll_visible=False)
        self.kind = ""
        self._show("hint")
        self.remove_class("-typing", "-asking", "-explaining")
        self.query_one(ChoiceLine).choice = None
        self.picks.offer(())
        self._fit_picks()
        self.query_one("#prompt-hint", TextBlock).styles.width = "1fr"
        self._show_hint()

    def on_key(self, event: events.Key) -> None:
        """Close the text prompt by escape."""
        if event.key == "escape" and self.kind:
            event.stop()
            self.dismiss()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if not self.kind:
            return  # word of it came late: a hint stands there again
        self.picks.narrow(event.value)
        self._fit_picks()
        self.post_message(self.Typed(self.kind, clean(event.value, newlines=False)))

    def submit(self, text: str) -> None:
        """Take the text as the answer, or what is picked instead of it."""
        kind, picked = self.kind, self.picks.picked
        text = picked.answer if picked is not None else text
        self._close()
        if kind:
            self.post_message(self.Answered(kind, clean(text, newlines=False)))

    def _chosen(self, answer: str | None) -> None:
        if answer is None:
            self.dismiss()
        else:
            self.submit(answer)
