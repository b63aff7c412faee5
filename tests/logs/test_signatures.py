"""Failures that are known by their wording, as systems of many makes write them, and what only looks like one."""

from __future__ import annotations

import pytest

from subagents.logs.signatures import recognise

SAID = [
    ("OOM kill", "Out of memory: Killed process 1234 (java) total-vm:8123456kB, anon-rss:3999999kB"),
    ("OOM kill", "java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"),
    ("OOM kill", "Memory cgroup out of memory: Killed process 4321 (node)"),
    ("OOM kill", "app.service: A process of this unit has been killed by the OOM killer."),
    ("OOM kill", "app.service: Failed with result 'oom-kill'."),
    ("out of memory", "OOM command not allowed when used memory > 'maxmemory'."),
    ("out of memory", "circuit_breaking_exception: [parent] Data too large, data for [<http_request>]"),
    ("thread limit", "java.lang.OutOfMemoryError: unable to create new native thread"),
    ("thread limit", "-bash: fork: retry: Resource temporarily unavailable"),
    ("full collections", "GC(17) Pause Full (Allocation Failure) 2000M->1990M(2048M) 4012.123ms"),
    ("full collections", "4012.1: [Full GC (Ergonomics) [PSYoungGen: 1K->0K(2K)] 2000K->1990K(2048K), 4.01 secs]"),
    ("connection lost", "java.io.IOException: Connection to 2 was disconnected before the response was read"),
    ("disk full", "etcdserver: mvcc: database space exceeded"),
    ("disk full", "disk resource limit alarm set on node rabbit@n1."),
    ("disk full", "Node node-3 status is now: NodeHasDiskPressure"),
    ("locks", "process 4711 still waiting for ShareLock on transaction 123456 after 1000.123 ms"),
    ("locks", "canceling statement due to lock timeout"),
    ("locks", "sqlite3.OperationalError: database is locked"),
    ("upstream timeout", "canceling statement due to statement timeout"),
    ("pool exhausted", "FATAL: remaining connection slots are reserved for non-replication superuser connections"),
    ("pool exhausted", "Timed out fetching a new connection from the connection pool."),
    ("pool exhausted", "Connection pool timed out while waiting for a connection"),
    ("replication", "requested WAL segment 000000010000000000000012 has already been removed"),
    ("replication", "Slave I/O for channel '': error connecting to master 'repl@10.0.0.1:3306'"),
    ("datastore read-only", "ERROR: cannot execute INSERT in a read-only transaction"),
    ("datastore read-only", "READONLY You can't write against a read only replica."),
    ("datastore restarting", "FATAL: the database system is in recovery mode"),
    ("datastore leadership", "org.apache.kafka.common.errors.NotLeaderOrFollowerException: not for this node"),
    ("datastore leadership", "error retrieving lease: failed to renew lease kube-system/kube-scheduler: timed out"),
    ("datastore leadership", "CLUSTERDOWN The cluster is down"),
    ("connection lost", "KeeperErrorCode = ConnectionLoss for /brokers/ids"),
    ("connection lost", "upstream prematurely closed connection while reading response header from upstream"),
    (
        "connection refused",
        "Connection to node 1 (kafka-1:9092) could not be established. Broker may not be available.",
    ),
    ("slow consumer", "Member c-1 sending LeaveGroup request due to consumer poll timeout has expired."),
    ("host fault", "EXT4-fs (sda1): Remounting filesystem read-only"),
    ("host fault", "nvme nvme0: I/O 123 QID 4 timeout, aborting"),
    ("host fault", "task jbd2/sda1-8:123 blocked for more than 120 seconds."),
    ("upstream failing", "CircuitBreaker 'ledger' is OPEN and does not permit further calls"),
    ("upstream failing", "circuit breaker ledger changed state from CLOSED to OPEN"),
    ("upstream failing", "circuit open for ledger"),
    ("upstream timeout", "rpc error: code = DeadlineExceeded desc = context canceled"),
    ("probe failing", '"Probe failed" probeType="Readiness" pod="a/b" output="context deadline exceeded"'),
    ("upstream failing", "Server shop/web-1 is DOWN, reason: Layer7 invalid response, check duration: 2ms."),
    ("upstream failing", "vulcand/oxy/forward: Error forwarding to http://10.0.0.7:80, err: EOF"),
    ("connection lost", 'Get "http://10.0.0.7:8080/stock": EOF'),
    ("datastore leadership", "agent: failed to sync remote state: No cluster leader"),
    ("replication", "Member is now in state RECOVERING"),
    ("upstream failing", "no live upstreams while connecting to upstream"),
    ("ports exhausted", "dial tcp 10.0.0.7:443: connect: cannot assign requested address"),
    ("overload", "nf_conntrack: table full, dropping packet"),
    ("clock", "the clock difference against peer 8e9e05c5 is too high [1m30s > 1s]"),
    ("crash loop", "app.service: Main process exited, code=killed, status=9/KILL"),
    ("crash loop", "server process (PID 1234) was terminated by signal 9: Killed"),
    ("code fault", "fatal error: all goroutines are asleep - deadlock!"),
]


@pytest.mark.parametrize(("name", "text"), SAID, ids=[f"{name}-{at}" for at, (name, _) in enumerate(SAID)])
def test_what_systems_of_many_makes_say_is_known(name: str, text: str) -> None:
    found = recognise(text)
    assert found is not None
    assert found.name == name


ORDINARY = (
    "process 4711 acquired ShareLock on transaction 123456 after 1500.1 ms",
    "canceling statement due to user request",
    "app.service: Main process exited, code=killed, status=15/TERM",
    "app.service: Main process exited, code=exited, status=143/n/a",
    "app.service: Main process exited, code=exited, status=0/SUCCESS",
    "circuit breaker ledger changed state from HALF_OPEN to CLOSED",
    "circuit breaker ledger changed state from OPEN to CLOSED",
    "circuit breaker ledger is half-open",
    "Deployment shop ProgressDeadlineExceeded: ReplicaSet shop-7c has zero available replicas",
    "circuit breaker ledger is now half open",
    "set maxmemory 2gb, maxmemory-policy allkeys-lru",
    "Node node-3 status is now: NodeHasNoDiskPressure",
    "DiskPressure False KubeletHasNoDiskPressure kubelet has no disk pressure",
    "eth0: Link is Up - 1Gbps/Full",
    "max_connections is 100, superuser_reserved_connections is 3",
    "opened read-only connection for reports",
    "lock acquired after 3 ms, waiting for next job",
    "HikariPool-1 - Thread starvation or clock leap detected (housekeeper delta=1m5s).",
    "dhclient: lease renewed, renewal in 1800 seconds",
    "thread pool started with 16 threads",
    "Server shop/web-1 is UP, reason: Layer7 check passed, code: 200",
    "Member is now in state SECONDARY",
    "new leader elected",
    "GC(17) Pause Full (System.gc()) 200M->10M(2048M) 40.123ms",
    "GC(18) Pause Young (Normal) (G1 Evacuation Pause) 100M->10M(2048M) 3.123ms",
)


@pytest.mark.parametrize("text", ORDINARY)
def test_what_only_looks_like_a_failure_is_none(text: str) -> None:
    assert recognise(text) is None
