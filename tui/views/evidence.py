"""Evidence as a person reads it: what a claim cites, and each citation as lines or as a chart. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from orchestrator.journal.doubts import Doubt
from orchestrator.verdict.board import Hypothesis
from subagents import quantities as q
from subagents.contract import EXCERPT_LIMIT, Fact, Finding
from tui.evidence_opening import STATE_WORDS, CommitFacts, LogLines, Opened, Series
from tui.views.chart import Chart, Marker
from tui.views.diff import exact_line, files_of
from tui.views.naming import name_of, suspect_name
from tui.views.page import PageLine, field, prose
from tui.views.paint import Line, Ref, Tone, fitted, flat, line, text_of
from tui.views.spark import points_of

if TYPE_CHECKING:
    from tui.session_view import SessionView


@dataclass(frozen=True)
class Cited:
    """One citation, and what it is cited for."""

    ref: str
    ground: str
    """The claim that rests on it."""
    facts: tuple[Fact, ...] = ()
    """The claim's numbers that are from it."""


def cited_by(view: SessionView, ref: Ref) -> tuple[str, tuple[Cited, ...]]:
    """Return (what was opened, in words; all it cites, strongest grounds first, each citation once)."""
    match ref.kind:
        case "finding" if (finding := view.incident.findings.get(ref.id)) is not None:
            return "a finding", _once(_of(finding, view.incident.doubts(ref.id)))
        case "hypothesis" if (held := _hypothesis(view, ref.id)) is not None:
            grounds = sorted((*held.supporting, *held.opposing, *held.excluding), key=lambda one: -one.weight)
            doubted = (cited for one in held.doubted for cited in _of(one.finding, one.doubts))
            return name_of(held), _once((*(cited for one in grounds for cited in _of(one)), *doubted))
        case "verdict" if view.incident.verdict is not None:
            from orchestrator.verdict.claims import cited

            verdict = view.incident.verdict
            refs = (one for _, one in cited(verdict.model_dump(mode="json")))
            return "the verdict", _once(Cited(one, verdict.headline) for one in refs)
        case "citation":
            return ref.id, (Cited(ref.id, ""),)
        case _:
            return f"{ref.kind} {ref.id}", ()


def _hypothesis(view: SessionView, suspect: str) -> Hypothesis | None:
    return next((one for one in view.hypotheses if one.suspect.id == suspect), None)


def _of(finding: Finding, doubts: Sequence[Doubt] = ()) -> Iterator[Cited]:
    mark = f"✗ does not hold: {'; '.join(doubt.line() for doubt in doubts)}  " if doubts else ""
    facts: dict[str, list[Fact]] = {}
    for fact in finding.facts:
        facts.setdefault(fact.citation, []).append(fact)
    for ref in (*finding.citations, *facts):
        yield Cited(ref, f"{mark}{finding.agent}: {finding.claim}", tuple(facts.get(ref, ())))


def _once(found: Iterable[Cited]) -> tuple[Cited, ...]:
    made: dict[str, Cited] = {}
    for one in found:
        made.setdefault(one.ref, one)
    return tuple(made.values())


def list_lines(cited: tuple[Cited, ...], current: int, width: int) -> tuple[PageLine, ...]:
    """Return the list of citations, one line each, the current one marked; the whole of it is told below the page."""
    room = width - len("> ") - len("┃")
    return tuple(
        PageLine(
            line((fitted(_FULL_ID.sub(r"\1…", one.ref), room), "strong" if at == current else "plain")),
            line(("> " if at == current else "  ", "accent")),
        )
        for at, one in enumerate(cited)
    )


_FULL_ID = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{28}\b")


def state_words(opened: Opened | None, ref: str) -> tuple[Line, Line]:
    """Return two lines: how it stands, with why; the citation and its digest."""
    if opened is None:
        return line(("opening …", "dim")), line((ref, "accent"))
    tone: Tone = {"same": "good", "new": "dim"}.get(opened.state, "bad")  # type: ignore[assignment]  # two of the tones
    why = f": {flat(opened.why)}" if opened.why else ""
    kept = "; shown is what was kept when it was cited" if opened.state == "gone" and opened.frozen else ""
    words = line((STATE_WORDS[opened.state], tone), (f"{why}{kept}", "warn" if opened.state == "gone" else "dim"))
    digest = opened.frozen.digest if opened.frozen is not None else opened.digest
    now = f"  now {opened.digest}" if opened.state == "changed" else ""
    return (*words, *line((f"  {digest or 'no digest'}{now}", "dim"))), line((ref, "accent"))


