"""Where claims are looked up: the sources, through the specialists' resolvers, and what tool calls left on record.

Nothing here believes an agent: a resolver reads the sources, and a tool's result is what hands recorded of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, cast

from orchestrator.journal.events import ClaimsChecked, Event, ToolFinished
from orchestrator.journal.faults import StateError
from subagents import quantities
from subagents.contract import Evidence, Fact, Finding, Resolver, ToolError, Window
from subagents.specialist import Agent, Roster
from subagents.verifying import NameKind, Recomputed, Verifier

EXCERPTS_KEPT = 64 * 1024 * 1024
"""Characters of excerpts held of one session; of evidence beyond that only the citation is."""
MOST_BEARING = 200
"""Most findings of the board that a fact is recomputed with, oldest first: asking costs as much as they are long."""
ReadBlob = Callable[[str], bytes]
Opener = Callable[[Agent], object]
"""Returns who answers for an agent's sources: its resolver, or a stand-in that asks elsewhere; None: nobody."""


class Unsettled(Exception):
    """The question could not be answered: not a doubt, and not a confirmation."""


def resolver_of(agent: Agent) -> object:
    """Return an agent's own resolver, in this process."""
    return agent.resolver


class Sources:
    """The roster's resolvers as one. Reads files: call it off the event loop. Each question is answered once."""

    def __init__(self, roster: Roster, opener: Opener = resolver_of) -> None:
        held = ((agent, opener(agent)) for agent in roster.agents.values())
        self._agents = tuple((agent, resolver) for agent, resolver in held if resolver is not None)
        self._answers: dict[object, Any] = {}

    def _once(self, key: object, work: Callable[[], Any]) -> Any:
        if key in self._answers:
            answer = self._answers[key]
        else:
            try:
                answer = work()
            except ToolError as error:
                answer = error
            except Exception as error:  # a specialist's own defect settles nothing, and refuses no claim
                raise Unsettled(f"{type(error).__name__}: {error}"[:200]) from error
            self._answers[key] = answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _of(self, ref: str) -> Iterator[object]:
        kind = ref.partition(":")[0]
        return (resolver for agent, resolver in self._agents if kind in agent.cites)

    def resolve(self, ref: str) -> Evidence:
        """Open a citation; raises ToolError where it does not open, Unsettled where nobody can tell."""

        def work() -> Evidence:
            reasons = []
            for resolver in self._of(ref):
                try:
                    return cast(Resolver, resolver).resolve(ref)
                except (ToolError, OSError) as error:
                    reasons.append(str(error))
            raise ToolError(reasons[0] if reasons else "nobody here opens citations of this kind")

        found: Evidence = self._once(("resolve", ref), work)
        return found

    def recompute(self, fact: Fact, board: Sequence[Finding]) -> Recomputed | None:
        """Return what the data says of a fact; None where no data settles it. Raises ToolError, Unsettled."""

        # The board matters where a fact relates two findings, or does not say over which window it counts; the value
        # does too: one citation may stand for several counts, and the resolver looks which of them is meant.
        board = _bearing_on(fact, board)

        def work() -> Recomputed | None:
            for resolver in self._of(fact.citation):
                if isinstance(resolver, Verifier) and (found := resolver.recompute(fact, board)) is not None:
                    return found
            return None

        key = ("recompute", fact.model_dump_json(), tuple(found.id for found in board))
        answer: Recomputed | None = self._once(key, work)
        return answer

    def has(self, kind: NameKind, name: str, first: str = "") -> bool | None:
        """Say whether any source knows a name, asking the agent `first` first; None: none holds names of that kind."""

        def work() -> bool | None:
            known: bool | None = None
            for _, resolver in sorted(self._agents, key=lambda one: one[0].name != first):
                answer = resolver.has(kind, name) if isinstance(resolver, Verifier) else None
                if answer:
                    return True
                known = answer if known is None else known
            return known

        try:
            answer: bool | None = self._once(("has", kind, name), work)
        except (ToolError, Unsettled):
            return None
        return answer

    def span(self, refs: Iterable[str]) -> Window | None:
        """Return the time that the sources of these citations cover together; None where one of them does not say."""
        kinds = {ref.partition(":")[0] for ref in refs} - {"runbook"}
        spans = [self._span(agent, resolver) for agent, resolver in self._agents if kinds & set(agent.cites)]
        if not spans or any(span is None for span in spans):
            return None
        held = [span for span in spans if span is not None]
        return Window(start=min(span.start for span in held), end=max(span.end for span in held))

    def whole_span(self) -> Window | None:
        """Return the time that all sources cover together, as far as they say; None where none does."""
        held = [span for agent, resolver in self._agents if (span := self._span(agent, resolver)) is not None]
        return Window(start=min(span.start for span in held), end=max(span.end for span in held)) if held else None

    def _span(self, agent: Agent, resolver: object) -> Window | None:
        if not isinstance(resolver, Verifier):
            return None
        try:
            found: Window | None = self._once(("span", agent.name), resolver.span)
        except (ToolError, Unsettled):
            return None
        return found


