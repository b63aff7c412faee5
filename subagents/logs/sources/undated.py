"""What to ask for instead of a log without times, by what its first lines look like."""

from __future__ import annotations

import re

_SINCE_BOOT = re.compile(r"(?:<\d+>)?\[ *\d+\.\d{6}\] ")
_EVENTS = re.compile(r"(?:NAMESPACE +)?LAST SEEN +(?:FIRST SEEN +|COUNT +)?TYPE +REASON ")
_COMPOSE = re.compile(r"[\w.-]+ +\| ")
_PREFIXED = re.compile(r"\[pod/[^\]\s]+\] ")


def how_to_date(head: str) -> str:
    """Return which command gives the same with times."""
    for form, command in (
        (_SINCE_BOOT, "`dmesg -T` or `journalctl -k -o short-iso` writes dates instead of seconds since the boot"),
        (_EVENTS, "`kubectl get events -A -o json` has the times"),
        (_COMPOSE, "`docker compose logs --timestamps` has the times"),
        (_PREFIXED, "`kubectl logs --prefix --timestamps` has the times"),
    ):
        if form.match(head):
            return command
    return "if it comes from kubectl or docker, ask for it with --timestamps"
