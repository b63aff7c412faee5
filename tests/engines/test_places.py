"""Where it began: metrics and logs fused by what each can know."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.engines.offline.place_chances import chances
from orchestrator.engines.offline.places import rank_services
from subagents.contract import SuspectKind, Window
from subagents.logs.courses import FlowBreak, SlowPassages
from subagents.logs.model import LogsSummary, Pattern, ServiceEvidence, Signature
from subagents.metrics.model import MetricsSummary, Seen, ServiceRank

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE = Window(start=NOON.replace(hour=11), end=NOON)


def metrics(**scores: float) -> MetricsSummary:
    services = tuple(ServiceRank(service=name, score=score) for name, score in scores.items())
    return MetricsSummary(services=services, sees=("failures", "work"))


def logs(baseline: Window | None = BEFORE, signs: tuple[Signature, ...] = (), **scores: float) -> LogsSummary:
    services = tuple(
        ServiceEvidence(
            service=name,
            score=score,
            errors=9,
            baseline_errors=0.0,
            new_patterns=1,
            first_severe=NOON,
            citation="log:a@0+1",
        )
        for name, score in scores.items()
    )
    patterns = tuple(pattern(sign.patterns[0]) for sign in signs)
    return LogsSummary(baseline=baseline, services=services, signatures=signs, patterns=patterns)


def pattern(name: str) -> Pattern:
    return Pattern(
        id=name, template="t", change="new", level="error", severe=True, services=("web",), hosts=(), sources=("a",),
        count=9, baseline_events=0, baseline_count=0.0, factor=None, surprise=9.0, score=8.0, first_seen=NOON,
        last_seen=NOON, timeline=None, example="e", citation="log:a@0+1", signature=None, terms=(),
    )  # fmt: skip


def sign(kind: SuspectKind, key: str, speaker: str) -> Signature:
    return Signature(
        name="no instance", kind=kind, key=key, label=key, named=True, explains="x", count=9, baseline_count=0.0,
        services=(speaker,), first_seen=NOON, last_seen=NOON, example="e", citation="log:a@0+1",
        patterns=("p-1",), terms=(),
    )  # fmt: skip


def held_up(speaker: str, holder: str) -> list[str]:
    """Order services where what one lends runs out, as another one holds it up."""
    suffers = {"named": False, "followed_by": (speaker,)}
    locks = sign("resource", f"locks in {holder}", holder).model_copy(update=suffers)
    pool = sign("resource", "pool", speaker).model_copy(update={"named": False, "follows": locks.label})
    return order(measured=metrics(), logged=logs(signs=(locks, pool), shop=12.0, db=2.0))


def test_who_waits_for_locks_fails_after_who_holds_them() -> None:
    assert held_up("shop", "db") == ["db", "shop"]
    assert held_up("shop", "shop") == ["shop", "db"]


def test_a_program_of_the_machine_that_tells_much_is_hardly_where_it_began() -> None:
    assert order(measured=metrics(), logged=logs(kubelet=20.0, shop=9.0)) == ["shop", "kubelet"]


def order(*, measured: MetricsSummary, logged: LogsSummary) -> list[str]:
    return [item.service for item in rank_services(measured, logged)]


def test_faint_metrics_do_not_outrank_what_a_service_newly_logs() -> None:
    assert order(measured=metrics(idle=0.1, stock=0.0), logged=logs(stock=9.0))[0] == "stock"


def test_strong_metrics_outrank_noise_in_the_logs() -> None:
    assert order(measured=metrics(stock=0.8), logged=logs(web=5.0))[0] == "stock"


def test_a_caller_that_names_its_failing_peer_speaks_for_the_peer() -> None:
    alone = order(measured=metrics(), logged=logs(web=8.0, stock=3.0))
    pointed = order(measured=metrics(), logged=logs(signs=(sign("service", "stock", "web"),), web=8.0, stock=3.0))
    assert (alone[0], pointed[0]) == ("web", "stock")


def test_a_failing_host_outside_gets_no_place_among_the_services() -> None:
    found = order(measured=metrics(), logged=logs(signs=(sign("dependency", "api.example", "web"),), web=8.0))
    assert found == ["web"]


def test_what_lies_beneath_all_that_tell_of_it_began_at_none_of_them() -> None:
    names = sign("dependency", "DNS in 4 services", "web").model_copy(
        update={"named": False, "wide": True, "services": ("web", "stock", "mail", "till")}
    )
    found = rank_services(metrics(stock=0.9), logs(signs=(names,), web=8.0))
    assert rank_services(metrics(stock=0.9), logs(web=8.0))[0].score > 0.5
    assert found[0].service == "stock"
    assert found[0].score <= 0.25


def test_what_nothing_tells_from_those_it_calls_is_no_sure_place() -> None:
    seen = metrics(web=0.95)
    alone = seen.model_copy(update={"dark": ("stock",)})
    assert rank_services(seen, logs(web=8.0))[0].score > 0.5
    assert rank_services(alone, logs(web=8.0))[0].score < 0.5
    assert rank_services(alone, logs(web=8.0, stock=0.1))[0].score > 0.5, "its logs were given, and tell little"
    broken = logs(web=8.0).model_copy(update={"flows": (flow("web"),)})
    assert rank_services(alone, broken)[0].score > 0.5


def test_logs_without_a_time_before_weigh_little() -> None:
    measured = metrics(stock=0.4)
    assert order(measured=measured, logged=logs(web=9.0))[0] == "web"
    assert order(measured=measured, logged=logs(None, web=9.0))[0] == "stock"


def test_scores_stay_between_none_and_all() -> None:
    scores = [item.score for item in rank_services(metrics(a=1.0, b=0.0), logs(a=900.0, c=900.0))]
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert rank_services(MetricsSummary(), LogsSummary()) == ()


def flow(*blamed: str, nats: float = 40.0) -> FlowBreak:
    return FlowBreak(
        service=blamed[0], blamed=blamed, before_service="web", before="a", lost="b", instead=None, followed=40, of=40,
        still=0, since_of=40, since=NOON, nats=nats, citation="log:a@0+1", usual="log:a@9+1",
    )  # fmt: skip


def slow(service: str, share: float, nats: float = 40.0) -> SlowPassages:
    return SlowPassages(
        service=service, peers=("web",), kinds=2, of=2, share=share, usual_ms=5.0, now_ms=900.0, since=NOON, nats=nats,
        citation="log:a@0+1",
    )  # fmt: skip


def test_a_code_fault_that_only_the_course_of_requests_shows_outranks_faint_metrics_and_loud_victims() -> None:
    loud = logs(web=9.0)
    silent = loud.model_copy(update={"flows": (flow("stock"),)})
    measured = metrics(idle=0.6, stock=0.0)
    assert order(measured=measured, logged=loud)[0] == "idle"
    assert order(measured=measured, logged=silent)[0] == "stock"
    unsure = loud.model_copy(update={"flows": (flow("stock", nats=8.0),)})
    assert order(measured=measured, logged=unsure)[0] == "idle"


def test_where_two_may_be_it_they_share_and_one_that_is_surely_it_comes_first() -> None:
    shared = LogsSummary(flows=(flow("cart", "web"), flow("stock", nats=30.0)))
    assert order(measured=metrics(), logged=shared) == ["stock", "cart", "web"]


def test_slow_passages_break_a_tie_of_metrics() -> None:
    measured = metrics(price=0.7, stock=0.7, cart=0.0)
    found = LogsSummary(slow=(slow("stock", 0.9), slow("cart", 0.7)))
    assert order(measured=measured, logged=found) == ["stock", "price", "cart"]


def test_of_equals_the_order_of_metrics_stays() -> None:
    assert order(measured=metrics(c=0.0, a=0.0, b=0.0), logged=LogsSummary()) == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("sees", "logged", "places"),
    [
        pytest.param(("failures", "work"), LogsSummary(), 0, id="metrics of both"),
        pytest.param(("work",), LogsSummary(baseline=BEFORE), 0, id="logs show what fails"),
        pytest.param(("work",), LogsSummary(), 1, id="nothing counts failures"),
        pytest.param(("work",), LogsSummary(events=9), 1, id="logs with nothing before"),
        pytest.param((), LogsSummary(), 2, id="neither"),
    ],
)
def test_a_place_is_less_sure_for_what_nothing_could_have_shown(
    sees: tuple[Seen, ...], logged: LogsSummary, places: int
) -> None:
    measured = metrics(stock=0.5, web=0.1).model_copy(update={"sees": sees})
    assert rank_services(measured, logged)[0].score == pytest.approx(chances([0.5, 0.1], places)[0], abs=1e-4)
