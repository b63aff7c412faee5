"""The runbook library (Markdown) and its search; imports nothing of ours."""

from runbooks.library import Library
from runbooks.model import SIGNALS, Runbook, RunbookProblem, Signal, Step, Triggers
from runbooks.search import Hit

__all__ = ["SIGNALS", "Hit", "Library", "Runbook", "RunbookProblem", "Signal", "Step", "Triggers"]
