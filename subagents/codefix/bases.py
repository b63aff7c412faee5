"""What a fix is drafted on: what is deployed now, where a finding names it, else the default branch's tip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from subagents.codefix.message import plain
from subagents.codefix.refusal import DraftRefused
from subagents.contract import Finding
from subagents.gitstore.locate import Ref, user_git
from subagents.gitstore.reader import Reader

DEPLOYED_NOW = "deployed_commit"
"""Quantity under which the deploys specialist says which commit runs now."""
TIP = "tip"
"""Given as a base: the default branch's tip, whatever is deployed."""
DEPLOYED = "deployed"
"""Given as a base: what is deployed now, and nothing else."""
_USUAL = ("main", "master", "trunk", "develop")


@dataclass(frozen=True)
class Base:
    """A commit to draft on, and how it was chosen, in words."""

    commit: str
    words: str


def choose_base(reader: Reader, asked: str, findings: Sequence[Finding], undoes: str | None = None) -> Base:
    """Return the base: as asked (an id, `tip`, `deployed`), else what is deployed, else a tip with what is undone."""
    if asked == DEPLOYED:
        if (now := _deployed(reader, findings, undoes)) is None:
            raise DraftRefused("no finding names a deployed commit of this repository that holds what is undone")
        return now
    if asked and asked != TIP:
        return _asked(reader, asked, findings)
    if not asked and (deployed := _deployed(reader, findings, undoes)) is not None:
        return deployed
    tips = list(dict.fromkeys(_tips(reader, undoes)))
    if undoes is not None:
        for tip in tips:
            if tip.commit == undoes or reader.is_ancestor(undoes, tip.commit):
                return tip
    return tips[0]


def _asked(reader: Reader, asked: str, findings: Sequence[Finding]) -> Base:
    text = asked.strip().lower()
    commit = reader.resolve([text])[text]
    if commit is None:
        raise DraftRefused(f"{asked[:70]!r} names no single commit of this repository, so it cannot be a base")
    for fact_commit, citation in _named(findings):
        if fact_commit == commit:
            return Base(commit, f"the commit deployed now ({plain(citation, 80)})")
    tip = next((tip for tip in _tips(reader, None) if tip.commit == commit), None)
    return tip or Base(commit, "given")


def _named(findings: Sequence[Finding]) -> Iterator[tuple[str, str]]:
    for finding in findings:
        for fact in finding.facts:
            if fact.quantity == DEPLOYED_NOW:
                yield str(fact.value).lower(), fact.citation


def _deployed(reader: Reader, findings: Sequence[Finding], undoes: str | None) -> Base | None:
    """Return the deployed commit where it is in this repository and holds what is to be undone."""
    for text, citation in _named(findings):
        commit = reader.resolve([text])[text]
        if commit is not None and (undoes in (None, commit) or reader.is_ancestor(str(undoes), commit)):
            return Base(commit, f"the commit deployed now ({plain(citation, 80)})")
    return None


def _tips(reader: Reader, undoes: str | None) -> Iterator[Base]:
    """Yield tips, the most fitting first: the default branch as others have it, as it is here, then what HEAD is on."""
    location = reader.store.location
    branches = {ref.name: ref for ref in reader.store.branches()}
    head = user_git(location.git_dir, ["symbolic-ref", "-q", "refs/remotes/origin/HEAD"]).stdout
    remote = head.decode("utf-8", "replace").strip()
    names = [remote.removeprefix("refs/remotes/origin/")] if remote else []
    own = reader.store.state.branch
    if not names and own and own.removeprefix("refs/heads/") in _USUAL:
        names.append(own.removeprefix("refs/heads/"))
    if not names:
        names += [
            name for name in _USUAL if f"refs/heads/{name}" in branches or f"refs/remotes/origin/{name}" in branches
        ]
    for name in names[:1]:
        for full in (f"refs/remotes/origin/{name}", f"refs/heads/{name}"):
            if full in branches:
                yield _tip(branches[full])
    if own in branches:
        yield _tip(branches[str(own)])
    if undoes is not None:  # a fix that was delivered and not merged is the tip of its own branch
        yield from (_tip(ref) for ref in branches.values() if ref.commit == undoes)
    yield Base(reader.store.state.head, "what is checked out")


def _tip(ref: Ref) -> Base:
    name = ref.name.removeprefix("refs/heads/").removeprefix("refs/remotes/")
    return Base(ref.commit, f"tip of {plain(name, 80)}")
