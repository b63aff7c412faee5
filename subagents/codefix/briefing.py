"""How the code-fix specialist is told of findings: by id, filled into a template.

It reads code, which is hostile enough; what others read (log lines, alerts, commit messages) reaches it in no words.
Each value must have the form that its place in the template has; what has not is masked, with a digest that still tells
equal values apart. The claims themselves stay on the board: a tool that is given `finding_ids` gets them from hands.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from subagents.contract import Fact, Finding

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,79}")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_FINDING = re.compile(r"f-[0-9a-f]{10}")
_NUMBER = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:e[+-]?[0-9]{1,3})?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,20}(?:Z|[+-][0-9:]{5})?")
_UNIT = re.compile(r"[A-Za-z%/][A-Za-z0-9%/_]{0,15}")
_CITED = re.compile(r"commit:[A-Za-z0-9._/-]{1,120}/[0-9a-f]{7,64}(?:#[A-Za-z0-9._/-]{1,200}(?::[0-9]{1,9})?)?")
_MOST = 20


def told(findings: Sequence[Finding], repositories: Sequence[str]) -> tuple[str, ...]:
    """Return the repositories and, a line each, the findings that speak of a commit, the weightiest first."""
    named = ", ".join(masked(_NAME, one) for one in repositories)
    chosen = [one for one in findings if one.about is not None and one.about.kind == "commit"]
    chosen.sort(key=lambda one: -one.weight)
    lines = [_told(finding) for finding in chosen[:_MOST]] or ["None of these findings accuses a commit."]
    if len(chosen) > _MOST:
        lines.append(f"And {len(chosen) - _MOST} findings of less weight.")
    return (f"Repositories: {named or 'none'}.", *lines)


def masked(form: re.Pattern[str], value: str) -> str:
    """Return a value that has its form, else a mask that says nothing but which values are the same."""
    if form.fullmatch(value):
        return value
    return f"<masked:{hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()[:6]}>"


def _told(finding: Finding) -> str:
    suspect = finding.about.key if finding.about is not None else ""
    parts = [
        f"Finding {masked(_FINDING, finding.id)} by {masked(_NAME, finding.agent)}: {finding.topic}, "
        f"{finding.stance.replace('_', ' ')} commit {masked(_COMMIT, suspect)}, weight {finding.weight:.2f}"
    ]
    if finding.at is not None:
        parts.append(f"since {finding.at.isoformat()}")
    parts += [_fact(fact) for fact in finding.facts[:_MOST]]
    places = [ref for ref in finding.citations if ref.startswith("commit:")][:_MOST]
    if places:
        parts.append("cites " + " ".join(masked(_CITED, ref) for ref in places))
    return "; ".join(parts) + "."


def _fact(fact: Fact) -> str:
    value = str(fact.value)
    form = next((form for form in (_NUMBER, _MOMENT, _COMMIT) if form.fullmatch(value)), _NUMBER)
    unit = f" {masked(_UNIT, fact.unit)}" if fact.unit else ""
    return f"{masked(_NAME, fact.quantity)} = {masked(form, value)}{unit}"
