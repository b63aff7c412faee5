"""Grouping accuracy of the log templates, beside Drain3: on systems that rules were chosen on, and on frozen ones.

Message text only, one configuration for all, 2,000 messages a system, as the literature does it. GA is the share
of messages whose group holds exactly the messages of their template; FGA is the F1 of such groups. warroom's
groups are those of its own pass: the same mask, head and merge. A last column groups whole lines of a file.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import polars as pl

from benchmarks.corpora import KINDS, SYSTEMS, System, events, sample
from benchmarks.corpora.layouts import EPOCH
from benchmarks.corpora.stream import SECONDS, Drawer
from benchmarks.environment import bench_python
from subagents.contract import SourceSpec
from subagents.logs.index import LogIndex
from subagents.logs.levels import UNKNOWN
from subagents.logs.merge import merge
from subagents.logs.patterns import mask, templates
from subagents.logs.sources.log_source import LogSource

MESSAGES = 2_000
MIXED_MEGABYTES = 6.0
BAR = 0.08
OURS, LINES, MASKED = "warroom", "warroom, whole lines", "Drain3 + 4 masks"
GRADED = tuple(system for system in SYSTEMS if system.graded)


def groups_of_messages(messages: Sequence[str]) -> list[Hashable]:
    """Return warroom's group of each message: mask, then the templates of the different keys."""
    keys = pl.DataFrame({"text": list(messages)}).select(key=mask(pl.col("text")))["key"]
    counted = keys.value_counts()
    different = counted["key"].to_list()
    unknown = [UNKNOWN] * len(different)
    found = templates(different, unknown, counted["count"].to_list())
    group = {key: (template.level, template.text) for key, template in zip(different, found, strict=True)}
    return [group[key] for key in keys.to_list()]


def groups_of_lines(path: Path) -> list[Hashable]:
    """Return the group of each event of a file, as the log pass gives it."""
    source = LogSource(SourceSpec(id="bench", kind="logs", path=str(path)))
    index = LogIndex.build([source])
    found: list[Hashable] = []
    for frame in source.frames():
        keys = mask(pl.col("text")) + pl.col("suffix").fill_null("")
        for key in frame.events.select(key=keys)["key"].to_list():
            template = index.templates[index.number(key) or 0]
            found.append((template.level, template.text))
    return found


