"""The services of one recording: each from the export of the commit that is deployed, linked to each other."""

from __future__ import annotations

import gzip
import importlib
import os
import random
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.demo.recorder import story
from orchestrator.demo.recorder.virtual import Meter, VirtualClock, VirtualLoop

IMAGE_ROOT = "/srv"
"""Where the images have what is exported to a temporary folder here; stack traces name it."""
LIBRARY = os.path.dirname(os.__file__)
IMAGE_LIBRARY = "/usr/local/lib/python3.11"
PACKAGES = ("kit", "storefront", "paydesk", "postroom")


def load(tree: Path, names: tuple[str, ...]) -> Mapping[str, Any]:
    """Import modules of an export as they are there, apart from those of other exports."""
    _forget()
    sys.path.insert(0, str(tree))
    try:
        return {name: importlib.import_module(name) for name in names}
    finally:
        sys.path.remove(str(tree))
        _forget()
        importlib.invalidate_caches()


def _forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        del sys.modules[name]


class World:
    """What runs, and the outside world that it meets: a network, a card provider, a mail relay."""

    def __init__(self, loop: VirtualLoop, clock: VirtualClock, folder: Path) -> None:
        self.loop, self.clock, self._folder = loop, clock, folder
        self._outside = random.Random(f"{story.SEED} outside")  # noqa: S311  a seeded story, no secret
        self.meters = {name: Meter(loop) for name in PACKAGES[1:]}
        self.lines = dict.fromkeys(PACKAGES[1:], 0)
        self._logs = {
            name: gzip.GzipFile(folder / f"{name}.log.gz", "wb", mtime=0, compresslevel=9) for name in PACKAGES[1:]
        }
        self.relay_refuses = False
        self._tried: dict[str, int] = {}
        self.failed = self.asked_by_people = 0
        self.storefront: Any = None
        self.shop: Any = None
        self.request: Any = None
        self.paydesk: Any = None
        self.postroom: Any = None
        self._mailing: Any = None

    def close(self) -> None:
        """End the logs."""
        for file in self._logs.values():
            file.close()

    def _log(self, modules: Mapping[str, Any], service: str) -> Any:
        root = str(Path(modules["kit.logs"].__file__).parents[1])

        def write(line: str) -> None:
            placed = line.replace(root, IMAGE_ROOT).replace(LIBRARY, IMAGE_LIBRARY)
            self._logs[service].write(placed.encode())
            self.lines[service] += 1

        return modules["kit.logs"].Log(service, self.clock, write)

    def start(self, service: str, tree: Path) -> None:
        """Put a service's export in place of what ran before; requests under way end where they began."""
        {"storefront": self._start_storefront, "paydesk": self._start_paydesk, "postroom": self._start_postroom}[
            service
        ](tree)

    def _start_storefront(self, tree: Path) -> None:
        names = ("config", "shop", "db.schema", "db.seed", "http.app", "http.messages")
        modules = load(tree, ("kit.logs", *(f"storefront.{name}" for name in names)))
        database = str(self._folder / "shop.sqlite3")
        modules["storefront.db.schema"].create(database)
        modules["storefront.db.seed"].fill(database)
        log = self._log(modules, "storefront")
        settings = modules["storefront.config"].Settings(database=database)
        self.shop = modules["storefront.shop"].Shop(
            settings, log, self._authorise, self._confirm, self.clock, self._network
        )
        self.request = modules["storefront.http.messages"].Request
        self.storefront = modules["storefront.http.app"].App(self.shop, log, self.clock)

    def _start_paydesk(self, tree: Path) -> None:
        modules = load(tree, ("kit.logs", "paydesk.config", "paydesk.gateway", "paydesk.app"))
        log = self._log(modules, "paydesk")
        settings = modules["paydesk.config"].Settings()
        gateway = modules["paydesk.gateway"].Gateway(self._provider, settings, log)
        self.paydesk = modules["paydesk.app"].App(gateway, log, self.clock)

    def _start_postroom(self, tree: Path) -> None:
        modules = load(tree, ("kit.logs", "postroom.queue", "postroom.relay"))

        async def talk(recipient: str, text: str) -> str:
            await self.clock.sleep(self._outside.lognormvariate(-2.0, 0.4))
            return "454 4.7.0 TLS not available due to a temporary reason" if self.relay_refuses else "250 queued"

        relay = modules["postroom.relay"].Relay(talk)
        waiting = self.postroom
        self.postroom = modules["postroom.queue"].PostRoom(relay, self._log(modules, "postroom"), self.clock)
        if self._mailing is not None:
            self._mailing.cancel()
            self.postroom._waiting.extend(waiting._waiting)  # as its disk would keep them
        self._mailing = self.loop.create_task(self._work(self.postroom))

    async def _work(self, room: Any) -> None:
        await self.meters["postroom"].run(room.work())

    async def ask(self, request: Any) -> Any:
        """Let the storefront answer a request."""
        answer = await self.meters["storefront"].run(self.storefront.handle(request))
        self.failed += answer.status >= 500
        self.asked_by_people += request.client in ("browser", "app")
        return answer

    async def _authorise(self, card: str, cents: int) -> tuple[bool, str]:
        await self._network()
        answer: tuple[bool, str] = await self.meters["paydesk"].run(self.paydesk.authorise(card, cents))
        return answer

    def _confirm(self, order: int, customer: str, cents: int) -> None:
        self.postroom.confirm(order, customer, cents)

    async def _network(self) -> None:
        await self.clock.sleep(self._outside.lognormvariate(-6.2, 0.5))

    async def _provider(self, card: str, cents: int) -> str:
        self._tried[card] = self._tried.get(card, 0) + 1
        chance = random.Random(f"{story.SEED} {card} {self._tried[card]}")  # noqa: S311  whatever comes in between
        await self.clock.sleep(chance.lognormvariate(-1.7, 0.35))
        if chance.random() < story.PROVIDER_RESETS:
            raise ConnectionResetError(104, "Connection reset by peer")
        return {"1": "insufficient funds", "2": "expired card", "3": "do not honour"}.get(card[0], "ok")
