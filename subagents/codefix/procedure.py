"""What the code-fix specialist does with no model: once a commit is accused, draft its undoing and test that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from subagents.citations import CommitRef
from subagents.codefix.alternatives import guilty_places
from subagents.codefix.bases import DEPLOYED_NOW
from subagents.codefix.draft_model import DraftHunksParams, DraftRevertParams
from subagents.codefix.draft_tools import cited
from subagents.codefix.fixes import Check, CheckMade, CheckParams, Draft, DraftMade
from subagents.codefix.model import CodeFixSummary, RevertAnswer, RevertParams
from subagents.codefix.resolver import UNIT, counts_of
from subagents.codefix.tools import revert_text
from subagents.contract import Brief, Fact, Finding, Suspect
from subagents.specialist import Workbench

AGENT = "codefix"
CHECK = "code_check"
ACCUSED_FROM = 0.5
"""Least weight of a finding for a commit that makes its undoing worth a look."""
MOST = 2


def accused(board: Sequence[Finding]) -> list[Finding]:
    """Return the findings that accuse a commit, strongest first; what is ruled out elsewhere is left out."""
    cleared = {f.about.id for f in board if f.about is not None and f.stance == "rules_out"}
    found = [
        f
        for f in board
        if f.about is not None
        and f.about.kind == "commit"
        and f.stance == "for"
        and f.topic == "change"
        and f.weight >= ACCUSED_FROM
        and f.about.id not in cleared
    ]
    best: dict[str, Finding] = {}
    for finding in sorted(found, key=lambda f: -f.weight):
        if finding.about is not None:
            best.setdefault(finding.about.id, finding)
    return list(best.values())


@dataclass(frozen=True)
class Fixed:
    """What was found out about undoing one commit."""

    answer: RevertAnswer
    draft: Draft | None = None
    refused: str = ""
    """Why there is no draft, where one was tried."""
    check: Check | None = None


@dataclass(frozen=True)
class Investigation:
    """The procedure; it knows which tools the specialist has."""

    tools: frozenset[str] = frozenset()

    async def __call__(self, brief: Brief, bench: Workbench) -> CodeFixSummary:
        """Wait until a commit is accused, then draft its undoing; raises nothing for bad data."""
        repos = [spec for spec in brief.sources if spec.kind == "repo"]
        done: dict[str, Fixed | None] = {}
        while True:
            board = bench.board()
            for finding in accused(board)[:MOST]:
                if finding.about is not None and finding.about.key not in done and len(done) < MOST:
                    if not repos:
                        await bench.report(_gap(finding.about, "no git repository is among the sources"))
                        return CodeFixSummary()
                    done[finding.about.key] = await self._fix(brief, finding, finding.about, bench)
            if not await bench.more(len(board)):
                break
        if not done:
            await bench.say("no commit is accused, so there is nothing to undo")
        found = [fixed for fixed in done.values() if fixed is not None]
        return CodeFixSummary(
            reverts=tuple(fixed.answer for fixed in found),
            drafts=tuple(fixed.draft.id for fixed in found if fixed.draft is not None),
        )

    async def _fix(self, brief: Brief, finding: Finding, suspect: Suspect, bench: Workbench) -> Fixed | None:
        answer = await _check_revert(finding, suspect, bench)
        if answer is None:
            return None
        fixed = Fixed(answer)
        if answer.in_base and answer.changes_anything and "code_draft_revert" in self.tools:
            fixed = await self._draft(brief, finding, fixed, bench)
        if fixed.draft is not None and CHECK in self.tools:
            draft = fixed.draft
            asked = CheckParams(draft=draft.id, commit=draft.commit, base=draft.base, source=draft.source)
            made = await bench.call(CHECK, asked, CheckMade)
            fixed = replace(fixed, check=made.data.check if made.data is not None else None)
            if made.data is None:
                await bench.say(f"draft {draft.id} is not tested: {made.text}")
        await bench.report(_finding(fixed, finding, suspect))
        return fixed

    async def _draft(self, brief: Brief, finding: Finding, fixed: Fixed, bench: Workbench) -> Fixed:
        """Draft the undoing of the whole commit, or of the guilty hunks where the whole conflicts."""
        answer = fixed.answer
        about = DraftRevertParams(
            commit=answer.commit,
            base=answer.base,
            mainline=answer.mainline or 1,
            source=answer.source,
            incident=brief.incident.id[:200],
            why=finding.claim[:4000],
            finding_ids=(finding.id,),
        )
        if answer.clean:
            made = await bench.call("code_draft_revert", about, DraftMade)
        else:
            places = guilty_places(cited((finding,)), answer.commit)
            if not places or "code_draft_hunks" not in self.tools:
                return replace(fixed, refused="which of its hunks is guilty is not known, so none was drafted alone")
            where = f"{'hunk' if len(places) == 1 else 'hunks'} at {', '.join(places)}"
            await bench.say(f"the whole of {answer.commit[:12]} conflicts; trying its {where}")
            given = about.model_dump() | {"hunks": places[:40]}
            made = await bench.call("code_draft_hunks", DraftHunksParams.model_validate(given), DraftMade)
        if made.data is None or made.data.draft is None:
            return replace(fixed, refused=made.data.refused if made.data else made.text)
        return replace(fixed, draft=made.data.draft)


async def _check_revert(finding: Finding, suspect: Suspect, bench: Workbench) -> RevertAnswer | None:
    running = next((str(f.value) for f in finding.facts if f.quantity == DEPLOYED_NOW), "")
    asked = RevertParams(commit=suspect.key, base=running, finding_ids=(finding.id,))
    answer = await bench.call("code_revert_check", asked, RevertAnswer)
    if answer.data is None and running:
        await bench.say(f"on the deployed commit {running[:12]} it cannot be checked ({answer.text}); trying the tip")
        answer = await bench.call("code_revert_check", RevertParams(commit=suspect.key), RevertAnswer)
    if answer.data is None:
        await bench.report(_gap(suspect, answer.text))
        return None
    return answer.data


def _finding(fixed: Fixed, accusation: Finding, suspect: Suspect) -> Finding:
    answer, draft = fixed.answer, fixed.draft
    ready = answer.clean and answer.in_base and answer.changes_anything
    said = [f"Undoing it: {revert_text(answer)} (base: {answer.base_is or 'given'})."]
    if draft is not None:
        part = "" if draft.kind == "revert" else ", with the guilty hunks alone"
        said.append(f"It is drafted as {draft.branch}{part}, and {check_text(fixed.check)}.")
    elif fixed.refused:
        said.append(f"No draft: {fixed.refused}.")
    refs = (str(CommitRef(source=answer.source, sha=answer.commit)), *cited((accusation,))[:5])
    return Finding(
        agent=AGENT,
        claim=" ".join(said),
        topic="fix",
        about=suspect,
        stance="observes",
        facts=_tests(fixed, refs[0]),
        weight=0.8 if draft is not None or (ready and not fixed.refused) else 0.3,
        citations=tuple(dict.fromkeys(refs)),
        terms=(answer.files if answer.clean else answer.conflicts)[:30],
    )


def _tests(fixed: Fixed, citation: str) -> tuple[Fact, ...]:
    """State what a check counted, where tests ran."""
    counts = counts_of(fixed.check) if fixed.check is not None else {}
    return tuple(Fact(quantity=name, value=count, unit=UNIT, citation=citation) for name, count in counts.items())


def check_text(check: Check | None) -> str:
    """Return what the tests showed, in words that end no sentence."""
    if check is None:
        return "untested: nothing here can run its tests"
    text = {
        "red to green": f"its tests go from red to green ({', '.join(check.fixed[:3])})",
        "green, no distinguishing test": "its tests are green, though none tells the fix from the base",
        "still red": "its tests are still red",
        "breaks tests": f"it breaks tests ({', '.join(check.broken[:3])})",
        "untested": "untested",
    }[check.claim]
    return f"{text}: {check.reason.rstrip('. ')}" if check.reason else text


def _gap(suspect: Suspect, why: str) -> Finding:
    return Finding(
        agent=AGENT,
        claim=f"Whether {suspect.key[:12]} can be undone was not checked: {why}. "
        "Attach its repository with --repo PATH.",
        topic="gap",
        about=suspect,
        stance="observes",
    )
