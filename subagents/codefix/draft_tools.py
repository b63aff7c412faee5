"""The drafting tools. What they write stays in warroom's own store; a draft made twice is the same draft."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from subagents import citations
from subagents.citations import CommitRef
from subagents.codefix.alternatives import draft_next, draft_on
from subagents.codefix.bases import TIP, Base, choose_base
from subagents.codefix.draft import Order, draft_edit, draft_hunks, draft_revert, require_edits
from subagents.codefix.draft_model import (
    DraftEditParams,
    DraftHunksParams,
    DraftNextParams,
    DraftRevertParams,
    OrderParams,
)
from subagents.codefix.edits import Replacement
from subagents.codefix.fixes import Draft, DraftMade
from subagents.codefix.kept import find_kept
from subagents.codefix.refusal import DraftRefused
from subagents.codefix.repos import Repositories
from subagents.codefix.store import DraftStore, drafts_dir
from subagents.contract import Evidence, Finding, P, Tool, ToolContext, ToolError, ToolResult, evidence
from subagents.gitstore.process import GitFailed

FIRST_DRAFT_S = 300.0
"""The first draft on a base copies the base in."""
EVIDENCE_LIMIT = 40
_TEXT_LIMIT = 24_000
R = TypeVar("R")


def _refusing(
    run: Callable[[P, ToolContext], ToolResult[DraftMade]],
) -> Callable[[P, ToolContext], ToolResult[DraftMade]]:
    """Turn a refusal into a result that says why, and faults of the store into a ToolError."""

    def guarded(params: P, context: ToolContext) -> ToolResult[DraftMade]:
        try:
            return run(params, context)
        except DraftRefused as error:
            made = DraftMade(refused=str(error), conflicts=error.conflicts[:200])
            return ToolResult[DraftMade](data=made, text=f"no draft: {error}")
        except ValueError as error:
            return ToolResult[DraftMade](data=DraftMade(refused=str(error)), text=f"no draft: {error}")
        except (GitFailed, OSError) as error:
            raise ToolError(f"no draft was made: {error}") from error

    return guarded


class DraftTools:
    """The tools over the session's repositories."""

    def __init__(self, repositories: Repositories) -> None:
        self._repos = repositories

    def revert(self, params: DraftRevertParams, context: ToolContext) -> ToolResult[DraftMade]:
        """Draft the undoing of a commit."""
        source, store, commit, base = self._undoing(params, context)
        return told(draft_revert(store, _order(params, context, source), commit, base, params.mainline))

    def hunks(self, params: DraftHunksParams, context: ToolContext) -> ToolResult[DraftMade]:
        """Draft the undoing of some hunks of a commit."""
        source, store, commit, base = self._undoing(params, context)
        order = _order(params, context, source)
        return told(draft_hunks(store, order, commit, base, params.hunks, params.mainline))

    def edit(self, params: DraftEditParams, context: ToolContext) -> ToolResult[DraftMade]:
        """Draft exact replacements."""
        if not len(params.paths) == len(params.olds) == len(params.news):
            raise ValueError(
                f"{len(params.paths)} paths, {len(params.olds)} old and {len(params.news)} new texts: "
                "give as many of each"
            )
        replacements = [Replacement(*one) for one in zip(params.paths, params.olds, params.news, strict=True)]
        require_edits(replacements)
        source, reader = self._repos.choose(params.source, params.base if params.base != TIP else "")
        store = DraftStore.open(reader, context.clock)
        base = choose_base(reader, params.base, context.findings)
        return told(draft_edit(store, _order(params, context, source), base, params.title, replacements))

    def next(self, params: DraftNextParams, context: ToolContext) -> ToolResult[DraftMade]:
        """Draft the next alternative to a draft that a person rejected, or say that there is none."""
        for source in [params.source] if params.source else list(self._repos.specs):
            spec = self._repos.specs.get(source)
            if spec is None or not drafts_dir(spec.options.get("store", "/nonexistent")).is_dir():
                continue
            store = DraftStore.open(self._repos.reader(source), context.clock)
            if (kept := find_kept(store, params.draft)) is not None:
                again = draft_on(store, kept, params.base, context.findings) if params.base else None
                return told(again or draft_next(store, kept, params.reason))
        raise DraftRefused(f"no draft {params.draft!r} is in this session")

    def _undoing(self, params: DraftRevertParams, context: ToolContext) -> tuple[str, DraftStore, str, Base]:
        source, reader = self._repos.choose(params.source, params.commit)
        commit = self._repos.commit(reader, params.commit)
        store = DraftStore.open(reader, context.clock)
        return source, store, commit, choose_base(reader, params.base, context.findings, commit)


