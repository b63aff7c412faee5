"""A corpus as a stream: events in time order over two hours, in whose last tenth things change."""

from __future__ import annotations

import os
import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import TextIO

from benchmarks.corpora.layouts import EPOCH
from benchmarks.corpora.statements import Statement, statements
from benchmarks.corpora.systems import SYSTEMS, System
from benchmarks.corpora.traces import TRACES

SECONDS = 7200
CHANGE = 0.9
"""From this part on: new statements, a burst, and one that vanished."""
TRACE_SHARE = 0.4
"""Of the errors of systems that print stack traces."""
NEW_SHARE = 0.012
BURST_SHARE = 0.03
FLUSH_EVENTS = 20_000
SAMPLED_LINES, SAMPLED_EACH = 2_000, 20
"""Messages of a system in quiet times that a sampled corpus says again and again, and of what was not among them."""
_DIGITS = re.compile(r"\d+")

_NEW: dict[str, dict[str, str]] = {
    "plain": {
        "kubelet": "1 E kubelet.go:2431 | node {word} lost its lease, evicting {int} pods",
        "executor": "1 E exec.Heartbeater | Cannot reach driver at {ip}:{port} for {took}, giving up",
        "relational": "1 F shop | invalid page in block {int} of relation base/{int}/{int}",
    },
    "service": {
        "orders": "1 E com.acme.orders.StockClient | stock of sku {hex8} is negative after order {uuid}",
        "session": "1 E session.cache | shard {n} holds a session {uuid} of another tenant",
        "shipping": "1 E c.a.shipping.LabelService | Printer {word} rejected label {uuid}",
    },
}
_BURST = {"plain": ("edge", 1), "service": ("session", 5)}
_VANISHED = {"plain": ("worker", 5), "service": ("orders", 4)}
KINDS = tuple(_NEW)
"""`plain`: every system mixed, with stack traces. `service`: the service-like ones."""


@dataclass(frozen=True)
class Event:
    """One event: `line` is what stands in the file and may hold more lines, `message` what the statement printed."""

    system: str
    template: str
    """The statement's id, and which of its wordings."""
    message: str
    line: str


@dataclass(frozen=True)
class Answers:
    """What is true of a corpus: ids of statements, and when the change begins and ends.

    A template's id begins with its statement's.
    """

    new: tuple[str, ...]
    burst: str
    vanished: str
    start: datetime
    change: datetime
    end: datetime


@dataclass(frozen=True)
class Written:
    """What was written."""

    size: int
    lines: int
    events: int
    traces: int


def answers(kind: str) -> Answers:
    """Return what changes in a corpus of a kind."""
    burst, vanished = _BURST[kind], _VANISHED[kind]
    return Answers(
        tuple(f"{name}/new" for name in _NEW[kind]),
        f"{burst[0]}/{burst[1]}",
        f"{vanished[0]}/{vanished[1]}",
        EPOCH,
        EPOCH + timedelta(seconds=SECONDS * CHANGE),
        EPOCH + timedelta(seconds=SECONDS),
    )


def systems(kind: str) -> list[System]:
    """Return the systems of a kind of corpus."""
    return [system for system in SYSTEMS if system.service == (kind == "service")]


class Drawer:
    """Draws statements by their weight."""

    def __init__(self, said: tuple[Statement, ...]) -> None:
        self.said = said
        self._upto = list(accumulate(each.weight for each in said))

    def draw(self, rng: Random) -> Statement:
        """Return one statement."""
        return self.said[bisect(self._upto, rng.random() * self._upto[-1])]


def sample(system: System, count: int, seed: int = 7) -> Iterator[tuple[str, str]]:
    """Yield (template id, message) of one system as it is in quiet times."""
    rng, drawer = Random(f"{system.name} {seed}"), Drawer(system.statements)
    for _ in range(count):
        said = drawer.draw(rng)
        message, variant = said.render(rng)
        yield said.id + variant, message


class _Source:
    """One system at work: makes lines of it, with its stamp made once a second."""

    def __init__(self, system: System, kind: str) -> None:
        self.system = system
        self.drawer = Drawer(system.statements)
        burst, vanished = _BURST[kind], _VANISHED[kind]
        self.burst = system.statements[burst[1]] if system.name == burst[0] else None
        kept = tuple(each for each in system.statements if each.id != f"{vanished[0]}/{vanished[1]}")
        self.late = Drawer(kept) if len(kept) < len(system.statements) else self.drawer
        self.new = _new_statement(kind, system.name)
        self._second, self._stamp = -1, ""

    def event(self, rng: Random, second: int, ms: int, said: Statement) -> Event:
        """Return what a statement prints at a moment."""
        if second != self._second:
            self._second, self._stamp = second, self.system.layout.stamp(EPOCH + timedelta(seconds=second))
        message, variant = self.message(rng, said)
        line = self.system.layout.write(rng, self._stamp, ms, said, message)
        return Event(self.system.name, said.id + variant, message, line)

    def message(self, rng: Random, said: Statement) -> tuple[str, str]:
        """Return (message, variant) of a statement."""
        return said.render(rng)


