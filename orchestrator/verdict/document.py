"""The verdict as one JSON document: what `warroom run --headless` prints and `warroom schema verdict` publishes."""

from __future__ import annotations

import json

from pydantic import BaseModel, Field

from orchestrator.hands.budget_summary import BudgetSummary
from orchestrator.journal.own_recheck import Rechecked
from orchestrator.journal.verdict import ServiceScore, SuspectScore, Verdict, VerdictKind
from orchestrator.verdict.report_model import DoubtedClaim, Report, ReportedFix
from subagents.contract import Frozen


class VerdictDocument(Frozen):
    """The result of one session, for programs."""

    id: str = Field(description="The incident's id.")
    family: str | None = Field(None, description="Of a case of an evaluation, on its line; null everywhere else.")
    session: str = Field(description="The session's id, for `warroom report` and `warroom sessions`.")
    engine: str
    kind: VerdictKind | None = Field(description="None: the session ended without a verdict.")
    culprit: str | None = Field(description="Full id of the commit that did it, where one did and is known.")
    service: str | None = Field(description="Where it began.")
    services: tuple[ServiceScore, ...] = Field(description="Every service that was ranked, best explanation first.")
    suspects: tuple[SuspectScore, ...] = Field(description="Every commit that was ranked, most suspicious first.")
    confidence: float = Field(ge=0, le=1)
    seconds: float = Field(ge=0, description="Seconds that the engine worked.")
    verdict: Verdict | None
    doubted: tuple[DoubtedClaim, ...] = Field(
        (), description="Claims that do not hold, with the reasons; they did not count."
    )
    problems: tuple[str, ...] = Field(description="What was wrong with the input, one line each.")
    warroom: str = Field(description="Version that wrote this.")
    fixes: tuple[ReportedFix, ...] = Field(
        (), description="Drafted fixes: where each stands, and the digest that `warroom fix approve` asks for."
    )
    rechecked: Rechecked | None = Field(
        None, description="The last `warroom recheck`; the verdict's state is its, where it could tell."
    )
    budget: BudgetSummary | None = Field(None, description="What was used, and of what bounds; None: nothing to say.")


def document(report: Report, version: str) -> VerdictDocument:
    """Return the document of a session's report."""
    verdict = report.verdict
    return VerdictDocument(
        id=report.incident.id,
        session=report.session,
        engine=report.engine,
        kind=verdict.kind if verdict else None,
        culprit=verdict.culprit.commit if verdict and verdict.culprit else None,
        service=verdict.service if verdict else None,
        services=verdict.services if verdict else (),
        suspects=verdict.suspects if verdict else (),
        confidence=verdict.confidence.value if verdict else 0.0,
        seconds=report.seconds,
        verdict=verdict,
        doubted=report.doubted,
        problems=tuple(problem.line() for problem in report.problems),
        warroom=version,
        fixes=report.fixes,
        rechecked=report.rechecked,
        budget=report.budget if report.budget is not None and report.budget.worth_saying else None,
    )


def to_json(model: BaseModel) -> str:
    """Return a model as indented JSON in ASCII: exact, and harmless on a terminal whatever the text holds."""
    return json.dumps(model.model_dump(mode="json"), indent=2, ensure_ascii=True) + "\n"
