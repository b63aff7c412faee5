"""The whole log pass beside Drain3 with four usual masks, lnav's templates, ripgrep and a bare loop over the lines.

Each contender runs in a process of its own, in turn. `WARROOM_BENCH_LOG_MB` is the size of a corpus (default 200;
1024 for the long one), `WARROOM_BENCH_ROUNDS` how often each runs (default 3), `WARROOM_BENCH_LOG_KINDS` which
corpora. Drain3 gets the first 200,000 lines; its rate does not rise with more.
"""

from __future__ import annotations

import compileall
import json
import os
import random
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import subagents
from benchmarks.contender import Contender, Run, interleaved, median
from benchmarks.corpora import KINDS, answers, events, write
from benchmarks.corpora.words import LATE, write_words
from benchmarks.environment import bench_python

DRAIN_LINES = 200_000
SAMPLED = "sampled"
"""The systems of `plain`, of which a sample of lines is said again and again with other digits."""
WORDS = "words"
"""Few statements with very many different words: nearly all messages are said but once."""
BARS = {"plain": 25.0, SAMPLED: 25.0, "service": 12.0}
"""At least so many times Drain3 with masks, in events per second."""
LNAV_BAR, RSS_BAR, FIRST_BAR = 2.0, 512, 1.0
"""Times lnav; MB; seconds."""
LNAV_QUERY = ";SELECT log_msg_format, count(*) FROM all_logs GROUP BY log_msg_format"
PASS, DRAIN3, LNAV = "warroom, whole pass", "Drain3 + 4 masks", "lnav templates"


@dataclass(frozen=True)
class Corpus:
    """A file to be read and what it holds."""

    kind: str
    path: Path
    size: int
    lines: int
    events: int


def make(kind: str, folder: Path, megabytes: int) -> Corpus:
    """Write a corpus."""
    path = folder / f"{kind}.log"
    if kind == "json":
        count = write_json(path, megabytes)
        return Corpus(kind, path, path.stat().st_size, count, count)
    if kind == WORDS:
        said = write_words(path, megabytes)
        return Corpus(kind, path, said.size, said.lines, said.events)
    written = write(path, _base(kind), megabytes, sampled=kind == SAMPLED)
    return Corpus(kind, path, written.size, written.lines, written.events)


def _base(kind: str) -> str:
    """Return the kind whose systems and changes a corpus has."""
    return kind if kind in KINDS else "plain" if kind == SAMPLED else "service"


def write_json(path: Path, megabytes: int) -> int:
    """Write the messages of the service corpus as JSON lines; return how many."""
    rng, size, count = random.Random(7), 0, 0
    with path.open("w", encoding="utf-8") as out:
        for event in events("service", megabytes):
            second, ms = divmod(int(size / (megabytes * 1e6) * 7_200_000), 1000)
            record = {
                "ts": f"2026-03-01T{8 + second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{ms:03d}Z",
                "level": rng.choice(("info", "info", "info", "warn", "error")),
                "service": event.system,
                "msg": event.message,
                "trace_id": f"{rng.getrandbits(128):032x}",
                "status": rng.choice((200, 200, 200, 404, 503)),
            }
            size += out.write(json.dumps(record) + "\n")
            count += 1
            if size >= megabytes * 1e6:
                break
    return count


def contenders(corpus: Corpus) -> list[Contender]:
    """Return what runs on a corpus; what is not installed is named on stderr and left out."""
    file, others = str(corpus.path), ("-m", "benchmarks.logs_others")
    found = [Contender(PASS, (sys.executable, "-m", "benchmarks.logs_pass", file, _base(corpus.kind)), reports=True)]
    python = bench_python()
    if python is not None:
        found.append(Contender(DRAIN3, (str(python), *others, "drain3", file, str(DRAIN_LINES)), reports=True))
        if corpus.kind == "json":
            found.append(Contender("orjson, line by line", (str(python), *others, "orjson", file), reports=True))
    if corpus.kind != "json":
        found += _installed("lnav", Contender(LNAV, ("lnav", "-n", "-c", LNAV_QUERY, file)))
    found += _installed("rg", Contender("rg -c error", ("rg", "-c", "error", file)), "ripgrep")
    found.append(Contender("for line in file", (sys.executable, *others, "loop", file), reports=True))
    return found


def _installed(program: str, contender: Contender, package: str = "") -> list[Contender]:
    if shutil.which(program):
        return [contender]
    print(f"{program} is not installed: left out (apt-get install {package or program})", file=sys.stderr)
    return []


def rate(corpus: Corpus, run: Run) -> float:
    """Return events per second: of the work alone where the contender measured it, else of the process."""
    report = run.report
    return float(report["events"] / report["seconds"]) if report else corpus.events / run.seconds


def per_cpu_second(corpus: Corpus, run: Run) -> float:
    """Return events per CPU second, start of the process included: what a busy machine cannot distort much."""
    return float(run.report.get("events", corpus.events)) / max(run.cpu, 0.001)


