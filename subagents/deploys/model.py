"""What the deploys tools and the procedure return."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from subagents.contract import Coverage, Fact, Frozen, Params, Problem


class WindowParams(Params):
    """A span of time."""

    start: str = Field("", description="ISO 8601 time; empty: from the first change known")
    end: str = Field("", description="ISO 8601 time; empty: to the last change known")


class TimelineParams(WindowParams):
    """Which changes to list."""

    service: str = Field("", description="only changes of this service; empty: all")
    limit: int = Field(100, ge=1, le=1000)


class SuspectsParams(WindowParams):
    """What the changes are to be held against."""

    onset: str = Field("", description="ISO 8601 time at which the symptom began")
    finding_ids: list[str] = Field(default_factory=list, description="findings that describe the symptom")
    services: list[str] = Field(
        default_factory=list,
        description="services that failed, the first to fail first; empty: taken from the findings",
    )
    text: str = Field("", max_length=20_000, description="what the alert or the person said")
    limit: int = Field(12, ge=1, le=200)


class CommitParams(Params):
    """Which commit."""

    commit: str = Field(min_length=4, max_length=64, description="commit id, full or abbreviated")
    source: str = Field("", description="source id; empty: any source that knows it")


class DiffParams(CommitParams):
    """Which commit's diff, and how much of it."""

    path: str = Field("", max_length=4096, description="only this file of it; empty: all")
    offset: int = Field(0, ge=0, description="characters to skip: `more` of the answer before names it")


class CallersParams(CommitParams):
    """Whose uses are looked for."""

    symbol: str = Field("", max_length=200, description="a function, class or key; empty: those that its hunks change")
    limit: int = Field(20, ge=1, le=200, description="uses shown of each name")


class AlongsideParams(CommitParams):
    """Around which commit."""

    hours: float = Field(6.0, gt=0, le=24 * 14, description="so long before and after it took effect")
    limit: int = Field(30, ge=1, le=200)


class BlameParams(Params):
    """Which lines of which file."""

    path: str = Field(min_length=1, max_length=4096)
    first: int = Field(ge=1)
    last: int = Field(ge=1)
    commit: str = Field("", description="as of this commit; empty: the tip")
    source: str = Field(
        "", description="source id of the repository; empty: the only one, or the first that has the file"
    )


class CoverageParams(Params):
    """No arguments."""


class ChangeLine(Frozen):
    """One change on the incident's clock."""

    kind: Literal["deploy", "flag", "commit"]
    ref: str
    key: str
    at: AwareDatetime | None
    service: str = ""
    label: str = ""
    author: str = ""
    version: str = ""
    commit: str | None = None
    """Full id of a deploy's head."""
    brought: tuple[str, ...] = ()
    """Commits that run with a deploy and did not before it (at most 50)."""
    brought_count: int = 0
    certain: bool = False
    """`brought` comes from history, not from times."""
    removed: tuple[str, ...] = ()
    """Commits that ran before a deploy and no longer do (at most 50)."""
    removed_count: int = 0
    others_count: int = 0
    """Commits between the two deploys that touch other services only; not in `brought`."""
    environment: str = ""
    previous_version: str = ""
    previous_commit: str | None = None
    files: tuple[str, ...] = ()


class TimelineResult(Frozen):
    """Changes, oldest first."""

    changes: tuple[ChangeLine, ...] = ()
    total: int = 0
    problems: tuple[Problem, ...] = ()


class ScorePart(Frozen):
    """One judgement within a score; `points` are log-odds."""

    name: str
    points: float
    reason: str
    citation: str | None = None


_TOLD_LAST = ("lead-in", "ending", "tests", "rivals")
"""Parts that are told whatever their weight, in this order."""


class ScoredSuspect(Frozen):
    """A change and how suspicious it is."""

    kind: Literal["commit", "flag"]
    source: str
    key: str
    """Full commit id, or the flag's name."""
    ref: str
    label: str = ""
    author: str = ""
    score: float
    rank: int
    at: AwareDatetime | None = None
    """When it took effect: deploy, else landing."""
    committed_at: AwareDatetime | None = None
    lead_s: float | None = None
    deploy: str | None = None
    """Citation of the deploy it came by."""
    service: str = ""
    """Service that the deploy went to."""
    version: str = ""
    previous_version: str = ""
    previous_commit: str | None = None
    """What ran before that deploy: where a rollback would go."""
    services: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    parts: tuple[ScorePart, ...] = ()
    ruled_out: str = ""
    diff: Literal["read", "none available", "not read"] = "not read"
    facts: tuple[Fact, ...] = ()
    """What its parts state beside when it took effect."""

    def reasons(self) -> str:
        """Return the parts that moved the score most, in words; what other changes speak for comes last."""
        strong = sorted((p for p in self.parts if abs(p.points) >= 0.25), key=lambda p: -abs(p.points))
        first = [part for part in strong if part.name not in _TOLD_LAST][:4]
        last = [part for name in _TOLD_LAST for part in strong if part.name == name]
        return "; ".join(part.reason for part in [*first, *last])


