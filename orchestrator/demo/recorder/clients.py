"""Who visits the shop: people with browsers and with the app, a crawler, a probe."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from orchestrator.demo.recorder import story
from orchestrator.demo.recorder.services import World

WORDS = ("jasmine", "smoked", "estate", "harvest", "aged", "leaf", "flush")
CATEGORIES = ("green", "black", "oolong", "white", "herbal", "pots")


class Visitor:
    """One session; what it does is settled by its number alone."""

    def __init__(self, world: World, number: int) -> None:
        self._world, self._number = world, number
        self._chance = random.Random(f"{story.SEED} visitor {number}")  # noqa: S311  a seeded story, no secret
        self._client = "app" if self._chance.random() < 0.4 else "browser"

    async def visit(self) -> None:
        """Look around, perhaps buy; who is told to try again does so once, then leaves."""
        cart = f"c{self._number:06d}"
        page = f"/products?page={self._chance.randint(1, 4)}"
        if self._chance.random() < 0.5:
            page += f"&category={self._chance.choice(CATEGORIES)}"
        if not await self._get(page):
            return
        if self._chance.random() < 0.35 and not await self._get(f"/search?q={self._chance.choice(WORDS)}"):
            return
        buys = self._chance.random() < 0.55
        for _ in range(self._chance.randint(1, 4)):
            product = self._chance.randint(1, 240)
            if not await self._get(f"/products/{product}"):
                return
            if buys and not await self._post(f"/cart/{cart}", {"product": product}):
                return
        if not buys or not await self._get(f"/cart/{cart}"):
            return
        await self._check_out(cart)

    async def _check_out(self, cart: str) -> None:
        customer = f"u{self._chance.randint(1, 4000)}"
        declined = self._chance.random() < story.DECLINED_CARDS
        first = self._chance.choice("123") if declined else self._chance.choice("456789")
        card = first + "".join(self._chance.choice("0123456789") for _ in range(15))
        code = self._chance.choice(("", "", "", "HELLO"))
        done = await self._post(f"/checkout/{cart}", {"customer": customer, "card": card, "code": code})
        if done and self._chance.random() < 0.3:
            await self._get(f"/orders/{customer}")

    async def _get(self, target: str) -> bool:
        return await self._twice("GET", target, {})

    async def _post(self, target: str, body: dict[str, Any]) -> bool:
        return await self._twice("POST", target, body)

    async def _twice(self, method: str, target: str, body: dict[str, Any]) -> bool:
        for pause in (2.0, None):
            answer = await self._world.ask(self._world.request(method, target, self._client, body))
            if answer.status < 500:
                await self._world.clock.sleep(self._chance.lognormvariate(1.2, 0.7))
                return bool(answer.status < 400)
            if pause is not None:
                await self._world.clock.sleep(pause)
        return False


async def arrive(world: World) -> None:
    """Let visitors come, until cancelled."""
    chance = random.Random(f"{story.SEED} arrivals")  # noqa: S311  a seeded story, no secret
    async with asyncio.TaskGroup() as group:
        number = 0
        while True:
            await world.clock.sleep(chance.expovariate(story.SESSIONS_PER_S))
            number += 1
            group.create_task(Visitor(world, number).visit())


async def crawl(world: World) -> None:
    """Read one product page after the other, whatever the answers, and whether they have come or not."""
    product = 0
    async with asyncio.TaskGroup() as group:
        while True:
            product = product % 240 + 1
            group.create_task(world.ask(world.request("GET", f"/products/{product}", "crawler")))
            await world.clock.sleep(1 / story.CRAWLER_PER_S)


async def probe(world: World) -> None:
    """Ask for the storefront's health every five seconds."""
    while True:
        await world.ask(world.request("GET", "/healthz", "probe"))
        await world.clock.sleep(5.0)