def _order(params: OrderParams, context: ToolContext, source: str) -> Order:
    return Order(
        source=source,
        incident=params.incident,
        why=params.why or " ".join(finding.claim for finding in context.findings[:2]),
        evidence=cited(context.findings),
        finding_ids=tuple(finding.id for finding in context.findings),
        runbook=params.runbook if is_step(params.runbook) else "",
    )


def is_step(ref: str) -> bool:
    """Say whether a text cites a runbook step; empty: no. Raises ValueError for any other text."""
    if not ref:
        return False
    try:
        return isinstance(citations.parse(ref), citations.RunbookRef)
    except ToolError as error:
        raise ValueError(f"{ref[:80]!r} is no citation of a runbook step: {error}") from error


def cited(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return what findings cite, each once: claims first, then the facts'."""
    refs = [ref for finding in findings for ref in finding.citations]
    refs += [fact.citation for finding in findings for fact in finding.facts]
    return tuple(dict.fromkeys(refs))[:EVIDENCE_LIMIT]


def told(draft: Draft) -> ToolResult[DraftMade]:
    """Return a draft as a tool's result: typed, and in words with the diff."""
    text = draft_text(draft)
    refs: tuple[Evidence, ...] = ()
    if draft.undoes:
        refs = (evidence(str(CommitRef(source=draft.source, sha=draft.undoes)), text.encode(), draft.title),)
    return ToolResult[DraftMade](data=DraftMade(draft=draft), text=text, citations=refs)


def draft_text(draft: Draft) -> str:
    """Return a draft in words, the diff last and cut where it is long."""
    lines = [
        f"draft {draft.id}: {draft.title}",
        f"branch {draft.branch} on {draft.base[:12]} ({draft.base_is}); nobody has it yet",
    ]
    for file in draft.files[:40]:
        count = "binary" if file.binary else f"+{file.added} -{file.removed}"
        lines.append(f"  {file.change} {file.path} {count}" + (f" ({file.note})" if file.note else ""))
    lines += [f"note: {warning}" for warning in draft.warnings[:20]]
    diff = draft.diff if len(draft.diff) <= _TEXT_LIMIT else draft.diff[:_TEXT_LIMIT] + "\n[the diff goes on]"
    return "\n".join([*lines, "", diff])


def build_draft_tools(repositories: Repositories) -> tuple[Tool[Any, Any], ...]:
    """Return the drafting tools."""
    tools = DraftTools(repositories)
    described: tuple[tuple[str, str, type[Any], Callable[[Any, ToolContext], ToolResult[DraftMade]]], ...] = (
        (
            "code_draft_revert",
            "Draft a commit that undoes another one, on what is deployed now or a base you name. Nothing of the "
            "repository changes; a person decides on the draft. For a merge, state the main line.",
            DraftRevertParams,
            tools.revert,
        ),
        (
            "code_draft_hunks",
            "Draft a commit that undoes some hunks of another one, if they stand alone and are still as they were.",
            DraftHunksParams,
            tools.hunks,
        ),
        (
            "code_draft_edit",
            "Draft exact replacements: each old text must occur exactly once in its file as stored in the base. "
            "Line endings, encodings and modes are kept. An empty old text makes a new file.",
            DraftEditParams,
            tools.edit,
        ),
        (
            "code_draft_next",
            "After a person rejected a draft: draft the next alternative, or say that there is none.",
            DraftNextParams,
            tools.next,
        ),
    )
    return tuple(
        Tool(name, words, params, DraftMade, _refusing(run), effect="keyed", private=True, timeout_s=FIRST_DRAFT_S)
        for name, words, params, run in described
    )
