"""The prompt line: takes a text, or a choice by key; nothing else in the app reads what is typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Input

from orchestrator.journal.text import CleanText, clean
from tui.views.paint import Line, line
from tui.widgets.painted import Painted, TextBlock

MOST = 4000
"""Most characters taken from one prompt."""


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

    def __init__(self) -> None:
        super().__init__(id="choice")
        self.choice: Choice | None = None

    class Chosen(Message):
        """A key was pressed: the answer, or None for a dismissal."""

        def __init__(self, choice: Choice, answer: str | None) -> None:
            self.choice, self.answer = choice, answer
            super().__init__()

    def render_line(self, y: int) -> Strip:
        """Paint the question."""
        if self.choice is None:
            return self.paint((), self.size.width)
        return self.paint((self.choice.words, self.choice.help)[min(y, 1)], self.size.width)

    def on_key(self, event: events.Key) -> None:
        """Take the key: an answer, a dismissal, or nothing at all."""
        event.stop()
        event.prevent_default()
        if self.choice is None:
            return
        answer = self.choice.keys.get(event.character or event.key) or self.choice.keys.get(event.key)
        if answer is not None:
            self.post_message(self.Chosen(self.choice, answer))
        elif event.key == "escape":
            self.post_message(self.Chosen(self.choice, None))


class PromptBar(Horizontal):
    """One row: a hint, a text being typed, or a question."""

    DEFAULT_CSS = """
    PromptBar { height: 1; }
    PromptBar > TextBlock { width: 1fr; }
    PromptBar.-typing > TextBlock { width: auto; }
    PromptBar > Input { display: none; width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
    PromptBar > ChoiceLine { display: none; }
    PromptBar > Input:focus { border: none; }
    PromptBar.-typing > Input { display: block; }
    PromptBar.-asking > ChoiceLine { display: block; }
    PromptBar.-asking > TextBlock { display: none; }
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

    def compose(self) -> ComposeResult:
        """Make the three things that can be in the row."""
        yield TextBlock(id="prompt-hint")
        yield ChoiceLine()
        yield Input(id="prompt-input", max_length=MOST, select_on_focus=False)

    def hint(self, words: Line) -> None:
        """Show what the prompt is for while nothing is asked."""
        self._hint = words
        if not self.kind:
            self.query_one("#prompt-hint", TextBlock).show(words)

    def ask(self, kind: str, label: str, text: str = "") -> None:
        """Ask for a text."""
        self._close()
        self.kind = kind
        label_block = self.query_one("#prompt-hint", TextBlock)
        words = line((f"{label} ", "accent"))
        label_block.styles.width = sum(len(one.text) for one in words)
        label_block.show(words)
        self.add_class("-typing")
        typed = self.query_one(Input)
        typed.value = clean(text, newlines=False)
        typed.cursor_position = len(typed.value)
        typed.focus()

    def choose(self, choice: Choice) -> None:
        """Ask for a key."""
        self._close()
        self.kind = choice.kind
        asking = self.query_one(ChoiceLine)
        asking.choice = choice
        self.add_class("-asking")
        self.set_class(bool(choice.help), "-explaining")
        asking.refresh()
        asking.focus()

    def dismiss(self) -> None:
        """Close what is asked, if anything is."""
        kind = self.kind
        self._close()
        if kind:
            self.post_message(self.Dismissed(kind))

    def _close(self) -> None:
        self.kind = ""
        self.remove_class("-typing", "-asking", "-explaining")
        self.query_one(ChoiceLine).choice = None
        hint = self.query_one("#prompt-hint", TextBlock)
        hint.styles.width = "1fr"
        hint.show(self._hint)

    def on_key(self, event: events.Key) -> None:
        """Close the text prompt by escape."""
        if event.key == "escape" and self.kind:
            event.stop()
            self.dismiss()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.kind:
            self.post_message(self.Typed(self.kind, clean(event.value, newlines=False)))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        kind, text = self.kind, clean(event.value, newlines=False)
        self._close()
        self.post_message(self.Answered(kind, text))

    @on(ChoiceLine.Chosen)
    def _chosen(self, event: ChoiceLine.Chosen) -> None:
        event.stop()
        if self.kind != event.choice.kind:
            return
        if event.answer is None:
            self.dismiss()
            return
        self._close()
        self.post_message(self.Answered(event.choice.kind, clean(event.answer)))
