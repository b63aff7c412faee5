"""The top of the war room: what is broken, how it stands, the symptom in numbers, and the answer in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator.journal.doubts import Doubt
from orchestrator.journal.events import (
    ApprovalDecided,
    ApprovalRequested,
    ClaimsChecked,
    Event,
    FindingReported,
    IncidentOpened,
    Rechecked,
    RemoteSession,
    ToolFinished,
    VerdictReached,
)
from orchestrator.journal.own_recheck import with_state
from orchestrator.journal.redactions import RedactionCount
from orchestrator.journal.verdict import Verdict
from orchestrator.verdict.board import Hypothesis
from orchestrator.verdict.work_spans import WorkSpans
from subagents import quantities as q
from subagents.contract import Evidence, Finding
from tui.views.naming import name_of
from tui.views.paint import Line, Tone, cells, fitted, flat, line, text_of
from tui.views.spark import points_of, sparkline
from tui.views.standing import standing

METRIC = "metric:"
OVER = ("recovered", "recovering")
LEAST_TITLE = 16
"""Fewest cells of the incident's title before what was spent gives way."""


class IncidentFold:
    """Fed every event once, in order."""

    def __init__(self) -> None:
        self.opened: IncidentOpened | None = None
        self.opened_at: datetime | None = None
        self.verdict: Verdict | None = None
        self.symptom: Finding | None = None
        self.pending: dict[str, ApprovalRequested] = {}
        self.decided: dict[str, ApprovalDecided] = {}
        """What became of each approval: the last word on it."""
        self.redactions = RedactionCount()
        self.evidence: dict[str, Evidence] = {}
        """Frozen evidence by citation, as it was when first cited."""
        self.findings: dict[str, Finding] = {}
        self.checks: dict[str, ClaimsChecked] = {}
        """What the claims checker said, by the claim's id."""
        self.verdict_id = ""
        self.spans = WorkSpans()
        self.running_since: datetime | None = None
        self.remote: RemoteSession | None = None
        """The server's session that it is, where a server keeps it."""

    def learn(self, event: Event) -> None:
        """Take one event into account."""
        self.spans.apply(event)
        self.redactions.learn(event)
        match event.body:
            case IncidentOpened():
                self.opened, self.opened_at = event.body, event.ts
            case RemoteSession():
                self.remote = event.body
            case VerdictReached() | Rechecked():
                self._conclude(event.body)
            case ClaimsChecked(id=identity, evidence=evidence):
                self.checks[identity] = event.body
                self._freeze(evidence)
            case ToolFinished(citations=citations):
                self._freeze(citations)
            case FindingReported(id=identity, finding=finding):
                self.findings.setdefault(identity, finding)
                symptom = finding.topic == "symptom" and not self.doubts(identity)
                if symptom and (self.symptom is None or finding.weight >= self.symptom.weight):
                    self.symptom = finding
            case ApprovalRequested(id=identity):
                self.pending[identity] = event.body
            case ApprovalDecided(id=identity, digest=digest, decision=decision):
                self.decided[identity] = event.body
                asked = self.pending.get(identity)
                if asked is not None and (decision == "void" or digest == asked.digest):
                    del self.pending[identity]
            case _:
                if event.type == "session.status_running":
                    self.running_since = event.ts

    def _conclude(self, body: VerdictReached | Rechecked) -> None:
        if isinstance(body, Rechecked):
            self.verdict = with_state(self.verdict, body) if self.verdict is not None else None
            return
        self.verdict, self.verdict_id = body.stands, body.id
        self._freeze(body.evidence)

    def doubts(self, identity: str) -> tuple[Doubt, ...]:
        """Return what does not hold of a claim, as far as it was checked."""
        check = self.checks.get(identity)
        return check.doubts if check is not None and not check.handed_back else ()

    @property
    def verdict_doubts(self) -> tuple[Doubt, ...]:
        """What of the verdict did not hold, and is not shown."""
        return self.doubts(self.verdict_id) if self.verdict_id else ()

    def _freeze(self, items: tuple[Evidence, ...]) -> None:
        for item in items:
            self.evidence.setdefault(item.ref, item)

    def work_seconds(self, now: datetime) -> float:
        """Return the seconds of work so far, waiting not counted."""
        running = self.spans.status in ("running", "rescheduling") and self.running_since is not None
        open_ = (now - self.running_since).total_seconds() if running and self.running_since else 0.0
        return max(0.0, self.spans.seconds + open_)


