"""What is said of a defect of our own: its type and where the details are, never its values."""

from __future__ import annotations


def mishap(error: BaseException) -> str:
    """Put the details into the log file, and return the one line that is shown."""
    from tui.commands.faults import log_fault

    where = log_fault(error)
    kept = f"details are in {where}" if where else "no details could be kept"
    return f"something went wrong that should not have ({type(error).__name__}); {kept}"
