"""What requests used and cost: the price file, unknown models, numbers that make no sense."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orchestrator.config.model import LongPrompt, ModelPrices
from orchestrator.hands.usage import COST, Prices, Usage, shipped_prices


def test_the_price_file_is_valid_dated_and_sound() -> None:
    shipped = shipped_prices()
    assert shipped.date.year >= 2026
    assert shipped.source.startswith("https://")
    for model, prices in shipped.models.items():
        for rates in (prices, prices.long_prompt):
            if rates is None:
                continue
            assert rates.cache_read is not None, model
            assert rates.cache_write_5m is not None, model
            assert rates.cache_write_1h is not None, model
            assert 0 < rates.cache_read < rates.input < rates.cache_write_5m < rates.cache_write_1h < rates.output, (
                model
            )
        if prices.long_prompt is not None:
            assert prices.long_prompt.input > prices.input


def test_money_is_exact_and_rounded_up() -> None:
    prices = Prices({"m": ModelPrices(input=Decimal("0.10"), output=Decimal("0.50"), cache_read=Decimal("0.01"))})
    assert prices.cost(Usage(model="m", input_tokens=10_000_000, output_tokens=3)) == 1_000_002
    assert prices.cost(Usage(model="m", cache_read=1)) == 1
    assert prices.cost(Usage(model="m", cache_write_5m=8, cache_write_1h=5)) == 2
    assert isinstance(prices.cost(Usage(model="m", input_tokens=1)), int)


def test_a_dated_id_has_the_prices_of_the_model_and_own_prices_come_first() -> None:
    listed = shipped_prices().models["claude-haiku-4-5"]
    assert Prices().of("claude-haiku-4-5-20251001") == listed
    own = ModelPrices(input=Decimal(7), output=Decimal(8))
    assert Prices({"claude-haiku-4-5": own}).of("claude-haiku-4-5-20251001") == own
    assert Prices().of("claude-haiku-4-5-best") is None
    assert Prices().of("") is None


def test_a_long_prompt_costs_what_long_prompts_cost_on_every_token() -> None:
    long = LongPrompt(above=100, input=Decimal(5), output=Decimal(50), cache_read=Decimal(2))
    prices = Prices({"m": ModelPrices(input=Decimal(1), output=Decimal(10), cache_read=Decimal(1), long_prompt=long)})
    assert prices.cost(Usage(model="m", input_tokens=60, cache_read=40, output_tokens=1)) == 60 + 40 + 10
    assert prices.cost(Usage(model="m", input_tokens=61, cache_read=40, output_tokens=1)) == 61 * 5 + 80 + 50
    assert prices.most("m", 101, 1) == 101 * 10 + 50


def test_no_request_of_a_size_costs_more_than_its_most() -> None:
    prices = Prices()
    for model in shipped_prices().models:
        most = prices.most(model, 150_000, 4_000)
        assert most is not None
        for split in (
            (150_000, 0, 0, 0),
            (0, 150_000, 0, 0),
            (0, 0, 150_000, 0),
            (0, 0, 0, 150_000),
            (9, 9, 9, 149_973),
        ):
            names = ("input_tokens", "cache_read", "cache_write_5m", "cache_write_1h")
            cost = prices.cost(Usage(model=model, output_tokens=4_000, **dict(zip(names, split, strict=True))))
            assert cost is not None
            assert cost <= most


def test_what_is_unknown_or_served_at_another_price_has_no_price() -> None:
    assert Prices().cost(Usage(model="llama", input_tokens=5)) is None
    assert Prices().most("llama", 5, 5) is None
    assert Prices().cost(Usage.of({"input_tokens": 5, "speed": "fast"}, "claude-opus-5")) is None
    assert Prices().cost(Usage.of({"input_tokens": 5, "speed": "standard"}, "claude-opus-5")) == 25


@pytest.mark.parametrize(
    ("said", "tokens"),
    [
        ({}, 0),
        ({"input_tokens": -5, "output_tokens": True, "cache_read_input_tokens": "9"}, 0),
        ({"input_tokens": 1.5, "cache_creation": [1], "model": 7}, 0),
        ({"input_tokens": 10**30}, 10**12),
        ({"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 4}, 10),
        ({"cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}}, 7),
    ],
)
def test_usage_is_read_whatever_the_server_says(said: dict[str, object], tokens: int) -> None:
    assert Usage.of(said).tokens == tokens


def test_usage_comes_back_as_it_was_recorded() -> None:
    usage = Usage(model="m", input_tokens=1, output_tokens=2, cache_read=3, cache_write_5m=4, cache_write_1h=5)
    assert Usage.of(usage.said()) == usage
    assert COST not in usage.said()
