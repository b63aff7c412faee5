"""What the code-fix tools and the procedure return. All of it is read from a repository and changes nothing."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from subagents.contract import Frozen, Params, Problem


class ReadParams(Params):
    """Which lines of which file."""

    path: str = Field(min_length=1, max_length=4096)
    commit: str = Field("", max_length=64, description="as of this commit; empty: the tip")
    first: int = Field(1, ge=1)
    last: int = Field(400, ge=1)
    source: str = Field("", description="source id of the repository; empty: the first")


class SearchParams(Params):
    """What to look for."""

    text: str = Field(min_length=2, max_length=500, description="a fixed string on one line")
    commit: str = Field("", max_length=64, description="as of this commit; empty: the tip")
    source: str = ""
    limit: int = Field(100, ge=1, le=500)


class HistoryParams(Params):
    """Whose history."""

    path: str = Field(min_length=1, max_length=4096)
    commit: str = Field("", max_length=64, description="up to this commit; empty: the tip")
    source: str = ""
    limit: int = Field(30, ge=1, le=200)


class RevertParams(Params):
    """What to undo, and on what."""

    commit: str = Field(min_length=4, max_length=64)
    base: str = Field("", max_length=64, description="the commit to undo it on; empty: the tip")
    mainline: int = Field(1, ge=1, le=16, description="for a merge: the parent that is kept")
    source: str = ""
    finding_ids: tuple[str, ...] = Field((), max_length=40, description="findings that say what is deployed now")


class FindingsParams(Params):
    """Which findings to be told of."""

    finding_ids: tuple[str, ...] = Field(min_length=1, max_length=40, description="ids of findings, as f-1a2b3c4d5e")


class Told(Frozen):
    """Findings, filled into a template."""

    lines: tuple[str, ...]


class FileText(Frozen):
    """Lines of a file as stored."""

    path: str
    commit: str
    first: int = 1
    last: int = 0
    total: int = 0
    """Lines of the whole file."""
    text: str = ""
    binary: bool = False


class Hit(Frozen):
    """A line that holds the text."""

    path: str
    line: int
    text: str


class Hits(Frozen):
    """Where a text occurs."""

    commit: str
    hits: tuple[Hit, ...] = ()
    more: bool = False


class CommitLine(Frozen):
    """One commit of a history."""

    commit: str
    author: str
    at: AwareDatetime
    subject: str


class History(Frozen):
    """Commits that touched a path, newest first."""

    path: str
    commits: tuple[CommitLine, ...] = ()


class RevertAnswer(Frozen):
    """Whether undoing a commit applies."""

    source: str
    commit: str
    subject: str = ""
    base: str
    base_is: str = ""
    """How the base was chosen."""
    clean: bool
    conflicts: tuple[str, ...] = ()
    changes_anything: bool = True
    in_base: bool = True
    mainline: int | None = None
    mainline_parent: str | None = None
    files: tuple[str, ...] = ()
    touched_since: tuple[CommitLine, ...] = ()


class CodeFixSummary(Frozen):
    """What the specialist learnt."""

    reverts: tuple[RevertAnswer, ...] = ()
    drafts: tuple[str, ...] = ()
    """Ids of what was drafted."""
    problems: tuple[Problem, ...] = ()