# -- as lines ------------------------------------------------------------------------------------


def now_lines(opened: Opened) -> tuple[tuple[PageLine, ...], int]:
    """Return (how it is now, or else what was kept, as lines; the line to begin at)."""
    if isinstance(opened.more, LogLines):
        return _log_lines(opened.more), max(0, opened.more.cited_from)
    if isinstance(opened.more, CommitFacts):
        return _commit_lines(opened, opened.more)
    held = opened.now or opened.frozen
    if held is None:
        return (prose((flat(opened.why) or "nothing is known of it", "warn")),), 0
    head = (prose((flat(held.label), "strong")), PageLine(line(" "))) if held.label and opened.kind != "log" else ()
    return (*head, *_excerpt_lines(opened.kind, held.excerpt)), 0


def frozen_lines(opened: Opened) -> tuple[PageLine, ...]:
    """Return the excerpt as it was kept."""
    if opened.frozen is None:
        return (prose(("as cited", "accent")), prose(("no excerpt was kept", "dim")))
    head = prose(("as cited", "accent"), ("  kept in the session, secrets taken out", "dim"))
    return (head, *_excerpt_lines(opened.kind, opened.frozen.excerpt))


def _excerpt_lines(kind: str, excerpt: str) -> Iterator[PageLine]:
    lines: Iterable[PageLine]
    if kind in ("deploy", "flag", "trace"):
        lines = _record_lines(excerpt)
    elif kind == "runbook":
        lines = map(_step_line, excerpt.split("\n"))
    elif kind == "commit":
        lines = (PageLine(exact_line(one, _diff_tone(one))) for one in excerpt.split("\n"))
    else:
        lines = (PageLine(exact_line(one)) for one in excerpt.removesuffix("\n").split("\n"))
    yield from lines
    if len(excerpt.encode("utf-8", "replace")) >= EXCERPT_LIMIT - 4:
        yield prose(("(an excerpt: the first 4 KiB)", "dim"))


def _step_line(text: str) -> PageLine:
    command = text.startswith("$ ")
    return PageLine(exact_line(text, "accent" if command else "plain"), words=not command)


def _diff_tone(text: str) -> Tone:
    if text.startswith(("+++", "---", "@@", "commit ", "diff ")):
        return "accent"
    return "good" if text.startswith("+") else "bad" if text.startswith("-") else "plain"


def _record_lines(excerpt: str) -> Iterator[PageLine]:
    """Show a record field by field; what is no JSON is shown as it is."""
    try:
        record = json.loads(excerpt)
    except ValueError:
        yield from (PageLine(exact_line(one)) for one in excerpt.split("\n"))
        return
    if not isinstance(record, dict):
        yield from (PageLine(exact_line(one)) for one in json.dumps(record, indent=2, ensure_ascii=False).split("\n"))
        return
    width = min(24, max((len(str(key)) for key in record), default=0)) + 2
    for key, value in record.items():
        text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
        for at, part in enumerate(text.split("\n")):
            name = flat(str(key))[: width - 2] if not at else ""
            yield PageLine(exact_line(part), line((f"{name:<{width}}", "dim")))


def _log_lines(found: LogLines) -> tuple[PageLine, ...]:
    last = found.cited_from + found.cited
    made = []
    for at, text in enumerate(found.lines):
        cited = found.cited_from <= at < last
        made.append(
            PageLine(exact_line(text, "strong" if cited else "dim"), line((">  " if cited else "   ", "accent")))
        )
    return tuple(made)


