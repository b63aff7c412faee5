"""A candidate cause: what was found about it, and, apart from that, what a person said of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orchestrator.journal.doubts import Doubt
from subagents.contract import Finding, Suspect

HypothesisState = Literal["open", "supported", "ruled out", "not testable"]
SUPPORTED_FROM = 0.5
"""Score from which a hypothesis counts as supported rather than open."""

TO_TEST = "; to test it: "
"""Stands, in a gap, between why this data cannot test a suspect and the command that would."""


@dataclass(frozen=True)
class Held:
    """A finding as the board holds it."""

    id: str
    finding: Finding
    doubts: tuple[Doubt, ...] = ()
    """What in it does not hold; with any, it counts nowhere."""
    unchecked: tuple[str, ...] = ()
    """Numbers in it that no data settles."""


@dataclass(frozen=True)
class Word:
    """What a person said of a hypothesis. It is shown as theirs, decides what is looked at, and is in no score."""

    by: str
    note: str = ""
    at: datetime | None = None

    def words(self, verb: str) -> str:
        """Return it as a sentence: who did what, when, and why."""
        when = f" at {self.at:%H:%M:%S} UTC" if self.at is not None else ""
        return f"{verb} by {self.by}{when}" + (f": {self.note}" if self.note else "")


@dataclass(frozen=True)
class Hypothesis:
    """A candidate cause with all that was found about it, and a person's word on it."""

    suspect: Suspect
    supporting: tuple[Finding, ...] = ()
    opposing: tuple[Finding, ...] = ()
    excluding: tuple[Finding, ...] = ()
    doubted: tuple[Held, ...] = ()
    """What was claimed about it and does not hold: shown, and in no score."""
    untested: tuple[Finding, ...] = ()
    """Why this data cannot test it, as who tried says."""
    added: Word | None = None
    """A person put it on the board."""
    pin: Word | None = None
    """A person wants it looked at first: it stays on top."""
    closed: Word | None = None
    """A person ruled it out."""

    @property
    def pinned(self) -> bool:
        """Whether it stays on top."""
        return self.pin is not None

    @property
    def touched(self) -> bool:
        """Whether a person's word on it stands."""
        return bool(self.added or self.pin or self.closed)

    @property
    def support(self) -> float:
        """What the findings for it come to: independent grounds leave less and less in doubt."""
        doubt = 1.0
        for finding in self.supporting:
            doubt *= 1.0 - finding.weight
        return 1.0 - doubt

    @property
    def trust(self) -> float:
        """What the findings against it leave of that, 0 to 1."""
        trust = 1.0
        for finding in self.opposing:
            trust *= 1.0 - finding.weight
        return trust

    @property
    def score(self) -> float:
        """How well it holds by evidence alone, 0 to 1."""
        return 0.0 if self.excluding else round(self.support * self.trust, 4)

    @property
    def state(self) -> HypothesisState:
        """Where it stands."""
        if self.excluding or self.closed is not None:
            return "ruled out"
        if self.score >= SUPPORTED_FROM:
            return "supported"
        if self.supporting or self.opposing or self.doubted:
            return "open"
        return "open" if self.touched and not self.untested else "not testable"

    @property
    def reasons(self) -> tuple[str, ...]:
        """The grounds of the score, strongest first, each with its sign and weight."""
        signed = [("-", f) for f in (*self.excluding, *self.opposing)] + [("+", f) for f in self.supporting]
        signed.sort(key=lambda item: -item[1].weight)
        return tuple(f"{sign}{finding.weight:.2f} {finding.claim}" for sign, finding in signed)

    @property
    def edits(self) -> tuple[str, ...]:
        """What a person's word on it is, in sentences; empty where there is none."""
        said = ((self.added, "added"), (self.pin, "pinned"), (self.closed, "ruled out"))
        return tuple(word.words(verb) for word, verb in said if word is not None)

    @property
    def sum(self) -> str:
        """Return how the score comes about, as a person would reckon it."""
        if self.excluding:
            return "0.00: a finding rules it out, whatever speaks for it"
        if not self.supporting:
            return "0.00: nothing was found for it"
        grounds = " x ".join(f"(1 - {f.weight:.2f})" for f in self.supporting)
        sum_ = f"1 - {grounds} = " if len(self.supporting) > 1 else ""
        for_it = f"for it {sum_}{self.support:.2f}"
        if not self.opposing:
            return f"{self.score:.2f}: {for_it}; nothing against it"
        left = " x ".join(f"(1 - {f.weight:.2f})" for f in self.opposing)
        return f"{self.score:.2f}: {for_it}; findings against leave {left} = {self.trust:.2f} of it"