class SuspectsResult(Frozen):
    """Changes by suspicion, the most suspicious first."""

    onset: AwareDatetime | None = None
    failing: tuple[str, ...] = ()
    suspects: tuple[ScoredSuspect, ...] = ()
    total: int = 0
    problems: tuple[Problem, ...] = ()


class DiffResult(Frozen):
    """A commit's exact diff."""

    source: str
    commit: str
    author: str = ""
    committed_at: AwareDatetime | None = None
    subject: str = ""
    body: str = ""
    files: tuple[str, ...] = ()
    available: bool = False
    reason: str = ""
    """Why there is no diff; it does not mean that nothing changed."""
    diff: str = ""
    truncated: bool = False
    note: str = ""
    """What the diff does not show: of a merge, what its parents brought."""


class TouchedPlace(Frozen):
    """One file that a change touches."""

    path: str
    kind: str
    services: tuple[str, ...] = ()
    shared: bool = False
    inside: tuple[str, ...] = ()
    """Functions or sections that its hunks name."""
    signs: tuple[str, ...] = ()
    """What the hunks do, as far as their syntax shows."""


class TouchesResult(Frozen):
    """What a change touches."""

    commit: str
    places: tuple[TouchedPlace, ...] = ()
    services: tuple[str, ...] = ()
    innocent: str = ""
    """Why it cannot have an effect, if it cannot."""
    deploys: tuple[str, ...] = ()
    """Citations of the deploys that brought it."""


class Use(Frozen):
    """A line that uses a name."""

    path: str
    line: int
    text: str
    services: tuple[str, ...] = ()


class UsedSymbol(Frozen):
    """A name that a change touches, and who uses it; tests come last."""

    name: str
    path: str
    """Where the change touches it; empty where the caller asked for it."""
    uses: tuple[Use, ...] = ()
    more: int = 0


class CallersResult(Frozen):
    """Who uses what a change touches, as of that change."""

    commit: str
    symbols: tuple[UsedSymbol, ...] = ()
    services: tuple[str, ...] = ()
    """Services that its paths belong to."""
    called_by: tuple[str, ...] = ()
    """Services that call these, by traces or the configuration."""
    reason: str = ""
    """Why there is nothing, or not all."""


class AlongsideResult(Frozen):
    """What else changed around a change."""

    commit: str
    at: AwareDatetime | None = None
    """When it took effect: by its first deploy, else when it landed."""
    deploys: tuple[ChangeLine, ...] = ()
    """The deploys that brought it."""
    same_deploy: tuple[ChangeLine, ...] = ()
    same_deploy_count: int = 0
    same_files: tuple[ChangeLine, ...] = ()
    """Other commits of its files, newest first."""
    same_time: tuple[ChangeLine, ...] = ()
    """Deploys and flags first, then commits; the nearest first."""
    same_time_count: int = 0
    reason: str = ""


class BlamedLineResult(Frozen):
    """A line and who last changed it."""

    line: int
    text: str
    commit: str
    author: str = ""
    at: AwareDatetime | None = None
    subject: str = ""


class BlameResult(Frozen):
    """Lines of a file with the commits that last changed them."""

    path: str
    as_of: str = ""
    lines: tuple[BlamedLineResult, ...] = ()


class CoverageResult(Frozen):
    """How much of each source was understood."""

    coverage: tuple[Coverage, ...] = ()


class DeploysSummary(Frozen):
    """What the specialist learnt."""

    onset: AwareDatetime | None = None
    suspects: tuple[ScoredSuspect, ...] = ()
    deploys: tuple[ChangeLine, ...] = ()
    """Deploys in the window, oldest first."""
    flags: tuple[ChangeLine, ...] = ()
    problems: tuple[Problem, ...] = ()
