"""What a machine's own programs tell is no bystander's word: it leads, but does not convict by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.engines.offline.corroboration import BENEATH, ELSEWHERE, strength
from orchestrator.journal.verdict import ServiceScore
from subagents.contract import Finding
from tests.engines.test_wording import case, cause, symptom, verdict


def told_by(*services: str, key: str, weight: float = 0.65) -> Finding:
    return cause("resource", key, key, weight).model_copy(update={"services": services})


@pytest.mark.parametrize(
    ("services", "key", "part"),
    [
        (("kernel", "rsyslogd"), "disk full in db-1", BENEATH),
        (("kernel", "systemd"), "OOM kill in shop", 1.0),
        (("mail",), "disk full in mail", ELSEWHERE),
        (("kernel", "mail"), "disk full in mail", ELSEWHERE),
        (("shop",), "disk full in shop", 1.0),
    ],
)
def test_how_well_it_holds_depends_on_who_tells_of_it(services: tuple[str, ...], key: str, part: float) -> None:
    known = case(symptom(), told_by(*services, key=key))
    (circumstance,) = known.leading(frozenset({"resource"}))
    assert strength(known, circumstance) == round(circumstance.score * part, 4)


def test_a_full_disk_of_a_machine_leads_and_is_looked_at_first() -> None:
    found = verdict(
        replace(
            case(symptom(), told_by("kernel", "rsyslogd", key="disk full in db-1")),
            services=(ServiceScore(service="shop", score=0.9),),
        )
    )
    assert found.kind == "inconclusive"
    assert "the best lead is unproven: disk full in db-1" in found.headline
    (check,) = (action for action in found.actions if "disk full in db-1" in action.text)
    assert "; if it holds, free space" in check.text
    assert check.risk
    assert "nothing connects it with the symptom" in found.confidence.against[0]


@pytest.mark.parametrize(
    ("home", "key", "subject", "service"),
    [
        ("kubelet", "disk full in node-2", "node-2 is broken", None),
        ("kubelet", "disk full in kubelet", "kubelet is broken", "kubelet"),
        ("shop", "disk full in node-2", "shop is broken", "shop"),
    ],
)
def test_where_one_of_its_programs_is_all_that_tells_of_a_machine_the_machine_is_broken(
    home: str, key: str, subject: str, service: str | None
) -> None:
    told = told_by(home, key=key, weight=0.9)
    known = case(symptom().model_copy(update={"services": (home,)}), told)
    found = verdict(replace(known, services=(ServiceScore(service=home, score=0.9),)))
    assert found.kind == "no_code_cause"
    assert found.headline.startswith(subject)
    assert (found.service, found.services[0].service) == (service, home)