def show(corpus: Corpus, runs: dict[str, list[Run]]) -> None:
    """Print the table, the ratios beside their bars, and whether what was planted was found."""
    print(f"\n{corpus.kind}: {corpus.size / 1e6:.0f} MB, {corpus.events} events")
    print(f"{'':24} {'events/s':>11} {'MB/s':>7} {'wall s':>7} {'CPU s':>7} {'RSS MB':>7} {'x':>6} {'x CPU':>6}")
    ours = median([rate(corpus, run) for run in runs[PASS]])
    our_share = median([per_cpu_second(corpus, run) for run in runs[PASS]])
    for name, each in runs.items():
        events_per_second = median([rate(corpus, run) for run in each])
        cells = f"{events_per_second:11.0f} {events_per_second * corpus.size / corpus.events / 1e6:7.0f}"
        cells += f" {median([run.seconds for run in each]):7.2f} {median([run.cpu for run in each]):7.2f}"
        cells += f" {max(run.rss for run in each):7.0f} {ours / events_per_second:5.1f}x"
        cells += f" {our_share / median([per_cpu_second(corpus, run) for run in each]):5.1f}x"
        print(f"{name:24} {cells}")
    first = median([run.report["first"] - run.began for run in runs[PASS]])
    peak = max(run.rss for run in runs[PASS])
    bars = [(f"{DRAIN3}, events/s", DRAIN3, BARS.get(corpus.kind)), ("lnav's grouping", LNAV, LNAV_BAR)]
    for what, name, bar in bars:
        if name in runs and bar is not None:
            times = ours / median([rate(corpus, run) for run in runs[name]])
            print(f"  {times:.1f}x {what} (bar {bar:.0f}x): {_met(times >= bar)}")
    if DRAIN3 in runs:
        ready = median([run.report["ready"] for run in runs[PASS]])
        whole = median([corpus.events / (run.report["seconds"] + run.report["ready"]) for run in runs[PASS]])
        times = whole / median([rate(corpus, run) for run in runs[DRAIN3]])
        print(f"  {times:.1f}x with the {ready:.2f} s that a worker takes to get ready")
    print(f"  first partial result after {first:.2f} s (bar {FIRST_BAR:.0f} s): {_met(first <= FIRST_BAR)}")
    print(f"  peak memory {peak:.0f} MB (bar {RSS_BAR}): {_met(peak <= RSS_BAR)}")
    _show_found(corpus, runs[PASS][-1])


def _met(met: bool) -> str:
    return "met" if met else "MISSED"


def _show_found(corpus: Corpus, run: Run) -> None:
    report = run.report
    assert report["lines"] == corpus.lines, f"{corpus.lines} lines written, {report['lines']} accounted for"
    more = report["events"] - corpus.events
    print(f"  {report['lines']} lines, {report['events']} events ({more:+d}), {report['dated']} dated")
    print(f"  {report['keys']} keys, {report['templates']} templates, {report['ungrouped']} events not grouped")
    print(f"  {report['traces']} traces in {report['trace_groups']} groups")
    if corpus.kind == WORDS:
        _show_new(report["top"])
    if corpus.kind not in (*KINDS, SAMPLED):
        return
    for wanted, message in planted(_base(corpus.kind)).items():
        change = wanted.partition(" ")[0]
        place = next(
            (n for n, top in enumerate(report["top"], 1) if top[0] == change and _alike(top[3], message)), None
        )
        print(f"  {wanted}: {f'number {place} of the list' if place else 'not among the first ten'}")


def _show_new(top: list[tuple[str, int, str, str]]) -> None:
    changed = [(change, text) for change, _, text, _ in top if change != "steady"]
    said = [text for change, text in changed if change == "new" and _alike(text, LATE)]
    print(f"  of {len(changed)} that changed {len(said)} new, as planted (1, and in two layouts)")


def planted(kind: str) -> dict[str, str]:
    """Return what changes in a corpus: kind of change and statement, with a message of it."""
    truth = answers(kind)
    wanted = {name: f"new {name}" for name in truth.new} | {truth.burst: f"burst {truth.burst}"}
    found: dict[str, str] = {}
    for event in events(kind, 5):
        for statement, name in wanted.items():
            if re.fullmatch(rf"{re.escape(statement)}(?:\D.*)?", event.template):
                found.setdefault(name, event.message)
    return found


def _alike(text: str, message: str) -> bool:
    words = {word for word in message.split() if word.isalpha()}
    return len(words & set(text.split())) >= 0.7 * len(words)


def main() -> None:
    """Generate, run, print."""
    megabytes = int(os.environ.get("WARROOM_BENCH_LOG_MB", "200"))
    rounds = int(os.environ.get("WARROOM_BENCH_ROUNDS", "3"))
    kinds = os.environ.get("WARROOM_BENCH_LOG_KINDS", "plain sampled service words json").split()
    compileall.compile_dir(Path(subagents.__file__).parent, quiet=1)  # as installing does, for all contenders
    with tempfile.TemporaryDirectory(prefix="warroom-bench-") as folder:
        for kind in kinds:
            corpus = make(kind, Path(folder), megabytes)
            show(corpus, interleaved(contenders(corpus), rounds, {"HOME": folder}))
            corpus.path.unlink()


if __name__ == "__main__":
    main()
