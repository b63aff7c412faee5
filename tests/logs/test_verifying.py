"""What the logs resolver says of claims: counted again from the cited event, its window and its unit; names; time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from subagents import quantities as q
from subagents.contract import Fact, Finding, SourceSpec, ToolError, Window
from subagents.logs.counted import EVENTS, LINES, SEVERE, TRACES, unit_of_kind
from subagents.logs.index import LogIndex, OnBlock
from subagents.logs.log_set import LogSet
from subagents.logs.resolver import PASS_S, LogResolver
from subagents.logs.sources.log_source import LogSource
from subagents.verifying import NameKind, Recomputed, Verifier
from tests.fakes import FakeClock
from tests.logs.builders import at, incident_log, iso, write

WINDOW = Window(start=at(2400), end=at(3600))
REFUSED = "connection refused"
THROWN = [
    "Traceback (most recent call last):",
    '  File "/srv/shop/pay.py", line 12, in pay',
    "    charge(order)",
    "ValueError: no such card",
]


@dataclass
class Logs:
    """Three files of one incident, and where their lines are."""

    folder: Path
    texts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Write the files: plain, gzipped JSON with hosts, and one with stack traces and no service."""
        records = [
            {"ts": iso(second), "level": "error" if second >= 2400 else "info", "service": "pay",
             "host": f"node-{second % 3}", "msg": f"charge {second} {'failed' if second >= 2400 else 'done'}"}
            for second in range(0, 3600, 20)
        ]  # fmt: skip
        traced = [f"{iso(second)} ERROR cannot pay {second}\n" + "\n".join(THROWN) for second in range(2405, 2500, 10)]
        self.texts = {
            "orders.log": "\n".join(incident_log()) + "\n",
            "pay.jsonl.gz": "".join(json.dumps(record) + "\n" for record in records),
            "app.log": "\n".join([f"{iso(0)} INFO start", *traced, f"{iso(3500)} INFO end"]) + "\n",
        }
        self.specs = [write(self.folder, name, text) for name, text in self.texts.items()]

    def ref(self, name: str, words: str, nth: int = 0, shift: int = 0) -> str:
        """Cite the nth line that has some words."""
        lines = self.texts[name].encode().splitlines(keepends=True)
        row = [row for row, line in enumerate(lines) if words.encode() in line][nth]
        tail = 1 + len(THROWN) if "cannot pay" in words else 1
        return f"log:{name}@{sum(map(len, lines[:row])) + shift}+{tail}"

    def resolver(self) -> LogResolver:
        """Return a resolver that has read nothing yet."""
        return LogResolver(LogSet(self.specs), FakeClock())


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    return Logs(tmp_path_factory.mktemp("logs"))


@pytest.fixture(scope="module")
def known(logs: Logs) -> LogResolver:
    resolver: object = logs.resolver()
    assert isinstance(resolver, Verifier)
    assert isinstance(resolver, LogResolver)
    return resolver


def fact(quantity: str, ref: str, unit: str = EVENTS, window: Window | None = WINDOW) -> Fact:
    return Fact(quantity=quantity, value=0, unit=unit, citation=ref, window=window)


def moment(seconds: float) -> Recomputed:
    return Recomputed(value=at(seconds).isoformat())


@pytest.mark.parametrize("nth", [0, 1, 57])
def test_any_line_of_a_pattern_stands_for_all_of_it(logs: Logs, known: LogResolver, nth: int) -> None:
    ref = logs.ref("orders.log", REFUSED, nth)
    assert known.recompute(fact(q.COUNT, ref)) == Recomputed(value=120, unit="events")
    assert known.recompute(fact(q.BASELINE_COUNT, ref)) == Recomputed(value=0.0, unit="events")
    assert known.recompute(fact(q.FIRST_SEEN, ref)) == moment(2400)
    assert known.recompute(fact(q.LAST_SEEN, ref)) == moment(3590)
    assert known.recompute(fact(q.FIRST_SEEN, ref, window=None)) == moment(2400 + 10 * nth)


def test_what_is_counted_is_what_the_unit_says(logs: Logs, known: LogResolver) -> None:
    refused, traced = logs.ref("orders.log", REFUSED), logs.ref("app.log", "cannot pay", 3)
    slow = logs.ref("orders.log", "slow query", 4)
    assert known.recompute(fact(q.COUNT, slow)) == Recomputed(value=300, unit="events")
    assert known.recompute(fact(q.BASELINE_COUNT, slow)) == Recomputed(value=4.0, unit="events")
    assert known.recompute(fact(q.COUNT, slow, SEVERE)) == Recomputed(value=120, unit=SEVERE)
    kind = unit_of_kind("connection refused")
    assert known.recompute(fact(q.COUNT, refused, kind)) == Recomputed(value=120, unit=kind)
    assert known.recompute(fact(q.COUNT, traced, TRACES)) == Recomputed(value=10, unit=TRACES)
    assert known.recompute(fact(q.BASELINE_COUNT, traced, TRACES)) == Recomputed(value=0.0, unit=TRACES)
    charged = logs.ref("pay.jsonl.gz", "failed", 7)
    assert known.recompute(fact(q.COUNT, charged)) == Recomputed(value=60, unit="events")
    assert known.recompute(fact(q.FIRST_SEEN, charged)) == moment(2400)


