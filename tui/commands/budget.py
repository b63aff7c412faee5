"""`warroom sessions budget`: what a session used and may use; raising a bound is a person's act, on record."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import click

from tui.commands.faults import Fault, narrate
from tui.commands.output import to_stdout

if TYPE_CHECKING:
    from orchestrator.config import Budgets


@click.command()
@click.argument("session")
@click.argument("raise_to", nargs=-1, metavar="[AMOUNT...]")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def budget(session: str, raise_to: tuple[str, ...], as_json: bool) -> int:
    """Show what SESSION used of its budget; with AMOUNTs, raise its bounds to them.

    \b
    warroom sessions budget 20260301-120000-0a1b2c
    warroom sessions budget 20260301-120000-0a1b2c 10usd 20m
    warroom sessions budget 20260301-120000-0a1b2c logs:80calls

    An AMOUNT is the new bound, not what is added: 10usd, 20m, 400calls, 60turns, 2Mtokens. The raise is recorded in
    the session's journal. Agents cannot raise anything. A session that is open in a war room is raised there ($).
    """
    from tui.commands.opening import session_folder

    folder = session_folder(session)
    if raise_to:
        asyncio.run(_raise(folder.name, budget_from(" ".join(raise_to))))
    _show(folder.name, as_json)
    return 0


def budget_from(text: str) -> Budgets:
    """Read a budget as typed; raises Fault."""
    from orchestrator.hands.budget_words import BudgetWordsFault, parse_budget

    try:
        return parse_budget(text)
    except BudgetWordsFault as error:
        raise Fault(f"budget: {error}") from error


async def _raise(session_id: str, wished: Budgets) -> None:
    from orchestrator.session.budgeting import BudgetFault
    from tui.commands.fix_reading import opened

    async with opened(session_id) as session:
        try:
            events = await session.raise_budgets(wished)
        except BudgetFault as error:
            raise Fault(f"{session_id}: {error}") from error
        for event in events:
            narrate(f"warroom: {getattr(event.body, 'detail', {}).get('words', '')}")
    narrate(f"warroom: it goes on with: warroom sessions resume {session_id}")


def _show(name: str, as_json: bool) -> None:
    from orchestrator.hands.budget_fold import BUDGET_TYPES
    from orchestrator.hands.budget_summary import summary_of, table
    from orchestrator.journal.text import clean
    from tui.commands.opening import open_reader

    with open_reader(name) as reader:
        summary = summary_of(reader.events(types=BUDGET_TYPES))
    shown = json.dumps(summary.model_dump(mode="json"), indent=2) + "\n" if as_json else str(clean(table(summary)))
    to_stdout(shown)
