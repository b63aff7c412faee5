"""What the specialist reports with no model: findings with facts that hold, strongest first, honest when clean."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from subagents import quantities
from subagents.contract import Evidence, Finding, SourceSpec
from subagents.logs.agent import build
from subagents.logs.log_set import LogSet
from subagents.logs.model import LogsSummary
from subagents.logs.params import CoverageParams
from subagents.logs.peers import target_of
from subagents.logs.resolver import LogResolver
from subagents.logs.signatures import TABLE, around_wording, recognise
from subagents.quantities import figure
from subagents.verifying import Recomputed
from tests.fakes import FakeClock, FakeWorkbench, run_procedure
from tests.logs.builders import agent_for, at, brief, call, incident_log, iso, write


def _cited(bench: FakeWorkbench) -> dict[str, Evidence]:
    return {each.ref: each for _, _, result in bench.calls for each in result.citations}


def _specs(bench: FakeWorkbench) -> Sequence[SourceSpec]:
    resolver = bench._agent.resolver
    assert isinstance(resolver, LogResolver)
    return resolver.logs.specs


def _check(bench: FakeWorkbench) -> None:
    """Every citation of a finding was returned by a tool and opens to the same bytes; every fact is counted again."""
    cited = _cited(bench)
    resolver = bench._agent.resolver
    assert resolver is not None
    fresh = LogResolver(LogSet([spec for spec in _specs(bench) if spec.kind == "logs"]), FakeClock())
    for finding in bench.reported:
        for ref in (*finding.citations, *(fact.citation for fact in finding.facts)):
            assert resolver.resolve(ref).digest == cited[ref].digest
        for fact in finding.facts:
            assert fresh.recompute(fact) == Recomputed(value=fact.value, unit=fact.unit), (finding.claim, fact)
    assert len(bench.reported) <= 12


async def test_an_incident_with_a_given_start(tmp_path: Path) -> None:
    spec = write(tmp_path, "orders.log.gz", incident_log())
    bench, summary = await run_procedure(build([spec]), brief([spec], started=at(2400), fired=at(2700)))
    assert isinstance(summary, LogsSummary)
    _check(bench)
    assert summary.onset is not None
    assert summary.onset.at == at(2400)
    assert not summary.clean
    assert summary.services[0].service == "orders"
    suspects = {finding.about.id: finding for finding in bench.reported if finding.about}
    refused = suspects["dependency:ledger-db.internal"]
    assert (refused.topic, refused.stance, refused.at) == ("mechanism", "for", at(2400))
    counts = {fact.quantity: fact.value for fact in refused.facts}
    assert counts[quantities.COUNT] == 120
    assert counts[quantities.BASELINE_COUNT] == 0
    assert counts[quantities.FIRST_SEEN] == at(2400).isoformat()
    assert any("mail sent to" in finding.claim and finding.topic == "consequence" for finding in bench.reported)


async def test_the_window_is_derived_from_the_logs_and_said(tmp_path: Path) -> None:
    spec = write(tmp_path, "orders.log", incident_log())
    bench, summary = await run_procedure(build([spec]), brief([spec], fired=at(2900)))
    assert summary.onset is not None
    assert summary.onset.at == at(2400)
    assert any("derived from the logs: errors rise at 12:40:00 UTC" in line for line in bench.said)


async def test_rates_are_told_with_no_more_digits_than_anybody_reads(tmp_path: Path) -> None:
    early = [f"{iso(n * 29)} ERROR [main] orders - mail {n} bounced" for n in range(73)]
    spec = write(tmp_path, "orders.log", sorted([*incident_log(), *early]))
    bench, _ = await run_procedure(build([spec]), brief([spec], fired=at(2900)))
    (told,) = [finding.claim for finding in bench.reported if finding.topic == "onset"]
    rates = told.removesuffix(" after.").partition("in the logs: ")[2].split(" a minute before, ")
    assert all(rate == figure(float(rate)) for rate in rates)
    assert "." in rates[0]


async def test_one_message_may_have_several_severities(tmp_path: Path) -> None:
    levels = ["error" if n >= 1200 and n % 3 == 0 else "info" for n in range(1800)]
    told = [json.dumps({"ts": iso(n), "level": level, "msg": "request done"}) for n, level in enumerate(levels)]
    bench, summary = await run_procedure(build([spec := write(tmp_path, "web.log", told)]), brief([spec]))
    _check(bench)
    assert summary.onset is not None
    assert summary.onset.at == at(1200)
    (onset,) = [finding for finding in bench.reported if finding.topic == "onset"]
    assert [json.loads(_cited(bench)[ref].excerpt)["level"] for ref in onset.citations] == ["error"]
    coverage = call(agent_for(spec), "logs_coverage", CoverageParams()).need()
    assert [(each.level, each.count) for each in coverage.levels] == [("info", 1600), ("error", 200)]
    assert coverage.services[0].errors == 200


async def test_an_onset_on_the_board_gives_the_window(tmp_path: Path) -> None:
    spec = write(tmp_path, "orders.log", incident_log())
    onset = Finding(agent="metrics", claim="latency left its baseline", topic="onset", at=at(2390))
    _, summary = await run_procedure(build([spec]), brief([spec]), (onset,))
    assert summary.window is not None
    assert summary.window.start == at(2330)


async def test_the_window_does_not_depend_on_who_is_faster(tmp_path: Path) -> None:
    """Others are still at work when the logs have been read: what they say of the onset counts all the same."""
    spec = write(tmp_path, "orders.log", incident_log())
    late = [
        Finding(agent="metrics", claim="errors left their baseline", topic="onset", at=at(2395)),
        Finding(agent="metrics", claim="latency left its baseline", topic="onset", at=at(2390)),
    ]

    class Slow(FakeWorkbench):
        async def more(self, seen: int) -> bool:
            if late:
                self._findings.append(late.pop(0))
            return await super().more(seen)

    agent = build([spec])
    assert agent.procedure is not None
    summary = await agent.procedure(brief([spec]), Slow(agent))
    assert isinstance(summary, LogsSummary)
    assert summary.window is not None
    assert summary.window.start == at(2330)
    assert late == []


def test_of_a_long_trace_what_was_thrown_is_quoted_and_not_the_code_that_throws() -> None:
    thrown = "shop.pool.PoolTimeout: no connection within 2.0 s, 16 of 16 in use, 27 waiting"
    frames = "\n".join(
        f'  File "/srv/shop/part_{n}.py", line {n}, in part\n    return await part()\n    ^^^^^^' for n in range(9)
    )
    code = '    raise PoolTimeout(f"no connection within {self.wait} s: pool exhausted")'
    text = f"GET /cart gave up\nTraceback (most recent call last):\n{frames}\n{code}\n{thrown}"
    known = recognise(text)
    assert known is not None
    assert known.name == "pool exhausted"
    assert around_wording(known, text) == thrown
    one_line = " ".join(text.split())
    assert around_wording(known, one_line).startswith("…")
    assert around_wording(known, "pool exhausted") == "pool exhausted"


async def test_clean_logs_are_a_finding_with_counts(tmp_path: Path) -> None:
    lines = [f"{iso(n * 2)} INFO  [main] orders - order {n} accepted" for n in range(1800)]
    lines += [f"{iso(n * 60)} ERROR [main] orders - retry {n} failed, will try again" for n in range(60)]
    spec = write(tmp_path, "orders.log", sorted(lines))
    bench, summary = await run_procedure(build([spec]), brief([spec], started=at(2400)))
    assert summary.clean
    assert [finding.topic for finding in bench.reported] == ["health"]
    assert "21 of them severe" in bench.reported[0].claim
    _check(bench)


async def test_no_logs_no_times_and_no_baseline_are_gaps(tmp_path: Path) -> None:
    bench, summary = await run_procedure(build([]), brief([]))
    assert [finding.topic for finding in bench.reported] == ["gap"]
    undated = write(tmp_path, "x.log", ["error: disk full"] * 3)
    bench, summary = await run_procedure(build([undated]), brief([undated], started=at(0)))
    assert [finding.topic for finding in bench.reported] == ["gap"]
    assert summary.events == 3
    late = write(tmp_path, "y.log", [f"{iso(n)} ERROR boom {n}" for n in range(30)])
    bench, summary = await run_procedure(build([late]), brief([late], started=at(0)))
    assert summary.baseline is None
    assert not summary.clean
    assert any("hold nothing before" in finding.claim for finding in bench.reported)
    assert all("none before" not in finding.claim for finding in bench.reported)


async def test_a_trace_points_to_own_code_and_a_start_is_told(tmp_path: Path) -> None:
    lines = [f"{iso(n * 5)} INFO orders - order {n} accepted" for n in range(400)]
    lines.append(f"{iso(1190)} INFO orders - starting orders v2026.3.1")
    for n in range(20):
        lines += [f"{iso(1200 + n * 30)} ERROR orders - request failed", "Traceback (most recent call last):"]
        lines += ['  File "/srv/app/orders/stock.py", line 88, in take', "ValueError: stock is negative"]
    spec = write(tmp_path, "orders.log", lines)
    bench, summary = await run_procedure(build([spec]), brief([spec], fired=at(1500)))
    _check(bench)
    trace = next(finding for finding in bench.reported if "ValueError" in finding.claim)
    assert "/srv/app/orders/stock.py:88" in trace.claim
    assert "/srv/app/orders/stock.py" in trace.terms
    assert "take" in trace.terms
    assert summary.stacks[0].count == 20
    start = next(finding for finding in bench.reported if finding.topic == "change")
    assert (start.at, start.services) == (at(1190), ("orders",))


async def test_files_of_one_incident_share_one_clock(tmp_path: Path) -> None:
    local = "2026-03-01T13:%02d:%02d+01:00 %s"
    a = [local % (n // 60, n % 60, f"INFO served {n}") for n in range(0, 3600, 5)]
    said = {n: ("info", "ok") if n < 1800 else ("error", "call failed") for n in range(0, 3600, 5)}
    b = [json.dumps({"ts": iso(n), "level": level, "msg": text}) for n, (level, text) in said.items()]
    specs = [write(tmp_path, "web.log", a), write(tmp_path, "ledger.jsonl", b)]
    bench, summary = await run_procedure(build(specs), brief(specs))
    assert summary.onset is not None
    assert summary.onset.at == at(1800)
    assert summary.services[0].service == "ledger"
    assert summary.problems == ()
    _check(bench)


SAID = [
    ("certificate expired", "x509: certificate has expired or is not yet valid: current time is after"),
    ("certificate refused", "x509: certificate signed by unknown authority"),
    ("disk full", "write /var/lib/pg: no space left on device"),
    ("out of memory", "java.lang.OutOfMemoryError: Java heap space"),
    ("DNS", "dial tcp: lookup ledger.internal on 10.0.0.2:53: no such host"),
    (
        "DNS",
        "Max retries exceeded (Caused by NameResolutionError(\"Failed to resolve 'pay.svc' ([Errno -3] Try again)\"))",
    ),
    ("rate limited", "HTTP 429 Too Many Requests from api.example.com"),
    ("connection refused", "connect ECONNREFUSED 10.0.0.8:6379"),
    ("unreachable", "connect: no route to host"),
    ("no instance", "No instances available for billing-service"),
    ("upstream failing", "upstream billing returned 503"),
    ("upstream timeout", "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"),
    ("connection lost", "read tcp: connection reset by peer"),
    ("pool exhausted", "HikariPool-1 - Connection is not available, request timed out after 30000ms."),
    ("file handles", "accept4: too many open files"),
    ("locks", "ERROR: deadlock detected"),
    ("credentials", "FATAL: password authentication failed for user app"),
    ("schema", 'relation "favorites" does not exist'),
    ("code fault", "runtime error: invalid memory address or nil pointer dereference"),
    ("bad data", "duplicate key value violates unique constraint"),
    ("host fault", "EXT4-fs error: Remounting: Read-only file system"),
    ("datastore leadership", "etcdserver: no leader"),
    ("crash loop", "Back-off restarting failed container"),
]


@pytest.mark.parametrize(("name", "text"), SAID, ids=[f"{name}-{at}" for at, (name, _) in enumerate(SAID)])
def test_general_wordings_are_recognised(name: str, text: str) -> None:
    found = recognise(text)
    assert found is not None
    assert found.name == name


def test_ordinary_lines_are_no_failure() -> None:
    ordinary = ("order accepted", "timeout set to 30", "cache warmed", "user logged in", "connected to db")
    settings = ("Readiness: http-get http://:8079/ delay=30s timeout=1s period=3s", "failed to resolve 3 conflicts")
    for text in (*ordinary, *settings):
        assert recognise(text) is None, text
    assert len({known.name for known in TABLE}) == len(TABLE)


def test_a_peer_is_a_host_or_a_known_service_never_a_mere_word() -> None:
    known = ["billing", "orders"]
    assert target_of("", "GET https://api.example.com/v1 exceeded deadline", known, ["orders"]) == "api.example.com"
    assert target_of("", "upstream billing returned 503", known, ["orders"]) == "billing"
    assert target_of("", "billing endpoint unavailable", known, ["orders"]) == "billing"
    assert target_of("", "upstream deadline exceeded", known, ["orders"]) is None
    assert target_of("", "certificate_expired (peer bank.example:443)", known, ["orders"]) == "bank.example"
    assert target_of("", "certificate expired, peer unknown", known, ["orders"]) is None
    assert target_of("", "Charge upstream call returned error", known, ["orders"]) is None
    served = "GET https://www.shop.example/cart HTTP/1.1 from 10.1.1.1 timed out after 30s"
    assert target_of("", served, known, ["orders"]) is None, "who asked was served by the speaker"
    asked = '{"client_ip":"10.1.1.1","http.host":"www.shop.example","message":"request timed out"}'
    assert target_of(asked, "request timed out", known, ["orders"]) is None
    assert target_of('{"http.host":"api.example.com"}', "request timed out", known, []) == "api.example.com"
    assert target_of("", "client 10.1.1.1: GET https://api.example.com/v1 timed out", known, []) == "api.example.com"
    assert target_of('{"upstream.host":"api.example.com:443"}', "exceeded deadline", known, []) == "api.example.com"


NGINX = (
    "[error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.0.1, "
    'server: www.shop.example, request: "GET /cart HTTP/1.1", upstream: "{}", host: "www.shop.example", '
    'referrer: "https://www.search.example/"'
)


@pytest.mark.parametrize(
    ("line", "peer"),
    [
        (NGINX.format("fastcgi://unix:/run/php/fpm.sock:"), None),
        (NGINX.format("fastcgi://127.0.0.1:9000"), None),
        (NGINX.format("http://pool/cart"), None),
        (NGINX.format("uwsgi://10.0.3.7:3031"), "10.0.3.7"),
        (NGINX.format("http://orders.shop.internal:8080/cart"), "orders.shop.internal"),
        (NGINX.format("grpc://billing:50051"), "billing"),
        (NGINX.partition(", request")[0], None),
        ("attempt to connect to 10.0.3.7:8080 failed, referer: https://www.shop.example/", "10.0.3.7"),
        ('connection refused user_agent="bot (+http://www.search.example/bot)"', None),
        ("dial tcp 127.0.0.1:5432: connect: connection refused", None),
        ("Failed to connect to localhost:8500: Connection refused", None),
        ('{"peer": "127.0.0.1:6379"}', None),
    ],
)
def test_who_asked_and_the_own_machine_are_no_peers(line: str, peer: str | None) -> None:
    assert target_of(line, line, ["orders", "billing"], ["web"]) == peer


async def test_a_site_is_not_blamed_for_the_program_behind_it_nor_is_where_its_users_came_from(tmp_path: Path) -> None:
    served = [f"{at(n):%Y/%m/%d %H:%M:%S} [warn] 7#7: a body is buffered" for n in range(0, 1800, 20)]
    refused = NGINX.format("fastcgi://unix:/run/php/fpm.sock:")
    failed = [f"{at(n):%Y/%m/%d %H:%M:%S} {refused}" for n in range(1200, 1800, 2)]
    spec = write(tmp_path, "nginx-error.log", sorted(served + failed))
    bench, _ = await run_procedure(build([spec]), brief([spec]))
    (found,) = [each for each in bench.reported if each.topic == "mechanism" and each.about is not None]
    assert found.about is not None
    assert found.about.label == "connection refused in nginx"


def test_the_agent_speaks_the_contract(tmp_path: Path) -> None:
    agent = agent_for(write(tmp_path, "x.log", ["a"]))
    assert agent.cites == ("log",)
    assert agent.resolver is not None
    assert "logs_first_look" in agent.prompt


async def test_one_resource_that_runs_out_is_one_suspect_and_the_first_to_say_so_is_quoted(tmp_path: Path) -> None:
    quiet = [f"{iso(n)} INFO served {n}" for n in range(1800)]
    db = [f"{iso(n)} ERROR could not extend file: No space left on device" for n in range(1200, 1800, 20)]
    web = [f"{iso(n)} ERROR write failed: ENOSPC, disk full" for n in range(1230, 1800, 10)]
    specs = [write(tmp_path, "web.log", sorted(quiet + web)), write(tmp_path, "pg.log", sorted(quiet + db))]
    bench, summary = await run_procedure(build(specs), brief(specs, fired=at(1400)))
    suspects = [finding for finding in bench.reported if finding.about]
    assert [finding.about.id for finding in suspects if finding.about] == ["resource:disk full in pg"]
    assert suspects[0].services == ("pg", "web")
    assert "could not extend file" in suspects[0].claim
    assert summary.signatures[0].count == len(db) + len(web)


async def test_what_there_is_less_of_than_before_is_no_finding(tmp_path: Path) -> None:
    def rare(*seconds: int) -> list[str]:
        return [f"{iso(second)} ERROR [main] orders - ticket {second} is in the wrong state" for second in seconds]

    async def claims(name: str, *seconds: int) -> list[str]:
        spec = write(tmp_path, name, sorted(incident_log() + rare(*seconds)))
        bench, _ = await run_procedure(build([spec]), brief([spec], started=at(2400), fired=at(2700)))
        return [finding.claim for finding in bench.reported if "wrong state" in finding.claim]

    assert await claims("fewer.log", 100, 1100, 2900) == []
    (more,) = await claims("more.log", 2900)
    assert "1 time (none before)" in more


async def test_names_that_resolve_nowhere_are_beneath_the_services_and_no_peer_is_blamed(tmp_path: Path) -> None:
    def calls(*peers: str) -> list[str]:
        quiet = [f"{iso(n)} INFO served {n}" for n in range(1800)]
        lost = (f"{iso(n)} ERROR java.net.UnknownHostException: {peer}" for peer in peers for n in range(1200, 1800, 9))
        return sorted([*quiet, *lost])

    peers = {"web": "orders", "orders": "stock", "stock": "mail", "mail": "api.mail.example"}
    all_ = [write(tmp_path, f"{name}.log", calls(peer)) for name, peer in peers.items()]
    bench, summary = await run_procedure(build(all_), brief(all_, started=at(1200)))
    _check(bench)
    assert [(each.wide, each.named) for each in summary.signatures if each.name == "DNS"] == [(True, False)]
    (wide,) = [f for f in bench.reported if f.about is not None]
    assert wide.about is not None
    assert (wide.about.id, len(wide.services)) == ("dependency:DNS in 4 services", 4)

    one = [write(tmp_path, "shop.log", calls("stock")), write(tmp_path, "stock.log", calls())]
    bench, summary = await run_procedure(build(one), brief(one, started=at(1200)))
    (alone,) = [f for f in bench.reported if f.about is not None]
    assert alone.about is not None
    assert (alone.about.id, summary.signatures[0].wide) == ("dependency:stock", False), "a lead, and not the service"
    assert alone.weight < 0.5 < wide.weight


@pytest.mark.parametrize(
    ("peers", "wide"),
    [(tuple("abcdef"), True), (tuple("aaaaaa"), False)],
    ids=["each its own", "all the same"],
)
async def test_of_one_message_of_several_services_it_is_looked_whether_they_mean_one_peer(
    tmp_path: Path, peers: tuple[str, ...], wide: bool
) -> None:
    specs = []
    for name, peer in zip(("web", "orders", "mail", "till", "stock", "pay"), peers, strict=True):
        said = f"call failed: java.net.UnknownHostException: store-{peer}.prod.svc.local"
        lost = [f"{iso(n)} ERROR {said}" for n in range(1200, 1800, 9)]
        specs.append(write(tmp_path, f"{name}.log", [f"{iso(n)} INFO served {n}" for n in range(0, 1200, 3)] + lost))
    _, summary = await run_procedure(build(specs), brief(specs, started=at(1200)))
    (sign,) = [each for each in summary.signatures if each.name == "DNS"]
    assert len(sign.patterns) == 1, "all of them are one message"
    assert (sign.wide, sign.named) == (wide, not wide)


@pytest.mark.parametrize(
    ("thrown", "told"),
    [("TypeError: price of nothing", True), ("ConnectionError: [Errno 111] Connection refused", False)],
)
async def test_where_a_trace_ends_is_a_term_only_where_its_code_may_have_done_it(
    tmp_path: Path, thrown: str, told: bool
) -> None:
    frame = '  File "/srv/app/shop/card.py", line 31, in show\n    x()'
    trace = f"ERROR failed\nTraceback (most recent call last):\n{frame}\n{thrown}"
    lines = [f"{iso(n)} INFO served {n}" for n in range(0, 1200, 5)] + [
        f"{iso(n)} {trace}" for n in range(1200, 1800, 20)
    ]
    spec = write(tmp_path, "shop.log", lines)
    bench, _ = await run_procedure(build([spec]), brief([spec], started=at(1200)))
    (stack,) = [f for f in bench.reported if " threw " in f.claim]
    assert ("/srv/app/shop/card.py:31" in stack.terms) is told
