"""What a machine's own programs say befell others: which program was killed, which pod fails, where a disk is full."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from subagents.pods import deployment_of

if TYPE_CHECKING:
    from subagents.contract import Finding
    from subagents.logs.model import Signature

OF_THE_MACHINE = frozenset({
    "kernel", "systemd", "systemd-journald", "systemd-oomd", "earlyoom", "rsyslogd", "syslog-ng", "auditd", "smartd",
    "mdadm", "multipathd", "dockerd", "containerd", "kubelet", "chronyd", "ntpd", "kube-controller-manager",
    "kube-scheduler", "cluster-autoscaler", "karpenter",
})  # fmt: skip
"""Programs that tell of the machine they run on, or of all that runs on a cluster, hardly ever of themselves."""
MOST_TOLD_OF = 4
"""With more units or workloads that fail, the machine itself is in trouble, or what all of them need."""
_UNIT = re.compile(r"(?:^|[\s/])(?P<name>[\w@.\\-]+?)\.service(?::|,|$)")
_POD_NAME = r"(?P<name>[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?)"
_PODS = (
    re.compile(rf'\bpod=\\?"?(?:[a-z0-9-]{{1,63}}/)?{_POD_NAME}(?=[\s"\\,)]|$)'),
    re.compile(rf"(?<![a-z0-9.-]){_POD_NAME}_[a-z0-9-]{{1,63}}\([0-9a-f-]{{8,}}"),
)
"""As Kubernetes' own programs write them: `pod="namespace/name"`, `name_namespace(uid)`."""
_NUMBER = re.compile(r"-\d{1,4}$")
_PROCESS = re.compile(r"kill(?:ed)? process (?:\d+|\*) \((?P<name>[^)*\n]{1,64})\)", re.IGNORECASE)
_ASKED = re.compile(r"^(?:(?:\[[^\]\n]*\]|\*) )*(?P<name>[\w.-]{1,32}) invoked oom-killer", re.IGNORECASE)


def unit_of(texts: Sequence[str]) -> str | None:
    """Return the one unit of systemd's that templates name; None where they name none, or several."""
    return _one_in(_UNIT, texts)


def workload_of(texts: Sequence[str]) -> str | None:
    """Return the one workload of Kubernetes whose pods events name; None where they name none, or several."""
    named = {deployment_of(match["name"]) for text in texts for form in _PODS for match in form.finditer(text)}
    if len(named) > 1:  # those of a stateful set are numbered
        named = {_NUMBER.sub("", name) for name in named}
    return named.pop() if len(named) == 1 else None


def killed_one(texts: Sequence[str]) -> str | None:
    """Return the unit that was killed, as systemd calls it, else the process, else who asked for memory last."""
    return next((name for form in (_UNIT, _PROCESS, _ASKED) if (name := _one_in(form, texts)) is not None), None)


def _one_in(form: re.Pattern[str], texts: Sequence[str]) -> str | None:
    names = {match["name"] for text in texts if (match := form.search(text)) is not None}
    return names.pop() if len(names) == 1 else None


def machine_of(speaker: str, hosts: Sequence[str]) -> str | None:
    """Return the host that a program of the machine speaks of; None where another speaks, or it is of several."""
    return hosts[0] if speaker in OF_THE_MACHINE and len(set(hosts)) == 1 else None


def told_of(signatures: Iterable[Signature]) -> dict[str, tuple[str, ...]]:
    """Return, by program of the machine, the few units or workloads that all failures it tells of befell."""
    units = dict[str, dict[str | None, None]]()
    for each in signatures:
        for speaker in OF_THE_MACHINE.intersection(each.services):
            units.setdefault(speaker, {}).setdefault(each.unit)
    found = {speaker: tuple(unit for unit in some if unit is not None) for speaker, some in units.items()}
    return {speaker: some for speaker, some in found.items() if len(some) == len(units[speaker]) <= MOST_TOLD_OF}


def about_whom(findings: Iterable[Finding], units: Mapping[str, Sequence[str]]) -> list[Finding]:
    """Return findings as they concern those whom it befell, not the programs of the machine that tell of them.

    Of several it is those that the claim itself names, if it names any. Where such a program tells of nobody in
    particular, it stands behind the services that speak for themselves.
    """
    found: list[Finding] = []
    for each in findings:
        befell = (unit for name in each.services for unit in _named_in(each.claim, units.get(name, (name,))))
        services = sorted(dict.fromkeys(befell), key=OF_THE_MACHINE.__contains__)
        found.append(each.model_copy(update={"services": tuple(services)}))
    return found


def _named_in(claim: str, units: Sequence[str]) -> Sequence[str]:
    named = [unit for unit in units if re.search(rf"(?<![\w.-]){re.escape(unit)}(?![\w-])", claim)]
    return named or units
