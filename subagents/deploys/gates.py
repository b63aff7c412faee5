"""Which rules can find anything in a hunk at all: their patterns are looked for a few at once, by RE2.

A gate may open for nothing; it never stays shut where a rule's own search would find something.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from subagents.deploys.hunkview import HunkView
    from subagents.deploys.signs import Sign

Rule = Callable[["HunkView"], "Iterator[Sign]"]
R = TypeVar("R", bound=Rule)

_NEEDED: dict[Any, tuple[re.Pattern[str], ...]] = {}
_PIECE = r"\\.|\[[^\]]*\]|[^()\\\[]"
_LOOKAROUND = re.compile(rf"\(\?<?!(?:{_PIECE}|\((?:{_PIECE})*\))*\)")
"""What must not stand ahead or behind; without that a pattern matches more, which a gate may."""
_ODD = re.compile(r"[^\t\n\r\f -~]")
"""What RE2's classes and Python's see differently."""


TOGETHER = 8
"""Patterns that are looked for at once: many more, and their joint automaton takes longer to build than it saves."""


def needs(*patterns: re.Pattern[str]) -> Callable[[R], R]:
    """Say that a rule finds nothing where none of these is found in a removed or an added line."""

    def remember(rule: R) -> R:
        _NEEDED[rule] = patterns
        return rule

    return remember


class Gates:
    """Rules in their order, and what opens the gate of each."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)

    @cached_property
    def _sets(self) -> tuple[list[tuple[Any, list[int]]], frozenset[int]]:
        """Return (patterns as one and the rule of each, for each set), and the rules that are always asked."""
        import re2

        options = re2.Options()
        options.log_errors = False
        sets, always = list[tuple[Any, list[int]]](), set[int]()
        for number, rule in enumerate(self._rules):
            patterns = _NEEDED.get(rule)
            for pattern in patterns or ():
                flags = "(?im)" if pattern.flags & re.IGNORECASE else "(?m)"
                if not sets or len(sets[-1][1]) >= TOGETHER:
                    sets.append((re2.Set.SearchSet(options), []))
                together, owners = sets[-1]
                try:
                    together.Add(flags + _LOOKAROUND.sub("", pattern.pattern))
                    owners.append(number)
                except re2.error:
                    always.add(number)
            if not patterns:
                always.add(number)
        for together, _ in sets:
            together.Compile()
        return sets, frozenset(always)

    def open(self, view: HunkView) -> Iterator[Rule]:
        """Yield the rules that may find something."""
        text = "\n".join([*view.removed, *view.added, *view.raw_new])
        if _ODD.search(text):
            yield from self._rules
            return
        sets, always = self._sets
        asked = set(always)
        for together, owners in sets:
            asked.update([owners[place] for place in together.Match(text) or ()])
        yield from (rule for number, rule in enumerate(self._rules) if number in asked)
