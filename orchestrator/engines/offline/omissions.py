"""What the verdict says was not looked at, why, and what would close the gap."""

from __future__ import annotations

from orchestrator.engines.offline.case import Case
from orchestrator.engines.offline.open_case import CHANGES, MEASURED
from orchestrator.journal.verdict import Gap
from orchestrator.verdict.hypothesis import TO_TEST
from subagents.contract import Finding, SourceKind

MOST = 16
KINDS_OF_SOURCE = {
    "logs": ("no logs were given", "warroom run PATH LOGFILE  # or: warroom run -- kubectl logs …"),
    "metrics": (
        "no metrics were given",
        "warroom run PATH metrics.csv  # the alert's series as ts,service,metric,value",
    ),
    "changes": (
        "no deploys, commits or repository were given",
        "warroom run PATH deploys.json --repo REPOSITORY  # either helps",
    ),
}
SPEAKS_OF = {"logs": "logs", "metrics": "metrics", "changes": "deploys"}
"""The specialist that says the same in its own words where a kind of source is absent."""


def gaps(case: Case) -> tuple[Gap, ...]:
    """Return what was not looked at, why, and what would close the gap."""
    kinds = {spec.kind for spec in case.brief.sources}
    absent = [
        name for name, wanted in (("logs", {"logs"}), ("metrics", MEASURED), ("changes", CHANGES)) if not kinds & wanted
    ]
    found = [
        Gap(text=KINDS_OF_SOURCE[name][0], why="not among the sources", command=KINDS_OF_SOURCE[name][1])
        for name in absent
    ]
    said = {SPEAKS_OF[name] for name in absent}
    found += [
        Gap(text=f.claim.partition(TO_TEST)[0], why=f"reported by {f.agent}", command=_command(f, kinds))
        for f in case.of("gap")
        if f.agent not in said
    ]
    found += [Gap(text=f"{agent} did not finish", why=why) for agent, why in case.failed.items()]
    found += [Gap(text=f"{what} was not looked up", why=why) for what, why in case.looked.missed]
    for coverage in case.brief.coverage:
        found += [Gap(text=problem.line(), why=f"input of {coverage.source}") for problem in coverage.problems]
    unique = {gap.text: gap for gap in found}
    return tuple(unique.values())[:MOST]


def _command(gap: Finding, kinds: set[SourceKind]) -> str | None:
    """Return what would close a gap: what it says itself; what needs the code needs its repository."""
    if command := gap.claim.partition(TO_TEST)[2]:
        return command
    return "warroom run PATH --repo REPOSITORY" if gap.agent == "codefix" and "repo" not in kinds else None
