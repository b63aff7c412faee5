"""What else changed around a change: with the same deploy, in the same files, at about the same time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from subagents.contract import Window
from subagents.deploys.answers import commit_line, deploy_line, flag_line, line_text
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.model import AlongsideParams, AlongsideResult, ChangeLine
from subagents.deploys.sources.records import Commit, Deploy
from subagents.deploys.sources.repo import commit_of
from subagents.deploys.timeline import Timeline, build_timeline
from subagents.gitstore.log import LogQuery
from subagents.gitstore.process import Bounds, GitFailed

PATHS_ASKED = 50
FILES_S = 15.0
"""Most seconds that git may take to look for other changes of the same files."""


def find_alongside(catalogue: ChangeCatalogue, params: AlongsideParams) -> AlongsideResult:
    """Return what came with a commit, what changed its files, and what took effect within `hours` of it."""
    commit = catalogue.commit(params.commit.strip().lower(), params.source or None)
    near = _around(commit.landed_at, params.hours)
    timeline = build_timeline(catalogue, near)
    carriers = timeline.carriers.get(commit.sha, [])
    at = next((deploy.at for deploy in carriers if deploy.at is not None), None) or commit.landed_at
    window = _around(at, params.hours)
    if window is not None and near is not None and not (near.start <= window.start and window.end <= near.end):
        timeline = build_timeline(catalogue, Window(start=min(near.start, window.start), end=max(near.end, window.end)))
        carriers = timeline.carriers.get(commit.sha, [])
    together = [sha for deploy in carriers[:5] for sha in deploy.brought if sha != commit.sha]
    files, reason = _same_files(catalogue, commit, timeline, params.limit)
    lines = _in(timeline, window, commit)
    return AlongsideResult(
        commit=commit.sha,
        at=at,
        deploys=tuple(_deploy(timeline, deploy) for deploy in carriers[:20]),
        same_deploy=_lines(timeline, together, params.limit),
        same_deploy_count=len(set(together)),
        same_files=files,
        same_time=tuple(lines[: params.limit]),
        same_time_count=len(lines),
        reason=reason,
    )


def _around(at: datetime | None, hours: float) -> Window | None:
    return Window(start=at - timedelta(hours=hours), end=at + timedelta(hours=hours)) if at is not None else None


def _deploy(timeline: Timeline, deploy: Deploy) -> ChangeLine:
    return deploy_line(deploy, timeline.commits.get(deploy.commit or ""))


def _lines(timeline: Timeline, shas: Sequence[str], limit: int) -> tuple[ChangeLine, ...]:
    known = (timeline.commits.get(sha) for sha in dict.fromkeys(shas))
    return tuple([commit_line(commit) for commit in known if commit is not None][:limit])


def _in(timeline: Timeline, window: Window | None, beside: Commit) -> list[ChangeLine]:
    """Return deploys, flag changes and then commits of a window, the nearest to its middle first."""
    if window is None:
        return []
    middle = window.start + (window.end - window.start) / 2
    found = [_deploy(timeline, d) for d in timeline.deploys] + [flag_line(flag) for flag in timeline.flags]
    found += [commit_line(c) for c in timeline.commits.values() if c.sha != beside.sha and not c.misdated]
    near = [line for line in found if line.at is not None and window.start <= line.at <= window.end]
    return sorted(near, key=lambda line: (line.kind == "commit", abs(((line.at or middle) - middle).total_seconds())))


def _same_files(
    catalogue: ChangeCatalogue, commit: Commit, timeline: Timeline, limit: int
) -> tuple[tuple[ChangeLine, ...], str]:
    """Return other commits that changed the files of a commit, newest first, and why some may be missing."""
    paths = [touched.path for touched in commit.files[:PATHS_ASKED]]
    cut = f"of its {commit.file_count} files {len(paths)} were looked at" if commit.file_count > len(paths) else ""
    repo = catalogue.repos.get(commit.source)
    reader = repo.reader() if repo else None
    if reader is None or repo is None:
        wanted = set(paths)
        others = [
            c for c in timeline.commits.values() if c.sha != commit.sha and any(f.path in wanted for f in c.files)
        ]
        others.sort(key=lambda c: -(c.committed_at.timestamp() if c.committed_at else 0.0))
        return tuple(commit_line(c) for c in others[:limit]), cut
    tips = tuple(dict.fromkeys([*repo.tips(), commit.sha]))
    try:
        query = LogQuery(tips, paths=tuple(paths), limit=limit + 1)
        logged = [each for each in reader.log(query, Bounds(FILES_S)) if each.sha != commit.sha] if paths else []
    except (GitFailed, ValueError) as error:
        return (), f"other changes of its files could not be looked for ({error})"
    return tuple(commit_line(commit_of(commit.source, each)) for each in logged[:limit]), cut


def alongside_text(result: AlongsideResult) -> str:
    """Return what else changed as text."""
    lines = [f"{result.commit} took effect {result.at.isoformat() if result.at else 'at an unknown time'}"]
    for title, found, count in (
        ("it came with", result.deploys, len(result.deploys)),
        ("the same deploys brought", result.same_deploy, result.same_deploy_count),
        ("its files were changed by", result.same_files, len(result.same_files)),
        ("at about that time", result.same_time, result.same_time_count),
    ):
        lines.append(f"{title}: {'nothing known' if not found else ''}".rstrip())
        lines += [f"  {line_text(line)}" for line in found]
        if count > len(found):
            lines.append(f"  {count - len(found)} more")
    return "\n".join([*lines, *([f"note: {result.reason}"] if result.reason else [])])
