"""`warroom board`: the candidate causes of a session, and a person's hand on them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Literal

import click

from tui.commands.faults import Fault, narrate
from tui.commands.lazy import LazyGroup, Listed
from tui.commands.output import to_stdout

if TYPE_CHECKING:
    from orchestrator.verdict.board import Hypothesis

COMMANDS = {
    "show": Listed("tui.commands.board:show", "List the hypotheses, or say why one stands where it stands."),
    "add": Listed("tui.commands.board:add", "Add a hypothesis: words, a commit, flag, service or deploy."),
    "pin": Listed("tui.commands.board:pin", "Pin one: it stays on top and is looked at first."),
    "rule-out": Listed("tui.commands.board:rule_out", "Rule one out, with a reason."),
    "undo": Listed("tui.commands.board:undo", "Take back the last word of a person on one."),
}
REASON_HELP = "Why: it is kept, and shown as your word."


@click.group(cls=LazyGroup, listed=COMMANDS, epilog="Exit status: 0 done, 2 unusable arguments, or refused.")
def board() -> None:
    """Look at the hypotheses of a session and put your hand on them.

    What you do is recorded with your name and the time. It is shown as your word beside the evidence and counts as
    none; the investigation takes it up while it runs, and when it goes on. HYPOTHESIS is its number in `show`, its
    id, or the start of a commit.
    """


@click.command()
@click.argument("session")
@click.argument("hypothesis", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(session: str, hypothesis: str | None, as_json: bool) -> None:
    """List the hypotheses of SESSION, best first; with HYPOTHESIS, say what its score is made of."""
    from orchestrator.verdict.board_edits import EditFault, find

    held = _read(session)
    chosen = None
    if hypothesis is not None:
        try:
            chosen = find(hypothesis, held)
        except EditFault as fault:
            raise Fault(str(fault)) from fault
        if chosen is None:
            raise Fault(f"nothing on the board is called {hypothesis[:60]!r}; `warroom board show {session}` lists it")
    if as_json:
        data = _data(chosen) if chosen is not None else [_data(one) for one in held]
        to_stdout(json.dumps(data, indent=2) + "\n")
    else:
        to_stdout(_page(chosen) if chosen is not None else _table(held))


@click.command()
@click.argument("session")
@click.argument("hypothesis", nargs=-1, required=True)
@click.option("--reason", default="", metavar="TEXT", help=REASON_HELP)
def add(session: str, hypothesis: tuple[str, ...], reason: str) -> int:
    """Add HYPOTHESIS to the board of SESSION.

    \b
    warroom board add 20260301-120000-0a1b2c commit 51d0e7a
    warroom board add 20260301-120000-0a1b2c flag checkout-v2
    warroom board add 20260301-120000-0a1b2c service billing
    warroom board add 20260301-120000-0a1b2c the resolver of the payment provider
    """
    return _edit(session, "add", " ".join(hypothesis), reason)


@click.command()
@click.argument("session")
@click.argument("hypothesis")
@click.option("--reason", default="", metavar="TEXT", help=REASON_HELP)
def pin(session: str, hypothesis: str, reason: str) -> int:
    """Pin HYPOTHESIS: it stays on top of the board and is looked at first."""
    return _edit(session, "pin", hypothesis, reason)


@click.command("rule-out")
@click.argument("session")
@click.argument("hypothesis")
@click.option("--reason", required=True, metavar="TEXT", help=REASON_HELP)
def rule_out(session: str, hypothesis: str, reason: str) -> int:
    """Rule HYPOTHESIS out: the offline investigator does not name it the cause, whatever speaks for it."""
    return _edit(session, "rule_out", hypothesis, reason)


@click.command()
@click.argument("session")
@click.argument("hypothesis")
def undo(session: str, hypothesis: str) -> int:
    """Take back what a person last did to HYPOTHESIS: ruled out, pinned, or added."""
    return _edit(session, "undo", hypothesis, "")


def _edit(name: str, act: Literal["add", "pin", "rule_out", "undo"], text: str, reason: str) -> int:
    from tui.commands.opening import session_folder

    session_id = session_folder(name).name
    narrate(f"warroom: {asyncio.run(_edited(session_id, act, text, reason))}")
    narrate(f"warroom: taken up when it goes on: warroom sessions resume {session_id}")
    return 0


async def _edited(session_id: str, act: Literal["add", "pin", "rule_out", "undo"], text: str, reason: str) -> str:
    from orchestrator.journal.events import BoardEdited
    from orchestrator.journal.text import clean
    from orchestrator.session import SessionFault
    from orchestrator.session.settings import person
    from orchestrator.verdict.board_edits import done
    from tui.commands.fix_reading import opened

    async with opened(session_id) as session:
        try:
            event = await session.edit_board(act, text, reason, person())
        except SessionFault as fault:
            raise Fault(str(fault)) from fault
    return str(clean(done(event.body), newlines=False)) if isinstance(event.body, BoardEdited) else ""


def _read(name: str) -> tuple[Hypothesis, ...]:
    """Fold a session's board from its journal, whether or not it is open elsewhere."""
    from orchestrator.verdict.board import BOARD_TYPES, Board
    from tui.commands.opening import open_reader

    held = Board()
    with open_reader(name) as reader:
        for event in reader.events(types=BOARD_TYPES):
            held.apply(event)
    return held.hypotheses()


def _table(held: tuple[Hypothesis, ...]) -> str:
    from tui.views.board import board_rows
    from tui.views.paint import text_of

    if not held:
        return "No hypothesis yet: no finding speaks for or against a suspect.\n"
    return "".join(f"{at:3} {text_of(row.line).rstrip()}\n" for at, row in enumerate(board_rows(held), 1))


def _page(one: Hypothesis) -> str:
    from tui.views.board import why_lines
    from tui.views.paint import text_of

    return "".join(f"{text_of(item.gutter)}{item.text}".rstrip() + "\n" for item in why_lines(one))


def _data(one: Hypothesis) -> dict[str, Any]:
    return {
        "suspect": one.suspect.model_dump(mode="json"),
        "state": one.state,
        "score": one.score,
        "sum": one.sum,
        "pinned": one.pinned,
        "words": list(one.edits),
        "for": [finding.model_dump(mode="json") for finding in one.supporting],
        "against": [finding.model_dump(mode="json") for finding in one.opposing],
        "excluding": [finding.model_dump(mode="json") for finding in one.excluding],
        "untested": [finding.model_dump(mode="json") for finding in one.untested],
    }
