"""Everything a key can do, in one table: bindings, footer, palette, help screen and docs/keys.md are views of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Context = Literal[
    "everywhere", "list", "page", "sessions", "warroom", "evidence", "review", "report", "why", "logs", "help"
]

LAYERS: Mapping[Context, tuple[Context, ...]] = {
    "everywhere": ("everywhere",),
    "list": ("list", "everywhere"),
    "page": ("page", "everywhere"),
    "sessions": ("sessions", "list", "everywhere"),
    "warroom": ("warroom", "list", "everywhere"),
    "evidence": ("evidence", "page", "everywhere"),
    "review": ("review", "page", "everywhere"),
    "report": ("report", "page", "everywhere"),
    "why": ("why", "page", "everywhere"),
    "logs": ("logs", "list", "everywhere"),
    "help": ("help", "list", "everywhere"),
}
"""The contexts whose keys are live at the same time, innermost first: no key may mean two things in one of these."""

FORBIDDEN = frozenset(
    ("ctrl+i", "ctrl+m", "ctrl+h", "ctrl+j", "ctrl+left_square_bracket", "ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q")
)
"""Keys that terminals cannot tell from others, that multiplexers take, or that flow control and habit take."""


@dataclass(frozen=True)
class Action:
    """One thing a person can do."""

    id: str
    """Stable name: `pane.zoom`."""
    keys: tuple[str, ...]
    """As Textual names them; the first is shown."""
    word: str
    """For the footer."""
    help: str
    """A sentence for the help screen, the palette and the docs."""
    context: Context
    group: str
    run: str
    """The action it calls: `zoom`, `focus_pane(1)`."""
    footer: int = 0
    """Rank in the footer, from 1; 0 is not shown there."""
    needs: str = ""
    """The screen that has to be there for it to be offered (`tui.seams`)."""


def _panes() -> tuple[Action, ...]:
    names = ("the orchestrator", "logs", "metrics", "deploys", "codefix")
    return tuple(
        Action(
            f"pane.{number}", (str(number),), "pane", f"Go to {name}.", "warroom", "Panes", f"focus_pane({number})",
        )
        for number, name in enumerate(names)
    )  # fmt: skip


ACTIONS: tuple[Action, ...] = (
    Action("help", ("question_mark",), "keys", "Show the keys.", "everywhere", "Everywhere", "help", 90),
    Action(
        "palette", ("colon", "ctrl+p"), "commands", "Find a command by its name.", "everywhere", "Everywhere",
        "command_palette",
    ),
    Action(
        "quit", ("q", "ctrl+c"), "quit", "Quit; asks first while work is running.", "everywhere", "Everywhere",
        "leave", 95,
    ),
    # -- lists -------------------------------------------------------------------------------
    Action("list.down", ("j", "down"), "down", "One row down.", "list", "Moving", "cursor(1)"),
    Action("list.up", ("k", "up"), "up", "One row up; holds the view.", "list", "Moving", "cursor(-1)"),
    Action("list.page_down", ("pagedown", "ctrl+d"), "page down", "One page down.", "list", "Moving", "page(1)"),
    Action("list.page_up", ("pageup", "ctrl+u"), "page up", "One page up.", "list", "Moving", "page(-1)"),
    Action("list.first", ("g", "home"), "first", "The first row.", "list", "Moving", "first"),
    Action("list.last", ("G", "end"), "last", "The last row; follows from there.", "list", "Moving", "last"),
    Action("list.unfold", ("space",), "unfold", "Unfold or fold a row: arguments, result, reasons.", "list", "Moving",
           "unfold", 20),
    Action("filter", ("slash",), "filter", "Show only rows that hold a text.", "list", "Moving", "filter", 40),
    Action("match.next", ("n",), "next", "Next row that holds the text, with all rows around it.", "list", "Moving",
           "match(1)"),
    Action("match.previous", ("N",), "previous", "The one before.", "list", "Moving", "match(-1)"),
    # -- pages of text -----------------------------------------------------------------------
    Action("page.down", ("j", "down"), "down", "One row down.", "page", "Reading", "scroll(1)"),
    Action("page.up", ("k", "up"), "up", "One row up.", "page", "Reading", "scroll(-1)"),
    Action("page.page_down", ("space", "pagedown", "ctrl+d"), "page", "One page down.", "page", "Reading", "page(1)",
           40),
    Action("page.page_up", ("pageup", "ctrl+u"), "page up", "One page up.", "page", "Reading", "page(-1)"),
    Action("page.first", ("g", "home"), "first", "To the beginning.", "page", "Reading", "first"),
    Action("page.last", ("G", "end"), "last", "To the end.", "page", "Reading", "last"),
    # -- war room ----------------------------------------------------------------------------
    *_panes(),
    Action("board", ("b",), "board", "Go to the hypotheses.", "warroom", "Panes", "focus_board"),
    Action("pane.next", ("tab",), "next pane", "Go to the next pane.", "warroom", "Panes", "next_pane(1)"),
    Action("pane.previous", ("shift+tab",), "pane before", "Go to the pane before.", "warroom", "Panes",
           "next_pane(-1)"),
    Action("pane.zoom", ("z",), "zoom", "Give the pane the whole room, and back.", "warroom", "Panes", "zoom", 50),
    Action("pane.follow", ("f",), "follow", "Follow what comes in, or hold the view.", "warroom", "Panes", "follow",
           60),
    Action("pane.copy", ("t",), "next copy", "Show the next of several copies of the agent.", "warroom", "Panes",
           "next_copy", 65),
    Action("evidence.open", ("enter",), "open", "Open the evidence of the row; where there is none, unfold it.",
           "warroom", "Work", "open_row", 10),
    Action("approvals", ("a",), "approvals", "Review what waits for your yes or no.", "warroom", "Work", "review", 5,
           needs="review"),
    Action("report", ("R",), "report", "Read the report.", "warroom", "Work", "report", needs="report"),
    Action("hypothesis.add", ("h",), "hypothesis", "Add a hypothesis to the board: words, or a commit, flag, service "
           "or deploy by name.", "warroom", "Board", "hypothesis"),
    Action("hypothesis.pin", ("p",), "pin", "Pin the hypothesis under the cursor: it is looked at first.", "warroom",
           "Board", "pin"),
    Action("hypothesis.rule_out", ("x",), "rule out", "Rule out the hypothesis under the cursor; asks why, and it is "
           "kept as your word.", "warroom", "Board", "rule_out"),
    Action("hypothesis.undo", ("u",), "undo", "Take back your last word on the hypothesis under the cursor.", "warroom",
           "Board", "undo"),
    Action("hypothesis.why", ("v",), "why", "Show what the score of the hypothesis under the cursor is made of.",
           "warroom", "Board", "why", 18, needs="why"),
    Action("recheck", ("c",), "check again", "Measure the symptom again, with newer data: recovered or not.", "warroom",
           "Work", "recheck"),
    Action("message", ("m",), "steer or ask", "Steer the agents, or ask.", "warroom", "Work", "message", 30),
    Action("logs.search", ("l",), "search logs", "Search the logs by text, /regex/, service, level, time.", "warroom",
           "Work", "logs", 54, needs="logs"),
    Action("interrupt", ("i",), "interrupt", "Stop one agent or all; asks which.", "warroom", "Work", "interrupt", 35),
    Action("resume", ("r",), "go on",
           "Let the session work again; open it here, once another window let it go.", "warroom", "Work", "resume", 15),
    Action("attach", ("plus",), "attach", "Attach a file, a folder or a repository as evidence.", "warroom", "Work",
           "attach"),
    Action("note", ("w",), "note", "Write a note into the session and its report.", "warroom", "Work", "note"),
    Action("budget", ("dollar_sign",), "budget", "Raise the budget: asks to what, and another key confirms.", "warroom",
           "Work", "budget"),
    Action("status.copy", ("y",), "copy status", "Copy a status of five lines to the clipboard.", "warroom", "Work",
           "copy_status"),
    Action("sessions", ("s",), "sessions", "Back to the sessions; this one goes on.", "warroom", "Work", "sessions",
           56),
    Action("back", ("escape",), "back", "Close the question, the filter, or the zoom.", "warroom", "Work", "back"),
    # -- sessions ----------------------------------------------------------------------------
    Action("session.open", ("enter",), "open", "Open the session.", "sessions", "Sessions", "open_row", 10),
    Action("session.resume", ("r",), "go on", "Open the session and let it work again.", "sessions", "Sessions",
           "resume", 20),
    Action("session.new", ("c",), "new", "Start a session on a folder or a file.", "sessions", "Sessions", "new", 15),
    Action("session.delete", ("d",), "delete", "Delete the session: asks, and another key confirms.", "sessions",
           "Sessions", "delete", 30),
    Action("session.reload", ("R",), "reload", "Read the list again.", "sessions", "Sessions", "reload"),
    Action("session.back", ("escape",), "back", "Close the question or the filter; else back to the war room.",
           "sessions", "Sessions", "back"),
    # -- evidence ----------------------------------------------------------------------------
    Action("evidence.next", ("n", "right_square_bracket"), "next", "The next citation.", "evidence", "Evidence",
           "citation(1)", 10),
    Action("evidence.previous", ("N", "left_square_bracket"), "previous", "The citation before.", "evidence",
           "Evidence", "citation(-1)"),
    Action("evidence.view", ("v",), "now/frozen", "As the source is now, or as it was when it was cited.", "evidence",
           "Evidence", "view", 20),
    Action("evidence.focus", ("tab", "shift+tab"), "other side", "Scroll the other side.", "evidence", "Evidence",
           "other_side"),
    Action("evidence.copy", ("y",), "copy ref", "Copy the citation to the clipboard.", "evidence", "Evidence",
           "copy_ref", 30),
    Action("evidence.like", ("m",), "like this", "Search the logs for events of the same wording.", "evidence",
           "Evidence", "like", needs="logs"),
    Action("evidence.back", ("escape",), "back", "Back to where it was opened.", "evidence", "Evidence", "back", 50),
    # -- review ------------------------------------------------------------------------------
    Action("review.arm", ("a",), "arm", "Arm the approval of exactly what is shown, for ten seconds.", "review",
           "Decision", "arm", 10),
    Action("review.arm_session", ("S",), "arm for session", "Arm a yes to exactly this call for the whole session.",
           "review", "Decision", "arm_session", 11),
    Action("review.confirm", ("Y",), "confirm", "Say yes, while it is armed. Nothing else approves.", "review",
           "Decision", "confirm", 20),
    Action("review.reject", ("r",), "reject", "Say no, or take back a yes for the session; asks why, and the subagent "
           "reads the reason.", "review", "Decision", "reject", 30),
    Action("review.base", ("b",), "base", "Have it drafted on another base: asks on which.", "review", "Decision",
           "base", 65),
    Action("review.override", ("O",), "unseen", "Allow a decision on files that were not seen to their end; asks.",
           "review", "Decision", "override", 60),
    Action("review.deliver", ("d",), "deliver", "Deliver what was approved, where that did not happen yet.", "review",
           "Decision", "deliver", 15),
    Action("review.push", ("p",), "push", "Push what was delivered; asks where to, and for six characters.", "review",
           "Decision", "push", 12),
    Action("review.commands", ("y",), "copy commands", "Copy the commands that push it and open a pull request.",
           "review", "Decision", "copy_commands", 13),
    Action("review.unseen", ("u",), "next unseen", "Go to what has not been seen yet.", "review", "Reading",
           "unseen", 35),
    Action("review.file_next", ("right_square_bracket",), "next file", "The next file.", "review", "Reading",
           "file(1)", 45),
    Action("review.file_previous", ("left_square_bracket",), "file before", "The file before.", "review", "Reading",
           "file(-1)"),
    Action("review.view", ("v",), "facts/diff", "Show the facts or the diff, where there is room for one.", "review",
           "Reading", "view", 42),
    Action("review.focus_next", ("tab",), "next part", "Back, the diff, the facts, in turn.", "review", "Reading",
           "move_focus(1)"),
    Action("review.focus_previous", ("shift+tab",), "part before", "The part before.", "review", "Reading",
           "move_focus(-1)"),
    Action("review.next", ("n",), "next waiting", "The next approval that waits.", "review", "Decision",
           "waiting(1)", 55),
    Action("review.previous", ("N",), "waiting before", "The approval before.", "review", "Decision", "waiting(-1)"),
    Action("review.press", ("enter",), "press", "Do what has the focus: it is Back at first.", "review", "Reading",
           "press"),
    Action("review.back", ("escape",), "back", "Disarm; else back, with nothing decided.", "review", "Decision",
           "back", 50),
    # -- report ------------------------------------------------------------------------------
    Action("report.copy_status", ("y",), "copy status", "Copy the status of five lines to the clipboard.", "report",
           "Report", "copy_status", 10),
    Action("report.section_next", ("n", "right_square_bracket"), "next section", "The next section.", "report",
           "Report", "section(1)", 20),
    Action("report.section_previous", ("N", "left_square_bracket"), "section before", "The section before.", "report",
           "Report", "section(-1)"),
    Action("report.reload", ("R",), "read again", "Make the report again, with what came since.", "report", "Report",
           "reload"),
    Action("report.back", ("escape",), "back", "Back to the war room.", "report", "Report", "back", 50),
    # -- why ---------------------------------------------------------------------------------
    Action("why.evidence", ("enter",), "evidence", "Open the evidence that it rests on.", "why", "Why", "evidence", 10),
    Action("why.back", ("escape",), "back", "Back to the war room.", "why", "Why", "back", 50),
    # -- logs --------------------------------------------------------------------------------
    Action("logs.open", ("enter",), "open", "Open the event as evidence; on the last row, load what comes next.",
           "logs", "Logs", "open_row", 10),
    Action("logs.again", ("l",), "ask again", "Change the question.", "logs", "Logs", "logs", 15),
    Action("logs.wider", ("plus",), "lines around", "Show the lines around the event; again: more of them.", "logs",
           "Logs", "context(1)", 20),
    Action("logs.closer", ("minus",), "fewer", "Show fewer lines around it.", "logs", "Logs", "context(-1)"),
    Action("logs.like", ("m",), "like this", "Ask for events of the same wording.", "logs", "Logs", "like", 25),
    Action("logs.around", ("t",), "this time", "Ask for everything that was logged half a minute around it.", "logs",
           "Logs", "around", 30),
    Action("logs.back", ("escape",), "back", "Give up the search that runs; else close the filter; else back.", "logs",
           "Logs", "back", 50),
    # -- help --------------------------------------------------------------------------------
    Action("help.close", ("escape",), "back", "Close the keys.", "help", "Everywhere", "back", 10),
)  # fmt: skip
"""All of them. The order is that of the help screen."""

QUESTIONS: Mapping[str, Mapping[str, str]] = {
    "interrupt": {"0-4": "choose one agent", "*": "choose all", "!": "stop what was chosen"},
    "budget": {"!": "raise the budget to what was typed; it is recorded"},
    "delete": {"X": "delete for good"},
    "unseen": {"!": "let files count that were not seen to their end; it is recorded"},
    "quit": {"L": "leave: what that means is said there", "S": "stop the work, keep it, and quit"},
}
"""Keys that count only while a question stands in the prompt line; each differs from the key that asked."""

NOT_NOW: Mapping[str, str] = {
    "approvals": "nothing waits for your yes or no",
    "message": "nothing can be said here",
    "note": "nothing can be noted here",
    "attach": "nothing can be attached here",
    "budget": "no budget is set, so there is none to raise",
    "interrupt": "nothing is at work",
    "hypothesis.add": "the board cannot be changed here",
    "hypothesis.pin": "choose a hypothesis first: b goes to the board",
    "hypothesis.rule_out": "choose a hypothesis first: b goes to the board",
    "hypothesis.undo": "no word of yours stands on what is under the cursor",
    "hypothesis.why": "choose a hypothesis first: b goes to the board",
    "recheck": "there is no verdict yet, so there is nothing to measure again",
    "logs.search": "the logs cannot be searched here",
    "logs.open": "there is no event to open",
    "logs.wider": "choose an event first",
    "logs.closer": "choose an event first",
    "logs.like": "choose an event first",
    "logs.around": "choose an event first",
    "resume": "it is at work already",
    "status.copy": "it is still being opened",
    "report": "it is still being opened",
    "pane.copy": "there is only one of it",
    "pane.follow": "the hypotheses are no stream: there is nothing to follow",
    "session.open": "there is no session to open: c starts one",
    "session.resume": "there is no session to go on with: c starts one",
    "session.delete": "there is no session to delete",
    "evidence.next": "it is the only citation",
    "evidence.previous": "it is the only citation",
    "evidence.view": "only one of the two is there",
    "evidence.like": "it is no line of a log",
    "evidence.copy": "there is no citation",
    "review.arm": "nothing is armed: this cannot be approved now",
    "review.arm_session": "nothing is armed: only a call that waits can be approved for the session",
    "review.confirm": "nothing is approved: nothing is armed",
    "review.reject": "nothing waits for a no here",
    "review.base": "there is no base to choose: it is no fix that waits",
    "review.override": "nothing is left unseen",
    "review.deliver": "nothing approved waits for its delivery here",
    "review.push": "nothing is delivered that could be pushed",
    "review.commands": "there are no commands before it is approved",
    "review.unseen": "everything was seen to its end",
    "review.next": "nothing else waits",
    "review.previous": "nothing else waits",
}
"""What is said, by the action's id, when its key is pressed while it cannot be done: no key is silently dead."""

