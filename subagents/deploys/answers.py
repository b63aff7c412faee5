"""From the specialist's own objects to the typed results and the text that models read."""

from __future__ import annotations

from subagents.deploys.model import ChangeLine, ScoredSuspect, ScorePart, SuspectsResult
from subagents.deploys.scores import Part, Scored
from subagents.deploys.sources.records import Commit, Deploy, FlagChange
from subagents.quantities import counted

BROUGHT_SHOWN = 50


def deploy_line(deploy: Deploy, commit: Commit | None) -> ChangeLine:
    """Return a deploy as a line of the timeline."""
    previous = deploy.previous
    return ChangeLine(
        kind="deploy",
        ref=deploy.ref,
        key=deploy.id,
        at=deploy.at,
        service=deploy.service,
        label=(commit.subject if commit else deploy.commit_text or deploy.version)
        + (" (failed)" if deploy.failed else ""),
        author=deploy.actor or (commit.author if commit else ""),
        version=deploy.version,
        commit=deploy.commit,
        brought=deploy.brought[:BROUGHT_SHOWN],
        brought_count=len(deploy.brought),
        certain=deploy.certain,
        removed=deploy.removed[:BROUGHT_SHOWN],
        removed_count=len(deploy.removed),
        others_count=deploy.others,
        environment=deploy.environment,
        previous_version=previous.version if previous else "",
        previous_commit=previous.commit if previous else None,
    )


def flag_line(flag: FlagChange) -> ChangeLine:
    """Return a flag change as a line of the timeline."""
    return ChangeLine(
        kind="flag",
        ref=flag.ref,
        key=flag.flag,
        at=flag.at,
        service=flag.service,
        label=f"{flag.flag} {flag.change}".strip(),
        author=flag.actor,
    )


def commit_line(commit: Commit) -> ChangeLine:
    """Return a commit as a line of the timeline."""
    return ChangeLine(
        kind="commit",
        ref=commit.ref,
        key=commit.sha,
        at=commit.committed_at,
        label=commit.subject,
        author=commit.author,
        files=tuple(touched.path for touched in commit.files[:20]),
    )


def _brought(line: ChangeLine) -> str:
    if line.certain and line.previous_commit == line.commit:
        return "the same commit again"
    certain = "" if line.certain or line.brought_count <= 1 else "at most "
    parts = [f"{certain}{counted(line.brought_count, 'commit')}"]
    if line.removed_count:
        parts.append(f"takes out {line.removed_count}: {', '.join(sha[:12] for sha in line.removed[:3])}")
    if line.others_count:
        parts.append(f"{line.others_count} more of other services only")
    return ", ".join(parts)


def line_text(line: ChangeLine) -> str:
    """Return one line of the timeline as text."""
    when = line.at.strftime("%Y-%m-%d %H:%M:%SZ") if line.at else "time unknown        "
    what = f"{line.service} {line.version}".strip() + (f" ({line.environment})" if line.environment else "")
    detail = ""
    if line.kind == "deploy":
        detail = f" [{_brought(line)}, head {(line.commit or 'unknown')[:12]}]"
        detail += (
            f" previous {line.previous_version or (line.previous_commit or '')[:12]}" if line.previous_commit else ""
        )
    elif line.kind == "commit":
        what = line.key[:12]
    author = f" by {line.author}" if line.author else ""
    return f"{when} {line.kind:6} {what}: {line.label}{author}{detail}  {line.ref}"


def _part(scored: Scored, part: Part) -> ScorePart:
    citation = None
    change = scored.change
    if isinstance(change, Commit):
        if part.path and change.patch:
            citation = change.place(part.path, part.line)
        elif part.name in ("time", "reach") and scored.deploy is not None:
            citation = scored.deploy.ref
        else:
            citation = change.ref
    else:
        citation = change.ref
    return ScorePart(name=part.name, points=round(part.points, 3), reason=part.reason, citation=citation)


def suspect(scored: Scored, rank: int) -> ScoredSuspect:
    """Return a scored change as a typed result."""
    change, deploy = scored.change, scored.deploy
    previous = deploy.previous if deploy else None
    parts = tuple(_part(scored, part) for part in scored.parts)
    if isinstance(change, FlagChange):
        return ScoredSuspect(
            kind="flag", source=change.source, key=change.flag, ref=change.ref, label=f"{change.flag} {change.change}",
            author=change.actor, score=round(scored.score, 4), rank=rank, at=scored.at, lead_s=scored.lead_s,
            service=change.service, services=scored.services, parts=parts, ruled_out=scored.ruled_out,
            facts=scored.facts,
        )  # fmt: skip
    return ScoredSuspect(
        kind="commit",
        source=change.source,
        key=change.sha,
        ref=change.ref,
        label=change.subject[:120],
        author=change.author,
        score=round(scored.score, 4),
        rank=rank,
        at=scored.at,
        committed_at=change.committed_at,
        lead_s=scored.lead_s,
        deploy=deploy.ref if deploy else None,
        service=deploy.service if deploy else "",
        version=deploy.version if deploy else "",
        previous_version=previous.version if previous else "",
        previous_commit=previous.commit if previous else None,
        services=scored.services,
        files=tuple(touched.path for touched in change.files[:30]),
        parts=parts,
        ruled_out=scored.ruled_out,
        facts=scored.facts,
        diff="read" if change.patch is not None else "none available" if change.no_patch else "not read",
    )


def suspects_text(result: SuspectsResult) -> str:
    """Return the ranking with its reasons as text."""
    onset = result.onset.isoformat() if result.onset else "unknown"
    lines = [f"onset {onset}; failing: {', '.join(result.failing) or 'unknown'}; {result.total} changes scored"]
    for item in result.suspects:
        name = item.key[:12] if item.kind == "commit" else f"flag {item.key}"
        out = f" RULED OUT: {item.ruled_out}" if item.ruled_out else ""
        lines.append(f"{item.rank:2}. {item.score:.2f} {name} {item.label} ({item.author or 'unknown author'}){out}")
        lines += [f"      {part.points:+.1f} {part.name}: {part.reason}  {part.citation or ''}" for part in item.parts]
    lines += [f"note: {problem.line()}" for problem in result.problems]
    return "\n".join(lines)
