"""How drafts of fixes are shown as text: a table, and a page with everything that a person approves."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from orchestrator.hands.fix_fold import Fix
from orchestrator.hands.pull_request import tests_of
from orchestrator.hands.repo_policy import RepoPolicy
from orchestrator.journal.text import clean, hidden_count
from tui.commands.fix_reading import Kept, Now, now

STANDINGS = {
    "drafted": "drafted, not yet put up for approval",
    "waits": "waits for approval",
    "approved": "approved, not delivered",
    "rejected": "rejected",
    "void": "the approval is void",
    "delivered": "delivered",
}


def line(text: object, limit: int | None = None) -> str:
    """Return text that is safe on one line, with nothing hidden."""
    return str(clean(str(text), newlines=False, limit=limit, exact=True))


def table(kept: Kept) -> str:
    """Return the list of drafts."""
    rows = [("DRAFT", "KIND", "STANDING", "TESTS", "BRANCH", "FILES", "TITLE")]
    for fix in kept.fixes.values():
        draft = fix.draft
        tests = fix.check.claim if fix.check else "not tested"
        branch = str(fix.last.request.detail["ref"]).removeprefix("refs/heads/") if fix.last else draft.branch
        rows.append((draft.id, draft.kind, fix.standing, tests, branch, str(len(draft.files)), line(draft.title, 60)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    padded = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(row.rstrip() + "\n" for row in padded)


def page(kept: Kept, fix: Fix) -> str:
    """Return all that is known of a draft, its whole diff, and the digest that an approval binds."""
    seen = now(fix)
    parts = [*_facts(fix, seen), *_policy(seen), "", *_message(fix), "", *_diff(seen), "", *_ending(kept, fix, seen)]
    return "\n".join(parts) + "\n"


def _facts(fix: Fix, seen: Now) -> Iterator[str]:
    draft, terms = fix.draft, seen.terms
    why = f": {line(fix.reason)}" if fix.reason else ""
    pairs: list[tuple[str, str]] = [
        ("draft", f"{draft.id} ({draft.kind}) {line(draft.title)}"),
        ("standing", STANDINGS[fix.standing] + why),
        ("commit", f"{draft.commit} (not signed)"),
        ("tree", draft.tree),
        ("base", f"{draft.base} ({line(draft.base_is)})"),
    ]
    if draft.undoes:
        kept = f"; a merge, parent {draft.mainline} is kept as the main line" if draft.mainline else ""
        pairs.append(("undoes", draft.undoes + kept))
    if terms is not None:
        # A `.git` that is a file, or a link, leads to another place than the path says.
        away = Path(terms.git_dir) not in (Path(terms.repo), Path(terms.repo) / ".git")
        pairs += [("repository", line(terms.repo) + (f" (kept in {line(terms.git_dir)})" if away else ""))]
        pairs += [("ref", terms.ref)]
    if terms is not None and fix.delivered is None:
        pairs.append(
            (
                "approving",
                f"makes exactly one new ref, {terms.ref}, in {line(terms.repo)}, with its log line and objects; "
                "no file, index, setting or other ref changes; nothing is pushed",
            )
        )
    if fix.delivered is not None:
        pairs.append(("delivered", f"{fix.delivered.detail['ref']} in {line(fix.delivered.detail['repo'])}"))
    if fix.outward:
        pairs.append(("pushed", line(fix.outward)))
    pairs += [("files", text) for text in _files(fix)]
    pairs += [("tests", line(text.removeprefix("- "))) for text in tests_of(fix)]
    if fix.check and fix.check.sandbox:
        pairs.append(("sandbox", line(fix.check.sandbox)))
    if fix.check and fix.check.copy_command:
        pairs.append(("to test", line(fix.check.copy_command)))
    warnings = [*draft.warnings, *(fix.check.warnings if fix.check else ())]
    pairs += [("look twice", line(text)) for text in dict.fromkeys(warnings)]
    last = ""
    for name, text in pairs:
        yield f"{name if name != last else '':<10} {text}"
        last = name


def _files(fix: Fix) -> Iterator[str]:
    for file in fix.draft.files:
        counted = "binary" if file.binary else f"+{file.added} -{file.removed}"
        yield f"{file.change} {line(file.path)} {counted}" + (f" ({line(file.note)})" if file.note else "")


def _policy(seen: Now) -> Iterator[str]:
    found = policy(seen)
    if found is not None and found.by_hand:
        yield f"{'policy':<10} this repository has {', '.join(map(line, found.reasons))}: pushing is left to you"
    if found is not None and found.signs:
        yield f"{'signing':<10} the commit is not signed; to sign it once it is delivered: git commit --amend -S there"


def policy(seen: Now) -> RepoPolicy | None:
    """Return what the repository asks of those who push; None where it cannot be read."""
    from orchestrator.hands.fix_terms import FixRefused, located
    from orchestrator.hands.repo_policy import policy_of

    if seen.terms is None:
        return None
    try:
        return policy_of(located(seen.terms.repo))
    except FixRefused:
        return None


def _message(fix: Fix) -> Iterator[str]:
    yield "message"
    yield from (f"    {clean(text, exact=True)}" for text in fix.draft.message.rstrip("\n").split("\n"))


def _diff(seen: Now) -> Iterator[str]:
    yield str(clean(seen.diff, exact=True)).rstrip("\n")
    hidden = hidden_count(seen.diff)
    yield ""
    yield f"{hidden} hidden characters in this diff" + ("; each is written out above" if hidden else "")


def _ending(kept: Kept, fix: Fix, seen: Now) -> Iterator[str]:
    yield f"{'diff':<10} {seen.diff_digest or 'cannot be made'}"
    if seen.trouble:
        yield f"{'CHANGED':<10} {line(seen.trouble)}"
    which = f"{kept.session} {fix.id}"
    if fix.standing in ("drafted", "void"):
        yield f"{'next':<10} warroom fix reject {which} --reason {shlex.quote('…')}   (then it is drafted again)"
    last = fix.last
    if last is None:
        return
    yield f"{'digest':<10} {last.request.digest}"
    if fix.standing == "waits" and not seen.trouble:
        yield f"{'next':<10} warroom fix approve {which} --commit {fix.draft.commit[:12]}"
        yield f"{'or':<10} warroom fix reject {which} --reason {shlex.quote('…')}"
    elif fix.standing == "approved":
        yield f"{'next':<10} warroom fix deliver {which}"
    elif fix.standing == "delivered":
        yield f"{'next':<10} warroom fix commands {which}   or   warroom fix undo {which}"