def _commit_lines(opened: Opened, commit: CommitFacts) -> tuple[tuple[PageLine, ...], int]:
    """Return the commit and the file or hunk that is cited, with the cited line marked."""
    _, _, place = opened.ref.partition("#")
    path, number = _place(place)
    head = [
        field("commit", commit.sha, "accent"), field("author", flat(commit.author) or "unknown"),
        field("date", commit.when), field("message", flat(commit.subject), "strong"),
    ]  # fmt: skip
    head += [PageLine(exact_line(one), line((" " * 11, "dim"))) for one in commit.body.strip("\n").split("\n") if one]
    head += [field("", flat(commit.why_none), "warn")] if commit.why_none else []
    files = files_of(commit.diff) if commit.diff else ()
    chosen = [one for one in files if one.path == path] if path else list(files)
    if not chosen:
        held = opened.now or opened.frozen
        rest = list(_excerpt_lines("commit", held.excerpt)) if held is not None and path else []
        return (*head, PageLine(line(" ")), *rest), 0
    made, at = list(head), 0
    for file in chosen:
        made += [PageLine(line(" ")), PageLine(line((f"── {file.change} ", "dim"), (file.path, "strong"),
                 (f"  +{file.added} -{file.removed}", "dim")))]  # fmt: skip
        made += [PageLine(line((f"   ! {word}", "warn"))) for word in file.words]
        for one in file.lines:
            here = number is not None and text_of(one.gutter)[5:9].strip() == str(number)
            at = len(made) if here and not at else at
            mark = line((">" if here else " ", "accent"))
            made.append(replace(one, gutter=(*mark, *one.gutter)))
    others = [one.path for one in files if one not in chosen]
    if others:
        named = f"{len(others)} more file{'s' if len(others) > 1 else ''}: {', '.join(others[:12])}"
        made.append(prose((named, "dim")))
    return tuple(made), max(0, at - len(head)) if at else 0


def _place(text: str) -> tuple[str, int | None]:
    from urllib.parse import unquote

    path, _, number = text.partition(":")
    return unquote(path), int(number) if number.isdigit() else None


# -- as a chart ----------------------------------------------------------------------------------


def chart_of(view: SessionView, opened: Opened, facts: tuple[Fact, ...]) -> Chart | None:
    """Return the chart of a metric, from the source as it is now or else from what was kept; None: nothing to draw."""
    held = opened.now or opened.frozen
    if opened.kind != "metric" or held is None:
        return None
    points = [(at, value) for stamp, value in points_of(held.excerpt)[0] if (at := _epoch(stamp)) is not None]
    cited = _span(opened.ref) or ((points[0][0], points[-1][0]) if points else None)
    series = opened.more if isinstance(opened.more, Series) and opened.more.points else None
    stated = next((fact.value for fact in facts if fact.quantity == q.BASELINE), None)
    baseline = stated if isinstance(stated, int | float) else series.baseline if series is not None else None
    return Chart(
        points=series.points if series is not None else tuple(points),
        unit=series.unit if series is not None else "",
        baseline=baseline,
        onset=_onset(view, opened.ref, facts, series),
        cited=cited,
        markers=tuple(markers_of(view)),
    )


def _epoch(stamp: str) -> float | None:
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        return None


def _span(ref: str) -> tuple[float, float] | None:
    first, _, last = ref.rpartition("@")[2].partition("..")
    start, end = _epoch(first), _epoch(last)
    return None if start is None or end is None else (start, end)


def _onset(view: SessionView, ref: str, facts: tuple[Fact, ...], series: Series | None) -> float | None:
    """Return the onset: the claim's own, else the series', else the incident's."""
    for one in facts:
        if one.quantity == q.ONSET and (found := _epoch(str(one.value))) is not None:
            return found
    if series is not None and series.onset is not None:
        return series.onset
    from tui.views.incident import symptom_numbers

    numbers = symptom_numbers(view.incident)
    return numbers.onset.timestamp() if numbers is not None and numbers.onset is not None else None


def markers_of(view: SessionView) -> Iterator[Marker]:
    """Yield every change with a time that a finding is about, each once."""
    done: set[str] = set()
    for finding in view.incident.findings.values():
        about = finding.about
        if about is None or finding.at is None or about.kind not in ("commit", "deploy", "flag") or about.id in done:
            continue
        done.add(about.id)
        yield Marker(finding.at.timestamp(), suspect_name(about))
