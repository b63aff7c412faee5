"""What a person can do where the work has ended or waits: one line for each ending, with the key."""

from __future__ import annotations

from tui.views.paint import flat

_STEPS = {
    "interrupted": "it was stopped before it was done: r goes on",
    "budget_reached": "it reached its budget: $ raises it, then r goes on",
    "retries_exhausted": "the service gave up on a turn: m says something more, r goes on",
    "refusal": "the model declined: m says what it should do instead, then r goes on",
    "error": "it failed: r tries again, R reads what was found",
    "requires_action": "it waits for your yes or no: a",
}
TERMINATED = "it is over for good: what was found is kept (R); c on the sessions' list starts a new one"
_SAID_BY_ENGINES = ("retries_exhausted", "refusal", "error", "interrupted")


def next_step(status: str, reason: str, message: str) -> str:
    """Return the line for a session that does not run; empty where there is nothing to do."""
    if status == "terminated":
        return f"{flat(message)}: {TERMINATED}" if message and message != "over" else TERMINATED
    step = _STEPS.get(reason, "")
    if step and message and reason in _SAID_BY_ENGINES:
        return f"{flat(message)} · {step.rpartition(': ')[2]}"
    return step
