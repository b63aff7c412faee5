"""The keys, from the registry: what is live where the person was comes first."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from textual import events, on
from textual.app import ComposeResult
from textual.screen import Screen

from tui.actions import ACTIONS, LAYERS, QUESTIONS, Action, Context, shown
from tui.bindings import bindings_of
from tui.views.footer import footer
from tui.views.paint import Row, line
from tui.views.ring import Ring
from tui.widgets.line_view import LineView
from tui.widgets.painted import TextBlock

_WIDTH = 18


def key_rows(context: Context) -> Iterable[Row]:
    """Return the rows of the help screen for where the person is."""
    layers = LAYERS[context]
    chosen = sorted((one for one in ACTIONS if one.context in layers), key=lambda one: layers.index(one.context))
    order = list(dict.fromkeys(one.group for one in chosen))
    for group, actions in groupby(sorted(chosen, key=lambda one: order.index(one.group)), key=lambda one: one.group):
        yield Row(f"group {group}", line((group, "strong")))
        for action in actions:
            yield _row(action)
        yield Row(f"after {group}", line(" "))
    yield Row("questions", line(("While a question stands", "strong")))
    for question, keys in QUESTIONS.items():
        for key, what in keys.items():
            yield _key_row(f"q {question} {key}", key, f"{question}: {what}")
    yield _key_row("q esc", "esc", "close the question; nothing is changed")


def _row(action: Action) -> Row:
    return _key_row(action.id, " ".join(shown(key) for key in action.keys), action.help, action.id)


def _key_row(key: str, keys: str, said: str, named: str = "") -> Row:
    words = line((f"  {keys:<{_WIDTH}} ", "accent"), said, (f"  {named}" if named else "", "dim"))
    return Row(key, words, wraps=True)


class HelpScreen(Screen[None]):
    """A list like any other: it can be filtered."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "#list"
    BINDINGS = bindings_of("help")

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._from = context

    def compose(self) -> ComposeResult:
        """Make the list."""
        yield TextBlock(id="header")
        yield LineView(id="list")
        yield TextBlock(id="footer")

    def on_mount(self) -> None:
        """Fill it."""
        ring = Ring()
        for row in key_rows(self._from):
            ring.put(row)
        self.query_one("#header", TextBlock).show(line(("keys", "accent"), ("  esc closes", "dim")))
        self.query_one("#list", LineView).attach(ring)

    def on_resize(self, event: events.Resize) -> None:
        """Fit the footer."""
        self.query_one("#footer", TextBlock).show(footer("help", lambda action: action.id != "help", event.size.width))

    @on(LineView.FilterRequested)
    def _no_filter(self, event: LineView.FilterRequested) -> None:
        event.stop()

    def action_back(self) -> None:
        """Close."""
        self.dismiss(None)
