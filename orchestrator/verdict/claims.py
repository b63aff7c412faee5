"""The claims checker: whatever a finding or a verdict says that can be looked up, is.

Citations are resolved, facts recomputed from what they cite, names and times looked up in the sources, quotes searched
in what is cited for them. What does not hold is a `Doubt`; what no data settles is listed as unchecked and refused by
nobody. The checker reads files: call it off the event loop (`claim_rounds` does).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.journal.doubts import Doubt, DoubtKind
from orchestrator.journal.verdict import Culprit, Symptom, Verdict
from orchestrator.verdict.claim_checked import Checked
from orchestrator.verdict.claim_figures import unsettled
from orchestrator.verdict.claim_lookups import Sources, ToolRecord, Unsettled
from orchestrator.verdict.claim_numbers import is_finite, mismatch, moment, unit_of
from orchestrator.verdict.claim_parts import (
    alert_numbers,
    cited,
    derived,
    facts_of,
    remarks_of,
    services_of,
    texts_of,
    times_of,
)
from orchestrator.verdict.claim_sentences import GRACE, Sentences
from orchestrator.verdict.claim_words import commits, quoted_in
from subagents import citations, quantities
from subagents.contract import Brief, Evidence, Fact, Finding, Suspect, ToolError, Window
from subagents.specialist import Roster
from subagents.verifying import NameKind, Recomputed

__all__ = ["Checked", "ClaimsChecker", "Doubt", "cited", "unresolved"]

UNKNOWN = "no tool call of this session returned"
_LOOKED_UP: dict[str, tuple[NameKind, DoubtKind]] = {
    "commit": ("commit", "commit"),
    "deploy": ("deploy", "record"),
    "flag": ("flag", "record"),
    "service": ("service", "service"),
    "host": ("host", "record"),
}
"""Kinds of suspects that are names of something in the sources."""
_STANDS = ("ruled out", "unlikely", "consequence", "goes with it")
"""What an exclusion may say that has to rest on something."""
_NAMED_AS: dict[str, tuple[NameKind, ...]] = {"dependency": ("service", "host"), "traffic": ("service",)}
"""Kinds of suspects that are named as something else is: where no source knows it, that is said, no more."""


@dataclass
class ClaimsChecker:
    """Checks claims against the sources, and against what tool calls of this session returned."""

    record: ToolRecord
    sources: Sources = field(default_factory=lambda: Sources(Roster({})))
    brief: Brief | None = None
    board: Sequence[Finding] = ()
    """The findings that count so far."""

    def __post_init__(self) -> None:
        """Make what checks sentences."""
        self._sentences = Sentences(self.record, self.sources, self.brief, self._reach)

    def finding(self, finding: Finding, into: Checked | None = None) -> Checked:
        """Check a finding; what is found is filled `into` as the check goes on."""
        found = Checked() if into is None else into
        found.claimant = finding.agent
        refs = tuple(dict.fromkeys((*finding.citations, *(fact.citation for fact in finding.facts))))
        bad = self._citations(found, (("citations", ref) for ref in finding.citations))
        self._facts(found, "facts", finding.facts, bad)
        if finding.about is not None:
            self._suspect(found, "about", finding.about)
            if finding.stance != "observes" and not refs:
                found.doubt("citations", finding.about.id, "it takes a stand and nothing is cited for it", "citation")
        for at, service in enumerate(finding.services):
            self._name(found, f"services[{at}]", "service", service, "service")
        self._sentences.moment(found, "at", finding.at, refs)
        self._sentences.check(found, "claim", finding.claim, [ref for ref in refs if ref not in bad])
        for stated in unsettled(finding.claim, finding.facts, [finding.at] if finding.at else []):
            found.unsettled(stated)
        return found

    def verdict(self, verdict: Verdict, evidence: Iterable[Evidence] = (), into: Checked | None = None) -> Checked:
        """Check a verdict; `evidence` is what it brings along, which must be what the sources hold."""
        found = Checked() if into is None else into
        for item in evidence:
            self._brought(found, item)
        body = verdict.model_dump(mode="json")
        bad = self._citations(found, cited(body))
        self._symptom(found, verdict, bad)
        self._cause(found, verdict, bad)
        for place, facts in facts_of(verdict):
            self._facts(found, place, facts, bad)
        for place, service in services_of(verdict):
            self._name(found, place, "service", service, "service")
        for at, score in enumerate(verdict.suspects):
            self._name(found, f"suspects[{at}].commit", "commit", score.commit, "commit")
        for place, at_, refs in times_of(verdict):
            self._sentences.moment(found, place, at_, refs)
        for at, action in enumerate(verdict.actions):
            for sha in commits(action.command or ""):
                self._sentences.commit(found, f"actions[{at}].command", sha)
        every = [ref for _, ref in cited(body) if ref not in bad]
        for place, text, refs in texts_of(verdict):
            self._sentences.check(found, place, text, [ref for ref in refs if ref not in bad], every)
        self._uncited(found, verdict)
        for place, text in remarks_of(verdict):
            self._sentences.check(found, place, text, (), every)
        self._numbers_in(found, verdict)
        return found

    # -- citations -----------------------------------------------------------------------------------

    def _citations(self, found: Checked, refs: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Check citations; return those that do not hold, with the reason."""
        bad: dict[str, str] = {}
        for place, ref in refs:
            reason = bad.get(ref) or self._citation(found, ref)
            if reason:
                bad[ref] = reason
                found.doubt(place, ref, reason, "citation")
        return bad

    def _citation(self, found: Checked, ref: str) -> str | None:
        """Return why `ref` is no evidence; None where it is. What no tool returned is opened, and kept."""
        found.count += 1
        reason = unresolved(ref, self.record)
        if reason is None or ref in found.evidence:
            return None
        if not reason.startswith(UNKNOWN):
            return reason
        try:
            found.evidence[ref] = self.sources.resolve(ref)
        except (ToolError, Unsettled) as error:
            return f"{UNKNOWN} {ref}, and it does not open: {error}"
        return None

    def _brought(self, found: Checked, item: Evidence) -> None:
        """Take evidence that a verdict brings along only where the source holds the same."""
        if item.ref in self.record:
            return
        try:
            now = self.sources.resolve(item.ref)
        except (ToolError, Unsettled) as error:
            found.doubt("evidence", item.ref, f"it does not open: {error}", "citation")
            return
        found.evidence[item.ref] = now
        if now.digest != item.digest:
            found.doubt("evidence", item.ref, "the source holds something else", "citation")

    # -- facts ---------------------------------------------------------------------------------------

    def _facts(self, found: Checked, place: str, facts: Sequence[Fact], bad: dict[str, str]) -> None:
        for at, fact in enumerate(facts):
            where, said = f"{place}[{at}]", f"{fact.quantity} {fact.value} {fact.unit}".strip()
            reason = bad.get(fact.citation) or self._citation(found, fact.citation)
            if reason:
                bad[fact.citation] = reason
                found.doubt(where, fact.citation, reason, "citation")
            elif not self._malformed(found, where, said, fact):
                self._fact(found, where, said, fact)

    def _malformed(self, found: Checked, place: str, said: str, fact: Fact) -> bool:
        if not isinstance(fact.value, str) and not is_finite(fact.value):
            found.doubt(place, fact.quantity, f"{fact.quantity} is no number that anything has", "malformed")
            return True
        if fact.quantity in quantities.MOMENTS:
            try:
                moment(str(fact.value))
            except ValueError as error:
                found.doubt(place, said, f"{fact.quantity} is {error}", "malformed")
                return True
        elif isinstance(fact.value, str) and fact.quantity in quantities.KNOWN:
            found.doubt(place, said, f"{fact.quantity} is not a number: {fact.value!r}", "malformed")
            return True
        return False

    def _fact(self, found: Checked, place: str, said: str, fact: Fact) -> None:
        found.count += 1
        try:
            data = self.sources.recompute(fact, self.board)
        except ToolError as error:
            if fact.quantity in quantities.KNOWN:
                found.doubt(place, said, f"what it cites does not give it: {error}", "number")
            else:
                found.unsettled(said)
            return
        except Unsettled as error:
            found.unsettled(f"{said} (could not be recomputed: {error})")
            return
        if data is not None:
            wrong = mismatch(fact, data)
            if wrong is not None:
                found.doubt(place, said, wrong.reason, wrong.kind)
            elif not isinstance(data.value, str) and unit_of(fact.unit) and not data.unit:
                found.unsettled(f"{said} (the data names no unit)")
            return
        self._against_tools(found, place, said, fact)

    def _against_tools(self, found: Checked, place: str, said: str, fact: Fact) -> None:
        """Compare a fact that no data settles with what tools of this session measured at the same citation."""
        measured = self.record.measured(fact.quantity, fact.citation)
        if not measured:
            found.unsettled(said)
        elif all(mismatch(fact, Recomputed(value=value, unit=fact.unit)) for value in measured):
            shown = ", ".join(str(value) for value in measured[-3:])
            found.doubt(place, said, f"the tools of this session measured {shown}", "number")

    # -- names and times -----------------------------------------------------------------------------

    def _name(self, found: Checked, place: str, kind: NameKind, name: str, doubt: DoubtKind) -> None:
        found.count += 1
        if kind == "service" and name in self._named:
            return
        known = self.sources.has(kind, name, found.claimant)
        if known is False:
            found.doubt(place, name, f"the sources know no {kind} of this name", doubt)
        elif known is None and kind in ("flag", "deploy") and not self._sentences.is_said_anywhere(name):
            found.doubt(place, name, f"no source holds a {kind}, and nothing that was read names it", doubt)
        elif known is None and kind in ("flag", "deploy", "host"):
            found.unsettled(f"{kind} {name} (no source holds names of this kind)")

    @property
    def _named(self) -> frozenset[str]:
        """The services that the alert, the person or the settings name."""
        if self.brief is None:
            return frozenset()
        incident = self.brief.incident
        alert = incident.alert
        given = [incident.service, *incident.services, alert.service if alert else None]
        given += [name for one in self.brief.services for name in (one.name, *one.depends_on)]
        given += [spec.options.get("service") for spec in self.brief.sources]
        return frozenset(name for name in given if name)

    def _suspect(self, found: Checked, place: str, suspect: Suspect) -> None:
        if suspect.kind == "commit" and suspect.label:
            self._label(found, place, suspect)
        if suspect.kind in _LOOKED_UP:
            kind, doubt = _LOOKED_UP[suspect.kind]
            self._name(found, f"{place}.key", kind, suspect.key, doubt)
        elif (kinds := _NAMED_AS.get(suspect.kind, ())) and " " not in suspect.key:
            found.count += 1
            known = suspect.key in self._named or self.record.says(suspect.key)
            if not known and not any(self.sources.has(one, suspect.key) for one in kinds):
                found.unsettled(f"{suspect.kind} {suspect.key} (a name that no source knows)")

    def _label(self, found: Checked, place: str, suspect: Suspect) -> None:
        """Refuse a name for a commit that the evidence of the commit does not say: the board shows it by that name."""
        held = (*self.record.of_commit(suspect.key), *found.evidence.values())
        mine = [f"{item.label}\n{item.excerpt}" for item in held if suspect.key in item.ref]
        found.count += 1
        if any(quoted_in(suspect.label, passage) for passage in mine):
            return
        if mine:
            reason = "not what this commit is called: use words of its subject, or no label"
            found.doubt(f"{place}.label", suspect.label, reason, "commit")
        else:
            found.unsettled(f"“{suspect.label[:80]}” for {suspect.key[:12]} (not what is known of this commit)")

    def _reach(self, refs: Sequence[str]) -> Window | None:
        """Return the time that what is cited can speak of; None where that is not known."""
        span = self.sources.span(refs) if refs else self.sources.whole_span()
        if span is None or self.brief is None:
            return span
        incident = self.brief.incident
        fired = incident.alert.fired_at if incident.alert else None
        named = [at for at in (incident.started_at, fired) if at is not None]
        named += [incident.window.start, incident.window.end] if incident.window else []
        return Window(start=min([span.start, *named]), end=max([span.end, *named]))

    # -- the parts of a verdict ----------------------------------------------------------------------

    def _symptom(self, found: Checked, verdict: Verdict, bad: dict[str, str]) -> None:
        symptom = verdict.symptom
        if symptom is None:
            return
        self._facts(found, "symptom.facts", symptom.facts, bad)
        self._onset(found, symptom, bad)
        self._metric(found, symptom, bad)

    def _metric(self, found: Checked, symptom: Symptom, bad: dict[str, str]) -> None:
        if symptom.metric is None:
            return
        found.count += 1
        refs = (*symptom.citations, *(fact.citation for fact in symptom.facts))
        series = [ref.name for text in refs if text not in bad and isinstance(ref := citations.parse(text), _METRIC)]
        if series and symptom.metric not in series:
            reason = f"the series that are cited are {', '.join(dict.fromkeys(series))}"
            found.doubt("symptom.metric", symptom.metric, reason, "metric")
        elif not series:
            self._name(found, "symptom.metric", "metric", symptom.metric, "metric")

    def _onset(self, found: Checked, symptom: Symptom, bad: dict[str, str]) -> None:
        """Compare the onset with when the series that are cited for the symptom left their baselines."""
        given = self.brief.incident.started_at if self.brief is not None else None
        if symptom.onset is None or symptom.onset == given:
            return
        measured: list[datetime] = []
        for ref in symptom.citations:
            if ref.startswith("metric:") and ref not in bad:
                said = Fact(quantity=quantities.ONSET, value=symptom.onset.isoformat(), citation=ref)
                with suppress(ToolError, Unsettled, ValueError):
                    data = self.sources.recompute(said, self.board)
                    measured += [moment(str(data.value))] if data is not None else []
        found.count += bool(measured)
        if measured and not any(abs(at - symptom.onset) <= GRACE for at in measured):
            reason = f"what is cited leaves its baseline at {', '.join(at.isoformat() for at in measured)}"
            found.doubt("symptom.onset", symptom.onset.isoformat(), reason, "time")

    def _cause(self, found: Checked, verdict: Verdict, bad: dict[str, str]) -> None:
        cause, culprit = verdict.cause, verdict.culprit
        if cause is not None and cause.suspect is not None:
            self._suspect(found, "cause.suspect", cause.suspect)
        for at, item in enumerate(verdict.ruled_out):
            self._suspect(found, f"ruled_out[{at}].suspect", item.suspect)
        if culprit is not None and culprit.commit is not None:
            self._culprit(found, culprit)
        if verdict.kind in ("culprit", "no_code_cause"):
            rests_on = [*(cause.citations if cause else ()), *(ref for step in verdict.chain for ref in step.citations)]
            rests_on += [culprit.deploy] if culprit is not None and culprit.deploy else []
            if not any(ref not in bad for ref in rests_on):
                found.doubt("cause", verdict.kind, "nothing that holds is cited for it", "citation")

    def _uncited(self, found: Checked, verdict: Verdict) -> None:
        """Refuse exclusions that nothing is cited for, and list other parts that cite nothing."""
        for at, item in enumerate(verdict.ruled_out):
            if item.result in _STANDS and not item.citations:
                reason = f"it is said to be {item.result!r} and nothing is cited for it"
                found.doubt(f"ruled_out[{at}].reason", item.suspect.id, reason, "citation")
        texts = [one.text for one in verdict.chain if not one.citations]
        texts += [one.text for one in (*verdict.blast_radius, *verdict.contradictions) if not one.citations]
        for text in texts:
            found.unsettled(f"{text[:80]} (nothing is cited for it)")

    def _culprit(self, found: Checked, culprit: Culprit) -> None:
        """Look a commit up in the source that is named with it, else in all; who made it is what the source says."""
        commit, source = culprit.commit or "", culprit.source
        before = len(found.doubts)
        self._name(found, "culprit.commit", "commit", commit, "commit")
        if len(found.doubts) > before or not source or self.sources.has("commit", commit) is None:
            return
        try:
            ref = str(citations.CommitRef(source=source, sha=commit))
            item = self.record.get(ref) or self.sources.resolve(ref)
        except ToolError as error:
            found.doubt("culprit.commit", commit, f"not a commit of {source}: {error}", "commit")
            return
        except (Unsettled, ValueError):
            return
        for name, said in (("author", culprit.author), ("subject", culprit.subject)):
            found.count += bool(said)
            if said and not quoted_in(said, f"{item.label}\n{item.excerpt}"):
                found.doubt(f"culprit.{name}", said, f"not what {source} says of this commit", "commit")

    def _numbers_in(self, found: Checked, verdict: Verdict) -> None:
        sure = Fact(quantity="confidence", value=verdict.confidence.value, unit="ratio", citation="")
        facts = [
            sure,
            *(verdict.symptom.facts if verdict.symptom else ()),
            *(fact for _, facts in facts_of(verdict) for fact in facts),
            *alert_numbers(self.brief.incident if self.brief is not None else None),
            *derived(verdict, self.board),
            *(f for one in self.board for f in one.facts),
        ]
        moments = [at for _, at, _ in times_of(verdict) if at] + [one.at for one in self.board if one.at]
        texts = [text for _, text, _ in texts_of(verdict)] + [text for _, text in remarks_of(verdict)]
        for text in texts:
            for stated in unsettled(text, facts, moments):
                found.unsettled(stated)


_METRIC = citations.MetricRef


def unresolved(ref: str, record: ToolRecord) -> str | None:
    """Return why the session's record does not hold a citation; None where it does."""
    try:
        citations.parse(ref)
    except ToolError as error:
        return str(error)
    return None if ref in record else f"{UNKNOWN} {ref}"