_SHOWN = {
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "dollar_sign": "$",
    "plus": "+",
    "minus": "-",
    "space": "space",
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "down": "↓",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "up": "↑",
}


def shown(key: str) -> str:
    """Return a key as people read it."""
    return _SHOWN.get(key, key)


def of(*contexts: Context) -> tuple[Action, ...]:
    """Return the actions of these contexts, in order."""
    return tuple(action for action in ACTIONS if action.context in contexts)


def live(context: Context) -> tuple[Action, ...]:
    """Return every action whose key is live where `context` is innermost."""
    return of(*LAYERS[context])


def page() -> str:
    """Return docs/keys.md."""
    lines = [
        "# Keys",
        "",
        "Written by `python -m tui.actions > docs/keys.md`; a test keeps it in step with the table in tui/actions.py.",
        "Every key can be had without a mouse; `?` shows them in the app, `:` finds a command by its name.",
        "",
    ]
    for title, context in (("Everywhere", "everywhere"), ("In every list", "list"), ("War room", "warroom"),
                           ("Pages of text", "page"), ("Evidence", "evidence"), ("Review", "review"),
                           ("Report", "report"), ("Why", "why"), ("Logs", "logs"), ("Sessions", "sessions"),
                           ("Keys screen", "help")):  # fmt: skip
        lines += [f"## {title}", "", "| key | id | what it does |", "|---|---|---|"]
        for action in ACTIONS:
            if action.context == context:
                keys = " ".join(f"`{shown(key)}`" for key in action.keys)
                lines.append(f"| {keys} | `{action.id}` | {action.help} |")
        lines.append("")
    lines += ["## While a question stands", "", "| question | key | what it does |", "|---|---|---|"]
    for question, keys_ in QUESTIONS.items():
        lines += [f"| {question} | `{key}` | {what} |" for key, what in keys_.items()]
    return "\n".join([*lines, "", "`esc` closes every question and changes nothing.", ""])


if __name__ == "__main__":
    import sys

    sys.stdout.write(page())
