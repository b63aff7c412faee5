"""What a machine's own programs say befell others: which program was killed, on which host a disk is full."""

from __future__ import annotations

import re
from collections.abc import Sequence

OF_THE_MACHINE = frozenset({
    "kernel", "systemd", "systemd-journald", "systemd-oomd", "earlyoom", "rsyslogd", "syslog-ng", "auditd", "smartd",
    "mdadm", "multipathd", "dockerd", "containerd", "kubelet", "chronyd", "ntpd",
})  # fmt: skip
"""Programs that tell of the machine they run on, hardly ever of themselves."""
_UNIT = re.compile(r"(?:^|[\s/])(?P<name>[\w@.\\-]+?)\.service(?::|,|$)")
_PROCESS = re.compile(r"kill(?:ed)? process (?:\d+|\*) \((?P<name>[^)*\n]{1,64})\)", re.IGNORECASE)
_ASKED = re.compile(r"^(?:(?:\[[^\]\n]*\]|\*) )*(?P<name>[\w.-]{1,32}) invoked oom-killer", re.IGNORECASE)


def unit_of(texts: Sequence[str]) -> str | None:
    """Return the one unit of systemd's that templates name; None where they name none, or several."""
    return _one_in(_UNIT, texts)


def killed_one(texts: Sequence[str]) -> str | None:
    """Return the unit that was killed, as systemd calls it, else the process, else who asked for memory last."""
    return next((name for form in (_UNIT, _PROCESS, _ASKED) if (name := _one_in(form, texts)) is not None), None)


def _one_in(form: re.Pattern[str], texts: Sequence[str]) -> str | None:
    names = {match["name"] for text in texts if (match := form.search(text)) is not None}
    return names.pop() if len(names) == 1 else None


def machine_of(speaker: str, hosts: Sequence[str]) -> str | None:
    """Return the host that a program of the machine speaks of; None where another speaks, or it is of several."""
    return hosts[0] if speaker in OF_THE_MACHINE and len(set(hosts)) == 1 else None