def clock_of(seconds: float) -> str:
    """Return a length of time as `00:09` or `2:10:09`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def standing_words(fold: IncidentFold) -> str:
    """Return the session's status as words."""
    status, reason = fold.spans.status, fold.spans.reason
    words = standing(status, reason)
    return f"{words} ({flat(reason)})" if status == "rescheduling" and reason else words


def engine_words(fold: IncidentFold, width: int = 200) -> str:
    """Return the engine as there is room for: at a server the agent's id and version, and the session's id."""
    if fold.opened is None or width < 72:
        return ""
    if fold.remote is None:
        shown_as = fold.opened.shown_as or fold.opened.engine
        return shown_as if width >= 110 else shown_as.partition(" ")[0]
    watching = "" if fold.remote.hands else "watching "
    if width < 110:
        return watching.strip() or fold.opened.engine
    return f"{watching}{fold.remote.shown_as if width >= 150 else fold.remote.id}"


def header(fold: IncidentFold, now: datetime, width: int, note: str = "", spent: str = "") -> Line:
    """Return the header: incident, title, engine, status, time of work, what was spent, approvals."""
    if fold.opened is None:
        return line((note or "opening …", "strong"))
    incident = fold.opened.incident
    approvals = len(fold.pending)
    waiting = f"{approvals} approval{'s' if approvals != 1 else ''}" if approvals else "no approvals"
    status = standing_words(fold)
    running = fold.spans.status in ("running", "rescheduling")
    bad = status in ("failed", "refused", "stopped")
    engine = engine_words(fold, width)
    before = line(
        (f"  ·  {engine}" if engine else "", "dim"),
        ("  ·  ", "dim"),
        (f"{status} {clock_of(fold.work_seconds(now))}", "accent" if running else "bad" if bad else "good"),
    )
    after = line(("  ·  ", "dim"), (waiting, "warn" if approvals else "dim"), (f"  ·  {note}" if note else "", "warn"))
    told = flat(incident.title)
    left = width - cells((*before, *after)) - 1
    name = fitted(flat(incident.id), max(left // 2, left - len(told), 8))
    taken = width - left + len(name)
    spent = " · ".join(part for part in (spent, fold.redactions.words) if part)
    tail = (*before, *_spent(spent, width - taken - LEAST_TITLE), *after)
    room = max(8, width - cells(tail) - len(name) - 1)
    severity = f"  {flat(incident.severity)}" if incident.severity and width >= 110 else ""
    title = fitted(told, room - len(severity))
    return (*line((f"{name} ", "accent"), (title, "strong"), (severity, "warn")), *tail)


def _spent(meter: str, room: int) -> Line:
    """Return as much of the meter as there is room for, part by part."""
    parts = meter.split(" · ") if meter else []
    while parts and len(text := f"  ·  {' · '.join(parts)}") > room:
        parts.pop()
    return line((text, "plain")) if parts else ()


@dataclass(frozen=True)
class SymptomNumbers:
    """What is measurably wrong, as far as it is known."""

    service: str
    metric: str
    onset: datetime | None
    baseline: str
    peak: str
    factor: str
    latest: str
    ref: str


def symptom_numbers(fold: IncidentFold) -> SymptomNumbers | None:
    """Return the symptom's numbers from the verdict's facts, else from the finding that states it."""
    from_verdict = fold.verdict.symptom if fold.verdict else None
    finding = fold.symptom
    if from_verdict is None and finding is None:
        return None
    facts = from_verdict.facts if from_verdict and from_verdict.facts else finding.facts if finding else ()
    citations = (from_verdict.citations if from_verdict else ()) or (finding.citations if finding else ())
    held = {fact.quantity: fact for fact in facts}
    ref = next((one for one in citations if one.startswith(METRIC)), "")
    service, metric = _series(ref)
    onset = (from_verdict.onset if from_verdict else None) or (finding.at if finding else None)

    def value(name: str) -> str:
        fact = held.get(name)
        return "" if fact is None else f"{_number(fact.value)}{' ' + fact.unit if fact.unit else ''}"

    return SymptomNumbers(
        service=(from_verdict.service if from_verdict else None) or service,
        metric=(from_verdict.metric if from_verdict else None) or metric,
        onset=onset,
        baseline=value("baseline"),
        peak=value("peak"),
        factor=_times(held["factor"].value) if "factor" in held else "",
        latest=value("latest"),
        ref=ref,
    )


def _series(ref: str) -> tuple[str, str]:
    parts = ref.removeprefix(METRIC).partition("@")[0].split("/")
    return (parts[-2], parts[-1]) if ref and len(parts) >= 3 else ("", "")


def _times(value: float | int | str) -> str:
    """Return how many times, or nothing where that is about once and tells nothing: 99 % after 100 %."""
    if not isinstance(value, int | float):
        return str(value)
    return q.figure(value) if value >= 1.05 else ""


def _number(value: float | int | str) -> str:
    return q.figure(value, 4) if isinstance(value, int | float) else str(value)


def symptom(fold: IncidentFold, width: int) -> Line:
    """Return the symptom strip for a width in cells; what matters least goes first when room is short."""
    numbers = symptom_numbers(fold)
    if numbers is None:
        return line((_alert_words(fold), "dim"))
    narrow = width < 100
    moved = f"{numbers.baseline} to {numbers.peak}" if numbers.baseline and numbers.peak else numbers.peak
    known = fold.verdict.state.state if fold.verdict else ""
    state = "ongoing?" if known == "unknown" else known
    whole, brief = _affected(fold, numbers.service)
    spark = _spark(fold, numbers, max(12, min(40, width - 92)) if width >= 90 else max(0, min(12, width - 60)))
    stands = (*_stands(state), *line((_since(fold, numbers.onset, state, narrow), "strong"), ("  ", "dim")))
    name = line((f"{numbers.service} {numbers.metric}".strip(), "accent"))
    times = line((f" {numbers.factor}x" if narrow else f" ({numbers.factor}x)", "bad")) if numbers.factor else ()
    change = line((f" {moved}", "strong")) if moved else ()
    sizes = (*times, *change) if narrow else (*change, *times)
    short = (times or change) if narrow else (change or times)
    parts = (stands, name) if name else (stands[:-1],)
    for made in (
        (spark, *parts, sizes, whole),
        (*parts, sizes, whole),
        (*parts, short, whole),
        (*parts, short, brief),
    ):  # fmt: skip
        taken = sum(map(cells, made))
        if taken <= width:
            break
    else:
        left = max(8, cells(name) - (taken - width))
        made = (stands, line((fitted(text_of(name), left), "accent")), short, brief)
    return tuple(one for part in made for one in part)


def _stands(state: str) -> Line:
    tone: Tone = "bad" if state == "ongoing" else "good" if state == "recovered" else "warn"
    return line((f"{state}{',' if state in OVER else ''} ", tone)) if state else ()


def _since(fold: IncidentFold, onset: datetime | None, state: str, narrow: bool) -> str:
    """Return since when, with the day where the session was opened on another."""
    if onset is None:
        return "onset unknown"
    at = onset.astimezone(UTC)
    same = fold.opened_at is None or fold.opened_at.astimezone(UTC).date() == at.date()
    day = "" if same else f"{at:%m-%d} " if narrow else f"{at:%Y-%m-%d} "
    return f"{'began' if state in OVER else 'since'} {day}{at:%H:%M:%S} UTC"


def _affected(fold: IncidentFold, service: str) -> tuple[Line, Line]:
    """Return who is affected, by name and by number; with a verdict that does not know, that."""
    verdict = fold.verdict
    if verdict is None:
        return (), ()
    affected = verdict.affected
    if not affected:
        words = "" if verdict.kind == "no_incident" else "  affected: not known"
        return line((words, "plain")), line((words, "plain"))
    names = ", ".join(affected[:4]) + (" …" if len(affected) > 4 else "")
    if set(affected) == {service}:
        return line(("  affects it alone", "plain")), line(("  affects it alone", "plain"))
    return line((f"  affects {names}", "plain")), line((f"  affects {len(affected)} services", "plain"))


def _spark(fold: IncidentFold, numbers: SymptomNumbers, bars: int) -> Line:
    """Return the symptom's course in about so many cells, from its onset on in another tone."""
    held = fold.evidence.get(numbers.ref)
    if held is None or bars < 6:
        return ()
    points, cut = points_of(held.excerpt)
    drawn = sparkline(points, bars, numbers.onset, cut)
    split = len(drawn.bars) if drawn.onset_at is None else drawn.onset_at
    return line((drawn.bars[:split], "good"), (drawn.bars[split:], "bad"), ("…" if drawn.cut else "", "dim"), " ")


def _alert_words(fold: IncidentFold) -> str:
    opened = fold.opened
    if opened is None:
        return ""
    alert = opened.incident.alert
    said = flat((alert.summary or alert.title) if alert else opened.incident.text)[:200]
    if said and said != flat(opened.incident.title):  # which stands in the line above
        return f"the alert says: {said}"
    return "no symptom measured" if fold.verdict is not None else "no symptom measured yet"


def answer(fold: IncidentFold, leading: Hypothesis | None) -> tuple[Line, Line]:
    """Return the two lines that a tired person reads first: what did it and how sure, and what to do next."""
    verdict = fold.verdict
    if verdict is None:
        return _so_far(fold, leading), line(("next  ", "dim"), ("nothing proposed yet", "dim"))
    sure = f"{verdict.confidence.value:.0%} {'of the way' if verdict.kind == 'inconclusive' else 'sure'}  "
    tone: Tone = "bad" if verdict.kind == "culprit" else "warn" if verdict.kind == "inconclusive" else "good"
    wrong = len(fold.verdict_doubts)
    mark = f"✗ {wrong} part{'s' if wrong > 1 else ''} did not hold, left out  " if wrong else ""
    return (
        line(
            (f"{_VERDICTS[verdict.kind]}  ", tone), (sure, "accent"), (mark, "bad"), (_cause_words(verdict), "strong")
        ),
        line(("NEXT  ", "accent"), *_next_words(verdict)),
    )


_VERDICTS = {
    "culprit": "CAUSE",
    "no_code_cause": "NOT A CODE CHANGE",
    "inconclusive": "INCONCLUSIVE",
    "no_incident": "NO INCIDENT",
}


def _cause_words(verdict: Verdict) -> str:
    culprit = verdict.culprit
    if verdict.kind == "culprit" and culprit is not None:
        what = culprit.commit[:12] if culprit.commit else culprit.deploy or "a change"
        subject = f" “{culprit.subject}”" if culprit.subject else ""
        author = f" by {culprit.author}" if culprit.author else ""
        where = f"{culprit.service or verdict.service}: " if culprit.service or verdict.service else ""
        return flat(f"{where}{what}{subject}{author}")
    return flat(verdict.gist or verdict.headline)  # who and since when stand in the line above


def _next_words(verdict: Verdict) -> Line:
    order = {"contain": 0, "fix": 1, "follow_up": 2}
    action = min(verdict.actions, key=lambda one: order[one.kind], default=None)
    if action is None:
        return line(("nothing proposed", "dim"))
    command = action.command
    return line((flat(action.text), "strong"), (f"  $ {flat(command)}" if command else "", "accent"))


def _so_far(fold: IncidentFold, leading: Hypothesis | None) -> Line:
    if leading is None or leading.score <= 0:
        words = "no suspect yet" if fold.spans.status == "running" else "no verdict"
        return line(("no verdict yet  " if fold.spans.status == "running" else "", "dim"), (words, "dim"))
    return line(
        ("no verdict yet, leading  ", "warn"),
        (name_of(leading), "strong"),
        (f"  {leading.score:.2f}", "accent"),
        (f"  +{len(leading.supporting)} -{len(leading.opposing)}", "dim"),
    )
