"""The deploys tools: what changed, what a change does, who wrote a line, and which change is suspicious."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from subagents import citations
from subagents.collector import collector_waiting
from subagents.contract import D, Evidence, P, SourceSpec, Tool, ToolContext, ToolError, ToolResult, Window
from subagents.deploys.alongside import alongside_text, find_alongside
from subagents.deploys.answers import commit_line, deploy_line, flag_line, line_text, suspect, suspects_text
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.diffkinds import INNOCENT, innocent_paths, read_diff_kinds
from subagents.deploys.diffs import deploys_with, diff_text, show_diff
from subagents.deploys.model import (
    AlongsideParams,
    AlongsideResult,
    BlamedLineResult,
    BlameParams,
    BlameResult,
    CallersParams,
    CallersResult,
    ChangeLine,
    CommitParams,
    CoverageParams,
    CoverageResult,
    DiffParams,
    DiffResult,
    SuspectsParams,
    SuspectsResult,
    TimelineParams,
    TimelineResult,
    TouchedPlace,
    TouchesResult,
    WindowParams,
)
from subagents.deploys.overlap import OverlapIndex
from subagents.deploys.paths import is_shared, path_class
from subagents.deploys.question import ask
from subagents.deploys.reach import ServiceMap, same_service
from subagents.deploys.reporting import citations_of, told
from subagents.deploys.resolver import ChangeResolver
from subagents.deploys.so_far import SoFar
from subagents.deploys.sources.calls import read_calls
from subagents.deploys.sources.patch import diffs_of
from subagents.deploys.sources.rows import parse_moment
from subagents.deploys.suspects import SHORTLIST, score_all
from subagents.deploys.timeline import Timeline, build_timeline, dated_ahead
from subagents.deploys.uses import callers_text, find_callers
from subagents.gitstore.process import GitCancelled, GitFailed, stopped_by
from subagents.gitstore.reader import Reader

CITED = 12
"""Suspects whose evidence is frozen with the answer."""


def _moment(text: str, name: str) -> datetime | None:
    if not text:
        return None
    moment, _ = parse_moment(text)
    if moment is None:
        raise ToolError(f"{name}: {text[:60]!r} is not a time; give ISO 8601, such as 2026-03-01T12:00:00Z")
    return moment


def window_of(params: WindowParams) -> Window | None:
    """Read the window of a call; None where it is open. Raises ToolError for what is no time."""
    start, end = _moment(params.start, "start"), _moment(params.end, "end")
    if start is None and end is None:
        return None
    start = start or datetime(1990, 1, 1, tzinfo=UTC)
    end = end or datetime(2100, 1, 1, tzinfo=UTC) - timedelta(days=3)
    if end <= start:
        raise ToolError("the window ends before it starts")
    return Window(start=start, end=end)


class ChangeTools:
    """The tools over one catalogue."""

    def __init__(self, catalogue: ChangeCatalogue, specs: Sequence[SourceSpec] = ()) -> None:
        self._catalogue = catalogue
        self._specs = tuple(specs)
        self._calls: frozenset[tuple[str, str]] | None = None
        self._resolver = ChangeResolver(catalogue)

    @property
    def _edges(self) -> frozenset[tuple[str, str]]:
        """Who calls whom; read when first asked."""
        if self._calls is None:
            self._calls = read_calls(self._specs)
        return self._calls

    def services(self, timeline: Timeline, named: tuple[str, ...] = ()) -> ServiceMap:
        """Return what is known of services: from deploys, flags, settings, traces and the question."""
        names = {deploy.service for deploy in timeline.deploys} | {flag.service for flag in timeline.flags} | set(named)
        names |= {name for edge in self._edges for name in edge}
        return ServiceMap(self._catalogue.services, sorted(names), self._edges)

    def timeline(self, params: TimelineParams, context: ToolContext) -> ToolResult[TimelineResult]:
        """List changes of a window on one clock."""
        window = window_of(params)
        timeline = build_timeline(self._catalogue, window, SoFar(context).commits())
        lines = self._lines(timeline, params.service)
        inside = [ln for ln in lines if window is None or ln.at is None or window.start <= ln.at <= window.end]
        inside.sort(key=lambda ln: (ln.at is None, ln.at))
        # Deploys and flags are what took effect: they are never crowded out by commits.
        first = [ln for ln in inside if ln.kind != "commit"]
        room = max(0, params.limit - len(first))
        kept = first[: params.limit] + [ln for ln in inside if ln.kind == "commit"][-room or len(inside) :][:room]
        kept.sort(key=lambda ln: (ln.at is None, ln.at))
        problems = (*timeline.problems, *dated_ahead(timeline.deploys, context.clock.now()))
        result = TimelineResult(changes=tuple(kept), total=len(inside), problems=problems)
        text = "\n".join(line_text(line) for line in kept) or "no changes in this window"
        more = None
        if len(kept) < len(inside):
            text += f"\n{len(inside) - len(kept)} more are not shown"
            more = f"limit={min(1000, len(inside))}" if params.limit < 1000 else None
        cited = [self._evidence(line.ref) for line in kept if line.kind != "commit"][:40]
        return ToolResult[TimelineResult](
            data=result, text=text, citations=tuple(e for e in cited if e is not None), more=more
        )

    def _lines(self, timeline: Timeline, service: str) -> list[ChangeLine]:
        lines = [deploy_line(d, timeline.commits.get(d.commit or "")) for d in timeline.deploys]
        lines += [flag_line(flag) for flag in timeline.flags]
        if service:
            lines = [line for line in lines if same_service(line.service, service)]
        services = self.services(timeline, (service,) if service else ())
        for commit in timeline.commits.values():
            if service:
                carried = any(same_service(d.service, service) for d in timeline.carriers.get(commit.sha, ()))
                owned = any(same_service(o, service) for f in commit.files[:100] for o in services.owners(f.path))
                if not carried and not owned:
                    continue
            lines.append(commit_line(commit))
        return lines

    def _evidence(self, ref: str) -> Evidence | None:
        try:
            return self._resolver.resolve(ref)
        except ToolError:
            return None

    def suspects(self, params: SuspectsParams, context: ToolContext) -> ToolResult[SuspectsResult]:
        """Score every change against the symptom."""
        window = window_of(params)
        question = ask(context.findings, _moment(params.onset, "onset"), params.services, params.text)
        failing, so_far = tuple(question.failing.weights), SoFar(context)
        with collector_waiting():
            index = OverlapIndex(question.terms)
            timeline = build_timeline(self._catalogue, window, so_far.commits(index.take))
            timeline.commits = self._catalogue.unread(timeline.commits.values())
            fill = so_far.diffs(self._catalogue.fill_patches, min(SHORTLIST, len(timeline.commits)))
            scored = score_all(timeline, question, self.services(timeline, failing), fill, index)
        items = tuple(suspect(entry, rank) for rank, entry in enumerate(scored[: params.limit], 1))
        problems = [*timeline.problems, *dated_ahead(timeline.deploys, context.clock.now())]
        for coverage in self._catalogue.coverage():
            problems += [p for p in coverage.problems if p.lost]
        result = SuspectsResult(
            onset=question.onset,
            failing=failing,
            suspects=items,
            total=len(timeline.commits) + len(timeline.flags),
            problems=tuple(problems),
        )
        refs: dict[str, None] = {}
        for item in items[:CITED]:
            refs.update(dict.fromkeys([item.ref, *(p.citation for p in item.parts if p.citation)]))
        for item in told(items, {deploy.commit for deploy in timeline.deploys if deploy.commit}):
            refs.update(dict.fromkeys(citations_of(item)))
        cited = tuple(found for ref in refs if (found := self._evidence(ref)) is not None)
        return ToolResult[SuspectsResult](data=result, text=suspects_text(result), citations=cited)

    def diff(self, params: DiffParams, context: ToolContext) -> ToolResult[DiffResult]:
        """Return a commit's exact diff, whole or of one file."""
        result, more = show_diff(self._catalogue, params)
        cited = citations.CommitRef(source=result.source, sha=result.commit, path=params.path or None)
        found = self._evidence(str(cited))
        return ToolResult[DiffResult](
            data=result, text=diff_text(result), citations=(found,) if found else (), more=more
        )

    def callers(self, params: CallersParams, context: ToolContext) -> ToolResult[CallersResult]:
        """Say who uses what a commit changes."""
        known = ServiceMap(self._catalogue.services, self._names(), self._edges)
        edges = self._edges | {(info.name, other) for info in self._catalogue.services for other in info.depends_on}
        result = find_callers(self._catalogue, known, edges, params)
        more = max((symbol.more for symbol in result.symbols), default=0)
        handle = f"limit={min(200, params.limit + more)}" if more and params.limit < 200 else None
        found = self._evidence(f"commit:{self._catalogue.commit(result.commit).source}/{result.commit}")
        return ToolResult[CallersResult](
            data=result, text=callers_text(result), citations=(found,) if found else (), more=handle
        )

    def alongside(self, params: AlongsideParams, context: ToolContext) -> ToolResult[AlongsideResult]:
        """Say what else changed around a commit."""
        result = find_alongside(self._catalogue, params)
        most = max(result.same_deploy_count, result.same_time_count)
        handle = f"limit={min(200, most)}" if most > params.limit and params.limit < 200 else None
        refs = [line.ref for line in (*result.deploys, *result.same_deploy[:10], *result.same_files[:10])]
        refs += [line.ref for line in result.same_time if line.kind != "commit"]
        cited = (self._evidence(ref) for ref in dict.fromkeys(refs[:40]))
        return ToolResult[AlongsideResult](
            data=result, text=alongside_text(result), citations=tuple(e for e in cited if e), more=handle
        )

    def touches(self, params: CommitParams, context: ToolContext) -> ToolResult[TouchesResult]:
        """Say what a change touches: files, services, functions, and what its hunks do."""
        commit = self._catalogue.commit(params.commit.strip().lower(), params.source or None)
        self._catalogue.fill_patches([commit])
        timeline = build_timeline(self._catalogue, None) if not self._catalogue.repos else None
        known = (
            self.services(timeline) if timeline else ServiceMap(self._catalogue.services, self._names(), self._edges)
        )
        diffs = diffs_of(commit)
        reading = read_diff_kinds(diffs) if diffs else None
        paths = [f.path for f in commit.files]
        innocent = (reading.innocent if reading else innocent_paths(paths)) or ""
        places = tuple(
            TouchedPlace(
                path=path,
                kind=path_class(path),
                services=tuple(sorted(known.owners(path))),
                shared=is_shared(path),
                inside=tuple(dict.fromkeys(h.header for d in diffs if d.path == path for h in d.hunks if h.header))[
                    :10
                ],
                signs=tuple(s.what for s in (reading.signs if reading else ()) if s.path == path),
            )
            for path in paths[:200]
        )
        services = tuple(sorted({name for place in places for name in place.services}))
        carriers = timeline.carriers.get(commit.sha, []) if timeline else deploys_with(self._catalogue, commit)
        result = TouchesResult(
            commit=commit.sha,
            places=places,
            services=services,
            innocent=INNOCENT.get(innocent, ""),
            deploys=tuple(deploy.ref for deploy in carriers[:20]),
        )
        lines = [f"{p.path} ({p.kind}{', shared' if p.shared else ''}) {', '.join(p.services)}" for p in places]
        lines += [f"  {sign}" for p in places for sign in p.signs]
        return ToolResult[TouchesResult](data=result, text="\n".join([f"{commit.sha} {commit.subject}", *lines]))

    def _names(self) -> list[str]:
        return [d.service for d in self._catalogue.deploys] + [f.service for f in self._catalogue.flags]

    def blame(self, params: BlameParams, context: ToolContext) -> ToolResult[BlameResult]:
        """Say which commits last changed given lines."""
        if params.last < params.first:
            raise ToolError("the last line is before the first")
        for source, reader in self._readers(params.source):
            sha = params.commit.strip().lower() or reader.store.state.head
            try:
                full = reader.resolve([sha])[sha]
                lines = reader.blame(full, params.path, params.first, params.last) if full else ()
            except (GitFailed, ValueError) as error:
                raise ToolError(f"{source}: {error}") from error
            if lines and full:
                return self._blamed(source, reader, params.path, full, lines)
        raise ToolError(f"no repository has lines {params.first}-{params.last} of {params.path[:200]!r} there")

    def _readers(self, source: str) -> list[tuple[str, Reader]]:
        found = [
            (name, r) for name, repo in self._catalogue.repos.items() if source in ("", name) and (r := repo.reader())
        ]
        if not found:
            raise ToolError("no usable git repository among the sources: attach one with --repo")
        return found

    def _blamed(self, source: str, reader: Reader, path: str, sha: str, lines: Any) -> ToolResult[BlameResult]:
        commits = reader.commits(sorted({line.sha for line in lines}))
        rows = tuple(
            BlamedLineResult(
                line=line.line,
                text=line.text,
                commit=line.sha,
                author=commits[line.sha].author,
                at=commits[line.sha].committed_at,
                subject=commits[line.sha].subject[:200],
            )
            for line in lines
        )
        text = "\n".join(f"{r.line:5} {r.commit[:12]} {r.author}: {r.text}" for r in rows)
        cited = [self._evidence(f"commit:{source}/{name}") for name in commits]
        result = BlameResult(path=path, as_of=sha, lines=rows)
        return ToolResult[BlameResult](data=result, text=text, citations=tuple(e for e in cited if e)[:20])

    def coverage(self, params: CoverageParams, context: ToolContext) -> ToolResult[CoverageResult]:
        """Say how much of each change source was understood."""
        self._catalogue.commits(None) if not self._catalogue.repos else None
        coverage = self._catalogue.coverage()
        lines = []
        for item in coverage:
            lines.append(
                f"{item.source} ({item.kind}): {item.understood} of {item.items} understood, {item.dropped} left out"
            )
            lines += [f"  {problem.line()}" for problem in item.problems]
        return ToolResult[CoverageResult](
            data=CoverageResult(coverage=coverage), text="\n".join(lines) or "no change source is attached"
        )


