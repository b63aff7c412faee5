"""The status update: five lines of plain text, fit for a chat channel."""

from __future__ import annotations

import re
from datetime import tzinfo

from orchestrator.verdict.markdown_text import line
from orchestrator.verdict.report_model import Report
from orchestrator.verdict.when import moment
from subagents.quantities import counted

LINE_LIMIT = 300
_HARMLESS = str.maketrans({"<": "\u2039", ">": "\u203a", "@": "(at)", "`": "'"})
_SCHEME = re.compile(r"\b(h)tt(ps?)(?=:)", re.IGNORECASE)


def status_update(report: Report, zone: tzinfo | None = None) -> str:
    """Return five lines: what, impact, cause, next step, and what is still open."""
    lines = (_what(report), _impact(report, zone), _cause(report), _next(report), _open(report))
    return "\n".join(_chat(text) for text in lines) + "\n"


def _chat(text: str) -> str:
    """Make foreign text harmless in a channel: one line, no mention, no markup of links, no live address."""
    flat = line(text).translate(_HARMLESS)
    flat = _SCHEME.sub(r"\1xx\2", flat)
    return flat if len(flat) <= LINE_LIMIT else flat[: LINE_LIMIT - 1] + "…"


def _short(text: str, limit: int = 130) -> str:
    """Return the beginning of a sentence, so that what stands behind it on the line is still seen.

    It ends before a bracket that it would leave open.
    """
    flat = line(text).rstrip(". ")
    if len(flat) <= limit:
        return flat
    begun = flat[:limit].rpartition(" ")[0]
    while begun.count("(") > begun.count(")"):
        begun = begun[: begun.rindex("(")]
    return begun.rstrip(",;: ") + " …"


def _what(report: Report) -> str:
    state = report.verdict.state.state if report.verdict else "state unknown"
    headline = report.verdict.headline if report.verdict else report.incident.title
    return f"[{report.incident.id}] {state}: {headline}"


def _impact(report: Report, zone: tzinfo | None) -> str:
    verdict, incident = report.verdict, report.incident
    symptom = verdict.symptom if verdict else None
    since = (symptom.onset if symptom else None) or incident.started_at
    text = _short(symptom.text) if symptom else "symptom not established from the data"
    at = f", since {moment(since, zone)}" if since else ", onset unknown"
    affected = ", ".join(verdict.affected[:6]) if verdict and verdict.affected else "not known"
    return f"Impact: {text}{at}. Affected: {affected}"


def _cause(report: Report) -> str:
    verdict = report.verdict
    if verdict is None:
        return f"Cause: no verdict yet (session {report.status})"
    if verdict.kind == "culprit" and verdict.culprit:
        culprit = verdict.culprit
        name = culprit.commit[:12] if culprit.commit else culprit.deploy or "a change without a known commit"
        subject = f" {culprit.subject}" if culprit.subject else ""
        author = f" ({culprit.author})" if culprit.author else ""
        return f"Cause: {name}{subject}{author}, {verdict.sure}"
    words = {"no_code_cause": "not a code change", "no_incident": "no incident found", "culprit": "a change"}
    mechanism = f": {_short(verdict.cause.mechanism)}" if verdict.cause else ""
    return f"Cause: {words.get(verdict.kind, 'not established')}{mechanism}, {verdict.sure}"


def _next(report: Report) -> str:
    action = report.first_action()
    if action is None:
        return "Next: nothing proposed"
    command = f": {action.command} (not run)" if action.command else ""
    return f"Next: {action.text}{command}"


def _open(report: Report) -> str:
    verdict = report.verdict
    gaps = len(verdict.gaps) if verdict else 0
    first = f", first: {_short(verdict.gaps[0].text)}" if verdict and verdict.gaps else ""
    wrong = sum(1 for item in report.doubted if not item.handed_back)
    doubted = f"; not counted: {counted(wrong, 'claim')} found not to hold" if wrong else ""
    looked = f"{gaps} not looked at{first}" if gaps else "nothing that is known of was left out"
    return f"Open: {looked}{doubted}. {ruled_out_words(report)}. Full report: warroom report {report.session}"


def ruled_out_words(report: Report) -> str:
    """Return how many causes were ruled out and where they stand: the verdict tests more than is on the board."""
    results = report.verdict.ruled_out if report.verdict else ()
    ruled = {item.suspect.id for item in results if item.result == "ruled out"}
    board = {line.suspect for line in report.hypotheses if line.state == "ruled out"}
    if not ruled | board:
        return "Ruled out: nothing"
    if not ruled - board:
        return f"Ruled out: {len(board)}"
    return (
        f"Ruled out: {len(ruled | board)} ({len(board)} on the board, {len(ruled - board)} by the verdict's own tests)"
    )
