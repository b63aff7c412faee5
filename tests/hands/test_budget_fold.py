"""What was spent is a fold of the journal, and what of it is shown."""

from __future__ import annotations

from decimal import Decimal

from orchestrator.config.model import Bounds, Budgets, ModelPrices
from orchestrator.hands.budget import DEFAULTS, SPENT, Allowed, Estimate, Refused, with_defaults
from orchestrator.hands.budget_fold import SpentFold
from orchestrator.hands.budget_summary import summarised, table
from orchestrator.hands.usage import COST, Prices, Usage
from orchestrator.journal.events import (
    MAIN_THREAD,
    BudgetChanged,
    ModelRequestEnd,
    SessionUsage,
    StatusRunning,
    ToolStarted,
)
from tests.hands.book import Book, money

# -- the fold ----------------------------------------------------------------------------------


def test_a_resumed_session_goes_on_with_what_was_spent() -> None:
    book = Book(money("0.01", turns=9))
    book.spent("logs", "a", input_tokens=3000, output_tokens=100)
    book.add(ToolStarted(tool_use_id="t", tool="t", effect="read"), "logs")
    again = book.again()
    for event in book.events:
        again.fold.learn(event)  # what is seen twice counts once
    assert (again.budget.used("usd"), again.budget.used("turns"), again.budget.used("tool_calls")) == (4000, 1, 1)
    assert again.budget.used("usd", "logs") == 4000
    assert isinstance(again.ask("metrics", "b", 3000, 1), Refused)


def test_what_was_spent_stays_what_it_was_when_prices_change() -> None:
    book = Book()
    book.spent("logs", "a", input_tokens=1000)
    dearer = SpentFold(Prices({"m": ModelPrices(input=Decimal(9), output=Decimal(9))}))
    for event in book.events:
        dearer.learn(event)
    assert dearer.used("usd") == 1000


def test_a_request_whose_end_was_lost_counts_as_large_as_it_could_get_until_its_end_is_known() -> None:
    book = Book(money("0.01"))
    book.add(StatusRunning())
    assert isinstance(book.ask("logs", "a"), Allowed)
    book.add(book.budget.start("a"), "logs", "a")
    assert book.budget.used("usd") == 0, "while it runs it is reserved, not used"
    again = book.again()
    again.idle("interrupted", "the last run broke off")
    again.add(StatusRunning())
    assert (again.budget.used("usd"), again.budget.used("usd", "logs"), again.budget.used("turns")) == (3000, 3000, 1)
    assert summarised(again.fold).lost == 1
    assert "1 requests broke off" in table(summarised(again.fold))
    again.spent("logs", "a", input_tokens=10)
    assert (again.budget.used("usd"), again.budget.used("turns"), again.fold.lost) == (10, 1, {})


def test_the_same_request_told_on_two_streams_counts_once() -> None:
    book = Book()
    for thread in ("logs", MAIN_THREAD):
        book.add(ModelRequestEnd(model_request_start_id="r", model_usage={"input_tokens": 5, "model": "m"}), thread)
    book.add(ModelRequestEnd(model_request_start_id="s", is_error=True), "logs")
    assert (book.budget.used("tokens"), book.budget.used("turns")) == (5, 1)


def test_what_the_server_says_of_the_whole_is_the_truth_of_the_whole() -> None:
    book = Book(money("1"))
    book.spent("logs", "a", input_tokens=1000)
    said = {"input_tokens": 50_000, "list_cost": {"amount": "7", "currency": "USD"}}
    book.add(SessionUsage(usage=said))
    assert (book.budget.used("usd"), book.budget.used("input_tokens")) == (70_000, 50_000)
    book.spent("logs", "b", input_tokens=1000)
    assert book.budget.used("usd") == 71_000
    assert book.budget.used("usd", "logs") == 2_000
    for broken in ({"amount": "-7"}, {"amount": "1e9"}, {"amount": "7", "currency": "EUR"}, "7", None):
        book.add(SessionUsage(usage={"list_cost": broken}))
    assert book.budget.used("usd") == 71_000


