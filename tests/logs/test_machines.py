"""What programs of a machine tell of others: full disks, killed processes, and waits that are logged as information."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.engines.offline.places import rank_services
from subagents.logs.agent import build
from subagents.logs.levels import sounds_bad
from subagents.logs.machines import killed_one, machine_of, unit_of, workload_of
from subagents.logs.model import LogsSummary
from subagents.logs.resolver import LogResolver
from subagents.logs.signatures import told_quietly
from subagents.metrics.model import MetricsSummary
from tests.fakes import run_procedure
from tests.logs.builders import at, brief, iso, write


def syslog(seconds: float, host: str, text: str) -> str:
    return f"{iso(seconds)} {host} {text}"


def usual(host: str) -> list[tuple[float, str]]:
    return [(n, syslog(n, host, f"systemd[1]: Started Session {n} of user deploy.")) for n in range(0, 3600, 60)]


def in_order(timed: list[tuple[float, str]]) -> list[str]:
    return [line for _, line in sorted(timed)]


def served(failing: str) -> list[str]:
    lines = [(float(n), f"{iso(n)} INFO cart - cart {n} priced in {n % 50} ms") for n in range(0, 3600, 6)]
    lines += [(n + 0.5, f"{iso(n + 0.5)} ERROR cart - {failing} ({n})") for n in range(2406, 3600, 12)]
    return in_order(lines)


async def test_who_was_killed_for_want_of_memory_leads_before_whom_it_was_missed_by(tmp_path: Path) -> None:
    killed = [
        ("kernel: [12.1] java invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0"),
        ("kernel: [12.2] Out of memory: Killed process 812 (java) total-vm:8123456kB, anon-rss:3999999kB, UID:998"),
        ("systemd[1]: stock.service: Main process exited, code=killed, status=9/KILL"),
        ("systemd[1]: stock.service: Failed with result 'oom-kill'."),
    ]
    lines = usual("web-1") + [(2400.0 + n, syslog(2400 + n, "web-1", text)) for n, text in enumerate(killed)]
    specs = [
        write(tmp_path, "syslog", in_order(lines)),
        write(tmp_path, "cart.log", served("GET http://stock:8080/items failed: Connection refused")),
    ]
    bench, summary = await run_procedure(build(specs), brief(specs))
    assert isinstance(summary, LogsSummary)
    told = [finding for finding in bench.reported if finding.topic == "mechanism"]
    assert [finding.about.label for finding in told if finding.about is not None][:1] == ["OOM kill in stock"]
    assert "crash loop in stock" in [sign.label for sign in summary.signatures]
    assert {sign.name: sign.unit for sign in summary.signatures} == {
        "OOM kill": "stock",
        "crash loop": "stock",
        "connection refused": None,
    }


def crashing(seconds: float, workload: str) -> str:
    pod = f"{workload}-7d9c8b5f6-{'x2x4z' if seconds % 2 else 'k9dqp'}"
    return syslog(
        seconds,
        "node-1",
        f'kubelet[812]: E1126 12:00:00.123456     812 pod_workers.go:1300] "Error syncing pod, skipping" '
        f'err="failed to \\"StartContainer\\" for \\"{workload}\\" with CrashLoopBackOff: \\"back-off 5m0s restarting '
        f'failed container={workload} pod={pod}_prod(0c2f6c2e-1111)\\"" pod="prod/{pod}" podUID="0c2f6c2e-1111"',
    )


async def test_what_kubelet_tells_of_pods_is_told_of_their_workload(tmp_path: Path) -> None:
    lines = usual("node-1") + [(n, crashing(n, "stock")) for n in range(2400, 3600, 15)]
    specs = [write(tmp_path, "syslog", in_order(lines))]
    agent = build(specs)
    bench, summary = await run_procedure(agent, brief(specs))
    assert isinstance(summary, LogsSummary)
    assert [(sign.label, sign.unit) for sign in summary.signatures] == [("crash loop in stock", "stock")]
    onset, errors = (next(f for f in bench.reported if f.topic == topic) for topic in ("onset", "errors"))
    assert (onset.services, errors.services) == (("stock",), ("stock",))
    resolver = agent.resolver
    assert isinstance(resolver, LogResolver)
    assert [resolver.has("service", name) for name in ("stock", "kubelet", "cart")] == [True, True, None]


async def test_what_befell_two_workloads_is_told_of_both(tmp_path: Path) -> None:
    lines = usual("node-1")
    lines += [(n, crashing(n, "stock" if n % 30 else "cart")) for n in range(2400, 3600, 15)]
    specs = [write(tmp_path, "syslog", in_order(lines))]
    bench, summary = await run_procedure(build(specs), brief(specs))
    assert isinstance(summary, LogsSummary)
    assert {sign.unit for sign in summary.signatures} == {"stock", "cart"}
    told = [finding for finding in bench.reported if finding.topic == "onset"]
    assert [finding.services for finding in told] == [("cart", "stock")]


def failing_probe(seconds: float, pod: str) -> str:
    return syslog(
        seconds,
        "node-1",
        f'kubelet[812]: E1126 12:00:00.123456     812 prober.go:107] "Probe failed" probeType="Readiness" '
        f'pod="prod/{pod}" containerName="app" output="Get \\"http://10.0.0.3/ready\\": context deadline exceeded"',
    )


@pytest.mark.parametrize(
    ("pods", "unit"),
    [(("cart-7d9c8b5f6-x2x4z", "stock-7d9c8b5f6-k9dqp"), None), (("db-0", "db-1", "db-2"), "db")],
    ids=["of two workloads", "of a stateful set"],
)
async def test_of_pods_that_take_turns_not_one_is_blamed(
    tmp_path: Path, pods: tuple[str, ...], unit: str | None
) -> None:
    lines = usual("node-1")
    lines += [(n, failing_probe(n, pods[n // 12 % len(pods)])) for n in range(2400, 3600, 12)]
    specs = [write(tmp_path, "syslog", in_order(lines))]
    _, summary = await run_procedure(build(specs), brief(specs))
    assert isinstance(summary, LogsSummary)
    assert [(sign.name, sign.unit) for sign in summary.signatures] == [("probe failing", unit)]


async def test_what_systemd_tells_by_a_description_befell_the_unit_that_it_names(tmp_path: Path) -> None:
    exited = "systemd[1]: cart.service: Main process exited, code=exited, status=1/FAILURE"
    failed = "systemd[1]: Failed to start Shopping cart service."
    lines = usual("node-1") + [(n, syslog(n, "node-1", exited)) for n in range(2400, 3600, 30)]
    lines += [(n + 1, syslog(n + 1, "node-1", failed)) for n in range(2400, 3600, 30)]
    specs = [write(tmp_path, "syslog", in_order(lines))]
    bench, summary = await run_procedure(build(specs), brief(specs))
    assert isinstance(summary, LogsSummary)
    assert [(sign.label, sign.count) for sign in summary.signatures] == [("crash loop in cart", 80)]
    assert {finding.services for finding in bench.reported if finding.topic == "onset"} == {("cart",)}
    assert rank_services(MetricsSummary(), summary)[0].service == "cart"


@pytest.mark.parametrize(
    ("units", "affected"),
    [(("shop", "pay"), ("shop", "pay")), (("shop", "pay", "cart", "mail", "stock"), ("systemd",))],
    ids=["two units", "too many"],
)
async def test_a_few_units_that_crash_are_whom_it_befell_each_by_what_tells_of_it(
    tmp_path: Path, units: tuple[str, ...], affected: tuple[str, ...]
) -> None:
    lines = usual("web-1")
    for n in range(2400, 3600, 20):
        unit = units[n // 20 % len(units)]
        lines.append(
            (n, syslog(n, "web-1", f"systemd[1]: {unit}.service: Main process exited, code=exited, status=1/FAILURE"))
        )
        lines.append((n, syslog(n, "web-1", f"systemd[1]: {unit}.service: Failed with result 'exit-code'.")))
    specs = [write(tmp_path, "syslog", in_order(lines))]
    bench, summary = await run_procedure(build(specs), brief(specs))
    assert isinstance(summary, LogsSummary)
    onset = next(finding for finding in bench.reported if finding.topic == "onset")
    assert onset.services == affected
    of_one = [f.services for f in bench.reported if f.topic == "mechanism" and f"{units[0]}.service" in f.claim]
    assert of_one == [(units[0],) if len(affected) > 1 else affected]
    assert [place.service for place in rank_services(MetricsSummary(), summary) if place.score > 0.3] == [*affected]


@pytest.mark.parametrize(
    ("text", "workload"),
    [
        ('"Probe failed" probeType="Readiness" pod="prod/cart-7d9c8b5f6-x2x4z" containerName="cart"', "cart"),
        ('Error syncing pod 0c2f6c2e ("cart-7d9c8b5f6-x2x4z_prod(0c2f6c2e-1111)"), skipping: back-off', "cart"),
        ("Back-off restarting failed container=cart pod=cart-7d9c8b5f6-x2x4z_prod(0c2f6c2e-1111)", "cart"),
        ('"Eviction manager: pod is evicted successfully" pod="prod/db-0"', "db-0"),
        ("the pod was deleted", None),
        ("no pod of them", None),
        ('Deleted pod="a/x-0" and pod="a/y-0"', None),
        ('Deleted pod="a/x-0" and pod="a/x-1"', "x"),
    ],
)
def test_the_workload_of_the_pods_that_are_named(text: str, workload: str | None) -> None:
    assert workload_of([text]) == workload


async def test_a_full_disk_is_told_of_the_machine_and_not_of_who_could_not_write(tmp_path: Path) -> None:
    full = "rsyslogd[611]: file '/var/log/messages' write failed: No space left on device [v8.2102.0]"
    lines = usual("db-1") + [(n, syslog(n, "db-1", full)) for n in range(2400, 3600, 20)]
    specs = [write(tmp_path, "syslog", in_order(lines)), write(tmp_path, "cart.log", served("could not save cart"))]
    _, summary = await run_procedure(build(specs), brief(specs))
    assert isinstance(summary, LogsSummary)
    assert [sign.label for sign in summary.signatures] == ["disk full in db-1"]


async def test_waits_for_locks_count_though_they_are_logged_as_information(tmp_path: Path) -> None:
    stamp = "%Y-%m-%d %H:%M:%S.000 UTC"
    lines = [
        f"{at(n).strftime(stamp)} [{n}] app@shop LOG:  duration: 1.{n} ms  statement: SELECT 1"
        for n in range(0, 3600, 6)
    ]
    waits = [
        f"process {n} still waiting for ShareLock on transaction {n} after 1000.1 ms" for n in range(2400, 3600, 6)
    ]
    lines += [f"{at(2400 + n * 6).strftime(stamp)} [9] app@shop LOG:  {text}" for n, text in enumerate(waits)]
    spec = write(tmp_path, "postgresql.log", sorted(lines))
    _, summary = await run_procedure(build([spec]), brief([spec], started=at(2400)))
    assert isinstance(summary, LogsSummary)
    assert [(sign.name, sign.count) for sign in summary.signatures] == [("locks", 200)]


@pytest.mark.parametrize(
    ("texts", "victim", "unit"),
    [
        (["Out of memory: Killed process 812 (java) total-vm:1kB", "java invoked oom-killer: order=0"], "java", None),
        (["Killed process 812 (java)", "stock.service: Failed with result 'oom-kill'."], "stock", "stock"),
        (["a.service: Failed", "b.service: Failed"], None, None),
        (["sshd invoked oom-killer: order=0"], "sshd", None),
        (["memory ran out"], None, None),
        (["* Killed process * (*) *", "*.service: Failed with result 'oom-kill'."], None, None),
        (["* Out of memory: Killed process * (java) *", "* java invoked oom-killer: *"], "java", None),
    ],
)
def test_whom_it_befell(texts: list[str], victim: str | None, unit: str | None) -> None:
    assert (killed_one(texts), unit_of(texts)) == (victim, unit)


def test_a_machine_is_named_only_by_its_own_programs_and_only_where_it_is_one() -> None:
    assert machine_of("kernel", ["db-1", "db-1"]) == "db-1"
    assert machine_of("kernel", ["db-1", "db-2"]) is None
    assert machine_of("orders", ["db-1"]) is None


def test_lines_with_no_severity_that_tell_of_a_machine_out_of_something_are_severe() -> None:
    bad = (
        "write: No space left on device",
        "accept4: Too many open files",
        "nf_conntrack: table full, dropping packet",
    )
    assert all(map(sounds_bad, bad))
    assert not any(map(sounds_bad, ("2 open files", "3 GB of space left", "no more open files than usual")))
    assert told_quietly(["postgres was terminated by signal <*>", "statement ended"]) == [True, False]
