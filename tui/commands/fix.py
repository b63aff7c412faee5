"""`warroom fix`: the drafts of a session, for people without the app: look, decide, deliver, push, take back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from tui.commands.lazy import LazyGroup, Listed

if TYPE_CHECKING:
    from orchestrator.hands.fix_fold import Fix
    from tui.commands.fix_reading import Kept

COMMANDS = {
    "list": Listed("tui.commands.fix:list_fixes", "List the drafts of a session."),
    "show": Listed("tui.commands.fix:show", "Show a draft: what it is, its tests, its whole diff, the digest."),
    "approve": Listed("tui.commands.fix_decisions:approve", "Approve exactly the bytes shown, and deliver them."),
    "reject": Listed("tui.commands.fix_decisions:reject", "Reject a draft with a reason; another is drafted, if any."),
    "deliver": Listed("tui.commands.fix_decisions:deliver", "Deliver what was approved: one new branch."),
    "push": Listed("tui.commands.fix_outward:push", "Push an approved fix to a new branch of a remote."),
    "commands": Listed("tui.commands.fix_outward:commands", "Print the commands and the pull-request text to copy."),
    "undo": Listed("tui.commands.fix_decisions:undo", "Draft the undoing of what was delivered."),
}


@click.group(
    cls=LazyGroup,
    listed=COMMANDS,
    epilog="Exit status: 0 done, 2 unusable arguments, 4 refused: something changed, or nobody said yes.",
)
def fix() -> None:
    """Look at drafted fixes and decide on them. The start of a session's or a draft's id is enough."""


@click.command("list")
@click.argument("session")
@click.option("--json", "as_json", is_flag=True, help="As a JSON array.")
def list_fixes(session: str, as_json: bool) -> None:
    """List the drafts of SESSION, oldest first: where each stands and what its tests showed."""
    from tui.commands.fix_reading import read
    from tui.commands.fix_views import table
    from tui.commands.output import to_stdout

    kept = read(session)
    if as_json:
        to_stdout(json.dumps([as_data(kept, fix) for fix in kept.fixes.values()], indent=2) + "\n")
    elif not kept.fixes:
        to_stdout(f"No fix was drafted in {kept.session}.\n")
    else:
        to_stdout(table(kept))


@click.command()
@click.argument("session")
@click.argument("draft", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(session: str, draft: str | None, as_json: bool) -> None:
    """Show DRAFT (the one that waits, if it is not named): facts, tests, warnings, the whole diff, the digest.

    Hidden characters in the diff are written out and counted; what an approval binds is the digest at the end.
    """
    from tui.commands.fix_reading import read
    from tui.commands.fix_views import page
    from tui.commands.output import to_stdout

    kept = read(session)
    chosen = kept.choose(draft)
    to_stdout(json.dumps(as_data(kept, chosen), indent=2) + "\n" if as_json else page(kept, chosen))


def as_data(kept: Kept, fix: Fix) -> dict[str, Any]:
    """Return a draft and its story as plain JSON."""
    last = fix.last
    return {
        "session": kept.session,
        "standing": fix.standing,
        "reason": fix.reason,
        "draft": fix.draft.model_dump(mode="json"),
        "check": fix.check.model_dump(mode="json") if fix.check else None,
        "approval": last.request.model_dump(mode="json") if last else None,
        "digest": last.request.digest if last else None,
        "delivered": fix.delivered.detail if fix.delivered else None,
        "pushed": fix.outward or None,
    }
