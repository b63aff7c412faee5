"""`warroom fix push` and `warroom fix commands`: what leaves the machine, and what a person does by hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from tui.commands.faults import Fault, narrate
from tui.commands.fix_decisions import on_terminals, prompt
from tui.commands.fix_reading import REFUSED, Kept, now, opened, read
from tui.commands.output import to_stdout

if TYPE_CHECKING:
    from orchestrator.hands.fix_fold import Asked, Fix
    from orchestrator.hands.push import PushTerms
    from orchestrator.hands.repo_policy import RepoPolicy


@click.command()
@click.argument("session")
@click.argument("draft", required=False)
@click.option("--to", "url", metavar="URL", help="Address to push to: https, ssh or file. Default: where origin goes.")
@click.option("--yes-digest", metavar="sha256:…", help="The digest of this push: says yes without a terminal.")
@click.option("--past-hooks", is_flag=True, help="Push although the repository has a pre-push hook or signs.")
def push(session: str, draft: str | None, url: str | None, yes_digest: str | None, past_hooks: bool) -> int:
    """Push DRAFT, which was approved, to a new branch of a remote. Never to a branch that exists, never by force.

    Where the repository has a pre-push hook or a signing policy, the commands are handed to you instead.
    """
    kept = read(session)
    chosen = kept.choose(draft)
    policy = _policy(chosen)
    if policy.by_hand and not past_hooks:
        narrate(f"warroom: this repository has {', '.join(policy.reasons)}: nothing was pushed; push it yourself:")
        to_stdout(_commands(kept, chosen))
        return REFUSED
    return asyncio.run(_push(kept, chosen.id, url or _address(policy), yes_digest))


def _policy(chosen: Fix) -> RepoPolicy:
    from orchestrator.hands.repo_policy import RepoPolicy
    from tui.commands.fix_views import policy

    return policy(now(chosen)) or RepoPolicy()


def _address(policy: RepoPolicy) -> str:
    """Return where the repository itself is pushed to; a place on this machine must be named by the person."""
    remotes = policy.remotes
    url = remotes.get("origin") or (next(iter(remotes.values())) if len(remotes) == 1 else "")
    if not url:
        raise Fault("the repository has no remote `origin`: name the address with --to URL")
    if url.startswith(("/", "file:", ".")):
        raise Fault(f"its remote is on this machine ({url[:120]}): if that is meant, say --to URL")
    return url


async def _push(kept: Kept, draft_id: str, url: str, digest: str | None) -> int:
    async with opened(kept.session) as session:
        terms = await session.fixes.ask_push(draft_id, url)
        asked = next(one for one in read(kept.session).fixes[draft_id].pushes if one.open)
        _confirm(terms, asked, digest)
        pushed = await session.fixes.push(draft_id, asked.request.digest)
    narrate(f"warroom: {pushed.words}")
    if pushed.done:
        to_stdout(f"{terms.commit} {terms.ref} {terms.url}\n")
    return 0 if pushed.done else REFUSED


def _confirm(terms: PushTerms, asked: Asked, digest: str | None) -> None:
    """Take a person's yes to bytes leaving the machine: the digest, or the first six characters of the commit."""
    from orchestrator.hands.push import CONFIRMED_BY
    from tui.commands.fix_views import line

    expected = asked.request.digest
    narrate(f"commit  {terms.commit}\nto      {line(terms.url)}\nref     {terms.ref} (new)\ndigest  {expected}")
    if digest is not None:
        if digest.strip() != expected:
            raise Fault(f"--yes-digest is not the digest of this push ({expected}); nothing was pushed", REFUSED)
        return
    if not on_terminals():
        raise Fault(f"nobody is at a terminal to say yes: give --yes-digest {expected}; nothing was pushed", REFUSED)
    if prompt(f"Type the first {CONFIRMED_BY} characters of the commit to push it") != terms.commit[:CONFIRMED_BY]:
        raise Fault("not confirmed; nothing was pushed", REFUSED)


@click.command()
@click.argument("session")
@click.argument("draft", required=False)
@click.option("--text", is_flag=True, help="Only the pull-request text (Markdown).")
def commands(session: str, draft: str | None, text: bool) -> None:
    """Print the commands that push DRAFT and open a pull request, and its text, to copy. Nothing is run."""
    from orchestrator.hands.pull_request import text_of

    kept = read(session)
    chosen = kept.choose(draft)
    body = text_of(chosen, kept.session, kept.incident)
    to_stdout(_safe(body) if text else f"{_commands(kept, chosen)}\n{_safe(body)}")


def _safe(text: str) -> str:
    from orchestrator.journal.text import clean

    return str(clean(text, exact=True))


def _commands(kept: Kept, chosen: Fix) -> str:
    from orchestrator.hands.fix_terms import HEADS, FixRefused, located, read_repo
    from orchestrator.hands.pull_request import Place, commands_of

    seen = now(chosen)
    terms, changed = seen.terms, seen.trouble or (chosen.reason if chosen.standing == "void" else "")
    if changed:
        narrate(f"warroom: {chosen.id} cannot be delivered as it is ({changed}): look before you run these commands")
    repo = terms.repo if terms else kept.repos.get(chosen.draft.source, ".")
    ref = terms.ref if terms else HEADS + chosen.draft.branch
    policy, base = _policy(chosen), "main"
    try:
        head = read_repo(located(repo), ["symbolic-ref", "-q", "HEAD"]).stdout.decode("utf-8", "replace").strip()
        base = head.removeprefix(HEADS) or base
    except FixRefused as error:
        narrate(f"warroom: {error}")
    remote = "origin" if "origin" in policy.remotes or not policy.remotes else next(iter(policy.remotes))
    body = f"{chosen.id}.md"
    place = Place(repo, ref, remote, base, chosen.draft.store)
    lines = [f"warroom fix commands {kept.session} {chosen.id} --text > {body}", *commands_of(chosen, place, body)]
    return "".join(_safe(line) + "\n" for line in lines)