def test_another_line_another_file_another_window_are_other_numbers(logs: Logs, known: LogResolver) -> None:
    mine = known.recompute(fact(q.COUNT, logs.ref("orders.log", REFUSED)))
    late = Window(start=at(3000), end=at(3600))
    others = [
        fact(q.COUNT, logs.ref("orders.log", "accepted")),
        fact(q.COUNT, logs.ref("pay.jsonl.gz", "failed")),
        fact(q.COUNT, logs.ref("orders.log", REFUSED), window=late),
    ]
    found = [known.recompute(each) for each in others]
    assert None not in found
    assert mine not in found


@pytest.mark.parametrize(
    ("words", "value", "on_board", "found"),
    [
        ("slow query", 300, True, 300),
        ("slow query", 300, False, None),
        ("slow query", 308, False, 308),
        ("slow query", 305, True, None),
        ("slow query", 120, True, None),
        ("slow query", 99_999, True, 300),
        ("cannot pay", 10, True, 10),
        (REFUSED, 121, True, None),
    ],
)
def test_a_count_that_does_not_say_of_what_is_taken_in_the_sense_that_fits(
    logs: Logs, known: LogResolver, words: str, value: int, on_board: bool, found: int | None
) -> None:
    ref = logs.ref("app.log" if words == "cannot pay" else "orders.log", words)
    told = fact(q.COUNT, logs.ref("orders.log", "slow query"))
    other = fact(q.PEAK, "metric:m/web/x@2026-03-01T11:00:00Z..2026-03-01T13:00:00Z")
    board = [Finding(agent="logs", claim="slow", topic="errors", facts=(other, told))] if on_board else []
    vague = Fact(quantity=q.COUNT, value=value, citation=ref)
    answer = known.recompute(vague, board)
    assert (answer.value if answer is not None else None) == found


def test_other_vague_quantities_are_taken_in_the_sense_that_fits_or_left_open(logs: Logs, known: LogResolver) -> None:
    ref = logs.ref("orders.log", "slow query", 20)
    board = [Finding(agent="logs", claim="slow", topic="errors", facts=(fact(q.COUNT, ref),))]
    for quantity, right, wrong in (
        (q.BASELINE_COUNT, 4.0, 5.0),
        (q.LAST_SEEN, at(3596).isoformat(), at(3000).isoformat()),
        (q.LAST_SEEN, at(3596).isoformat(), "soon"),
    ):
        stated = [Fact(quantity=quantity, value=value, citation=ref) for value in (right, wrong)]
        answers = [known.recompute(each, board) for each in stated]
        assert [answer.value if answer is not None else None for answer in answers] == [right, None]


@pytest.mark.parametrize(
    ("quantity", "ref", "unit", "window", "told"),
    [
        (q.COUNT, "log:other.log@0+1", EVENTS, WINDOW, "no log source"),
        (q.COUNT, "log:orders.log@99999999+1", EVENTS, WINDOW, "ends before byte"),
        (q.COUNT, "log:orders.log@7+1", EVENTS, WINDOW, "no line of orders.log starts at byte 7"),
        (q.COUNT, "metric:m/web/x@2026-03-01T11:00:00Z..2026-03-01T13:00:00Z", EVENTS, WINDOW, "not a log citation"),
        (q.COUNT, "log:orders.log@0+1", TRACES, WINDOW, "no stack trace"),
        (q.COUNT, "log:orders.log@0+1", "disk full events", WINDOW, "does not show disk full"),
        (q.COUNT, "log:app.log@0+1", SEVERE, WINDOW, "names no service"),
        (q.FIRST_SEEN, "log:orders.log@0+1", "", Window(start=at(9000), end=at(9100)), "no event like the cited one"),
        (q.BASELINE_COUNT, "log:orders.log@0+1", EVENTS, Window(start=at(0), end=at(3600)), "nothing before"),
        (q.ONSET, "log:orders.log@0+1", "", None, "say first_seen"),
        (q.LEVEL_RATIO, "log:orders.log@0+1", "", WINDOW, "say count and baseline_count"),
        (q.LEAD_TIME, "log:orders.log@0+1", "", None, "cites the change"),
    ],
)
def test_what_the_logs_do_not_hold_is_refused(
    known: LogResolver, quantity: str, ref: str, unit: str, window: Window | None, told: str
) -> None:
    with pytest.raises(ToolError, match=told):
        known.recompute(fact(quantity, ref, unit, window))


