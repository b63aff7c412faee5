"""Arguments of the drafting tools, and what is kept of each draft beside its commit."""

from __future__ import annotations

from pydantic import Field

from subagents.codefix.edits import EDITS_LIMIT
from subagents.codefix.fixes import Draft
from subagents.contract import Frozen, Params

_BASE = "id of the commit to draft on; `tip`: the default branch's tip; empty: what is deployed now, else the tip"


class OrderParams(Params):
    """What every draft is told: what goes into its message beside the change itself."""

    incident: str = Field("", max_length=200, description="id of the incident")
    why: str = Field("", max_length=4000, description="why this fixes it, in one or two sentences")
    finding_ids: tuple[str, ...] = Field((), max_length=40, description="findings that it rests on")
    runbook: str = Field("", max_length=300, description="citation of the runbook step that asks for it")
    base: str = Field("", max_length=64, description=_BASE)
    source: str = Field("", max_length=200, description="source id of the repository; empty: the one with the commit")


class DraftRevertParams(OrderParams):
    """Which commit to undo."""

    commit: str = Field(min_length=4, max_length=64)
    mainline: int = Field(1, ge=1, le=16, description="for a merge: the parent (from 1) that is kept as main line")


class DraftHunksParams(DraftRevertParams):
    """Which hunks of a commit to undo."""

    hunks: tuple[str, ...] = Field(
        min_length=1, max_length=40, description="`path:line` of a line in each hunk, or `path` for all of a file"
    )


class DraftEditParams(OrderParams):
    """Exact replacements: the n-th old text in the n-th path becomes the n-th new text."""

    title: str = Field(min_length=3, max_length=200, description="what the change does, as a commit's first line")
    paths: tuple[str, ...] = Field(min_length=1, max_length=EDITS_LIMIT)
    olds: tuple[str, ...] = Field(
        min_length=1, max_length=EDITS_LIMIT, description="text that occurs exactly once in the file; empty: a new file"
    )
    news: tuple[str, ...] = Field(min_length=1, max_length=EDITS_LIMIT)


class DraftNextParams(Params):
    """Which draft a person rejected, and why."""

    draft: str = Field(min_length=4, max_length=64)
    reason: str = Field("", max_length=4000)
    source: str = Field("", max_length=200)
    base: str = Field("", max_length=64, description="the same on this base instead: an id, `tip` or `deployed`")
    finding_ids: tuple[str, ...] = Field((), max_length=40, description="findings that name what is deployed")


class Kept(Frozen):
    """What is kept of a draft: for whom it was made, and what a person said of it."""

    draft: Draft
    incident: str = ""
    why: str = ""
    rejected: str | None = None
    """The reason, where a person rejected it."""
