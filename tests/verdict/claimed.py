"""A small incident to make claims about: two series, a log, two repositories, deploys, and who can look them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from orchestrator.verdict.claim_lookups import Sources, ToolRecord
from orchestrator.verdict.claims import Checked, ClaimsChecker
from subagents.contract import Brief, Evidence, Fact, Finding, Incident, ToolError, Window, evidence
from subagents.specialist import Agent, Roster
from subagents.verifying import NameKind, Recomputed

SPAN = Window(start=datetime(2026, 3, 29, 8, 0, tzinfo=UTC), end=datetime(2026, 3, 29, 9, 30, tzinfo=UTC))
ERRORS = "metric:m.csv/shop/error_ratio@2026-03-29T08:00:00Z..2026-03-29T09:12:00Z"
LATENCY = "metric:m.csv/shop/latency_p99@2026-03-29T08:00:00Z..2026-03-29T09:12:00Z"
HEAP = "metric:m.csv/shop/heap_used@2026-03-29T08:00:00Z..2026-03-29T09:12:00Z"
LINE = "log:shop.log@120+1"
OTHER = "log:payments.log@0+1"
SHA = "4be1c0ffee" + "0" * 30
ELSEWHERE = "77aa5ca1ab" + "0" * 30
COMMIT = f"commit:shop-repo/{SHA}"
FOREIGN = f"commit:infra-repo/{ELSEWHERE}"
DEPLOY = "deploy:deploys.json#d-7"

DATA: Mapping[tuple[str, str], Recomputed] = {
    ("peak", ERRORS): Recomputed(value=0.1104, unit="ratio"),
    ("baseline", ERRORS): Recomputed(value=0.002018, unit="ratio"),
    ("factor", ERRORS): Recomputed(value=54.707),
    ("onset", ERRORS): Recomputed(value="2026-03-29T09:08:00.250000+00:00"),
    ("peak", LATENCY): Recomputed(value=0.8432, unit="s"),
    ("peak", HEAP): Recomputed(value=512.0, unit="MiB"),
    ("count", LINE): Recomputed(value=9012, unit="events"),
    ("first_seen", LINE): Recomputed(value="2026-03-29T09:08:07+00:00"),
    ("deployed_at", DEPLOY): Recomputed(value="2026-03-29T09:05:00+00:00"),
}
TEXTS = {
    ERRORS: '[["2026-03-29T08:00:00Z",0.002]]',
    LATENCY: '[["2026-03-29T08:00:00Z",0.2]]',
    HEAP: '[["2026-03-29T08:00:00Z",512]]',
    LINE: "2026-03-29T09:08:07Z ERROR shop upstream  timed out after 1500 ms calling payments",
    OTHER: "2026-03-29T09:08:09Z WARN payments card declined for order 17",
    COMMIT: f"commit {SHA}\nAuthor: Ada Okoro <ada@example.org>\n\n"
    "cut the pool from 50 to 5\n-    pool: 50\n+    pool: 5",
    FOREIGN: f"commit {ELSEWHERE}\n\nrename a dashboard",
    DEPLOY: '{"id": "d-7", "service": "shop"}',
}
NAMES: Mapping[NameKind, frozenset[str]] = {
    "service": frozenset({"shop", "payments"}),
    "metric": frozenset({"error_ratio", "latency_p99", "heap_used"}),
    "commit": frozenset({SHA, ELSEWHERE, SHA[:12]}),
    "deploy": frozenset({"d-7"}),
    "flag": frozenset({"new-pool"}),
}


class FakeVerifier:
    """Knows what `DATA`, `TEXTS` and `NAMES` say, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.broken = False

    def resolve(self, ref: str, context_lines: int = 0) -> Evidence:
        if ref not in TEXTS:
            raise ToolError(f"there is no {ref}")
        return evidence(ref, TEXTS[ref].encode())

    def recompute(self, fact: Fact, board: Sequence[Finding] = ()) -> Recomputed | None:
        self.asked.append((fact.quantity, fact.citation))
        if self.broken:
            raise ZeroDivisionError("a defect of its own")
        if fact.quantity in ("score", "rank"):
            return None
        if (fact.quantity, fact.citation) not in DATA:
            raise ToolError(f"{fact.citation} holds no {fact.quantity}")
        return DATA[fact.quantity, fact.citation]

    def has(self, kind: NameKind, name: str) -> bool | None:
        return name in NAMES[kind] if kind in NAMES else None

    def span(self) -> Window | None:
        return SPAN


def record() -> ToolRecord:
    """What tools returned: all evidence but `FOREIGN` and `HEAP`, and the score of a commit."""
    known = ToolRecord({ref: evidence(ref, text.encode()) for ref, text in TEXTS.items() if ref not in (FOREIGN, HEAP)})
    known.measure({"suspects": [{"ref": COMMIT, "score": 0.8731, "rank": 1}]})
    return known


def roster(verifier: object) -> Roster:
    agent = Agent(
        name="all",
        description="",
        mission="",
        prompt="",
        tools=(),
        resolver=verifier,  # type: ignore[arg-type] # strict fakes of several kinds
        cites=("log", "metric", "commit", "deploy", "flag", "runbook"),
    )
    return Roster({"all": agent})


BRIEF = Brief(incident=Incident(id="INC-7", title="checkout answers 5xx", service="checkout"))


def checker(verifier: object | None = None, board: Sequence[Finding] = ()) -> ClaimsChecker:
    return ClaimsChecker(record(), Sources(roster(verifier or FakeVerifier())), BRIEF, board)


def fact(quantity: str, value: float | int | str, citation: str, unit: str = "") -> Fact:
    return Fact(quantity=quantity, value=value, unit=unit, citation=citation)


def finding(claim: str = "it broke", **more: Any) -> Finding:
    return Finding.model_validate({"agent": "logs", "claim": claim, "topic": "errors", **more})


def check(claim: Finding, verifier: object | None = None) -> Checked:
    return checker(verifier).finding(claim)
