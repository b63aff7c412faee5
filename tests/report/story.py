"""Hand-made events of a session: what a report is folded from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestrator.journal.events import (
    MAIN_THREAD,
    Body,
    Event,
    FindingReported,
    IncidentOpened,
    SourceAddedEvent,
    StatusIdle,
    StatusRunning,
    StopReason,
    ToolFinished,
    VerdictReached,
)
from orchestrator.journal.verdict import (
    Action,
    Cause,
    ChainStep,
    Cited,
    Confidence,
    Culprit,
    Gap,
    IncidentState,
    RuledOut,
    ServiceScore,
    SuspectScore,
    Symptom,
    Verdict,
)
from subagents.contract import (
    Alert,
    Coverage,
    Evidence,
    Fact,
    Finding,
    Incident,
    Problem,
    SourceSpec,
    Suspect,
    evidence,
)

START = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
ONSET = START + timedelta(minutes=10)
SHA = "4be1" + "0" * 36
DECOY = "77aa" + "0" * 36
LOG = "log:app@120+2"
METRIC = "metric:m/billing/latency_p95@2026-03-29T00:30:00Z..2026-03-29T01:00:00Z"
COMMIT = f"commit:repo/{SHA}#pool.py:4"
DEPLOY = "deploy:deploys.json#d-7"
STEP = "runbook:bad-deploy#roll-back"


def frozen(ref: str, text: str, label: str = "") -> Evidence:
    return evidence(ref, text.encode(), label)


def suspect(sha: str = SHA, label: str = "smaller pool") -> Suspect:
    return Suspect(kind="commit", key=sha, label=label)


def finding(claim: str = "p95 latency of billing rose 8 times", **changes: object) -> Finding:
    fields: dict[str, object] = {
        "agent": "metrics",
        "claim": claim,
        "topic": "symptom",
        "facts": (Fact(quantity="factor", value=8.0, citation=METRIC),),
        "citations": (METRIC,),
        "services": ("billing",),
        "at": ONSET,
        **changes,
    }
    return Finding.model_validate(fields)


def verdict(**changes: object) -> Verdict:
    fields: dict[str, object] = {
        "kind": "culprit",
        "headline": "billing is slow since 00:40 because the connection pool was cut to 2",
        "state": IncidentState(state="ongoing", as_of=START + timedelta(minutes=30), reason="still 8x"),
        "service": "billing",
        "symptom": Symptom(
            text="p95 latency of billing rose from 50 ms to 400 ms",
            service="billing",
            metric="latency_p95",
            onset=ONSET,
            facts=(Fact(quantity="peak", value=400.0, unit="ms", citation=METRIC),),
            citations=(METRIC,),
        ),
        "cause": Cause(
            mechanism="requests wait for one of two connections",
            trigger="commit",
            suspect=suspect(),
            citations=(COMMIT,),
        ),
        "chain": (
            ChainStep(text="the pool was cut to 2", role="cause", at=START, citations=(COMMIT, DEPLOY)),
            ChainStep(text="acquire timeouts", role="mechanism", at=START + timedelta(minutes=8), citations=(LOG,)),
            ChainStep(text="latency rose", role="symptom", at=ONSET, citations=(METRIC,)),
        ),
        "culprit": Culprit(
            commit=SHA, source="repo", author="Ada", subject="Tune pool", deploy=DEPLOY, service="billing"
        ),
        "confidence": Confidence(value=0.87, reasons=("it moved first",), against=("one host only",)),
        "ruled_out": (
            RuledOut(
                suspect=suspect(DECOY, "new banner"),
                test="does it touch the service",
                result="ruled out",
                reason="it changes the web pages only",
                citations=(LOG,),
            ),
        ),
        "affected": ("billing", "checkout"),
        "actions": (
            Action(kind="fix", text="revert the commit", runbook=STEP, verify="p95 is back"),
            Action(kind="follow_up", text="alert on pool waits"),
        ),
        "gaps": (Gap(text="database host", why="no metrics of it were given", command="warroom run --repo ."),),
        "contradictions": (Cited(text="the alert says 5xx; the data shows none", citations=(METRIC,)),),
        "services": (ServiceScore(service="billing", score=0.9), ServiceScore(service="checkout", score=0.2)),
        "suspects": (SuspectScore(commit=SHA, score=0.9), SuspectScore(commit=DECOY, score=0.1)),
        **changes,
    }
    return Verdict.model_validate(fields)


class Story:
    """Numbers and dates events as a journal would, without one."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self.events: list[Event] = []

    def add(self, body: Body, *, after: float = 1.0, thread: str = MAIN_THREAD) -> Story:
        seq = len(self.events) + 1
        mono = (self.events[-1].mono if self.events else 100.0) + after
        ts = self._start + timedelta(hours=2, seconds=mono)
        self.events.append(Event(seq=seq, ts=ts, mono=mono, thread=thread, body=body, hash="0" * 64))
        return self


def opening(**changes: object) -> IncidentOpened:
    fields: dict[str, object] = {
        "session": "s-1",
        "incident": Incident(
            id="INC-7",
            title="billing slow",
            alert=Alert(title="BillingSlow", fired_at=ONSET + timedelta(minutes=2)),
            started_at=START + timedelta(minutes=9),
        ),
        "engine": "offline",
        "shown_as": "offline investigator, no model",
        "version": "0.1.0",
        "settings": {"services": [{"name": "billing", "rollback": "deployctl rollback {service} --to {commit}"}]},
        **changes,
    }
    return IncidentOpened.model_validate(fields)


def told(
    conclusion: Verdict | None = None, *, found: tuple[Finding, ...] = (), extra: tuple[Evidence, ...] = ()
) -> list[Event]:
    """A whole session: opened, evidence gathered, findings, verdict, idle."""
    story = Story().add(opening()).add(StatusRunning(reason="start"))
    coverage = Coverage(
        source="app",
        kind="logs",
        items=10,
        understood=9,
        dropped=1,
        problems=(Problem(what="not JSON", where="app.log:3", lost="the line", todo="look at it"),),
    )
    story.add(SourceAddedEvent(spec=SourceSpec(id="app", kind="logs", path="/x/app.log"), coverage=coverage))
    gathered = (
        frozen(LOG, "ERROR acquire timed out\n  pool size 2\n", "acquire timeouts"),
        frozen(METRIC, "00:40 400\n"),
        frozen(COMMIT, "-POOL = 20\n+POOL = 2\n"),
        frozen(DEPLOY, '{"id": "d-7"}'),
        *extra,
    )
    story.add(ToolFinished(tool_use_id="t1", tool="logs_new", outcome="ok", seconds=0.1, citations=gathered))
    for item in found or (finding(),):
        story.add(FindingReported(id=item.id, finding=item), thread=item.agent)
    story.add(
        VerdictReached(verdict=conclusion or verdict(), evidence=(frozen(STEP, "Roll back the deploy."),)), after=5.0
    )
    story.add(StatusIdle(stop_reason=StopReason(type="end_turn")))
    return story.events
