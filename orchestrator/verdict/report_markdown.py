"""The report as Markdown: inert (see `markdown_text`) and readable as it is in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import tzinfo
from itertools import pairwise

from orchestrator.journal.verdict import Action, Cited, RuledOut, Verdict
from orchestrator.verdict.board_edits import shown
from orchestrator.verdict.fact_words import fact_words
from orchestrator.verdict.markdown_text import code, fence, inline
from orchestrator.verdict.report_budget import budget_lines
from orchestrator.verdict.report_fixes import fix_lines
from orchestrator.verdict.report_model import EvidenceEntry, Moment, Report, ReportedFinding
from orchestrator.verdict.status_update import ruled_out_words
from orchestrator.verdict.suspect_words import suspect_words
from orchestrator.verdict.timeline import was_measured
from orchestrator.verdict.when import moment, span
from subagents.contract import Fact, Suspect
from subagents.quantities import counted

KIND_WORDS = {
    "culprit": "a change did it",
    "no_code_cause": "the cause is not a code change",
    "inconclusive": "inconclusive",
    "no_incident": "no incident",
}
ORDER_TOLERANCE_S = 90.0
"""Metrics come by the minute: steps that are closer than this may be told in either order."""
UNCHECKED = 12
"""Most unchecked numbers that are listed of one claim."""
ACTION_WORDS = {"contain": "Contain", "fix": "Fix", "follow_up": "Follow up"}


def render_markdown(report: Report, zone: tzinfo | None = None) -> str:
    """Return the whole report; times in UTC and in `zone` (None: this machine's)."""
    page = _Page(report, zone)
    sections: list[Callable[[], Iterator[str]]] = [
        page.head,
        page.broken,
        page.cause,
        page.chain,
        page.ruled_out,
        page.confidence,
        page.actions,
        page.fixes,
        page.gaps,
        page.contradictions,
        page.doubted,
        page.timeline,
        page.findings,
        page.inputs,
        page.appendix,
    ]
    text = "\n\n".join("\n".join(lines).rstrip("\n") for section in sections if (lines := list(section())))
    return text + "\n"


class _Page:
    """One report being written; each method yields the lines of one section, none where it has nothing to say."""

    def __init__(self, report: Report, zone: tzinfo | None) -> None:
        self.report, self.zone = report, zone
        self.verdict: Verdict | None = report.verdict
        self.by_ref: dict[str, EvidenceEntry] = {entry.ref: entry for entry in report.evidence}

    # -- small parts -----------------------------------------------------------------------------

    def refs(self, refs: Iterable[str]) -> str:
        """Name evidence by number, and mark what does not resolve."""
        names = []
        for ref in dict.fromkeys(refs):
            entry = self.by_ref.get(ref)
            if entry is not None:
                names.append(f"E{entry.number}" + ("" if entry.resolved else " unresolved"))
        return f" ({', '.join(names)})" if names else ""

    def fact(self, fact: Fact) -> str:
        told = fact_words(fact, self.zone)
        return f"{inline(told)}{self.refs([fact.citation])}"

    def suspect(self, suspect: Suspect) -> str:
        """Name a suspect."""
        return suspect_words(suspect, code, inline)

    def cited(self, items: Iterable[Cited]) -> Iterator[str]:
        for item in items:
            yield f"- {inline(item.text)}{self.refs(item.citations)}"

    # -- sections --------------------------------------------------------------------------------

    def head(self) -> Iterator[str]:
        report, verdict = self.report, self.verdict
        yield f"# {inline(report.incident.id)}: {inline(report.incident.title)}"
        yield ""
        if verdict is None:
            why = inline(report.status_reason or "no reason given")
            yield f"**No verdict.** The session is {report.status} ({why})."
            yield "What was found so far is below; nothing here is a conclusion."
        else:
            yield f"**{inline(verdict.headline)}**"
        yield ""
        if verdict is not None:
            yield f"- Verdict: {KIND_WORDS[verdict.kind]}, {verdict.sure}"
            state = verdict.state
            as_of = f" as of {moment(state.as_of, self.zone)}" if state.as_of else ""
            because = f": {inline(state.reason)}" if state.reason else ""
            yield f"- State: {state.state}{as_of}{because}{self.refs(state.citations)}"
        yield from self.again()
        first = self.report.first_action()
        if first is not None:
            command = f": {code(first.command)}, not run" if first.command else ""
            yield f"- Do first: {inline(first.text)}{command}"
        took = f", in {span(report.seconds)}" if report.seconds else ""  # it is known once the work has stopped
        yield f"- Investigated by: {inline(report.shown_as)}{took}, opened {moment(report.opened_at, self.zone)}"
        yield f"- Session: {code(report.session)}, warroom {inline(report.version)}"
        yield from budget_lines(report.budget)
        if report.redactions:
            yield f"- Secrets replaced before anything was kept: {report.redactions:,}"
        if report.earlier_verdicts:
            yield f"- This verdict replaces {report.earlier_verdicts} earlier in the same session"
        wrong = sum(1 for item in report.doubted if not item.handed_back)
        if wrong:
            yield f"- **✗ {counted(wrong, 'claim')} found not to hold**: marked, listed below, and not counted"
        lost = sum(1 for entry in report.evidence if not entry.resolved)
        if lost:
            yield f"- **{lost} of {len(report.evidence)} citations do not resolve**; they are marked and do not count"

    def again(self) -> Iterator[str]:
        """The last re-check: what it found, what it could not tell, what else got worse."""
        again = self.report.rechecked
        if again is None:
            return
        if again.state == "unknown":
            yield f"- Measured again, by {inline(again.by)}: {again.word}: {inline(again.reason)}"
        else:
            yield f"- The state is as measured again, by {inline(again.by)}"
        yield from (f"- Meanwhile worse: {inline(text)}" for text in again.worse)
        yield from (f"- About the newer data: {inline(text)}" for text in again.remarks)
        yield from (f"- To tell: {inline(text)}" for text in again.missing)

    def broken(self) -> Iterator[str]:
        verdict, incident = self.verdict, self.report.incident
        yield "## What was broken"
        yield ""
        symptom = verdict.symptom if verdict else None
        if symptom:
            yield f"- {inline(symptom.text)}{self.refs(symptom.citations)}"
            if symptom.facts:
                yield f"- {'; '.join(self.fact(fact) for fact in symptom.facts)}"
        elif incident.alert and (incident.alert.summary or incident.alert.title):
            stands = "not confirmed by data" if verdict else "no verdict on it yet"
            yield f"- The alert says: {inline(incident.alert.summary or incident.alert.title)} ({stands})"
        else:
            yield "- No symptom was established from the data."
        since = (symptom.onset if symptom else None) or incident.started_at
        if since:
            measured = symptom is not None and was_measured(symptom, incident)
            source = "measured onset" if measured else "as the operator gave it, not measured"
            yield f"- Since: {moment(since, self.zone)} ({source})"
        if verdict and (verdict.service or verdict.affected):
            ranked = any(one.score > 0 for one in verdict.services[:1])
            word = "began in" if ranked or verdict.kind == "culprit" else "reported of"
            began = f"{word} {code(verdict.service)}" if verdict.service else "where it began is not known"
            reached = ", ".join(code(name) for name in verdict.affected if name != verdict.service)
            yield f"- Who is affected: {began}" + (f"; reached {reached}" if reached else "")
        if verdict:
            yield from self.cited(verdict.blast_radius)

    def cause(self) -> Iterator[str]:
        verdict = self.verdict
        if verdict is None:
            return
        yield "## What changed, and what did it"
        yield ""
        cause, culprit = verdict.cause, verdict.culprit
        if cause:
            yield f"- {inline(cause.mechanism)}{self.refs(cause.citations)}"
            yield f"- Trigger: {self.suspect(cause.suspect) if cause.suspect else cause.trigger}"
        if culprit:
            yield f"- Culprit: {code(culprit.commit) if culprit.commit else 'commit not known'}" + (
                f" {inline(culprit.subject)}" if culprit.subject else ""
            )
            by = [f"by {inline(culprit.author)}"] if culprit.author else []
            by += [f"in {code(culprit.service)}"] if culprit.service else []
            by += [f"carried by {code(culprit.deploy)}{self.refs([culprit.deploy])}"] if culprit.deploy else []
            if by:
                yield f"- {', '.join(by)}"
        if not cause and not culprit:
            yield "- Not established."
        scored = [one for one in verdict.suspects if round(one.score, 2) > 0]
        others = [one for one in scored if not culprit or one.commit != culprit.commit][:5]
        if others:
            yield "- Other changes considered: " + ", ".join(f"{code(s.commit[:12])} {s.score:.2f}" for s in others)

    def chain(self) -> Iterator[str]:
        steps = self.verdict.chain if self.verdict else ()
        if not steps:
            return
        yield "## How it came about"
        yield ""
        for number, step in enumerate(steps, start=1):
            at = f"{moment(step.at, self.zone)} " if step.at else ""
            yield f"{number}. {at}{step.role}: {inline(step.text)}{self.refs(step.citations)}"
        times = [step.at for step in steps if step.at]
        if any((earlier - later).total_seconds() > ORDER_TOLERANCE_S for earlier, later in pairwise(times)):
            yield ""
            yield "The times above are not in order: a step dated before its cause contradicts the chain."

    def ruled_out(self) -> Iterator[str]:
        items = self.verdict.ruled_out if self.verdict else ()
        if not items:
            return
        yield "## What else was considered"
        yield ""
        yield f"{ruled_out_words(self.report)}."
        for test in dict.fromkeys(item.test for item in items):
            yield from ("", f"Tested: {inline(test)}", "")
            for item in items:
                if item.test != test:
                    continue
                yield f"- **{item.result}**: {self._considered(item)}{self.refs(item.citations)}"
                if item.command:
                    yield f"  - to test it: {code(item.command)}"

    def _considered(self, item: RuledOut) -> str:
        """Name a suspect and why, its name once where the reason begins with it."""
        suspect, name = item.suspect, shown(item.suspect)
        bare = name.removeprefix("commit ")
        said = next((one for one in (name, bare) if item.reason.startswith(f"{one} ")), None)
        if said is None:
            return f"{self.suspect(suspect)}. {inline(item.reason)}"
        named = suspect_words(suspect.model_copy(update={"label": ""}), code)
        return f"{named} {inline(item.reason.removeprefix(said).lstrip())}"

    def confidence(self) -> Iterator[str]:
        verdict = self.verdict
        if verdict is None:
            return
        question = "How near a conclusion" if verdict.kind == "inconclusive" else "How sure"
        yield f"## {question}: {verdict.confidence.value:.0%}"
        yield ""
        yield from (f"- for: {inline(reason)}" for reason in verdict.confidence.reasons)
        yield from (f"- against: {inline(reason)}" for reason in verdict.confidence.against)
        yield from (f"- could not be checked, did not count: {inline(claim)}" for claim in verdict.unchecked)

    def actions(self) -> Iterator[str]:
        verdict = self.verdict
        if verdict is None or not verdict.actions:
            return
        yield "## What to do"
        yield ""
        yield "Warroom has run none of this."
        first = self.report.first_action()
        rest = [action for action in verdict.actions if action is not first]
        for number, action in enumerate(([first] if first else []) + rest, start=1):
            yield ""
            yield from self._action(number, action)

    def _action(self, number: int, action: Action) -> Iterator[str]:
        first = " first" if number == 1 else ""
        yield f"{number}. {ACTION_WORDS[action.kind]}{first}: {inline(action.text)}"
        if action.command:
            yield ""
            yield fence(action.command, "sh", indent="   ")
            yield ""
        for word, text in (
            ("effect", action.effect),
            ("risk", action.risk),
            ("reversible", action.reversible),
            ("verify", action.verify),
        ):
            if text:
                yield f"   - {word}: {inline(text)}"
        if action.runbook:
            yield f"   - follows runbook step {code(action.runbook)}{self.refs([action.runbook])}"

    def fixes(self) -> Iterator[str]:
        if self.report.fixes:
            yield from fix_lines(self.report.fixes)

    def gaps(self) -> Iterator[str]:
        gaps = self.verdict.gaps if self.verdict else ()
        if not gaps:
            return
        yield "## What was not looked at"
        yield ""
        for gap in gaps:
            yield f"- {inline(gap.text.rstrip('. '))}: {inline(gap.why)}"
            if gap.command:
                yield ""
                yield fence(gap.command, "sh", indent="  ")
                yield ""

    def contradictions(self) -> Iterator[str]:
        if self.verdict and self.verdict.contradictions:
            yield "## Contradictions"
            yield ""
            yield from self.cited(self.verdict.contradictions)

    def doubted(self) -> Iterator[str]:
        if not self.report.doubted and not self.report.unchecked:
            return
        yield "## What does not hold" if self.report.doubted else "## What could not be checked"
        yield ""
        for item in self.report.doubted:
            fate = "handed back" if item.handed_back else "does not count"
            yield f"- ✗ {item.subject} of {inline(item.claimant)}, {fate}: {inline(item.claim)}"
            yield from (f"  - {inline(reason)}" for reason in item.reasons)
        if self.report.unchecked:
            yield f"- not checked, in the verdict's sentences: {inline('; '.join(self.report.unchecked[:UNCHECKED]))}"

    def timeline(self) -> Iterator[str]:
        yield "## Timeline"
        yield ""
        for item in self.report.timeline:
            yield self._moment(item)

    def _moment(self, item: Moment) -> str:
        return f"- {moment(item.at, self.zone)} [{inline(item.origin)}] {inline(item.text)}{self.refs(item.citations)}"

    def findings(self) -> Iterator[str]:
        if not self.report.findings:
            return
        yield "## Findings"
        agent = ""
        for item in self.report.findings:
            if item.finding.agent != agent:
                agent = item.finding.agent
                yield ""
                yield f"### {inline(agent)}"
                yield ""
            yield from self._finding(item)

    def _finding(self, item: ReportedFinding) -> Iterator[str]:
        found = item.finding
        about = f", {found.stance.replace('_', ' ')} {self.suspect(found.about)}" if found.about else ""
        mark = "✗ " if item.doubts else ""
        yield f"- {mark}{inline(found.claim)}{self.refs(found.citations)} [{found.topic}{about}]"
        if found.facts:
            yield "  - " + "; ".join(self.fact(fact) for fact in found.facts)
        yield from (f"  - **does not count**: {inline(doubt)}" for doubt in item.doubts)
        if item.unchecked:
            yield f"  - not checked: {inline('; '.join(item.unchecked[:UNCHECKED]))}"

    def inputs(self) -> Iterator[str]:
        report = self.report
        if not report.coverage and not report.problems:
            return
        yield "## What was read"
        yield ""
        for item in report.coverage:
            dropped = f", {item.dropped} dropped" if item.dropped else ""
            reach = f", {moment(item.span.start, self.zone)} to {moment(item.span.end, self.zone)}" if item.span else ""
            counted = f": {item.understood} of {item.items} understood" if item.items else ""
            yield f"- {code(item.source)} ({item.kind}){counted}{dropped}{reach}"
        for problem in report.problems:
            yield f"- problem: {inline(problem.line())}"

    def appendix(self) -> Iterator[str]:
        if not self.report.evidence:
            return
        yield "## Evidence"
        for entry in self.report.evidence:
            yield ""
            yield f"### E{entry.number}: {code(entry.ref)}"
            yield ""
            if not entry.resolved:
                yield f"**Unresolved**: {inline(entry.reason)}. What rests on it does not count."
                continue
            if entry.label:
                yield inline(entry.label)
                yield ""
            if entry.changed:
                yield "**Changed meanwhile**: a later call saw other content here; this is the first.\n"
            yield f"{code(entry.digest)}"
            yield ""
            yield fence(entry.excerpt)