def _stoppable(work: Callable[[P, ToolContext], ToolResult[D]]) -> Callable[[P, ToolContext], ToolResult[D]]:
    """Let a call that runs in a thread end its git as soon as it is cancelled."""

    def run(params: P, context: ToolContext) -> ToolResult[D]:
        try:
            with stopped_by(context.cancelled):
                return work(params, context)
        except GitCancelled as error:
            raise ToolError(str(error)) from error

    return run


def build_tools(catalogue: ChangeCatalogue, specs: Sequence[SourceSpec] = ()) -> tuple[Tool[Any, Any], ...]:
    """Return the specialist's tools."""
    tools = ChangeTools(catalogue, specs)
    coverage = Tool(
        "deploys_coverage",
        "Say which change sources there are and how much of each was understood.",
        CoverageParams,
        CoverageResult,
        tools.coverage,
    )
    return (*_of_a_window(tools), *_of_a_commit(tools), coverage)


def _of_a_window(tools: ChangeTools) -> tuple[Tool[Any, Any], ...]:
    return (
        Tool(
            "deploys_timeline",
            "List deploys (with the commits each brought since the service's previous deploy), flag changes and "
            "commits of a window, on one clock.",
            TimelineParams,
            TimelineResult,
            tools.timeline,
            worker=True,
        ),
        Tool(
            "deploys_suspects",
            "Score every change against the symptom: time from taking effect to the onset, whether what failed runs "
            "it, overlap with the named findings, and what the diff does. Each score lists its parts. A low best score "
            "means that no change explains the symptom.",
            SuspectsParams,
            SuspectsResult,
            tools.suspects,
            worker=True,
            timeout_s=120.0,
        ),
    )


