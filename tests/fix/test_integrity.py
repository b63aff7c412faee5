"""What is delivered is what was approved, or nothing is and the refusal names what changed: many interleavings."""

from __future__ import annotations

import contextlib
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestrator.hands import delivery
from orchestrator.hands.delivery import Delivered, deliver
from orchestrator.hands.fix_terms import FixRefused, FixTerms, RenderDiff, located, verify
from tests.fix.bench import BRANCH, Bench, git, make_bench, render, write_draft

REF = f"refs/heads/{BRANCH}"


@dataclass
class World:
    """A bench, how the diff is made now, and the words that a refusal must say one of."""

    bench: Bench
    render: RenderDiff = render
    said: list[str] = field(default_factory=list)
    repo: Path = Path()
    left: str = ""
    """What the ref was when the world last changed."""

    def ref(self) -> str:
        return git(self.repo, "for-each-ref", "--format=%(objectname)", REF)

    def expect(self, *words: str) -> None:
        self.said.extend(words)


Change = Callable[[World, random.Random], None]


def _nothing(world: World, chance: random.Random) -> None:
    return


def _ref_appears(world: World, chance: random.Random) -> None:
    git(world.repo, "update-ref", REF, world.bench.base)
    world.expect("appeared meanwhile")


def _ref_appears_as_approved(world: World, chance: random.Random) -> None:
    """Someone does by hand exactly what was approved, where the store still has it."""
    with contextlib.suppress(AssertionError):
        git(world.repo, "fetch", "-q", str(world.bench.store), f"{world.bench.draft.commit}:{REF}")


def _work_goes_on(world: World, chance: random.Random) -> None:
    (world.repo / "more.txt").write_text(str(chance.random()))
    git(world.repo, "add", "more.txt")
    git(world.repo, "commit", "-q", "-m", "more")


def _packed_and_collected(world: World, chance: random.Random) -> None:
    git(world.repo, "pack-refs", "--all")
    git(world.repo, "gc", "-q", "--prune=now")


def _base_rewritten(world: World, chance: random.Random) -> None:
    git(world.repo, "commit", "-q", "--amend", "-m", "amended", "--allow-empty")
    git(world.repo, "tag", "-d", "v1")
    git(world.repo, "stash", "drop", "-q")
    git(world.repo, "reflog", "expire", "--expire=now", "--all")
    git(world.repo, "gc", "-q", "--prune=now")
    world.expect("no longer in")


def _repo_moved(world: World, chance: random.Random) -> None:
    world.repo.rename(world.repo.with_name("moved"))
    world.repo = world.repo.with_name("moved")
    world.expect("the repository moved")


def _repo_replaced(world: World, chance: random.Random) -> None:
    world.repo.rename(world.repo.with_name("away"))
    world.repo.mkdir()
    git(world.repo, "init", "-q", "-b", "main")
    (world.repo / "a").write_text("a")
    git(world.repo, "add", ".")
    git(world.repo, "commit", "-q", "-m", "another project")
    world.expect("no longer in")


def _store_loses_commit(world: World, chance: random.Random) -> None:
    commit = world.bench.draft.commit
    (world.bench.store / "objects" / commit[:2] / commit[2:]).unlink(missing_ok=True)
    world.expect("missing from warroom's store", "cannot be made again", "store cannot be read")


def _store_loses_tree(world: World, chance: random.Random) -> None:
    tree = world.bench.draft.tree
    (world.bench.store / "objects" / tree[:2] / tree[2:]).unlink(missing_ok=True)
    world.expect("which was approved", "missing from", "cannot be made again", "store cannot be read")


def _store_is_damaged(world: World, chance: random.Random) -> None:
    tree = world.bench.draft.tree
    path = world.bench.store / "objects" / tree[:2] / tree[2:]
    if path.exists():
        path.chmod(0o600)
        raw = bytearray(path.read_bytes())
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        path.write_bytes(bytes(raw))
    world.expect("store", "cannot be made again", "not the one that was shown", "which was approved", "arrived")


def _store_is_gone(world: World, chance: random.Random) -> None:
    shutil.rmtree(world.bench.store)
    world.expect("store is gone")


def _rendered_differently(world: World, chance: random.Random) -> None:
    world.render = lambda store, base, commit: render(store, base, commit) + " "
    world.expect("not the one that was shown")


def _unborn_checkout(world: World, chance: random.Random) -> None:
    git(world.repo, "symbolic-ref", "HEAD", REF)
    world.expect("checked out", "appeared meanwhile")


HARMLESS: list[Change] = [
    _nothing,
    _work_goes_on,
    _packed_and_collected,
    _ref_appears_as_approved,
]
HARMFUL: list[Change] = [
    _ref_appears,
    _base_rewritten,
    _repo_moved,
    _repo_replaced,
    _store_loses_commit,
    _store_loses_tree,
    _store_is_damaged,
    _store_is_gone,
    _rendered_differently,
    _unborn_checkout,
]


