"""One agent's pane: its stream, and in the border who it is and what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.text import content_of
from tui.views.paint import Tone, line
from tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from tui.views.agents import AgentWords
    from tui.views.ring import Ring

STATES = ("waiting", "busy", "asking", "done", "failed", "stopped")
MARKS: dict[str, tuple[str, Tone]] = {
    "waiting": ("·", "dim"),
    "busy": ("~", "accent"),
    "asking": ("!", "warn"),
    "done": ("=", "good"),
    "failed": ("x", "bad"),
    "stopped": ("-", "warn"),
}
"""A sign for each state, beside its words: colour is never alone."""


class StreamPane(LineView):
    """Shows the rows of one agent and follows them."""

    DEFAULT_CSS = """
    StreamPane { border-top: solid $foreground 30%; border-title-color: $foreground; height: 1fr; width: 1fr; }
    StreamPane:focus { border-top: heavy $border; }
    """

    def __init__(self, number: int, agent: str) -> None:
        super().__init__(id=f"pane-{agent}", follow=True)
        self.number = number
        self.agent = agent
        self.tab = agent
        """Which of the agent and its copies is shown."""
        self._titled: object = None
        self.border_title = content_of(line((f"{number} ", "accent"), (agent, "strong")))

    def show_tab(self, tab: str, source: Ring) -> None:
        """Show the agent or one of its copies, from its newest row on."""
        self.tab, self._titled, self.following = tab, None, True
        self.attach(source)

    def tell(self, words: AgentWords, tabs: tuple[str, ...] = (), meter: str = "") -> None:
        """Show the agent's state, which copy this is, what it used, and how the view stands, in the border."""
        unseen = self.unseen
        shown = self.shown
        state = (words, unseen, self.following, shown.text, shown.filtering, self.has_focus, tabs, meter)
        if state == self._titled:
            return
        self._titled = state
        mark, tone = MARKS[words.state]
        held = "" if self.following else f" ▼ {unseen} new" if unseen else " held"
        looked = f" /{shown.text}" if shown.text else ""
        title = line(
            (f"{self.number} ", "accent"),
            (self.agent, "strong"),
            (f" [{tabs.index(self.tab) + 1}/{len(tabs)} {self.tab}]" if len(tabs) > 1 else "", "accent"),
            (f" {mark} ", tone),
            (words.words, tone),
            (f" · {meter}" if meter else "", "dim"),
            (held, "warn"),
            (f"{looked} ({shown.rows})" if shown.filtering else looked, "accent"),
        )
        self.border_title = content_of(title)
        for one in STATES:
            self.set_class(one == words.state, f"-{one}")
        self.set_class(self.following, "-following")
