"""Deliveries that are killed at random moments: the ref is as it was or as approved, and nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from orchestrator.hands.delivery import deliver, look, settle
from orchestrator.hands.fix_terms import FixTerms
from tests.fix.bench import BRANCH, Bench, git, make_bench, render
from tests.fix.rooms import Place, make_place

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="orphans are followed by Linux's own means")
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
LITTER = ("*.lock", "tmp_*", "incoming-*", "tmp_objdir-*")


def fork(work: Callable[[], object], after_s: float, whole_group: bool) -> bool:
    """Do the work in a child that is killed after a while; say whether it came to its end.

    What outlives the child becomes ours, and has ended on return: nothing is looked at while a git still works.
    """
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    others = set(_children(os.getpid()))
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            os.setsid()
            work()
            os._exit(0)
        os._exit(1)
    time.sleep(after_s)
    if whole_group:
        for child in _descendants(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    while left := set(_children(os.getpid())) - others:
        for child in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFEXITED(status)


def _children(pid: int) -> list[int]:
    return _parents().get(pid, [])


def _descendants(pid: int) -> list[int]:
    """Return the processes below one, found by their parents."""
    parents = _parents()
    found, queue = [], [pid]
    while queue:
        queue += (below := parents.get(queue.pop(), []))
        found += below
    return found


def _parents() -> dict[int, list[int]]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    return parents


def litter(git_dir: Path) -> list[str]:
    return [str(path) for pattern in LITTER for path in git_dir.rglob(pattern)]


async def _kill_and_resume(place: Path, template: Path, chance: random.Random, longest_s: float) -> bool:
    bench = await make_bench(place, None, template)
    try:
        terms = await bench.approved()
        fork(lambda: deliver(bench.steps, "fix:1", render), chance.uniform(0, longest_s), chance.random() < 0.6)
        return _check(bench, terms)
    finally:
        await bench.journal.close()


def _check(bench: Bench, terms: FixTerms) -> bool:
    """Old or new, and settled by looking; then the same delivery again completes it."""
    there = bench.ref()
    assert there in ("", terms.commit)
    found = settle(terms)
    assert (found is not None) is (there == terms.commit)
    assert litter(bench.git_dir) == []
    log = bench.git_dir / "logs" / "refs" / "heads" / BRANCH
    assert log.exists() is (there != "")
    assert deliver(bench.steps, "fix:1", render).commit == terms.commit
    assert look(terms) is not None
    assert log.read_text().count("\n") == 1
    assert litter(bench.git_dir) == []
    git(bench.repo, "fsck", "--strict")
    return there != ""


async def _whole_s(tmp_path: Path, template: Path) -> float:
    """Return how long a delivery takes here and now, so that kills fall before, within and after."""
    bench = await make_bench(tmp_path, None, template)
    await bench.approved()
    started = time.monotonic()
    deliver(bench.steps, "fix:1", render)
    await bench.journal.close()
    return time.monotonic() - started


async def _kills(tmp_path: Path, template: Path, count: int, seed: int) -> int:
    chance, done = random.Random(seed), 0
    longest_s = 1.6 * await _whole_s(tmp_path, template)
    for number in range(count):
        place = tmp_path / f"{seed}-{number}"
        place.mkdir()
        done += await _kill_and_resume(place, template, chance, longest_s)
        shutil.rmtree(place)
    return done


async def test_a_killed_delivery_is_old_or_new_and_leaves_nothing(tmp_path: Path, template: Path) -> None:
    await _kills(tmp_path, template, 14, 1)


@pytest.mark.soak
async def test_300_killed_deliveries(tmp_path: Path, template: Path) -> None:
    done = await _kills(tmp_path, template, 300, 2)
    assert 0 < done < 300, done  # kills hit before and after


async def _approve_and_deliver(place: Place, session_id: str) -> None:
    async with await place.open(session_id) as session:
        (fix,) = session.fixes.fold.fixes.values()
        if fix.standing == "waits":
            assert fix.last is not None
            await session.fixes.approve(fix.id, fix.last.request.digest)
        await session.fixes.deliver(fix.id)


async def _standing(place: Place, session_id: str) -> str:
    async with await place.open(session_id) as session:
        await session.fixes.settle()
        (fix,) = session.fixes.fold.fixes.values()
        return fix.standing


def _killed_sessions(tmp_path: Path, count: int) -> set[str]:
    """Kill the whole of it, approval and journal too; whoever opens the session next says how far it came."""
    chance, seen = random.Random(3), set()
    for number in range(count):
        place = make_place(tmp_path / str(number))
        session_id, fix = place.kept()
        act = partial(asyncio.run, _approve_and_deliver(place, session_id))
        ended = fork(act, chance.uniform(0.02, 0.6), chance.random() < 0.5)
        act.args[0].close()
        there = git(place.repo, "for-each-ref", "--format=%(objectname)", f"refs/heads/{fix.draft.branch}")
        standing = asyncio.run(_standing(place, session_id))
        assert there in ("", fix.draft.commit)
        assert (standing == "delivered") is (there != "")
        assert ended <= (there != "")
        assert litter(place.repo / ".git") == []
        asyncio.run(_approve_and_deliver(place, session_id))
        assert asyncio.run(_standing(place, session_id)) == "delivered"
        seen.add(standing)
    return seen


def test_a_killed_session_is_resumed_by_looking(tmp_path: Path) -> None:
    _killed_sessions(tmp_path, 2)


@pytest.mark.soak
def test_60_killed_sessions(tmp_path: Path) -> None:
    assert _killed_sessions(tmp_path, 60) == {"waits", "approved", "delivered"}
