"""The text of a pull request and the commands to copy. Nothing here is run, and nothing leaves the machine."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from orchestrator.hands.fix_fold import Fix
from orchestrator.hands.fix_terms import HEADS


@dataclass(frozen=True)
class Place:
    """Where the fix is and where it would go."""

    repo: str
    ref: str
    """The full ref in the user's repository (or what delivery would make)."""
    remote: str = "origin"
    base: str = "main"
    """Branch that the pull request is for."""
    store: str = ""


def title_of(fix: Fix) -> str:
    """Return the pull request's title: one line."""
    return " ".join(fix.draft.title.split())[:120] or fix.draft.message.split("\n", 1)[0][:120]


def text_of(fix: Fix, session: str, incident: str) -> str:
    """Return the pull request's text as Markdown, from the journal alone; texts are as the journal has them."""
    draft = fix.draft
    lines = [draft.message.strip(), "", "## What changes", ""]
    lines += [f"- `{file.path}`: {file.change}, +{file.added} -{file.removed}" for file in draft.files]
    if draft.undoes:
        kept = f" (parent {draft.mainline} is kept as the main line)" if draft.mainline else ""
        lines.append(f"- undoes {draft.undoes}{kept}")
    lines += ["", "## Tests", "", *tests_of(fix), "", "## Where it comes from", ""]
    lines.append(f"- incident {incident}, warroom session {session}")
    lines += [f"- evidence {ref}" for ref in draft.evidence if ref not in draft.message]
    if draft.runbook:
        lines.append(f"- runbook step {draft.runbook}")
    if draft.warnings:
        lines += ["", "## Look at twice", "", *(f"- {warning}" for warning in draft.warnings)]
    lines += ["", "## Taking it back", "", f"`git revert {draft.commit}` makes a new commit; history stays as it is."]
    return "\n".join(lines) + "\n"


def tests_of(fix: Fix) -> list[str]:
    """Return what the tests showed, as lines of a list."""
    check = fix.check
    if check is None:
        return ["- not tested"]
    lines = [f"- {check.claim}" + (f": {check.reason}" if check.reason else "")]
    if check.command:
        lines.append(f"- command: `{shlex.join(check.command)}` ({check.command_is})")
    for run in check.runs:
        counted = (
            f", {run.passed} passed, {run.failed} failed, {run.skipped} skipped" if run.cases or run.passed else ""
        )
        lines.append(f"- {run.name}: {run.outcome}{counted}" + (f" ({run.reason})" if run.reason else ""))
    lines += [f"- fixed: {name}" for name in check.fixed[:20]] + [f"- broken: {name}" for name in check.broken[:20]]
    return lines


def commands_of(fix: Fix, place: Place, body_file: str) -> list[str]:
    """Return the commands that do the rest by hand, each safe to paste."""
    branch = place.ref.removeprefix(HEADS)
    quoted = {name: shlex.quote(value) for name, value in {"repo": place.repo, "remote": place.remote}.items()}
    lines = []
    if fix.delivered is None and place.store:
        spec = shlex.quote(f"{fix.draft.commit}:{place.ref}")
        lines.append(f"git -C {quoted['repo']} fetch --no-tags {shlex.quote('file://' + place.store)} {spec}")
    lines.append(f"git -C {quoted['repo']} push {quoted['remote']} {shlex.quote(f'{place.ref}:{place.ref}')}")
    lines.append(
        f"gh pr create --base {shlex.quote(place.base)} --head {shlex.quote(branch)} "
        f"--title {shlex.quote(title_of(fix))} --body-file {shlex.quote(body_file)}"
    )
    return lines
