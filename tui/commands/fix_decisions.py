"""`warroom fix approve`, `reject`, `deliver`, `undo`: a person's decisions, and what they set in motion."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from tui.commands.faults import Fault, narrate
from tui.commands.fix_reading import REFUSED, Kept, opened, read
from tui.commands.output import to_stdout

if TYPE_CHECKING:
    from orchestrator.hands.delivery import Delivered
    from orchestrator.hands.fix_desk import Redrafted
    from orchestrator.hands.fix_fold import Fix

LEAST_COMMIT = 7
"""Fewest characters of a commit that name it here."""


@click.command()
@click.argument("session")
@click.argument("draft", required=False)
@click.option("--commit", required=True, metavar="SHA", help="The commit that you looked at (7 characters or more).")
@click.option("--yes-digest", metavar="sha256:…", help="The digest that `show` printed: says yes without a terminal.")
@click.option("--no-deliver", is_flag=True, help="Only approve; `warroom fix deliver` does the rest.")
def approve(session: str, draft: str | None, commit: str, yes_digest: str | None, no_deliver: bool) -> int:
    """Approve DRAFT, exactly as shown, and deliver it: one new branch appears in your repository.

    On a terminal everything is shown once more, and only an upper-case Y says yes. Elsewhere --yes-digest must be
    the digest that `warroom fix show` printed. Where anything changed since, nothing is delivered.
    """
    return asyncio.run(_approve(read(session), draft, (commit, yes_digest), not no_deliver))


async def _approve(kept: Kept, name: str | None, given: tuple[str, str | None], deliver_too: bool) -> int:
    commit, digest = given
    async with opened(kept.session) as session:
        chosen = read(kept.session).choose(name)
        same_commit(chosen, commit)
        last = chosen.last
        if last is None or not last.open:
            why = f" ({chosen.reason})" if chosen.reason else ""
            raise Fault(f"{chosen.id}: nothing waits for a decision, {chosen.stands}{why}", REFUSED)
        if digest is None:
            _show(kept, chosen)
        yes(digest, last.request.digest, "approve exactly this" + (" and deliver it" if deliver_too else ""))
        await session.fixes.approve(chosen.id, last.request.digest)
        narrate(f"warroom: approved {chosen.draft.commit[:12]}")
        if deliver_too:
            _say_delivered(kept, chosen, await session.fixes.deliver(chosen.id))
        else:
            narrate(f"warroom: nothing was delivered yet: warroom fix deliver {kept.session} {chosen.id}")
    return 0


def same_commit(fix: Fix, commit: str) -> None:
    """Refuse where the person names another commit than the draft's."""
    if len(commit) < LEAST_COMMIT or not fix.draft.commit.startswith(commit.lower()):
        raise Fault(f"--commit {commit[:64]!r} is not the commit of {fix.id}, which is {fix.draft.commit}", REFUSED)


def yes(digest: str | None, expected: str, what: str) -> None:
    """Take a person's yes: the right digest, or an upper-case Y typed on a terminal. Raises Fault for anything else."""
    if digest is not None:
        if digest.strip() != expected:
            raise Fault(
                "--yes-digest is not the digest of what is there now: look again (warroom fix show); nothing was done",
                REFUSED,
            )
        return
    if not on_terminals():
        raise Fault(
            "nobody is at a terminal to say yes: give --yes-digest, as `warroom fix show` has it; nothing was done",
            REFUSED,
        )
    if prompt(f"Type Y (upper case) to {what}") != "Y":
        raise Fault("not approved; nothing was done", REFUSED)


def on_terminals() -> bool:
    """Say whether a person can be asked."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def prompt(text: str) -> str:
    """Ask on the terminal; what was typed before the question was asked is no answer."""
    import termios

    termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    return str(click.prompt(text, default="", show_default=False, err=True))


def _show(kept: Kept, chosen: Fix) -> None:
    from tui.commands.fix_views import page

    narrate(page(kept, chosen))


def _say_delivered(kept: Kept, chosen: Fix, done: Delivered) -> None:
    to_stdout(f"{done.commit} {done.ref}\n")
    how = "was there already" if done.found else "is a new branch"
    narrate(f"warroom: {done.ref.removeprefix('refs/heads/')} {how}; nothing else changed, nothing was pushed")
    narrate(f"warroom: next: warroom fix commands {kept.session} {chosen.id}")


@click.command()
@click.argument("session")
@click.argument("draft", required=False)
def deliver(session: str, draft: str | None) -> int:
    """Deliver DRAFT, which was approved: one new branch appears. Delivering twice is the same as once."""

    async def work(kept: Kept) -> int:
        async with opened(kept.session) as session:
            chosen = read(kept.session).choose(draft)
            _say_delivered(kept, chosen, await session.fixes.deliver(chosen.id))
        return 0

    return asyncio.run(work(read(session)))


@click.command()
@click.argument("session")
@click.argument("draft", required=False)
@click.option("--reason", required=True, metavar="TEXT", help="What is wrong with it; the subagent reads it.")
def reject(session: str, draft: str | None, reason: str) -> int:
    """Reject DRAFT. The reason goes to the code-fix subagent, which drafts again or says that it cannot."""
    if not reason.strip():
        raise Fault("--reason is empty: say what is wrong with it")

    async def work(kept: Kept) -> int:
        async with opened(kept.session) as session:
            chosen = read(kept.session).choose(draft)
            again = await session.fixes.reject(chosen.id, reason.strip())
            narrate(f"warroom: rejected {chosen.id}")
            _say_drafted(kept, again)
        return 0

    return asyncio.run(work(read(session)))


@click.command()
@click.argument("session")
@click.argument("draft", required=False)
def undo(session: str, draft: str | None) -> int:
    """Draft the undoing of DRAFT, which was delivered. Nothing is deleted or moved: it is a new draft to approve."""

    async def work(kept: Kept) -> int:
        async with opened(kept.session) as session:
            chosen = _delivered(read(kept.session), draft)
            again = await session.fixes.undo(chosen.id, kept.incident)
            _say_drafted(kept, again)
        return 0 if again.draft else REFUSED

    return asyncio.run(work(read(session)))


def _delivered(kept: Kept, name: str | None) -> Fix:
    """Return the delivered draft that is meant."""
    found = [fix for fix in kept.fixes.values() if fix.standing == "delivered"]
    return found[0] if name is None and len(found) == 1 else kept.choose(name)


def _say_drafted(kept: Kept, again: Redrafted) -> None:
    from orchestrator.journal.text import clean

    if again.draft is None:
        said = clean(again.said, newlines=False, limit=400)
        narrate(f"warroom: {said}")
        return
    to_stdout(f"{again.draft}\n")
    narrate(f"warroom: a new draft: warroom fix show {kept.session} {again.draft}")
