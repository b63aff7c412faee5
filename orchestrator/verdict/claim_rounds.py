"""The one gate through which claims become part of a session, and the bounded way back to whoever claimed them.

    doubts = await rounds.check_finding(finding)
    if doubts and (text := await rounds.hand_back(finding, doubts, thread)):
        return text                      # to the claimant, who corrects it; nothing is on the board
    await desk.record(...)               # checked again (from memory): it counts, or it stands marked

Every hand-back is on record, so that a resumed session goes on counting. When no round is left `hand_back` returns
nothing: the claim is recorded as it is, marked, and does not count; a verdict is recorded with its corrected form.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from orchestrator.hands.threads import in_thread
from orchestrator.journal.doubts import Doubt
from orchestrator.journal.events import MAIN_THREAD, Body, ClaimsChecked, Event, FindingReported, VerdictReached
from orchestrator.journal.verdict import Verdict
from orchestrator.verdict.claim_correction import corrected
from orchestrator.verdict.claims import Checked, ClaimsChecker
from subagents.contract import Clock, Evidence, Finding
from subagents.quantities import counted

ROUNDS = 2
"""How often a claim about one thing goes back to its claimant."""
CHECK_S = 30.0
"""Longest that the check of one claim may take; what it did not settle by then counts as unchecked."""
SHOWN = 12
"""Most doubts that are handed back at once."""
HAND_BACK = """\
{subject} was checked against the data and does not hold, so it is not recorded. What does not hold:
{doubts}
Correct exactly these parts, or leave them out, and call again. Cite only what a tool returned to you; take numbers \
with their unit from what you cite; where the data does not show it, do not claim it.
{left}"""


class Checkers(Protocol):
    """Makes the checker for what the session holds now."""

    def __call__(self) -> Callable[[], ClaimsChecker]:
        """Take what the loop owns, and return what makes the checker from it off the loop."""


class Append(Protocol):
    """Puts a body on record."""

    def __call__(self, body: Body, thread: str, source_id: str) -> Awaitable[object]:
        """Return once it is durable."""


@dataclass
class ClaimRounds:
    """See the module. Belongs to one event loop; each check runs in a thread of its own."""

    checker: Checkers
    append: Append
    clock: Clock
    limit: int = ROUNDS
    seconds: float = CHECK_S
    doubts: dict[str, tuple[Doubt, ...]] = field(default_factory=dict)
    """What does not hold of each claim that was checked, by the finding's or the verdict's id."""
    _handed: Counter[tuple[str, str]] = field(default_factory=Counter)
    _seen: set[int] = field(default_factory=set)

    def learn(self, event: Event) -> None:
        """Take one event into account; the same event twice changes nothing."""
        body = event.body
        if not isinstance(body, ClaimsChecked) or event.seq in self._seen:
            return
        self._seen.add(event.seq)
        self.doubts[body.id] = body.doubts
        self._handed[body.claimant, body.slot] += body.handed_back

    def holds(self, identity: str) -> bool:
        """Say whether a claim counts, as far as it was checked."""
        return not self.doubts.get(identity)

    # -- checking ------------------------------------------------------------------------------------

    async def check_finding(self, finding: Finding) -> tuple[Doubt, ...]:
        """Return what does not hold in a finding; empty where it counts."""
        return tuple((await self._check(lambda checker, into: checker.finding(finding, into))).doubts)

    async def check_verdict(self, verdict: Verdict, evidence: Sequence[Evidence] = ()) -> tuple[Doubt, ...]:
        """Return what does not hold in a verdict."""
        return tuple((await self._check(lambda checker, into: checker.verdict(verdict, evidence, into))).doubts)

    async def _check(self, work: Callable[[ClaimsChecker, Checked], Checked]) -> Checked:
        make, found = self.checker(), Checked()
        answer = in_thread(lambda: work(make(), found), "check-claims")
        limit = asyncio.ensure_future(self.clock.sleep(self.seconds))
        awaited: set[asyncio.Future[Any]] = {answer, limit}
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                try:
                    return answer.result()
                except Exception as error:  # a claim that breaks the check is not shown to hold, and ends no session
                    found.doubt("claim", "all of it", f"the check broke off: {type(error).__name__}", "malformed")
                    return found
        finally:
            limit.cancel()
            answer.cancel()
        # The thread may still write into what it was given: what it found by now is kept, in lists of our own.
        late = f"what was not checked by then: the check took longer than {self.seconds:.0f} s"
        return Checked(found.claimant, list(found.doubts), [*found.unchecked, late], dict(found.evidence), found.count)

    # -- the gate ------------------------------------------------------------------------------------

    async def ruled(self, body: FindingReported | VerdictReached) -> tuple[ClaimsChecked | None, Body]:
        """Return what the checker says of a claim (None: there is nothing to say) and the claim as it is recorded."""
        if isinstance(body, FindingReported):
            found = await self._check(lambda checker, into: checker.finding(body.finding, into))
            check = self._checked(body.finding, found, identity=body.id)
            return check, body
        found = await self._check(lambda checker, into: checker.verdict(body.verdict, body.evidence, into))
        brought = tuple(item for item in body.evidence if item.ref not in {one.claim for one in found.doubts})
        left = corrected(body.verdict, found.doubts)
        changes = {
            "id": verdict_id(body.verdict),
            "evidence": brought,
            "corrected": None if left == body.verdict else left,
        }
        return self._checked(body.verdict, found), body.model_copy(update=changes)

    def _checked(
        self, claim: Finding | Verdict, found: Checked, *, identity: str = "", handed_back: bool = False
    ) -> ClaimsChecked | None:
        if not (found.doubts or found.unchecked or found.count):
            return None
        about = isinstance(claim, Finding)
        return ClaimsChecked(
            subject="finding" if about else "verdict",
            id=identity or (claim.id if isinstance(claim, Finding) else verdict_id(claim)),
            claimant=claimant_of(claim),
            slot=slot_of(claim),
            claim=(claim.claim if isinstance(claim, Finding) else claim.headline)[:1000],
            doubts=tuple(found.doubts),
            unchecked=tuple(found.unchecked[:100]),
            checked=found.count,
            handed_back=handed_back,
            evidence=tuple(found.evidence.values()),
        )

    # -- the way back --------------------------------------------------------------------------------

    def rounds_left(self, claim: Finding | Verdict) -> int:
        """Return how often a claim about this may still go back to its claimant."""
        return max(0, self.limit - self._handed[claimant_of(claim), slot_of(claim)])

    async def hand_back(self, claim: Finding | Verdict, doubts: Sequence[Doubt], thread: str = MAIN_THREAD) -> str:
        """Use up a round: put it on record and return what the claimant is told. Empty: no round is left."""
        left = self.rounds_left(claim)
        if not doubts or not left:
            return ""
        check = self._checked(claim, Checked(doubts=list(doubts)), handed_back=True)
        if check is not None:
            number = self.limit - left + 1
            await self.append(check, thread, f"handed-back-{check.claimant}-{slot_id(claim)}-{number}")
        return told(claim, doubts, left - 1)


def told(claim: Finding | Verdict, doubts: Sequence[Doubt], left: int) -> str:
    """Return what a claimant is told of a claim that does not hold."""
    lines = [f"- {doubt.line()}" for doubt in doubts[:SHOWN]]
    lines += [f"- and {len(doubts) - SHOWN} more"] if len(doubts) > SHOWN else []
    last = "This is the last correction that is taken."
    more = f"You can correct it {counted(left, 'more time')} after this." if left else last
    subject = "The finding" if isinstance(claim, Finding) else "The verdict"
    return HAND_BACK.format(subject=subject, doubts="\n".join(lines), left=more)


def claimant_of(claim: Finding | Verdict) -> str:
    """Return who claims it."""
    return claim.agent if isinstance(claim, Finding) else MAIN_THREAD


def slot_of(claim: Finding | Verdict) -> str:
    """Return what a claim is about, so that a corrected one counts as the next round of it."""
    if not isinstance(claim, Finding):
        return "verdict"
    return f"{claim.topic}:{claim.about.id}" if claim.about else claim.topic


def slot_id(claim: Finding | Verdict) -> str:
    """Return the slot as a short id."""
    return hashlib.sha256(slot_of(claim).encode()).hexdigest()[:12]


def verdict_id(verdict: Verdict) -> str:
    """Return a verdict's content-addressed id."""
    return "v-" + hashlib.sha256(verdict.model_dump_json(exclude_none=True).encode()).hexdigest()[:10]
