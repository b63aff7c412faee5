"""A session as hand-made events, and a stand-in for what a person can do to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from orchestrator.journal.events import (
    MAIN_THREAD,
    AgentCustomToolUse,
    AgentMessage,
    ApprovalRequested,
    Body,
    BudgetChanged,
    Event,
    FindingReported,
    IncidentOpened,
    ModelRequestEnd,
    PolicyDecided,
    SourceAddedEvent,
    StatusIdle,
    StatusRunning,
    StopReason,
    ThreadCreated,
    ThreadMessageReceived,
    ThreadStatusIdle,
    ThreadStatusRunning,
    ToolFinished,
    ToolStarted,
    VerdictReached,
    text_content,
)
from orchestrator.journal.verdict import (
    Action,
    Confidence,
    Culprit,
    IncidentState,
    Symptom,
    Verdict,
)
from orchestrator.session.editing import Candidate
from subagents.contract import Evidence, Fact, Finding, Incident, SourceSpec, Suspect, ToolResult, evidence
from tests.fakes import FakeClock
from tui.session_view import ActFault, SessionView

START = datetime(2026, 3, 29, 9, 12, 0, tzinfo=UTC)
ONSET = START - timedelta(minutes=4)
SHA = "4be1" + "0" * 36
DECOY = "77aa" + "0" * 36
METRIC = "metric:m.csv/shop/error_ratio@2026-03-29T09:00:00Z..2026-03-29T09:12:00Z"
LOG = "log:shop.log@120+2"


class Teller:
    """Makes events in order, a second apart."""

    def __init__(self, at: datetime = START, step_s: float = 1.0) -> None:
        self._at, self._step, self._seq = at, step_s, 0

    def __call__(self, body: Body, thread: str = MAIN_THREAD, source_id: str | None = None) -> Event:
        self._seq += 1
        ts = self._at + timedelta(seconds=self._step * (self._seq - 1))
        mono = self._step * self._seq
        return Event(
            seq=self._seq, ts=ts, mono=mono, thread=thread, source_id=source_id, body=body, hash="0" * 64
        )  # fmt: skip


def opened(title: str = "checkout answers 5xx", **more: Any) -> IncidentOpened:
    incident = Incident.model_validate(
        {"id": "INC-7", "title": title, "service": "shop", "severity": "critical", **more}
    )
    shown_as = "offline investigator, no model"
    return IncidentOpened(
        session="20260329-091200-0a1b2c", incident=incident, engine="offline", shown_as=shown_as, version="0"
    )


def message(text: str) -> AgentMessage:
    return AgentMessage(content=text_content(text))


def series() -> Evidence:
    points = ",".join(
        f'["2026-03-29T09:{minute:02}:00Z",{0.2 if minute < 8 else 11.0 + minute / 10}]' for minute in range(13)
    )
    return evidence(METRIC, f"[{points}]".encode(), "shop error_ratio")


def symptom(**more: Any) -> Finding:
    fields: dict[str, Any] = {
        "agent": "metrics",
        "claim": "shop error_ratio rose from 0.2 to 12.2, 61 times",
        "topic": "symptom",
        "weight": 0.9,
        "facts": (
            Fact(quantity="baseline", value=0.2, unit="%", citation=METRIC),
            Fact(quantity="peak", value=12.2, unit="%", citation=METRIC),
            Fact(quantity="factor", value=61.0, citation=METRIC),
        ),
        "citations": (METRIC,),
        "at": ONSET,
        **more,
    }
    return Finding.model_validate(fields)


def accusation(sha: str = SHA, stance: str = "for", weight: float = 0.9, claim: str = "", label: str = "") -> Finding:
    return Finding.model_validate(
        {
            "agent": "deploys",
            "claim": claim or f"{sha[:12]} explains the symptom: the pool was cut from 20 to 2",
            "topic": "change",
            "about": Suspect(kind="commit", key=sha, label=label or "Tune the connection pool"),
            "stance": stance,
            "weight": weight,
            "citations": (f"commit:repo/{sha}#pool.py:4", LOG),
        }
    )


def verdict() -> Verdict:
    return Verdict(
        kind="culprit",
        headline="checkout fails since 09:08: commit 4be100000000 cut the pool (87% sure)",
        state=IncidentState(state="ongoing"),
        service="shop",
        symptom=Symptom(
            text="errors", service="shop", metric="error_ratio", onset=ONSET, facts=symptom().facts, citations=(METRIC,)
        ),
        culprit=Culprit(commit=SHA, author="Ada", subject="Tune the connection pool", service="shop"),
        confidence=Confidence(value=0.87),
        affected=("shop", "billing"),
        actions=(
            Action(kind="follow_up", text="write the missing test"),
            Action(kind="contain", text="roll shop back to v41", command="deployctl rollback shop v41"),
        ),
    )


def call(tell: Teller, agent: str, tool: str, identity: str, text: str, **more: Any) -> list[Event]:
    """A whole call, requested to finished."""
    use = AgentCustomToolUse(name=tool, input=more.pop("input", {"query": "5xx", "limit": 3}))
    allowed = PolicyDecided(
        tool_use_id=identity, agent=agent, tool=tool, decision="allow", rule="read", reason="it reads"
    )
    finished = ToolFinished(
        tool_use_id=identity, tool=tool, outcome=more.pop("outcome", "ok"), seconds=0.084, text=text, **more
    )
    return [
        tell(use, agent, identity),
        tell(allowed, agent),
        tell(ToolStarted(tool_use_id=identity, tool=tool, effect="read"), agent),
        tell(finished, agent),
    ]


def dispatched(tell: Teller, agent: str) -> list[Event]:
    mission = f"Find what {agent} have to say."
    return [
        tell(ThreadCreated(session_thread_id=agent, agent_name=agent), agent),
        tell(ThreadMessageReceived(from_session_thread_id=MAIN_THREAD, content=text_content(mission)), agent),
        tell(ThreadStatusRunning(session_thread_id=agent, agent_name=agent, doing=mission), agent),
    ]


def done(tell: Teller, agent: str, stop: Any = "end_turn", why: str = "") -> Event:
    reason = StopReason(type=stop, message=why)
    return tell(ThreadStatusIdle(session_thread_id=agent, agent_name=agent, stop_reason=reason), agent)


def at_work() -> list[Event]:
    """Three agents at work, one done; a call on its way; findings on the board; no verdict yet."""
    tell = Teller()
    made = [
        tell(opened()),
        tell(SourceAddedEvent(spec=SourceSpec(id="shop.log", kind="logs", path="/incident/shop.log"))),
        tell(StatusRunning(reason="start")),
        tell(message("dispatched 4: logs, metrics, deploys, codefix")),
    ]
    for agent in ("logs", "metrics", "deploys", "codefix"):
        made += dispatched(tell, agent)
    made += call(tell, "metrics", "metrics_onsets", "m1", "1 series moved\nshop error_ratio", citations=(series(),))
    made.append(tell(FindingReported(id="f-1", finding=symptom()), "metrics"))
    made += call(tell, "logs", "logs_patterns", "l1", "3 new patterns")
    made.append(tell(FindingReported(id="f-2", finding=accusation()), "deploys"))
    made.append(
        tell(FindingReported(id="f-3", finding=accusation(DECOY, "rules_out", 0.95, label="New banner")), "deploys")
    )
    made.append(done(tell, "metrics"))
    made.append(tell(AgentCustomToolUse(name="logs_stacks", input={"limit": 5}), "logs", "l2"))
    made.append(tell(ToolStarted(tool_use_id="l2", tool="logs_stacks", effect="read"), "logs"))
    return made


def bounded() -> list[Event]:
    """A session that stopped at its budget."""
    tell = Teller()
    bounds = {"by": "settings", "words": "at most $5.00", "bounds": {"usd": "5", "tool_calls": 9}}
    used = {"model": "claude-opus-5-5", "output_tokens": 240_000}
    reached = StopReason(type="budget_reached", message="budget reached: $4.80 of $5.00 used")
    return [
        tell(opened()),
        tell(BudgetChanged(detail=bounds)),
        tell(StatusRunning(reason="start")),
        tell(ModelRequestEnd(model_request_start_id="r", model_usage=used), "logs"),
        tell(StatusIdle(stop_reason=reached)),
    ]


def finished() -> list[Event]:
    """The same session with its verdict and an approval that waits."""
    made = at_work()
    tell = Teller(made[-1].ts + timedelta(seconds=1))
    tell._seq = len(made)
    made.append(
        tell(ToolFinished(tool_use_id="l2", tool="logs_stacks", outcome="error", seconds=2.5, text="no stack"), "logs")
    )
    made += [done(tell, agent) for agent in ("logs", "deploys")]
    detail: dict[str, Any] = {"draft": "d-1", "commit": SHA}
    made.append(tell(ApprovalRequested(id="a-1", subject="fix", digest="sha256:0", detail=detail), "codefix"))
    made.append(tell(VerdictReached(verdict=verdict())))
    made.append(tell(StatusIdle(stop_reason=StopReason(type="requires_action"))))
    return made


class FakeActs:
    """Remembers what was done; refuses what `why_not` says cannot be."""

    def __init__(self, events: list[Event] | None = None, *, running: bool = False, why_not: str = "") -> None:
        self.session_id = "20260329-091200-0a1b2c"
        self.running = running
        self.why_not = why_not
        self.takes_up = "It takes up nothing."
        self.leaving = "it stops with this window and goes on when it is opened again"
        self.fixes = None
        self.watches = False
        self.free = False
        self.done: list[tuple[str, ...]] = []
        self.known: tuple[Candidate, ...] = ()
        self.readied: list[str] = []
        self._events = events or []

    async def candidates(self) -> tuple[Candidate, ...]:
        return self.known

    def _do(self, *what: str) -> None:
        if self.why_not:
            raise ActFault(self.why_not)
        self.done.append(what)

    def go_on(self, reason: str = "") -> None:
        self._do("go_on", reason)
        self.running = True

    async def message(self, text: str, to: str | None = None) -> None:
        self._do("message", text)

    async def interrupt(self, thread: str | None = None) -> None:
        self._do("interrupt", thread or "all")

    async def attach(self, path: str) -> str:
        self._do("attach", path)
        return f"{path} (logs)"

    async def note(self, text: str) -> None:
        self._do("note", text)

    async def edit_board(self, act: str, text: str, note: str = "") -> str:
        self._do("edit_board", act, text, note)
        return f"{act} {text}"

    async def recheck(self, path: str = "") -> str:
        self._do("recheck", path)
        return "recovered"

    def about_to_ask(self, agent: str) -> None:
        self.readied.append(agent)

    async def ask(self, agent: str, tool: str, given: Mapping[str, object]) -> ToolResult[Any]:
        self._do("ask", agent, tool, json.dumps(given))
        return ToolResult(outcome="error", text="nobody answers here")

    async def raise_budget(self, text: str) -> str:
        self._do("raise_budget", text)
        return f"raised to {text}"

    async def decide(
        self, approval: str, decision: Literal["approve", "reject"], digest: str, reason: str = ""
    ) -> None:
        self._do("decide", approval, decision, digest)

    async def decide_for_session(self, approval: str, digest: str) -> None:
        self._do("decide_for_session", approval, "approve", digest)

    async def revoke(self, rule: str, reason: str = "") -> None:
        self._do("revoke", rule, reason)

    async def status_update(self) -> str:
        return "one\ntwo\x1b]52;c;ZXZpbA==\x07\nthree"

    async def resolve(self, ref: str, context_lines: int = 0) -> Evidence:
        return evidence(ref, b"the line")

    def events(self, after: int = 0) -> Iterator[Event]:
        return (event for event in self._events if event.seq > after)


def view_of(events: list[Event], acts: FakeActs | None = None, after_s: float = 5.0) -> SessionView:
    """A view that has learnt these events; its clock stands `after_s` after the last."""
    last = events[-1].ts if events else START
    view = SessionView(FakeClock(last + timedelta(seconds=after_s)), acts or FakeActs(events))
    for event in events:
        view.learn(event)
    view.caught_up = True
    return view