@pytest.mark.parametrize("name", ["orders.log", "pay.jsonl.gz"])
def test_the_middle_of_a_line_is_no_place_to_cite(logs: Logs, known: LogResolver, name: str) -> None:
    ref = logs.ref(name, "accepted" if name == "orders.log" else "failed", 3)
    assert known.resolve(ref).excerpt
    with pytest.raises(ToolError, match=r"no line of .* starts at byte"):
        known.resolve(re.sub(r"@(\d+)", lambda at: f"@{int(at[1]) + 2}", ref))


@pytest.mark.parametrize("quantity", [q.SCORE, q.RANK, "mood"])
def test_what_no_log_settles_is_left_open(known: LogResolver, quantity: str) -> None:
    assert known.recompute(fact(quantity, "log:orders.log@0+1")) is None


def test_lines_of_recordings_are_counted_by_kind(tmp_path: Path) -> None:
    lines = ["pod-1 0/1 OOMKilled", "pod-2 1/1 Running", "pod-3 0/1 OOMKilled"]
    spec = write(tmp_path, "kubectl.txt", lines)
    recorded = spec.model_copy(update={"options": {"recorded": "kubectl get pods"}})
    known = LogResolver(LogSet([recorded]), FakeClock())
    assert known.recompute(fact(q.COUNT, "log:kubectl.txt@0+1", LINES, None)) == Recomputed(value=2, unit=LINES)
    with pytest.raises(ToolError, match="no kind of failure"):
        known.recompute(fact(q.COUNT, f"log:kubectl.txt@{len(lines[0]) + 1}+1", LINES, None))


@pytest.mark.parametrize(
    ("kind", "name", "found"),
    [
        ("service", "orders", True),
        ("service", "pay", True),
        ("service", "order", False),
        ("host", "node-2", True),
        ("host", "node-3", False),
        ("host", "ledger-db.internal", True),
        ("host", "orders", True),
        ("host", "refused", False),
        ("host", "order", False),
        ("host", "", False),
        ("host", "unreachable in orders", None),
        ("metric", "orders", None),
        ("commit", "0" * 40, None),
        ("deploy", "d", None),
        ("flag", "f", None),
        ("path", "/srv/shop/pay.py", None),
    ],
)
def test_names(known: LogResolver, kind: NameKind, name: str, found: bool | None) -> None:
    assert known.has(kind, name) is found


def test_the_time_covered(known: LogResolver) -> None:
    span = known.span()
    assert span is not None
    assert span.start == at(0)
    assert at(3598) < span.end < at(3599)


def test_with_no_log_nothing_is_known(tmp_path: Path) -> None:
    empty = LogResolver(LogSet([]), FakeClock())
    assert (empty.span(), empty.has("service", "orders"), empty.has("host", "orders")) == (None, None, None)
    undated = LogResolver(LogSet([write(tmp_path, "app.log", ["hello", "world"])]), FakeClock())
    assert (undated.span(), undated.has("service", "app"), undated.has("host", "a")) == (None, None, None)


class TickingClock(FakeClock):
    """Moves on by itself at each look."""

    def __init__(self, step: float) -> None:
        super().__init__()
        self.step = step

    def monotonic(self) -> float:
        self.advance(self.step)
        return super().monotonic()


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets an entry at each whole reading of the files."""
    readings: list[int] = []
    build = LogIndex.build

    def counted(
        sources: Sequence[LogSource], cancelled: Callable[[], bool], on_block: OnBlock | None = None
    ) -> LogIndex:
        readings.append(len(sources))
        return build(sources, cancelled, on_block)

    monkeypatch.setattr(LogIndex, "build", counted)
    return readings


def test_files_are_read_once_and_again_when_they_change(tmp_path: Path, built: list[int]) -> None:
    spec: SourceSpec = write(tmp_path, "orders.log", incident_log())
    known = LogResolver(LogSet([spec]), FakeClock())
    ref = "log:orders.log@0+1"
    first = known.recompute(fact(q.COUNT, ref))
    assert [known.recompute(fact(name, ref)) is None for name in (q.LAST_SEEN, q.BASELINE_COUNT)] == [False, False]
    assert (known.has("service", "orders"), known.span() is None, built) == (True, False, [1])
    write(tmp_path, "orders.log", incident_log()[:-4])
    assert known.recompute(fact(q.COUNT, ref)) != first
    assert built == [1, 1]


def test_reading_that_takes_too_long_is_given_up_once_and_leaves_facts_open(tmp_path: Path, built: list[int]) -> None:
    known = LogResolver(LogSet([write(tmp_path, "orders.log", incident_log())]), TickingClock(PASS_S + 1))
    assert known.recompute(fact(q.COUNT, "log:orders.log@0+1")) is None
    assert (known.has("service", "orders"), known.has("host", "a"), known.span()) == (None, None, None)
    assert built == [1]
    known.clock = FakeClock()
    write(tmp_path, "orders.log", incident_log()[:-1])
    assert known.recompute(fact(q.COUNT, "log:orders.log@0+1")) is not None
