"""A suspect in words for people: its kind, its key and its label, saying nothing twice."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.verdict.board_edits import FREE
from subagents.contract import Suspect

Form = Callable[[str], str]
"""How a part is written: as it is, or as markup."""


def suspect_words(suspect: Suspect, key: Form = str, label: Form = str) -> str:
    """Name a suspect; a key that is words, or a label that tells the kind, needs no kind before it."""
    name, told = suspect.key, suspect.label.removeprefix(f"{suspect.key} ")
    if suspect.kind not in (FREE, "commit") and told.startswith(suspect.kind) and told != name:
        return label(told) if name in told else f"{label(told)} at {key(name)}"
    kind = "" if suspect.kind == FREE or " " in name else f"{suspect.kind} "
    said = told in ("", name, name.replace("/", " "))
    return f"{kind}{key(name)}{'' if said else f' {label(told)}'}"
