"""The runbooks that ship: well-formed, citable, safe to show, and found by what people and logs say."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from runbooks import SIGNALS, Library, Runbook
from runbooks.model import STEP_KINDS
from subagents.citations import RunbookRef, parse

LIBRARY = Library.load()
REQUIRED = set(
    "latency error-rate pool-saturation memory-growth bad-deploy failing-dependency expired-certificate full-disk "  # noqa: SIM905
    "traffic-surge bad-data dns-failure slow-database queue-backlog config-change".split()
)


def test_all_parse_without_a_problem() -> None:
    assert LIBRARY.problems == ()
    assert set(LIBRARY.runbooks) >= REQUIRED


@pytest.mark.parametrize("runbook", LIBRARY.runbooks.values(), ids=lambda r: r.slug)
def test_each_is_whole(runbook: Runbook) -> None:
    assert runbook.bundled
    assert runbook.title
    assert len(runbook.summary) > 40
    assert runbook.triggers.signals
    assert len(runbook.triggers.words) >= 8
    assert len(runbook.thresholds) >= 3
    assert len(runbook.risks) >= 2
    assert len(runbook.path.read_text().splitlines()) <= 90
    kinds = [step.kind for step in runbook.steps]
    assert kinds[0] == "look"
    assert {"contain", "verify"} <= set(kinds)
    assert set(kinds) <= STEP_KINDS
    assert "escalate" in kinds


@pytest.mark.parametrize("runbook", LIBRARY.runbooks.values(), ids=lambda r: r.slug)
def test_steps_are_citable_and_commands_plain(runbook: Runbook) -> None:
    ids = [step.id for step in runbook.steps]
    assert len(set(ids)) == len(ids)
    lines = runbook.path.read_text().splitlines()
    for step in runbook.steps:
        ref = parse(f"runbook:{runbook.slug}#{step.id}")
        assert isinstance(ref, RunbookRef)
        assert LIBRARY.step(ref.slug, ref.step) is step
        assert lines[step.line - 1] == f"## {step.id}: {step.title}"
        assert step.risk or step.kind not in ("contain",), f"{step.id} changes something and names no risk"
        for command in step.commands:
            assert "\n" not in command
            assert all(unicodedata.category(c)[0] != "C" for c in command)
            assert not command.startswith(("#", "$"))


def test_every_signal_is_answered_by_some_runbook() -> None:
    answered = {signal for runbook in LIBRARY.runbooks.values() for signal in runbook.triggers.signals}
    assert answered == SIGNALS


QUERIES = (
    ("requests are slow, p99 went from 80 ms to 2 s", "latency"),
    ("API response times doubled", "latency"),
    ("5xx errors spiking on checkout", "error-rate"),
    ("exceptions in the logs, error rates up", "error-rate"),
    ("HikariPool-1 - Connection is not available, request timed out after 30000ms", "pool-saturation"),
    ("FATAL: sorry, too many clients already", "pool-saturation"),
    ("connection pools exhausted", "pool-saturation"),
    ("accept4: too many open files", "pool-saturation"),
    ("java.lang.OutOfMemoryError: Java heap space", "memory-growth"),
    ("pods OOMKilled with exit code 137", "memory-growth"),
    ("memory leaks after some hours", "memory-growth"),
    ("started right after the release, should we roll back", "bad-deploy"),
    ("canary of the new version fails", "bad-deploy"),
    ("regressions since last deployment", "bad-deploy"),
    ("upstream connect error: connection refused", "failing-dependency"),
    ("third party payment provider is down", "failing-dependency"),
    ("circuit breakers open for inventory", "failing-dependency"),
    ("x509: certificate has expired or is not yet valid", "expired-certificate"),
    ("SSL handshake failures", "expired-certificate"),
    ("CERTIFICATE_VERIFY_FAILED", "expired-certificate"),
    ("write failed: no space left on device", "full-disk"),
    ("disks full on db host", "full-disk"),
    ("inodes exhausted", "full-disk"),
    ("sudden spike of requests from crawlers", "traffic-surge"),
    ("retry storms overload the frontend", "traffic-surge"),
    ("consumer crashes on the same malformed message", "bad-data"),
    ("poison messages in the queue", "bad-data"),
    ("schema mismatch while deserializing records", "bad-data"),
    ("dial tcp: lookup db.internal: no such host", "dns-failure"),
    ("getaddrinfo EAI_AGAIN redis", "dns-failure"),
    ("coredns returns SERVFAIL", "dns-failure"),
    ("Lock wait timeout exceeded; try restarting transaction", "slow-database"),
    ("deadlocks detected between transactions", "slow-database"),
    ("slow queries and full table scans", "slow-database"),
    ("kafka consumer lag keeps growing", "queue-backlog"),
    ("jobs stuck in the celery queues", "queue-backlog"),
    ("someone toggled a feature flag", "config-change"),
    ("configuration changed by terraform", "config-change"),
    ("cpu throttling on all pods", "cpu-saturation"),
    ("one node is NotReady and drops packets", "bad-host"),
)


def test_what_people_and_logs_say_finds_the_runbook() -> None:
    ranks = {query: _rank(query, wanted) for query, wanted in QUERIES}
    reciprocal = sum(1 / rank for rank in ranks.values()) / len(ranks)
    assert reciprocal >= 0.9, {q: r for q, r in ranks.items() if r > 1}
    assert max(ranks.values()) <= 5, {q: r for q, r in ranks.items() if r > 5}


def _rank(query: str, wanted: str) -> float:
    slugs = [hit.slug for hit in LIBRARY.search(query, limit=20)]
    return slugs.index(wanted) + 1 if wanted in slugs else float("inf")


@pytest.mark.parametrize(
    ("signals", "wanted"),
    [
        (["latency"], "latency"),
        (["error_ratio"], "error-rate"),
        (["latency", "saturation"], "pool-saturation"),
        (["error_ratio", "deploy"], "bad-deploy"),
        (["error_ratio", "restarts", "memory_growth"], "memory-growth"),
        (["error_ratio", "certificate"], "expired-certificate"),
        (["error_ratio", "disk"], "full-disk"),
        (["latency", "traffic"], "traffic-surge"),
        (["error_ratio", "data"], "bad-data"),
        (["latency", "dependency"], "failing-dependency"),
        (["latency", "database"], "slow-database"),
        (["error_ratio", "flag"], "config-change"),
        (["dns", "error_ratio"], "dns-failure"),
        (["backlog", "latency"], "queue-backlog"),
        (["cpu", "latency"], "cpu-saturation"),
        (["host", "error_ratio"], "bad-host"),
    ],
)
def test_observed_signals_find_it_and_say_why(signals: list[str], wanted: str) -> None:
    best = LIBRARY.search(signals=signals)[0]
    assert best.slug == wanted
    assert any(reason.startswith("signal ") for reason in best.why)
    step = LIBRARY.step(best.slug, best.step)
    assert step is not None
    assert step.kind == "contain"


def test_signals_and_words_together() -> None:
    hit = LIBRARY.search("QueuePool limit of size 5 overflow 10 reached", ["latency", "saturation"])[0]
    assert hit.slug == "pool-saturation"
    assert "signal saturation" in hit.why
    assert "with latency" in hit.why
    assert any("QueuePool limit" in reason for reason in hit.why)
    assert hit.ref == f"runbook:pool-saturation#{hit.step}"


def test_the_step_the_words_point_at() -> None:
    assert LIBRARY.search("find the head of the lock chain")[0].ref == "runbook:slow-database#blocker"


def test_they_are_packaged_beside_the_code() -> None:
    assert {p.stem for p in Path(LIBRARY.runbooks["latency"].path).parent.glob("*.md")} == set(LIBRARY.runbooks)