def test_an_unknown_model_counts_tokens_only_and_the_meter_says_so() -> None:
    book = Book(Budgets(usd=Decimal(1), tokens=1000, reserve_percent=0))
    answer = book.budget.check("logs", Estimate("a", "llama", 500, 100))
    assert isinstance(answer, Allowed)
    assert answer.unpriced
    ended = book.budget.spend("logs", Usage(model="llama", input_tokens=500, output_tokens=90), "a")
    assert COST not in ended.model_usage
    book.add(ended, "logs")
    assert book.fold.unpriced == {"llama": 1}
    assert book.budget.meter() == "$0.00 of $1.00 · unpriced · 1 turn · 590 of 1000 tokens"
    refused = book.budget.check("logs", Estimate("b", "llama", 400, 100))
    assert isinstance(refused, Refused)
    assert refused.measure == "tokens"


def test_where_only_dollars_are_bounded_a_model_without_a_price_is_bounded_by_tokens() -> None:
    book = Book(money("1"))
    for key in ("a", "b"):
        assert isinstance(book.budget.check("logs", Estimate(key, "llama", 2_000_000, 0)), Allowed)
        book.add(book.budget.spend("logs", Usage(model="llama", input_tokens=2_000_000), key), "logs")
    refused = book.budget.check("logs", Estimate("c", "llama", 1, 0))
    assert isinstance(refused, Refused)
    assert refused.reason == f"{SPENT}: 4M of 4M tokens used"


def test_bounds_of_another_version_leave_those_that_are_known() -> None:
    book = Book(money("1"))
    book.add(BudgetChanged(detail={"bounds": {"usd": "a lot"}}))
    book.add(BudgetChanged(detail={}))
    assert book.budget.bound("usd") == 1_000_000


def test_a_raise_after_a_stop_at_the_budget_is_a_resumption() -> None:
    book = Book(Budgets(turns=1))
    book.set(Budgets(turns=2), "person")
    assert book.budget.resumptions == 0
    book.idle("budget_reached")
    book.set(Budgets(turns=3), "person")
    book.set(Budgets(turns=4), "person")
    assert book.again().budget.resumptions == 1


# -- shown -------------------------------------------------------------------------------------


def test_the_meter_says_nothing_where_nothing_costs_and_nothing_is_bounded() -> None:
    book = Book()
    book.add(ToolStarted(tool_use_id="a", tool="t", effect="read"), "logs")
    assert book.budget.meter() == ""
    assert not summarised(book.fold).worth_saying
    book.spent("logs", "a", output_tokens=42_000)
    assert book.budget.meter() == "$0.42 · 1 turn"
    book.set(Budgets(usd=Decimal(5), seconds=90))
    assert book.budget.meter() == "$0.42 of $5.00 · 1 turn · 0 s of 1:30 min"


def test_the_table_has_every_bound_and_who_raised_what() -> None:
    book = Book(Budgets(usd=Decimal(5), agents={"logs": Bounds(tool_calls=2)}))
    said = table(summarised(book.fold))
    assert "dollars           $0.00  $5.00  $0.75" in said
    assert "logs: tool calls" in said
    assert "settings:" in said
    assert summarised(book.fold).model_dump(mode="json")["bounds"]["usd"] == "5"


def test_defaults_are_for_engines_that_cost_money() -> None:
    assert with_defaults(Budgets(), "offline") == Budgets()
    assert with_defaults(Budgets(), "managed").usd == DEFAULTS["managed"].usd == 5
    mine = with_defaults(Budgets(usd=Decimal(50)), "messages")
    assert (mine.usd, mine.tokens, mine.turns) == (Decimal(50), None, 200)
    assert with_defaults(Budgets(turns=900), "messages").turns == 900
