"""What a model request used, read from what an API says, and what it costs. Money is whole micro-dollars, never float.

USD per million tokens is the same number as micro-dollars per token, so a cost is tokens times price, rounded up.
"""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from orchestrator.config.model import ModelPrices, Rates
from subagents.contract import Frozen

PRICES = Path(__file__).with_name("prices.toml")
COST = "cost_microusd"
"""Key in `model_usage` under which the cost is recorded, so that later prices do not change what was spent."""
_DATED = re.compile(r"-20\d{6}\Z")
_MOST = 10**12


class Usage(Frozen):
    """Tokens of one model request, each counted once."""

    model: str = ""
    input_tokens: int = 0
    """Input that no cache served and that was not written to one."""
    output_tokens: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    fast: bool = False
    """Served at another price than the listed one."""

    @classmethod
    def of(cls, said: Mapping[str, Any], model: str = "") -> Usage:
        """Read what an API says (`model_usage`, `usage`); what is missing or makes no sense counts as nothing."""
        parts = said.get("cache_creation")
        parts = parts if isinstance(parts, Mapping) else {}
        hour = _count(parts.get("ephemeral_1h_input_tokens"))
        five = _count(parts.get("ephemeral_5m_input_tokens"))
        named = said.get("model")
        return cls(
            model=str(named)[:200] if isinstance(named, str) and named else model,
            input_tokens=_count(said.get("input_tokens")),
            output_tokens=_count(said.get("output_tokens")),
            cache_read=_count(said.get("cache_read_input_tokens")),
            cache_write_5m=max(five, _count(said.get("cache_creation_input_tokens")) - hour),
            cache_write_1h=hour,
            fast=said.get("speed") not in (None, "standard"),
        )

    @property
    def prompt_tokens(self) -> int:
        """Return how long the prompt was, cached or not."""
        return self.input_tokens + self.cache_read + self.cache_write_5m + self.cache_write_1h

    @property
    def tokens(self) -> int:
        """Return all tokens."""
        return self.prompt_tokens + self.output_tokens

    def said(self) -> dict[str, JsonValue]:
        """Return it in the words of the API, as `model_usage` has it."""
        return {
            "model": self.model,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cache_read_input_tokens": self.cache_read,
            "cache_creation_input_tokens": self.cache_write_5m + self.cache_write_1h,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.cache_write_5m,
                "ephemeral_1h_input_tokens": self.cache_write_1h,
            },
            **({"speed": "fast"} if self.fast else {}),
        }


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return min(max(value, 0), _MOST)
    return 0


class PriceFile(Frozen):
    """The prices that warroom ships with, as of a day."""

    date: datetime.date
    source: str
    models: Mapping[str, ModelPrices]


@cache
def shipped_prices() -> PriceFile:
    """Read the price file; raises ValueError where it is not valid, which a test rules out."""
    return PriceFile.model_validate(tomllib.loads(PRICES.read_text("utf-8"), parse_float=Decimal))


class Prices:
    """What models cost: the person's own prices first, then those that warroom ships with."""

    def __init__(self, own: Mapping[str, ModelPrices] | None = None) -> None:
        self._own = dict(own or {})

    def of(self, model: str) -> ModelPrices | None:
        """Return a model's prices; a dated id has those of its undated one. None for an unknown model."""
        for name in (model, _DATED.sub("", model)):
            if name in self._own:
                return self._own[name]
        shipped = shipped_prices().models
        return shipped.get(model) or shipped.get(_DATED.sub("", model))

    def cost(self, usage: Usage) -> int | None:
        """Return what a request cost in micro-dollars, rounded up; None where there is no price."""
        prices = self.of(usage.model)
        if prices is None or usage.fast:
            return None
        read, five, hour = _cache_rates(rates := _rates(prices, usage.prompt_tokens))
        cost = (
            usage.input_tokens * rates.input
            + usage.output_tokens * rates.output
            + usage.cache_read * read
            + usage.cache_write_5m * five
            + usage.cache_write_1h * hour
        )
        return int(cost.to_integral_value(ROUND_CEILING))

    def most(self, model: str, input_tokens: int, output_tokens: int) -> int | None:
        """Return the most that a request of this size can cost, however its input is cached; None without a price."""
        prices = self.of(model)
        if prices is None:
            return None
        rates = _rates(prices, input_tokens)
        cost = input_tokens * max(rates.input, *_cache_rates(rates)) + output_tokens * rates.output
        return int(cost.to_integral_value(ROUND_CEILING))


def _rates(prices: ModelPrices, prompt_tokens: int) -> Rates:
    long = prices.long_prompt
    return long if long is not None and prompt_tokens > long.above else prices


def _cache_rates(rates: Rates) -> tuple[Decimal, Decimal, Decimal]:
    """Return what reading, writing for five minutes and writing for an hour cost; unknown rates are the usual ones."""
    return (
        rates.input if rates.cache_read is None else rates.cache_read,
        rates.input * Decimal("1.25") if rates.cache_write_5m is None else rates.cache_write_5m,
        rates.input * 2 if rates.cache_write_1h is None else rates.cache_write_1h,
    )