def lines_of(system: System, folder: Path) -> tuple[list[str], list[Hashable]]:
    """Return the template of each line of a file of one system, and its group; both empty where events differ."""
    rng, drawer, path = Random(f"{system.name} lines"), Drawer(system.statements), folder / f"{system.name}.log"
    truth: list[str] = []
    with path.open("w", encoding="utf-8") as out:
        for number in range(MESSAGES):
            second, ms = divmod(number * SECONDS * 1000 // MESSAGES, 1000)
            said = drawer.draw(rng)
            message, variant = said.render(rng)
            truth.append(said.id + variant)
            stamp = system.layout.stamp(EPOCH + timedelta(seconds=second))
            out.write(system.layout.write(rng, stamp, ms, said, message) + "\n")
    found = groups_of_lines(path)
    return (truth, found) if len(found) == len(truth) else ([], [])


def accuracy(truth: Sequence[Hashable], found: Sequence[Hashable]) -> tuple[float, float]:
    """Return (GA, FGA)."""
    of_truth, of_found = Counter(truth), Counter(found)
    both = Counter(zip(truth, found, strict=True))
    exact = [said for (said, group), count in both.items() if count == of_truth[said] == of_found[group]]
    grouped = sum(of_truth[said] for said in exact) / max(1, len(truth))
    return grouped, 2 * len(exact) / max(1, len(of_truth) + len(of_found))


def drain_groups(parts: dict[str, list[str]], folder: Path) -> dict[str, dict[str, list[int]]]:
    """Return Drain3's groups by configuration and part; empty where its environment cannot be made."""
    python = bench_python()
    if python is None:
        print("Drain3 is skipped: its environment could not be made")
        return {}
    asked, answered = folder / "messages.json", folder / "groups.json"
    asked.write_text(json.dumps(parts), encoding="utf-8")
    script = Path(__file__).with_name("drain_groups.py")
    subprocess.run([str(python), str(script), str(asked), str(answered)], check=True)
    found: dict[str, dict[str, list[int]]] = json.loads(answered.read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Print GA and FGA per system, their means by half and kind, the mixed corpora, and what merging costs."""
    seed = int(os.environ.get("WARROOM_BENCH_SEED", "7"))
    parts, truths = _parts(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        groups: dict[str, Mapping[str, Sequence[Hashable]]] = {**drain_groups(parts, folder)}
        groups[OURS] = {part: groups_of_messages(messages) for part, messages in parts.items()}
        scores = {
            contender: {part: accuracy(truths[part], found) for part, found in by_part.items()}
            for contender, by_part in groups.items()
        }
        in_lines = {system.name: lines_of(system, folder) for system in GRADED}
        scores[LINES] = {part: accuracy(*pair) for part, pair in in_lines.items() if pair[0]}
    _print_systems(scores)
    _print_means(scores)
    _print_cost(parts)


def _parts(seed: int) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    messages: dict[str, list[str]] = {}
    truths: dict[str, list[str]] = {}
    for system in GRADED:
        drawn = list(sample(system, MESSAGES, seed))
        truths[system.name], messages[system.name] = [said for said, _ in drawn], [text for _, text in drawn]
    graded = {system.name for system in GRADED}
    for kind in KINDS:
        mixed = [event for event in events(kind, MIXED_MEGABYTES, seed) if event.system in graded]
        truths[kind], messages[kind] = [event.template for event in mixed], [event.message for event in mixed]
    return messages, truths


def _print_systems(scores: dict[str, dict[str, tuple[float, float]]]) -> None:
    print(f"{'GA / FGA':22}" + "".join(f"{contender:>22}" for contender in scores))
    for system in GRADED:
        half = "frozen" if system.frozen else "tuning"
        print(f"{system.name:12} {half:9}" + _row(scores, system.name))
    for kind in KINDS:
        cells = {contender: {"": by_part[kind]} for contender, by_part in scores.items() if kind in by_part}
        print(f"{kind + ', mixed':22}" + _row(scores, kind) + _verdict(cells))


def _row(scores: dict[str, dict[str, tuple[float, float]]], part: str) -> str:
    pairs = [by_part.get(part) for by_part in scores.values()]
    cells = ["-" if pair is None else f"{pair[0]:.3f} / {pair[1]:.3f}" for pair in pairs]
    return "".join(f"{cell:>22}" for cell in cells)


def _print_means(scores: dict[str, dict[str, tuple[float, float]]]) -> None:
    for kind in KINDS:
        for half in ("tuning", "frozen", "all"):
            names = [
                system.name
                for system in GRADED
                if system.service == (kind == "service") and half in ("all", "frozen" if system.frozen else "tuning")
            ]
            means = {
                contender: {"": _mean([by_part[name] for name in names if name in by_part])}
                for contender, by_part in scores.items()
            }
            print(f"mean {kind:8}{half:9}" + _row(means, "") + _verdict(means))


def _mean(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    return sum(ga for ga, _ in pairs) / max(1, len(pairs)), sum(f1 for _, f1 in pairs) / max(1, len(pairs))


def _verdict(means: dict[str, dict[str, tuple[float, float]]]) -> str:
    if MASKED not in means:
        return ""
    ours, theirs = means[OURS][""], means[MASKED][""]
    over = [mine - other for mine, other in zip(ours, theirs, strict=True)]
    return f"   {over[0]:+.3f} / {over[1]:+.3f} over masks (bar +{BAR})"


def _print_cost(parts: dict[str, list[str]]) -> None:
    texts = pl.DataFrame({"text": [text for messages in parts.values() for text in messages]})
    keys = [(UNKNOWN, key) for key in texts.select(key=mask(pl.col("text")))["key"].unique(maintain_order=True)]
    rng = Random(7)
    words = [f"{first}{second}" for first in "abcdefghijklmnopqrst" for second in "abcdefghijklmnopqrst"]
    noise = [(UNKNOWN, " ".join(rng.choice(words) for _ in range(12))) for _ in range(20_000)]
    for name, some in (("2,000 keys", keys[:2_000]), (f"{len(keys):,} keys", keys), ("20,000 keys of noise", noise)):
        began = time.process_time()
        merge(some)
        print(f"merging {name}: {time.process_time() - began:.2f} CPU s")


if __name__ == "__main__":
    main()
