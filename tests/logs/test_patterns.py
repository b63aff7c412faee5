"""Templates of a corpus with known answers: what is new, bursting, vanished and rare, with exact counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.contract import Window
from subagents.logs.compare import surprise
from subagents.logs.levels import (
    ERROR,
    FATAL,
    INFO,
    UNKNOWN,
    WARN,
    from_name,
    sound_bad,
    sounds_bad,
    split_head,
    split_heads,
)
from subagents.logs.log_set import LogSet
from subagents.logs.merge import merge
from subagents.logs.model import LogsPatterns
from subagents.logs.params import PatternsParams
from subagents.logs.resolver import LogResolver
from subagents.logs.terms import terms_of
from tests.fakes import FakeClock
from tests.logs.builders import agent_for, at, call, incident_log, write
from tests.logs.corpus import layouts
from tests.thinned import thinned


def _patterns(folder: Path, name: str = "orders.log", **params: object) -> LogsPatterns:
    spec = write(folder, name, incident_log())
    wanted = PatternsParams.model_validate({"start": at(2400).isoformat(), **params})
    result = call(agent_for(spec), "logs_patterns", wanted)
    data = result.data
    assert isinstance(data, LogsPatterns)
    resolver = LogResolver(LogSet([spec]), FakeClock())
    assert [each.ref for each in result.citations] == [pattern.citation for pattern in data.patterns]
    assert all(resolver.resolve(each.ref).digest == each.digest for each in result.citations)
    return data


@pytest.mark.parametrize("name", ["orders.log", "orders.log.gz"])
def test_new_burst_and_vanished_are_found_with_exact_counts(tmp_path: Path, name: str) -> None:
    data = _patterns(tmp_path, name)
    by_change = {pattern.change: pattern for pattern in data.patterns}
    new = by_change["new"]
    assert (new.level, new.count, new.baseline_events, new.first_seen) == ("error", 120, 0, at(2400))
    assert new.last_seen == at(3590)
    assert "connection refused" in new.template
    assert new.signature == "connection refused"
    burst = by_change["burst"]
    assert (burst.level, burst.count, burst.baseline_events) == ("warn", 300, 8)
    assert burst.baseline_count == pytest.approx(4.0)
    assert burst.factor == pytest.approx(75.0)
    vanished = by_change["vanished"]
    assert (vanished.count, vanished.baseline_events) == (0, 1200)
    assert "mail sent to" in vanished.template
    assert (data.new, data.burst, data.vanished, data.steady) == (1, 1, 1, 1)
    assert data.patterns[0] is new


def test_the_timeline_adds_up(tmp_path: Path) -> None:
    new = next(pattern for pattern in _patterns(tmp_path).patterns if pattern.change == "new")
    assert new.timeline is not None
    assert sum(new.timeline.counts) == new.count
    assert set(new.timeline.counts) == {6}
    assert new.timeline.start == at(2400)


def test_filters_and_limits_count_what_they_leave_out(tmp_path: Path) -> None:
    data = _patterns(tmp_path, level="warn", limit=1)
    assert (len(data.patterns), data.more) == (1, 1)
    assert _patterns(tmp_path, changes=["steady"]).patterns[0].count == 600


def test_without_a_baseline_nothing_is_called_new(tmp_path: Path) -> None:
    data = _patterns(tmp_path, start=None, changes=["steady", "new", "burst"])
    assert data.baseline is None
    assert (data.new, data.burst) == (0, 0)
    assert "no baseline" in data.note


def test_five_words_at_one_place_are_a_variable_and_four_are_not() -> None:
    five = [(INFO, f"VM {word} on host") for word in ("a", "b", "c", "d", "e")]
    assert set(merge(five)) == {"VM * on host"}
    assert merge(five[:4]) == [text for _, text in five[:4]]
    mixed = [(INFO if n % 2 else ERROR, text) for n, (_, text) in enumerate(five)]
    assert merge(mixed) == [text for _, text in five]
    statuses = [(INFO, f"GET /a status={code}") for code in (200, 301, 404, 500, 503)]
    assert merge(statuses) == [text for _, text in statuses]


def test_access_logs_keep_path_and_status(tmp_path: Path) -> None:
    line = '10.0.0.{0} - - [01/Mar/2026:12:{1:02d}:{2:02d} +0000] "GET /api/items/{3}/stock?q=1 HTTP/1.1" {4} 12'
    lines = [line.format(n % 9, n // 60, n % 60, n, 503 if n > 1700 and n % 3 == 0 else 200) for n in range(1800)]
    spec = write(tmp_path, "access.log", lines)
    data = call(agent_for(spec), "logs_patterns", PatternsParams(start=at(1700).isoformat())).data
    assert isinstance(data, LogsPatterns)
    assert (data.patterns[0].template, data.patterns[0].level) == ("GET /api/items/*/stock status=503", "error")


def test_syslog_programs_are_services(tmp_path: Path) -> None:
    lines = [f"Mar  1 12:{n // 60:02d}:{n % 60:02d} web1 sshd[{n}]: Failed password for user{n}" for n in range(100)]
    lines.append("Mar  1 12:02:00 web1 kernel: Out of memory: Killed process 812 (java)")
    data = call(
        agent_for(write(tmp_path, "messages", lines)), "logs_patterns", PatternsParams(changes=["steady", "rare"])
    ).data
    assert isinstance(data, LogsPatterns)
    assert {pattern.services for pattern in data.patterns} == {("sshd",), ("kernel",)}
    assert {pattern.signature for pattern in data.patterns} == {"OOM kill", None}


def test_severity_words() -> None:
    assert [from_name(name) for name in ("WARNING", "err", "50", "3", "Critical", "nonsense")] == [
        WARN,
        ERROR,
        ERROR,
        ERROR,
        FATAL,
        UNKNOWN,
    ]
    assert split_head(" [main] ERROR c.a.Orders - x")[0] == ERROR
    assert split_head("level=warning msg=x")[0] == WARN
    assert split_head("the word error in a sentence")[0] == UNKNOWN
    assert sounds_bad("upload failed")
    assert not sounds_bad("finished with 0 errors")


@pytest.mark.parametrize("name", ["ALERT", "PANIC", "CONFIG", "FINE", "alert"])
def test_a_severity_that_loggers_mark_is_prose_before_prose(name: str) -> None:
    for text in (f"{name} reloaded", f" {name} rules reloaded", f"{name} sent, then 4 more"):
        assert split_head(text) == (UNKNOWN, text)
    written = [f"{name}: rules reloaded", f"[{name}] rules reloaded", f"{name}\trules reloaded", f"level={name} lost"]
    if name.isupper():
        apart = (
            f"{name}  rules",
            f"{name} org.acme.Rules - lost",
            f"{name} [main] lost",
            f"{name} | rules",
            f" {name} Rules",
        )
        written += [f" [main] {name}: lost", f"app.{name}: lost", *apart]
    assert {split_head(text)[0] for text in written} == {from_name(name)}, written
    assert split_head("FATAL rules lost")[0] == from_name("FATAL"), "loggers write it before plain prose"


@pytest.mark.parametrize("part", thinned(range(3), 3))
def test_many_heads_are_split_as_one_is(part: int) -> None:
    texts = [line for layout in layouts() for line in layout.text.splitlines()[part::3]]
    texts += [
        "",
        " ",
        "CONFIG reloaded",
        "ALERT rules reloaded at once",
        "FINE org.acme.A x",
        *(text[start:] for text in texts for start in (11, 24, 40)),
    ]
    assert split_heads(texts) == [split_head(text) for text in texts]
    assert sound_bad(texts) == [sounds_bad(text) for text in texts]
    assert sum(level > UNKNOWN for level, _ in split_heads(texts)) > 100 < sum(sound_bad(texts))


def test_surprise_grows_with_the_difference_and_is_nothing_without_one() -> None:
    from subagents.logs.compare import Spans

    spans = Spans(Window(start=at(0), end=at(60)), Window(start=at(-60), end=at(0)), 60.0, 60.0)
    assert surprise(10, 10, spans) == pytest.approx(0.0)
    assert surprise(100, 10, spans) > surprise(20, 10, spans) > 1
    assert surprise(5, 0, spans) == pytest.approx(5 * 0.6931, abs=0.01)


def test_terms_are_identifiers_not_noise() -> None:
    line = (
        'ProgrammingError: relation "user_favorites" does not exist at app/models/favorites.py:88 via /api/v1/favorites'
    )
    found = terms_of(line)
    assert {"user_favorites", "app/models/favorites.py", "ProgrammingError", "/api/v1/favorites"} <= set(found)
    record = '{"ts":"2026-03-01T12:00:00Z","trace_id":"abcdefabcdef","msg":"read db.pool.max","service":"svc_name"}'
    assert terms_of(record) == ("db.pool.max",)
