"""The configured rollback command, filled in for the person to run. Nothing here runs anything."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from string import Formatter
from typing import Any

from orchestrator.journal.verdict import Action, Verdict


def fill_in(template: str, values: Mapping[str, str | None]) -> str | None:
    """Return the command with each `{placeholder}` filled in and shell-quoted; None where one is not known.

    Values come from repositories and deploy records: quoting keeps them one word whatever they hold, and one
    that cannot be shown as it is does not count as known. `{{` and `}}` stand for braces.
    """
    filled: list[str] = []
    try:
        for literal, name, _, _ in Formatter().parse(template):
            filled.append(literal)
            if name is None:
                continue
            value = values.get(name)
            if not value or not value.isprintable():
                return None
            filled.append(shlex.quote(value))
    except ValueError:  # a stray brace: the settings refuse it, an older journal may hold one
        return None
    return "".join(filled)


def with_rollback(verdict: Verdict, settings: Mapping[str, Any]) -> Verdict:
    """Put the configured rollback of the culprit's service before the other actions, where none gives a command.

    `settings` is what the session was opened with; `services` in it lists `{name, rollback}`.
    """
    service = (verdict.culprit.service if verdict.culprit else None) or verdict.service
    if verdict.kind != "culprit" or service is None:
        return verdict
    if any(action.kind == "contain" and action.command for action in verdict.actions):
        return verdict
    template = _template(settings, service)
    if not template:
        return verdict
    commit = verdict.culprit.commit if verdict.culprit else None
    command = fill_in(template, {"service": service, "commit": commit})
    action = Action(
        kind="contain",
        text=f"roll back {service} with the configured command",
        command=command or template,
        effect=f"takes the suspected change out of {service}",
        reversible="yes: deploy again",
        risk="" if command else "fill in what stands in braces: this session does not know it",
        verify="the symptom's metric returns to its baseline",
    )
    return verdict.model_copy(update={"actions": (action, *verdict.actions)})


def _template(settings: Mapping[str, Any], service: str) -> str | None:
    services = settings.get("services")
    if not isinstance(services, list):
        return None
    for entry in services:
        if isinstance(entry, dict) and entry.get("name") == service:
            rollback = entry.get("rollback")
            return rollback if isinstance(rollback, str) else None
    return None
