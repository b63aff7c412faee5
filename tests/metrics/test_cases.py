"""A smoke over real telemetry, where the development cases are at hand: nothing crashes, everything cited opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.contract import Brief, Incident, SourceKind, SourceSpec
from subagents.metrics.agent import build
from subagents.metrics.cite import MetricsResolver
from subagents.metrics.model import MetricsSummary
from subagents.verifying import Recomputed
from tests.fakes import run_procedure

CASES = Path(__file__).resolve().parents[2] / ".." / "shared" / "cases"
FAMILIES = ("nezha-ob", pytest.param("nezha-tt", marks=pytest.mark.soak), "petshop", "rootcausebench", "nab")
FILES: dict[str, SourceKind] = {
    "metrics.csv.gz": "metrics",
    "trace_edges.csv.gz": "trace_edges",
    "topology.csv": "topology",
    "spans.json.gz": "spans",
}


def sources(case: Path) -> list[SourceSpec]:
    if case.is_file():
        return [SourceSpec(id=case.name, kind="metrics", path=str(case), origin=case.name)]
    return [
        SourceSpec(id=name, kind=kind, path=str(case / name), origin=name)
        for name, kind in FILES.items()
        if (case / name).exists()
    ]


@pytest.mark.parametrize("family", FAMILIES)
async def test_the_first_case_of_a_family(family: str) -> None:
    if not (CASES / family).is_dir():
        pytest.skip("the development cases are not beside the repository")
    case = sorted((CASES / family).iterdir())[0]
    specs = sources(case)
    bench, summary = await run_procedure(build(specs), Brief(incident=Incident(id="i", title="slow or failing")))
    assert isinstance(summary, MetricsSummary)
    assert 1 <= len(bench.reported) <= 12
    assert all(result.outcome == "ok" for _, _, result in bench.calls)
    resolver = MetricsResolver(tuple(specs))
    proofs = {proof.ref: proof for _, _, result in bench.calls for proof in result.citations}
    for finding in bench.reported:
        for ref in finding.citations:
            assert resolver.resolve(ref).digest == proofs[ref].digest
        assert all(resolver.recompute(fact) == Recomputed(value=fact.value, unit=fact.unit) for fact in finding.facts)
