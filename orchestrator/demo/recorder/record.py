"""Runs the services under load through the story and stores what they emit."""

from __future__ import annotations

import asyncio
import csv
import json
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from orchestrator.demo.recorder import clients, story
from orchestrator.demo.recorder.alarm import Alarm
from orchestrator.demo.recorder.history import build_bundle, build_repository, commit_of, export
from orchestrator.demo.recorder.services import World
from orchestrator.demo.recorder.virtual import CPU_FACTOR, VirtualClock, VirtualLoop

KEPT = ("storefront.log.gz", "paydesk.log.gz", "postroom.log.gz", "metrics.csv", "deploys.json", "flags.json")


def stamp(moment: datetime) -> str:
    """Return a moment as text, in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def at(seconds: float) -> str:
    """Return so many seconds after the begin as text."""
    return stamp(story.BEGIN + timedelta(seconds=seconds))


class Recording:
    """One recording: the world, its samples, its alert."""

    def __init__(self, loop: VirtualLoop, repo: Path, folder: Path) -> None:
        self.clock = VirtualClock(loop, story.BEGIN.timestamp())
        self._loop, self._repo, self._folder = loop, repo, folder
        self.world = World(loop, self.clock, folder)
        self.alarm = Alarm()
        self.rows: list[tuple[str, str, str, str]] = []
        self._before: dict[str, float] = {}

    async def run(self) -> None:
        """Go through the story, to the end or some minutes past the alert."""
        for deployed in story.RUNNING:
            self._deploy(deployed)
        acting = [
            self._loop.create_task(work)
            for work in (
                clients.arrive(self.world), clients.crawl(self.world), clients.probe(self.world),
                self._act(), self._trouble_the_relay(),
            )
        ]  # fmt: skip
        while self.alarm.quiet_for(self._loop.time()) and self._loop.time() < story.LENGTH.total_seconds():
            await asyncio.sleep(story.SAMPLE_S - self._loop.time() % story.SAMPLE_S)
            self._sample()
            for task in acting:
                if task.done():
                    task.result()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _deploy(self, deployed: story.Deployed) -> None:
        tree = self._folder / "trees" / deployed.tag
        export(self._repo, deployed.tag, tree)
        self.world.start(deployed.service, tree)

    async def _act(self) -> None:
        acts: list[story.Deployed | story.Flipped] = [*story.DEPLOYS, *story.FLAGS]
        for act in sorted(acts, key=lambda act: act.at):
            await asyncio.sleep(act.at - self._loop.time())
            if isinstance(act, story.Deployed):
                on = {flag.flag for flag in story.FLAGS if flag.at < act.at}
                self._deploy(act)
                if on:
                    self.world.shop.flags.update(dict.fromkeys(on, True))
            else:
                self.world.shop.flags[act.flag] = True
        await asyncio.Event().wait()

    async def _trouble_the_relay(self) -> None:
        begin, end = story.RELAY_REFUSES
        await asyncio.sleep(begin - self._loop.time())
        self.world.relay_refuses = True
        await asyncio.sleep(end - self._loop.time())
        self.world.relay_refuses = False
        await asyncio.Event().wait()

    def _sample(self) -> None:
        """Take what a scraper would: what the services count, and the processor time of each."""
        world, seconds = self.world, self._loop.time()
        seen = world.storefront.metrics.take(story.SAMPLE_S)
        cache, pool = world.shop.cache, world.shop.pool
        hits, misses = self._since("hits", cache.hits), self._since("misses", cache.misses)
        seen |= {
            "db_pool_in_use": pool.in_use,
            "db_pool_waiting": getattr(pool, "waiting", None),
            "cache_hit_ratio_pct": 100.0 * hits / (hits + misses) if hits + misses else None,
        }
        self._keep("storefront", seen, seconds)
        paid = world.paydesk.metrics.take(story.SAMPLE_S)
        declined = self._since("declined", world.paydesk.declined)
        self._keep("paydesk", paid | {"declined_per_min": declined * 60 / story.SAMPLE_S}, seconds)
        room = world.postroom
        mails = {"queue_depth": room.depth}
        mails["mails_per_min"] = self._since("sent", room.sent) * 60 / story.SAMPLE_S
        mails["mail_errors_per_min"] = self._since("failed", room.failed) * 60 / story.SAMPLE_S
        self._keep("postroom", mails, seconds)
        self.alarm.see(seconds, self._since("5xx", world.failed), self._since("asked", world.asked_by_people))

    def _since(self, name: str, total: float) -> float:
        """Return by how much a counter grew; one that fell began anew."""
        before, self._before[name] = self._before.get(name, 0.0), total
        return total - before if total >= before else total

    def _keep(self, service: str, values: dict[str, Any], seconds: float) -> None:
        used = self._since(f"{service} cpu", self.world.meters[service].seconds)
        for metric, value in (values | {"cpu_pct": 100.0 * CPU_FACTOR * used / story.SAMPLE_S}).items():
            if value is not None:
                self.rows.append((at(round(seconds)), service, metric, f"{value:.4g}"))


def write_records(recording: Recording, repo: Path, folder: Path) -> None:
    """Write metrics, deploys, flags and the alert."""
    with (folder / "metrics.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("ts", "service", "metric", "value"))
        out.writerows(recording.rows)
    deploys = [
        {
            "id": deployed.tag,
            "service": deployed.service,
            "version": deployed.version,
            "commit": commit_of(repo, deployed.tag),
            "timestamp": at(deployed.at),
            "actor": deployed.actor,
            "status": "succeeded",
        }
        for deployed in (*story.RUNNING, *story.DEPLOYS)
    ]
    flags = [
        {"id": f"flip-{number}", "flag": f.flag, "service": "storefront", "from": "off", "to": "on",
         "timestamp": at(f.at), "actor": f.actor}
        for number, f in enumerate(story.FLAGS, 1)
    ]  # fmt: skip
    for name, value in (("deploys", deploys), ("flags", flags), ("alert", recording.alarm.payload())):
        (folder / f"{name}.json").write_text(json.dumps(value, indent=1) + "\n", "utf-8")


def record(repo: Path, folder: Path) -> Recording:
    """Record into a folder; raises RuntimeError where the alert never fired."""
    loop = VirtualLoop()
    recording = Recording(loop, repo, folder)
    try:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(recording.run())
    finally:
        recording.world.close()
        asyncio.set_event_loop(None)
        loop.close()
    write_records(recording, repo, folder)
    return recording


def make(data: Path) -> Recording:
    """Build the repository and its bundle, record, and put the results into `data`."""
    with tempfile.TemporaryDirectory() as place:
        repo, folder = Path(place, "repo"), Path(place, "recorded")
        folder.mkdir()
        build_repository(repo)
        build_bundle(repo, folder / "shop.bundle")
        recording = record(repo, folder)
        data.mkdir(parents=True, exist_ok=True)
        for name in (*KEPT, "alert.json", "shop.bundle"):
            shutil.copyfile(folder / name, data / name)
    return recording
