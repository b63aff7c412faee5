"""What a suspect is called on the screens."""

from __future__ import annotations

from orchestrator.verdict.hypothesis import Hypothesis
from orchestrator.verdict.suspect_words import suspect_words
from subagents.contract import Suspect
from tui.views.paint import flat


def suspect_name(suspect: Suspect) -> str:
    """Return a suspect as people call it: a commit by twelve characters and its subject."""
    return flat(suspect_words(suspect, lambda key: key[:12] if suspect.kind == "commit" else key))


def name_of(hypothesis: Hypothesis) -> str:
    """Return what a hypothesis is about; on a board of mostly commits they need no word for what they are."""
    return suspect_name(hypothesis.suspect).removeprefix("commit ")