def _bearing_on(fact: Fact, board: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings that can change what a fact comes to: each moment, or each window of counts, once."""
    if fact.quantity == quantities.LEAD_TIME:
        keys = ((_moments(one), one) for one in board)
    elif fact.citation.startswith("log:") and fact.window is None:
        keys = ((_windows(one), one) for one in board)
    else:
        return ()
    distinct: dict[object, Finding] = {}
    for key, one in keys:
        if key:
            distinct.setdefault(key, one)
    return tuple(islice(distinct.values(), MOST_BEARING))


def _moments(one: Finding) -> tuple[object, ...]:
    onsets = tuple(fact.value for fact in one.facts if fact.quantity == quantities.ONSET)
    return (one.agent, one.topic, one.stance, one.at, onsets) if onsets or one.at is not None else ()


def _windows(one: Finding) -> tuple[object, ...]:
    return tuple(fact.window for fact in one.facts if fact.window is not None and fact.citation.startswith("log:"))


class ToolRecord:
    """What the tool calls of a session returned: evidence by citation, and what they measured at it."""

    def __init__(self, known: Mapping[str, Evidence] | None = None, read_blob: ReadBlob | None = None) -> None:
        self._known: dict[str, Evidence] = dict(known or {})
        self._measured: dict[tuple[str, str], list[float | int | str]] = {}
        self._read_blob = read_blob
        self._room = EXCERPTS_KEPT

    def __contains__(self, ref: str) -> bool:
        """Say whether a tool call, or a check before, returned this citation."""
        return ref in self._known

    def get(self, ref: str) -> Evidence | None:
        """Return the evidence as it was frozen."""
        return self._known.get(ref)

    def of_commit(self, sha: str) -> tuple[Evidence, ...]:
        """Return what tool calls returned of a commit."""
        return tuple(item for ref, item in self._known.items() if ref.startswith("commit:") and sha in ref)

    def says(self, words: str) -> bool:
        """Say whether anything that a tool call returned holds these words."""
        return any(words in item.excerpt or words in item.label for item in self._known.values())

    def measured(self, quantity: str, ref: str) -> tuple[float | int | str, ...]:
        """Return every value that tools stated for a quantity of what `ref` cites, oldest first."""
        return tuple(self._measured.get((quantity, ref), ()))

    def learn(self, event: Event) -> None:
        """Take one event into account; may read a blob."""
        if isinstance(event.body, ClaimsChecked):
            self.add(event.body.evidence)
        elif isinstance(event.body, ToolFinished) and event.body.outcome == "ok":
            self.add(event.body.citations)
            data = event.body.data
            if event.body.blob is not None and self._read_blob is not None:
                try:
                    whole = json.loads(self._read_blob(event.body.blob))
                    self.add(Evidence.model_validate(item) for item in whole["citations"])
                    data = whole["data"]
                except (StateError, ValueError, LookupError, TypeError):
                    pass  # a lost blob: what it held is not known any more
            self.measure(data)

    def add(self, items: Iterable[Evidence]) -> None:
        """Keep evidence, as it was first frozen."""
        for item in items:
            if item.ref not in self._known:
                self._room -= len(item.excerpt)
                self._known[item.ref] = item if self._room > 0 else item.model_copy(update={"excerpt": ""})

    def measure(self, data: object) -> None:
        """Keep what a tool's typed data state about citations."""
        for quantity, ref, value in _stated(data):
            held = self._measured.setdefault((quantity, ref), [])
            if value not in held:
                held.append(value)


def _stated(data: object) -> Iterator[tuple[str, str, float | int | str]]:
    """Yield (quantity, citation, value) of the objects in a tool's data that state one of a citation."""
    level = [data]
    while level:
        item = level.pop()
        if isinstance(item, list):
            level += item
        elif isinstance(item, dict):
            level += item.values()
            refs = [ref for key in ("citation", "ref") if isinstance(ref := item.get(key), str)]
            given = {name: value for name, value in item.items() if name in quantities.KNOWN}
            if isinstance(item.get("quantity"), str):
                given[item["quantity"]] = item.get("value")
            for name, value in given.items():
                if isinstance(value, float | int | str) and not isinstance(value, bool):
                    yield from ((name, ref, value) for ref in refs)
