"""A run: the cases whose lines are not there yet, then the labels, then the figures."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from orchestrator.evaluate.cases import Tree
from orchestrator.evaluate.comparison import write_scores
from orchestrator.evaluate.digests import digest_of
from orchestrator.evaluate.labels import read_labels
from orchestrator.evaluate.lines import EvalLine, LineFile
from orchestrator.evaluate.pool import Pool, Setting, without_settings
from orchestrator.evaluate.summary import FamilySummary, score_lines, summarise
from subagents.quantities import counted

_ROOMS = ("orchestrator", "subagents", "runbooks")
_DECISIVE = (".py", ".md", ".toml")


class Watcher(Protocol):
    """Who is told how far a run is."""

    def began(self, to_do: int, done_before: int) -> None:
        """The run begins."""

    def finished(self, line: EvalLine, left: int) -> None:
        """One more line is written."""


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    summaries: tuple[FamilySummary, ...]
    lines: tuple[EvalLine, ...]
    remarks: tuple[str, ...]
    left: int
    """Wanted cases that have no line, because the run was stopped."""


def build_digest(config: Path | None = None) -> str:
    """Return 12 hexadecimal digits that change with the program's code, prompts and runbooks, and with the settings."""
    root = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256(config.read_bytes() if config is not None else b"")
    for room in _ROOMS:
        for path in sorted((root / room).rglob("*")):
            if path.suffix in _DECISIVE and _decides(path.relative_to(root)):
                digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _decides(relative: Path) -> bool:
    """Say whether a file can change what an investigation concludes."""
    return not relative.is_relative_to("orchestrator/evaluate") and not relative.is_relative_to("orchestrator/demo")


async def evaluate(tree: Tree, out: LineFile, pool: Pool, watcher: Watcher) -> Outcome:
    """Run what has no line of this engine, build and input yet, then open the labels and score; raises LinesError."""
    written = {(line.family, line.id) for line in out.lines}
    known = [case for case in tree.cases if (case.family, case.id) in written]
    digests = await asyncio.to_thread(lambda: {(case.family, case.id): digest_of(case) for case in known})
    wanted = _Wanted(pool.setting, digests)
    retried = pool.setting.retry
    done = {(line.family, line.id) for line in wanted.of(out.lines) if not (retried and line.failure)}
    waiting = [case for case in tree.cases if (case.family, case.id) not in done]
    watcher.began(len(waiting), len(tree.cases) - len(waiting))
    await pool.run(waiting, _recorder(out, watcher, len(waiting)))
    return _conclude(tree, out, wanted)


def _recorder(out: LineFile, watcher: Watcher, count: int) -> Callable[[EvalLine], None]:
    left = count

    def record(line: EvalLine) -> None:
        nonlocal left
        out.append(line)
        left -= 1
        watcher.finished(line, left)

    return record


@dataclass(frozen=True)
class _Wanted:
    """Which lines count: those of this engine, version and build, on a case as it is now."""

    setting: Setting
    digests: Mapping[tuple[str, str], str]
    """By family and id, of the cases that had a line when the run began."""

    def of(self, lines: Sequence[EvalLine]) -> list[EvalLine]:
        """Return them; of two of one case the later."""
        same = (self.setting.engine, self.setting.version, self.setting.build)
        kept = {
            (one.family, one.id): one
            for one in lines
            if (one.engine, one.warroom, one.build) == same
            and self.digests.get((one.family, one.id), one.input) == one.input
        }
        return list(kept.values())


def _conclude(tree: Tree, out: LineFile, wanted: _Wanted) -> Outcome:
    """Only here are labels opened: every line of this run is written."""
    places = {(case.family, case.id): number for number, case in enumerate(tree.cases)}
    current = wanted.of(out.lines)
    lines = sorted(
        (one for one in current if (one.family, one.id) in places), key=lambda one: places[one.family, one.id]
    )
    labels, faults = read_labels(tree.labels, (line.family for line in lines))
    remarks = [*faults, *_remarks(tree, out, len(current))]
    scores = score_lines(lines, labels)
    if scores:
        earlier = {one.family for one in current} - {one.family for one in lines}
        everything = score_lines(current, {**labels, **read_labels(tree.labels, earlier)[0]})
        try:
            write_scores(out.path, everything)
        except OSError as error:
            remarks.append(f"scores cannot be kept beside {out.path} ({error.strerror}): runs cannot be compared")
    return Outcome(tuple(summarise(lines, labels)), tuple(lines), tuple(remarks), len(tree.cases) - len(lines))


def _remarks(tree: Tree, out: LineFile, count: int) -> list[str]:
    others = len(out.lines) - count
    said = []
    if tree.labels is None:
        said.append("there are no labels: lines are written, nothing is scored")
    if out.torn:
        said.append(f"{out.path}: its last line was cut short and was removed; that case was run again")
    if out.unreadable:
        said.append(f"{out.path}: not counted: {counted(out.unreadable, 'line')} of another form")
    if others:
        older = "of another engine or build, of a case that has changed since, or older"
        said.append(f"{out.path}: not counted: {counted(others, 'line')} {older}")
    return said


def refuse_engine(setting: Setting, env: Mapping[str, str]) -> None:
    """Find out before the first case whether the engine can work; raises ComposeError with what to set or run."""
    from orchestrator.compose import ComposeError
    from orchestrator.config import ConfigError, load_settings
    from orchestrator.engines.choosing import ChoiceError, choose
    from orchestrator.journal.home import StateHome

    if setting.engine == "offline":
        return
    apart = {**without_settings(env), "XDG_CONFIG_HOME": "/nonexistent"}  # as the processes of the cases see it
    try:
        loaded = load_settings(cwd=Path("/"), folders=[], env=apart, own=setting.config)
        choose(setting.engine, loaded.settings.engine, apart, StateHome(setting.state or Path("/nonexistent")))
    except (ChoiceError, ConfigError) as error:
        raise ComposeError(str(error)) from error


def wanted_engine(name: str) -> str:
    """Return the engine that a run names; a run never chooses by what keys are there."""
    return "offline" if name == "auto" else name
