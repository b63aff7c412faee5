"""Opens places in code, and checks what is claimed of tests against the checks that were recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from subagents import citations
from subagents import quantities as q
from subagents.codefix.claims import NAMES_KEPT
from subagents.codefix.fixes import Check, Draft
from subagents.codefix.kept import kept_checks
from subagents.codefix.repos import Repositories
from subagents.codefix.store import drafts_dir
from subagents.contract import Evidence, Fact, Finding, ToolError, Window
from subagents.verifying import NameKind, Recomputed

ABBREVIATED = 7
"""Least length of an abbreviated commit id."""
UNIT = "tests"


class CodeResolver:
    """The code-fix specialist's resolver: reads repositories and what its own tools recorded, nothing else."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    def resolve(self, ref: str, context_lines: int = 0) -> Evidence:
        """Open `commit:<source>/<sha>#path[:line]` as the file's text there; raise ToolError where it cannot be."""
        return self._repositories.resolve(ref, context_lines)

    def recompute(self, fact: Fact, board: Sequence[Finding] = ()) -> Recomputed | None:
        """Return how many tests the recorded check of undoing the cited commit names; None where none is recorded.

        Of several drafts that undo it, the one that the fact's value is of; else the one that was checked last.
        """
        if fact.quantity not in (q.TESTS_FIXED, q.TESTS_BROKEN):
            return None
        parsed = citations.parse(fact.citation)
        if not isinstance(parsed, citations.CommitRef):
            raise ToolError(f"{fact.quantity} cites the commit that the tested draft undoes, not {fact.citation[:120]}")
        checks = [check for draft, check in self._checks(parsed.source) if _is_of(draft, parsed)]
        found = [count for check in checks if (count := counts_of(check).get(fact.quantity)) is not None]
        if not found:
            return None
        return Recomputed(value=fact.value if fact.value in found else found[-1], unit=UNIT)

    def _checks(self, source: str) -> list[tuple[Draft, Check]]:
        spec = self._repositories.specs.get(source)
        store = spec.options.get("store") if spec is not None else None
        return kept_checks(drafts_dir(Path(store))) if store else []

    def has(self, kind: NameKind, name: str) -> bool | None:
        """Say that a commit is a draft's; None for everything else: the repositories' own are for deploys to know."""
        if kind != "commit" or len(name) < ABBREVIATED:
            return None
        drafts = (draft for source in self._repositories.specs for draft, _ in self._checks(source))
        return True if any(draft.commit.startswith(name.lower()) for draft in drafts) else None

    def span(self) -> Window | None:
        """Return the time from the first commits to the tips of the repositories; None where none can be read."""
        moments: list[datetime] = []
        for source in self._repositories.specs:
            try:
                moments += self._repositories.reader(source).landed()
            except ToolError:
                continue
        return Window(start=min(moments), end=max(moments) + timedelta(microseconds=1)) if moments else None


def counts_of(check: Check) -> dict[str, int]:
    """Return how many tests a check names by quantity; where nothing ran, or it names only a part, there is none."""
    named = {q.TESTS_FIXED: len(check.fixed), q.TESTS_BROKEN: len(check.broken)}
    return {name: count for name, count in named.items() if count < NAMES_KEPT} if check.runs else {}


def _is_of(draft: Draft, ref: citations.CommitRef) -> bool:
    sha = ref.sha.lower()
    return len(sha) >= ABBREVIATED and any(each.startswith(sha) for each in (draft.undoes or "", draft.commit))