class _Sampled(_Source):
    """A system of which a sample of lines is there, said again and again with other digits."""

    def __init__(self, system: System, kind: str) -> None:
        super().__init__(system, kind)
        self._said: dict[str, list[tuple[str, str]]] = {}
        rng = Random(system.name)
        for _ in range(SAMPLED_LINES):
            said = self.drawer.draw(rng)
            self._said.setdefault(said.id, []).append(said.render(rng))

    def message(self, rng: Random, said: Statement) -> tuple[str, str]:
        """Return one of the sample; digits of requests stay: they are versions and statuses too."""
        kept = self._said.get(said.id)
        if kept is None:
            kept = self._said[said.id] = [said.render(rng) for _ in range(SAMPLED_EACH)]
        message, variant = rng.choice(kept)
        if " HTTP/" in message:
            return message, variant
        return _DIGITS.sub(lambda digits: _as_long(rng, len(digits[0])), message), variant


def _as_long(rng: Random, digits: int) -> str:
    return str(rng.randrange(10 ** (digits - 1) if digits > 1 else 0, 10**digits))


def _new_statement(kind: str, name: str) -> Statement | None:
    block = _NEW[kind].get(name)
    if block is None:
        return None
    said = statements(name, block)[0]
    return Statement(f"{name}/new", said.weight, said.level, said.logger, said.text, said.render)


def events(kind: str, megabytes: float, seed: int = 7, *, sampled: bool = False) -> Iterator[Event]:
    """Yield the events of a corpus of about so many MB (10^6 bytes), evenly over its two hours.

    `sampled`: as corpora are made of samples of real logs: each system's few thousand lines, with other digits. Else
    every message is made anew, so that words which are values come together in ever new ways.
    """
    rng, source_of = Random(seed), _Sampled if sampled else _Source
    sources = [source_of(system, kind) for system in systems(kind)]
    bursting = next(each for each in sources if each.burst is not None)
    new = [each for each in sources if each.new is not None]
    draw, size, target = rng.random, 0, int(megabytes * 1e6)
    while (at := size / target) < 1:
        second, ms = divmod(int(at * SECONDS * 1000), 1000)
        late, chance = at >= CHANGE, draw()
        if late and chance < NEW_SHARE:
            source = new[int(draw() * len(new))]
            said = source.new
        elif late and chance < NEW_SHARE + BURST_SHARE:
            source, said = bursting, bursting.burst
        else:
            source = sources[int(draw() * len(sources))]
            said = (source.late if late else source.drawer).draw(rng)
        assert said is not None
        event = source.event(rng, second, ms, said)
        if said.level in ("ERROR", "FATAL") and chance > 1 - TRACE_SHARE and source.system.name in TRACES:
            event = Event(event.system, event.template, event.message, f"{event.line}\n{TRACES[event.system](rng)}")
        size += len(event.line) + 1
        yield event


def write(
    path: Path, kind: str, megabytes: float, seed: int = 7, labels: Path | None = None, *, sampled: bool = False
) -> Written:
    """Write a corpus of about so many MB (10^6 bytes); to `labels`, the template's id of each event, one a line."""
    lines = count = traces = 0
    said: list[str] = []
    ids: list[str] = []
    with path.open("w", encoding="utf-8") as out, (labels or Path(os.devnull)).open("w", encoding="utf-8") as answer:
        for event in events(kind, megabytes, seed, sampled=sampled):
            said.append(event.line)
            ids.append(event.template)
            extra = event.line.count("\n")
            lines += 1 + extra
            traces += extra > 0
            count += 1
            if len(said) >= FLUSH_EVENTS:
                _flush(out, said)
                _flush(answer, ids)
        _flush(out, said)
        _flush(answer, ids)
    return Written(path.stat().st_size, lines, count, traces)


def _flush(out: TextIO, lines: list[str]) -> None:
    if lines:
        out.write("\n".join(lines) + "\n")
    lines.clear()
