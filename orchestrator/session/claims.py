"""The claims checker over a session: its sources, its journal, its board."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from orchestrator.hands.verifying import WorkerVerifier
from orchestrator.hands.workers import Workers
from orchestrator.journal.blobs import BlobStore
from orchestrator.journal.events import Event
from orchestrator.journal.fold import EVIDENCE_TYPES
from orchestrator.verdict.claim_lookups import Sources, ToolRecord
from orchestrator.verdict.claims import ClaimsChecker
from subagents.contract import Brief, Clock, Finding
from subagents.specialist import Agent, Roster

ReadEvents = Callable[[int], Iterable[Event]]


@dataclass
class SessionCheckers:
    """Implements `orchestrator.verdict.claim_rounds.Checkers`. What tools returned is read from the journal, once."""

    read: ReadEvents
    """Returns the events of `EVIDENCE_TYPES` after a seq."""
    blobs: BlobStore
    roster: Callable[[], Roster]
    brief: Callable[[], Brief]
    findings: Callable[[], tuple[Finding, ...]]
    """Those that count so far."""
    workers: Workers
    clock: Clock
    _seq: int = 0
    _reading: threading.Lock = field(default_factory=threading.Lock)
    _fitted: tuple[Roster, Sources] | None = field(default=None)

    def __post_init__(self) -> None:
        """Begin with nothing read."""
        self._record = ToolRecord(read_blob=self.blobs.read)

    def __call__(self) -> Callable[[], ClaimsChecker]:
        """Return what makes the checker, off the event loop, for what the session holds now."""
        roster, brief, findings = self.roster(), self.brief(), self.findings()
        if self._fitted is None or self._fitted[0] is not roster:
            self._fitted = roster, Sources(roster, self._resolver)
        sources = self._fitted[1]
        return lambda: ClaimsChecker(self._learnt(), sources, brief, findings)

    def _resolver(self, agent: Agent) -> object:
        """Return who answers for an agent: where its tools run in a worker, that worker has its sources open."""
        if agent.resolver is not None and any(tool.worker for tool in agent.tools):
            return WorkerVerifier(agent.name, self.workers, self.clock)
        return agent.resolver

    def _learnt(self) -> ToolRecord:
        with self._reading:
            for event in self.read(self._seq):
                self._record.learn(event)
                self._seq = event.seq
        return self._record


__all__ = ["EVIDENCE_TYPES", "SessionCheckers"]