async def _interleave(place: Path, template: Path, seed: int) -> str:
    """Approve, with up to two changes of the world at random moments, then deliver; return what came of it."""
    chance = random.Random(seed)
    bench = await make_bench(place, None, template)
    world = World(bench, repo=bench.repo)
    changes = [chance.choice(HARMLESS), chance.choice(HARMFUL if chance.random() < 0.7 else HARMLESS)]
    chance.shuffle(changes)
    moments = sorted(chance.choice(("asked", "approved", "looked")) for _ in changes)
    plan: dict[str, tuple[Change, ...]] = dict.fromkeys(("asked", "approved", "looked"), ())
    for moment, change in zip(moments, changes, strict=True):
        plan[moment] = (*plan[moment], change)

    def pass_time(moment: str) -> None:
        for change in plan[moment]:
            if world.repo == bench.repo or change is _nothing:
                change(world, chance)

    try:
        terms = await bench.asked()
        pass_time("asked")
        request = bench.approvals.pending()[0]
        await bench.approvals.decide("fix:1", "approve", request.digest, "person")
        pass_time("approved")
        looking = _LateRender(world, lambda: pass_time("looked"))
        return _settled(world, terms, looking)
    finally:
        await bench.journal.close()


@dataclass
class _LateRender:
    """Makes the diff; the world goes on right after it was looked at for the first time."""

    world: World
    then: Callable[[], None]
    times: int = 0

    def __call__(self, store: Path, base: str, commit: str) -> str:
        shown = self.world.render(store, base, commit)
        self.times += 1
        if self.times == 1:
            self.then()
            self.world.left = self.world.ref()
        return shown


def _settled(world: World, terms: FixTerms, looking: RenderDiff) -> str:
    bench = world.bench
    refused, done, world.left = "", None, world.ref()
    try:
        done = deliver(bench.steps, "fix:1", looking)
    except FixRefused as error:
        refused = str(error)
    if refused:
        assert any(word in refused for word in world.said), (refused, world.said)
        assert world.ref() == world.left, "a refused delivery moved the ref"
        return "refused"
    assert isinstance(done, Delivered)
    assert done.commit == terms.commit == git(world.repo, "rev-parse", REF)
    assert git(world.repo, "rev-parse", f"{REF}^{{tree}}") == terms.tree
    assert git(world.repo, "rev-parse", f"{REF}^") == terms.parent
    if not done.found:
        git(world.repo, "rev-list", "--objects", REF)
    return "delivered"


async def _many(tmp_path: Path, template: Path, seeds: range) -> dict[str, int]:
    outcomes: dict[str, int] = {"refused": 0, "delivered": 0}
    for seed in seeds:
        place = tmp_path / str(seed)
        place.mkdir()
        try:
            outcomes[await _interleave(place, template, seed)] += 1
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        shutil.rmtree(place)
    return outcomes


async def test_delivered_is_approved_or_refused_by_name(tmp_path: Path, template: Path) -> None:
    outcomes = await _many(tmp_path, template, range(24))
    assert min(outcomes.values()) >= 3, outcomes


@pytest.mark.soak
async def test_delivered_is_approved_or_refused_by_name_300_times(tmp_path: Path, template: Path) -> None:
    outcomes = await _many(tmp_path, template, range(1000, 1300))
    assert min(outcomes.values()) >= 60, outcomes


@pytest.mark.parametrize("change", HARMFUL, ids=lambda change: change.__name__.strip("_"))
async def test_each_change_voids_and_is_named(bench: Bench, change: Callable[[World, random.Random], None]) -> None:
    world = World(bench, repo=bench.repo)
    terms = await bench.approved()
    change(world, random.Random(5))
    with pytest.raises(FixRefused) as raised:
        deliver(bench.steps, "fix:1", world.render)
    assert any(word in str(raised.value) for word in world.said), str(raised.value)
    assert git(world.repo, "for-each-ref", "--format=%(objectname)", REF) != terms.commit


@pytest.mark.parametrize("name", ["commit", "tree", "parent"])
async def test_terms_that_name_other_bytes_are_refused(bench: Bench, name: str) -> None:
    other = write_draft(bench.store, bench.base, "LIMIT = 65\n", "triage/other")
    given = {"commit": other.commit, "tree": other.tree, "parent": other.commit}[name]
    terms = (await bench.asked()).model_copy(update={name: given})
    with pytest.raises(FixRefused):
        verify(terms, render)


async def test_teeth_without_the_second_look_another_diff_would_be_delivered(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "verify", lambda terms, how: located(terms.repo))
    await bench.approved()
    assert deliver(bench.steps, "fix:1", lambda *_: "another diff").commit == bench.draft.commit
