"""Sentences of claims: their quotes, commits, names and times are looked up in what is cited, and in the sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.verdict.claim_checked import Checked
from orchestrator.verdict.claim_lookups import Sources, ToolRecord
from orchestrator.verdict.claim_words import commits, ids, names, plain_quotes, quoted_in, quotes, times, unescaped
from subagents.contract import EXCERPT_LIMIT, Brief, Window
from subagents.verifying import NameKind

GRACE = timedelta(minutes=1)
"""By so much a time may lie outside what the sources cover: metrics come by the minute."""
LONGEST = 20_000
"""Most characters of one sentence: nobody reads a longer one, and a check of it does not end."""
_QUOTABLE: tuple[NameKind, ...] = ("service", "metric", "commit", "deploy", "flag", "host", "path")
_NAMED: tuple[NameKind, ...] = ("service", "metric", "flag", "host", "deploy")
_SENTENCE = 12
"""Characters from which on words with blanks are what a file says, and no name that the writer gave."""


@dataclass
class Sentences:
    """Checks what stands in words."""

    record: ToolRecord
    sources: Sources
    brief: Brief | None
    reach: Callable[[Sequence[str]], Window | None]
    """Returns the time that what is cited can speak of."""

    def check(self, found: Checked, place: str, text: str, refs: Sequence[str], near: Sequence[str] = ()) -> None:
        """Check a sentence; `refs` is cited for it and holds, `near` is cited around it.

        Where nothing is cited for a sentence itself, whatever a tool returned may be what it quotes, and what nothing
        says is listed and refused by nobody.
        """
        if len(text) > LONGEST:
            found.doubt(place, text[:80], f"longer than {LONGEST} characters: say it in a sentence", "malformed")
            return
        for sha in commits(text):
            self.commit(found, place, sha)
        self._times(found, place, text, refs or near)
        passages, whole = self._passages(found, refs or near)
        for quote in (*quotes(text), *plain_quotes(text)):
            found.count += 1
            if self._is_said(quote, passages) or self._known(found, quote, _QUOTABLE):
                continue
            if refs:
                self._quote(found, place, quote, whole=whole, sure=quote in quotes(text))
            elif not self.record.says(quote):
                found.unsettled(f"“{quote}” (nothing is cited for it)")
        self._names(found, text, passages)

    def commit(self, found: Checked, place: str, sha: str) -> None:
        """Look a commit up."""
        found.count += 1
        if self.sources.has("commit", sha, found.claimant) is False:
            found.doubt(place, sha, "the sources know no commit of this name", "commit")

    def is_said_anywhere(self, words: str) -> bool:
        """Say whether anything that a tool returned says this, or who opened the incident."""
        return self.record.says(words) or self._is_said(words, [])

    def moment(self, found: Checked, place: str, at: datetime | None, refs: Sequence[str]) -> None:
        """Check that a moment lies in what the sources cover."""
        reach = None if at is None else self.reach(refs)
        if at is None or reach is None:
            return
        found.count += 1
        if not reach.start - GRACE <= at <= reach.end + GRACE:
            found.doubt(place, at.isoformat(), _outside(reach), "time")

    def _times(self, found: Checked, place: str, text: str, refs: Sequence[str]) -> None:
        for one in times(text):
            reach = self.reach(refs)
            if reach is None:
                return
            found.count += 1
            if not one.may_lie_in(reach.start - GRACE, reach.end + GRACE):
                found.doubt(place, one.written, _outside(reach), "time")

    def _passages(self, found: Checked, refs: Sequence[str]) -> tuple[list[str], bool]:
        """Return what is cited, as texts, and whether each is kept as a whole."""
        held = [item for ref in refs if (item := self.record.get(ref) or found.evidence.get(ref)) is not None]
        whole = bool(held) and all(0 < len(item.excerpt.encode()) < EXCERPT_LIMIT - 4 for item in held)
        passages = [f"{item.ref}\n{item.label}\n{item.excerpt}" for item in held]
        return [*passages, *(unescaped(passage) for passage in passages if "\\" in passage)], whole

    def _quote(self, found: Checked, place: str, quote: str, *, whole: bool, sure: bool) -> None:
        """Say of words that what is cited does not hold what they are; `sure`: they are meant as words of it."""
        if not whole:
            found.unsettled(f"“{quote}” (beyond the excerpt that is kept)")
        elif sure or (len(quote) >= _SENTENCE and " " in quote and self.record.says(quote)):
            found.doubt(place, quote, "what is cited does not say this", "quote")
        else:
            found.unsettled(f'"{quote}"')

    def _names(self, found: Checked, text: str, passages: list[str]) -> None:
        for sha in ids(text):
            found.count += 1
            if not any(sha in passage for passage in passages) and not self._known(found, sha, ("commit",)):
                found.unsettled(f"{sha} (no commit that the sources know, and not in what is cited)")
        for name in names(text):
            found.count += 1
            if not self._is_said(name, passages) and not self._known(found, name, _NAMED):
                found.unsettled(f"{name} (a name that no source knows)")

    def _known(self, found: Checked, name: str, kinds: Sequence[NameKind]) -> bool:
        return any(self.sources.has(kind, name, found.claimant) for kind in kinds)

    def _is_said(self, words: str, passages: list[str]) -> bool:
        """Say whether what is cited, or who opened the incident, says this, or a source is called so."""
        brief = self.brief
        if brief is None:
            return any(quoted_in(words, passage) for passage in passages)
        given = [brief.incident.title, brief.incident.text, *brief.notes, *(spec.id for spec in brief.sources)]
        given += [brief.incident.alert.title, brief.incident.alert.summary] if brief.incident.alert else []
        return any(quoted_in(words, passage) for passage in (*passages, *given))


def _outside(reach: Window) -> str:
    return f"outside what the sources cover, {reach.start.isoformat()} to {reach.end.isoformat()}"