def _of_a_commit(tools: ChangeTools) -> tuple[Tool[Any, Any], ...]:
    return (
        Tool(
            "deploys_diff",
            "Show the exact diff of a commit, whole or of one file. 'No diff available' is not the same as no change.",
            DiffParams,
            DiffResult,
            _stoppable(tools.diff),
        ),
        Tool(
            "deploys_touches",
            "Say what a commit touches: files and their kinds, services, shared code, functions, what its hunks do.",
            CommitParams,
            TouchesResult,
            _stoppable(tools.touches),
        ),
        Tool(
            "deploys_callers",
            "Say who uses what a commit changes: the functions, classes and keys of its hunks (or the one you name), "
            "the lines that use them as of that commit, and the services that call those it touches.",
            CallersParams,
            CallersResult,
            tools.callers,
            worker=True,
        ),
        Tool(
            "deploys_alongside",
            "Say what else changed around a commit: what the same deploys brought, other changes of its files, and "
            "the deploys, flags and commits of about that time.",
            AlongsideParams,
            AlongsideResult,
            tools.alongside,
            worker=True,
        ),
        Tool(
            "deploys_blame",
            "Say which commits last changed given lines of a file (for the lines that a stack trace names).",
            BlameParams,
            BlameResult,
            _stoppable(tools.blame),
        ),
    )
