"""What no change did is named by its kind, in whatever words a system says it; what only looks like it is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from subagents.logs.peers import target_of
from subagents.logs.records import LEAST, same_record
from subagents.logs.signatures import recognise
from tests.engines.incidents import SERVICE, Story, investigated, level, stamp

HOST, BANK, LEDGER = "api.cardhub.example.com", "bank.partner.example.net", "ledger.internal.example.org"
SURGE = {(SERVICE, "requests_per_s"): level(200, 1500, 37)}
CROWDED = {("node-7", "node_cpu_steal_pct"): level(1, 38, 37)}
FILLING = {(SERVICE, "disk_used_pct"): [min(100.0, 70 + i * 0.78) for i in range(60)]}

CASES: list[tuple[str, str, str, Story]] = [
    (
        "outage, python",
        HOST,
        "fail over from",
        Story(
            [
                f"ERROR charge failed: ConnectionError: HTTPSConnectionPool(host='{HOST}', port=443): Max retries "
                "exceeded (Caused by NewConnectionError: [Errno 111] Connection refused)"
            ]
        ),
    ),
    (
        "outage, gateway",
        HOST,
        "fail over from",
        Story([f"ERROR gateway: upstream https://{HOST}/v1/charge answered 503 Service Unavailable"]),
    ),
    (
        "outage, java",
        HOST,
        "fail over from",
        Story([f"ERROR c.p.Client - SocketTimeoutException: Read timed out calling https://{HOST}/v1/charge"]),
    ),
    (
        "surge, nginx",
        "",
        "capacity",
        Story(["ERROR 4096 worker_connections are not enough while connecting to upstream"], series=SURGE),
    ),
    (
        "surge, java",
        "",
        "capacity",
        Story(["ERROR o.a.Pool - RejectedExecutionException: Task rejected, queue is full"], series=SURGE),
    ),
    (
        "surge, go",
        "",
        "capacity",
        Story(['level=error msg="load shed: too much work in flight"'], series=SURGE),
    ),
    (
        "certificate, go",
        BANK,
        "certificate",
        Story([f'ERROR Post "https://{BANK}/pay": tls: x509: certificate has expired or is not yet valid']),
    ),
    (
        "certificate, openssl",
        BANK,
        "certificate",
        Story([f"ERROR connect to {BANK}:443 failed: SSL routines: certificate has expired (code 10)"]),
    ),
    (
        "certificate, java",
        BANK,
        "certificate",
        Story([f"ERROR c.p.Tls - calling https://{BANK}/pay: CertificateExpiredException: NotAfter: Mon May 04 09:40"]),
    ),
    (
        "names, go",
        LEDGER,
        "resolve again",
        Story([f'ERROR Post "https://{LEDGER}/e": dial tcp: lookup {LEDGER} on 10.0.0.2:53: no such host']),
    ),
    (
        "names, python",
        LEDGER,
        "resolve again",
        Story([f"ERROR NameResolutionError: Failed to resolve '{LEDGER}' ([Errno -2] Name or service not known)"]),
    ),
    ("names, node", LEDGER, "resolve again", Story([f"ERROR Error: getaddrinfo ENOTFOUND {LEDGER}"])),
    (
        "neighbour, kernel",
        "",
        "drain it",
        Story(["ERROR kernel: watchdog: BUG: soft lockup - CPU#3 stuck for 23s! [qemu-kvm:991]"], series=CROWDED),
    ),
    (
        "neighbour, cluster",
        "",
        "drain it",
        Story(["ERROR pod pay-6f was evicted: the node was low on resource: cpu"], series=CROWDED),
    ),
    (
        "neighbour, tasks",
        "",
        "drain it",
        Story(["ERROR hung_task: blocked for more than 120 seconds while waiting for cpu"], series=CROWDED),
    ),
    (
        "disk, python",
        "",
        "free space",
        Story(["ERROR OSError: [Errno 28] No space left on device: '/var/lib/pay/journal'"], series=FILLING),
    ),
    (
        "disk, database",
        "",
        "free space",
        Story(['ERROR could not extend file "base/16384/2619": No space left on device'], series=FILLING),
    ),
    (
        "disk, search engine",
        "",
        "free space",
        Story(["ERROR flood stage disk watermark [95%] exceeded on [x7], index is read-only"], series=FILLING),
    ),
]


WHOLE = CASES[::4]
"""Each kind, in the words of another system, is investigated whole; for the others it is enough that they are known."""


@pytest.mark.parametrize(("name", "subject", "line"), [(row[0], row[1], row[3].lines[0]) for row in CASES])
def test_the_words_of_every_system_are_known(name: str, subject: str, line: str) -> None:
    known = recognise(line)
    assert known is not None
    assert KINDS[name.partition(",")[0]] == known.kind or (name, known.kind) == ("surge, java", "resource")
    if subject:
        assert target_of(line, line, [SERVICE], [SERVICE]) == subject


@pytest.mark.parametrize(("subject", "first", "story"), [row[1:] for row in WHOLE], ids=[row[0] for row in WHOLE])
async def test_a_cause_that_is_no_change_is_named(tmp_path: Path, subject: str, first: str, story: Story) -> None:
    found = await investigated(tmp_path, story)
    assert found.kind == "no_code_cause", found.headline
    assert subject in found.headline
    assert first in found.actions[0].text
    assert "roll " not in found.actions[0].text
    assert 0.4 < found.confidence.value < 0.95
    listed = {item.suspect.kind: item for item in found.ruled_out}
    assert listed["commit"].result == "ruled out", "the one deploy changed words in a handbook"
    assert found.cause is not None
    assert found.cause.suspect is not None
    assert {"traffic", "host"} <= listed.keys() | {found.cause.suspect.kind}


KINDS = {
    "outage": "dependency",
    "surge": "traffic",
    "certificate": "certificate",
    "names": "dependency",
    "neighbour": "host",
    "disk": "resource",
}
RECORDS = (
    "ERROR consumer stopped: failed to deserialize value of orders-3 at offset 771: malformed record",
    "ERROR c.p.Reader - JsonParseException: Unexpected character ('%' (code 37)) in order 99131",
    'ERROR import of batch 12 stopped: invalid byte sequence for encoding "UTF8": 0xff',
)


@pytest.mark.parametrize("line", RECORDS[:1])
async def test_one_record_that_fails_again_and_again_is_named(tmp_path: Path, line: str) -> None:
    found = await investigated(tmp_path, Story([line]))
    assert found.kind == "no_code_cause", found.headline
    assert "bad data: offset 771" in found.headline
    assert "quarantine" in found.actions[0].text
    assert not found.unchecked


async def test_records_of_which_many_fail_tell_nothing_of_who_is_wrong(tmp_path: Path) -> None:
    """Whether the records or the code that reads them are wrong, the lines alone do not tell."""
    lines = [f"ERROR consumer: failed to deserialize value at offset {771 + n}: malformed record" for n in range(60)]
    found = await investigated(tmp_path, Story(lines))
    assert found.kind == "inconclusive"
    assert "bad data" in found.headline
    assert found.confidence.value < 0.5


async def test_a_record_that_fails_since_a_deploy_does_not_clear_it(tmp_path: Path) -> None:
    found = await investigated(
        tmp_path, deployed(Story(RECORDS[:1]), TRUSTING, "Vouchers are always there now", 38, "pay/price.py")
    )
    assert found.kind != "no_code_cause"


@pytest.mark.parametrize(("line", "record"), list(zip(RECORDS, ("offset 771", "order 99131", "batch 12"), strict=True)))
def test_the_words_that_name_a_record(line: str, record: str) -> None:
    assert same_record([line] * LEAST) == record
    assert same_record([line] * (LEAST - 1)) is None
    assert same_record([line] * LEAST + [line.replace(record[-2:], "40")]) is None


def deployed(story: Story, diff: str, message: str, at: float, path: str = "pay/flow.py") -> Story:
    """Return a story in which a change was deployed, too."""
    sha = "2e" * 20
    commit = {
        "sha": sha,
        "author": "Kim",
        "timestamp": stamp(at - 5),
        "message": message,
        "files_changed": [path],
        "diff": f"--- a/{path}\n+++ b/{path}\n{diff}",
    }
    deploy = {"id": "d2", "service": SERVICE, "timestamp": stamp(at), "commit_sha": sha, "version": "v42"}
    return replace(story, commits=[commit], deploys=[deploy])


CHATTY = (
    "@@ -10,3 +10,4 @@ def charge(order):\n+    log.info('charging %r', order.__dict__)\n     client.charge(order)\n"
)
EAGER = (
    "@@ -20,6 +20,6 @@ def charge(order):\n-    for attempt in range(2):\n+    while True:\n         try:\n"
    "             return post(order)\n         except TimeoutError:\n-            time.sleep(2 ** attempt)\n"
    "+            continue\n"
)
TRUSTING = (
    "@@ -5,4 +5,3 @@ def total(order):\n-    if order.voucher is None:\n-        return order.sum\n"
    "     return order.sum - order.voucher.amount\n"
)
NONE_HAS = "ERROR AttributeError: 'NoneType' object has no attribute 'amount' in pay/price.py total"


async def test_a_disk_that_fills_since_a_deploy_does_not_clear_it(tmp_path: Path) -> None:
    used = {(SERVICE, "disk_used_pct"): [60.0 if i < 8 else min(100.0, 60 + (i - 8) * 1.3) for i in range(60)]}
    lines = ["ERROR OSError: [Errno 28] No space left on device: '/var/log/pay.log'"]
    found = await investigated(tmp_path, deployed(Story(lines, series=used), CHATTY, "Log what is charged", 5))
    assert found.kind == "inconclusive"
    assert "2e2e2e2e2e2e “Log what is charged” is not cleared: it took effect on the same service" in found.headline
    assert {item.suspect.key: item.result for item in found.ruled_out}["2e" * 20] == "not cleared"


async def test_load_that_a_deploy_brought_about_is_not_blamed_on_users(tmp_path: Path) -> None:
    lines, grown = ["ERROR load shed: too many requests in flight"], {(SERVICE, "requests_per_s"): level(200, 1500, 38)}
    story = deployed(Story(lines, series=grown), EAGER, "Keep trying until it goes through", 37, "pay/client.py")
    found = await investigated(tmp_path, story)
    assert found.kind in ("inconclusive", "culprit")
    assert "2e2e2e2e2e2e" in found.headline


async def test_an_old_certificate_warning_elsewhere_changes_nothing(tmp_path: Path) -> None:
    stale = [(float(m), "WARN tls: certificate has expired for smtp.old.example.net") for m in range(0, 60, 3)]
    story = Story([NONE_HAS], other_lines={"mail": stale})
    found = await investigated(tmp_path, deployed(story, TRUSTING, "Vouchers are always there now", 38, "pay/price.py"))
    assert found.kind == "culprit"
    assert found.culprit is not None
    assert found.culprit.commit == "2e" * 20
    assert "certificate" not in found.headline


async def test_names_that_one_pod_of_another_service_cannot_resolve_explain_nothing(tmp_path: Path) -> None:
    odd = [(41.0 + i / 5, "ERROR pod report-7: getaddrinfo ENOTFOUND metrics.example.org") for i in range(2)]
    found = await investigated(tmp_path, Story((), other_lines={"report": odd}))
    assert found.kind == "inconclusive"
