"""The configured rollback command, filled in for the person to run. Nothing here runs anything."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from orchestrator.journal.verdict import Action, Verdict

_QUOTING = "'\"`\\$#<"
"""With one of these a command has words or lines in which our quotes are not quotes."""


@dataclass(frozen=True)
class Filled:
    """A rollback command as far as this session can fill it in."""

    command: str
    missing: tuple[str, ...] = ()
    """Names that still stand in braces."""

    @property
    def lacks(self) -> str:
        """What the person has to fill in; empty where nothing is left."""
        names = " and ".join(f"{{{name}}}" for name in self.missing)
        return f"fill in {names} first: this session does not know it" if names else ""


def filled_in(template: str, values: Mapping[str, str | None]) -> Filled:
    """Return the command with each `{placeholder}` that is known filled in, shell-quoted; others stay.

    Values come from repositories and deploy records: quoting keeps them one word whatever they hold, and one that
    cannot be shown as it is does not count as known. Where the command has quotes of its own, ours would end or be
    literal inside of them: only values that need none are filled in there. `{{` and `}}` stand for braces.
    """
    quotes_itself = any(mark in template for mark in _QUOTING)
    filled: list[str] = []
    missing: list[str] = []
    try:
        for literal, name, _, _ in Formatter().parse(template):
            filled.append(literal)
            if name is None:
                continue
            value = values.get(name)
            if value and _fits(value, quotes_itself):
                filled.append(shlex.quote(value))
            else:
                filled.append(f"{{{name}}}")
                missing.append(name)
    except ValueError:  # a stray brace: the settings refuse it, an older journal may hold one
        return Filled(template, ("what stands in braces",))
    return Filled("".join(filled), tuple(dict.fromkeys(missing)))


def _fits(value: str, quotes_itself: bool) -> bool:
    plain = value.isprintable() and not value.startswith("-")
    return plain and (not quotes_itself or shlex.quote(value) == value)


def unconfigured(service: str) -> Action:
    """Return what to do so that the next time the command to undo a deploy stands in the verdict."""
    return Action(
        kind="follow_up",
        text=f"set the rollback command of {service} in your own warroom.toml (rollback in [services.NAME]), "
        'such as "kubectl rollout undo deployment/{service}": it is then filled in here, and never run by warroom',
    )


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
    filled = filled_in(template, {"service": service, "commit": commit})
    action = Action(
        kind="contain",
        text=f"roll back {service} with the configured command",
        command=filled.command,
        effect=f"takes the suspected change out of {service}",
        reversible="yes: deploy again",
        risk=filled.lacks,
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
