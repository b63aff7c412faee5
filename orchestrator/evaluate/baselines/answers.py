"""All simple rules that a case's inputs allow, on the same masked copy that the investigators get."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from orchestrator.evaluate.baselines import changes, services
from orchestrator.evaluate.baselines.inputs import Inputs, read_inputs
from orchestrator.evaluate.lines import BaselineAnswer
from orchestrator.evaluate.views import View

_RULES: tuple[Callable[[Inputs], BaselineAnswer | None], ...] = (
    changes.latest_deploy,
    changes.newest_commit,
    changes.largest_diff,
    changes.text_similarity,
    services.alerting_service,
    services.largest_relative_change,
    services.largest_z_score,
    services.most_error_lines,
    services.largest_deviation,
    services.always_an_incident,
)


def baseline_answers(view: View) -> tuple[BaselineAnswer, ...]:
    """Return what each rule answers; a rule whose inputs are absent or unreadable answers nothing."""
    inputs = read_inputs(view)
    made = []
    for rule in _RULES:
        with suppress(ValueError, TypeError, KeyError, ArithmeticError):
            answer = rule(inputs)
            if answer is not None:
                made.append(answer)
    return tuple(made)
