"""The rules that a session began under, on record: a session that goes on elsewhere is no looser for it.

A rule of a file that is read again is as that file says now. One of a file that is not read this time, such as that of
the incident's folder, counts on as a project's does: only where it is the stricter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import JsonValue, ValidationError

from orchestrator.config.load import Loaded
from orchestrator.config.model import PolicyRule, Settings

PLACEHOLDER = "<redacted:"
RECORDED = "policies"
"""Where a session's first event has them, in its settings."""


def recorded_rules(settings: Settings) -> list[JsonValue]:
    """Return the rules that ask or deny, each with its file and line."""
    rules = (*settings.policies, *settings.project_policies)
    return [{**rule.model_dump(mode="json"), "origin": rule.origin} for rule in rules if rule.decision != "allow"]


def with_recorded(loaded: Loaded, recorded: Mapping[str, JsonValue]) -> Settings:
    """Return the settings of now with the rules of a session's first event whose files are not read now."""
    read = {file.path for file in loaded.files}
    kept = [rule for rule in _rules(recorded.get(RECORDED)) if rule.origin.rpartition(":")[0] not in read]
    settings = loaded.settings
    return settings.model_copy(update={"project_policies": (*settings.project_policies, *kept)})


def _rules(stored: Any) -> Iterator[PolicyRule]:
    items: Iterable[Any] = stored if isinstance(stored, list) else ()
    for item in items:
        try:
            rule = PolicyRule.model_validate(item)
        except ValidationError:
            rule = PolicyRule(decision="ask", reason="a rule that this session began under cannot be read any more")
        if PLACEHOLDER in str(rule.arguments):
            rule = rule.model_copy(update={"arguments": {}})  # the pattern held a secret, which was not kept
        if rule.decision != "allow":
            yield rule
