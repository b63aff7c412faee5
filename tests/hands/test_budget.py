"""Budgets: nobody takes the last dollar twice, the verdict's part is kept, calls and time are bounded."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.config.model import Bounds, Budgets
from orchestrator.hands.budget import SPENT, Allowed, Refused
from orchestrator.hands.budget_fold import Stopwatch
from orchestrator.journal.events import (
    MAIN_THREAD,
    StatusRunning,
    StopReason,
    ThreadCreated,
    ThreadStatusIdle,
    ThreadStatusRunning,
    ToolStarted,
)
from tests.fakes import FakeClock
from tests.hands.book import Book, money

# -- nobody overspends -------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), bound=st.integers(1_000, 60_000), percent=st.integers(0, 50))
def test_parallel_agents_never_spend_more_than_the_bound(seed: int, bound: int, percent: int) -> None:
    """Any interleaving of asks, ends, failures: what is used never passes the bound less what is kept."""
    chance = random.Random(seed)
    book = Book(Budgets(usd=Decimal(bound) / 1_000_000, turns=30, reserve_percent=percent))
    ordinary, turns = book.budget.ordinary("usd"), book.budget.ordinary("turns")
    assert ordinary is not None
    assert turns is not None
    open_: dict[str, tuple[str, int, int]] = {}
    for number in range(120):
        agent = chance.choice(("logs", "metrics", "deploys", MAIN_THREAD))
        if open_ and chance.random() < 0.5:
            key = chance.choice(list(open_))
            who, prompt, output = open_.pop(key)
            if chance.random() < 0.15:
                book.budget.release(key)
            else:
                hour, said = chance.randint(0, prompt), chance.randint(0, output)
                book.spent(who, key, input_tokens=prompt - hour, cache_write_1h=hour, output_tokens=said)
        else:
            prompt, output = chance.randint(0, 3000), chance.randint(1, 400)
            if isinstance(book.ask(agent, f"k{number}", prompt, output), Allowed):
                open_[f"k{number}"] = (agent, prompt, output)
        assert book.budget.used("usd") <= ordinary
        assert book.budget.used("turns") + len(open_) <= turns
    for key, (who, prompt, output) in open_.items():  # all at once, each as large as it may be
        book.spent(who, key, cache_write_1h=prompt, output_tokens=output)
    assert book.budget.used("usd") <= ordinary


def test_two_agents_cannot_both_take_the_last_dollar() -> None:
    book = Book(money("0.004"))
    assert isinstance(book.ask("logs", "a"), Allowed)  # at most 3000
    refused = book.ask("metrics", "b")
    assert isinstance(refused, Refused)
    assert (refused.measure, refused.left, refused.agent) == ("usd", 1000, None)
    assert refused.reason == f"{SPENT}: $0.00 of $0.0040 used, $0.0030 on their way; this needs up to $0.0030"
    book.spent("logs", "a", input_tokens=100)
    assert isinstance(book.ask("metrics", "b"), Allowed), "what was reserved and not used is free again"


def test_a_request_that_never_went_out_gives_back_what_it_reserved() -> None:
    book = Book(money("0.003"))
    assert isinstance(book.ask("logs", "a"), Allowed)
    assert isinstance(book.ask("logs", "a"), Allowed), "the same request asked again is one request"
    assert isinstance(book.ask("logs", "b"), Refused)
    book.budget.release("a")
    assert isinstance(book.ask("logs", "b"), Allowed)


@pytest.mark.parametrize(
    "bounds",
    [
        Budgets(tokens=1099, reserve_percent=0),
        Budgets(input_tokens=999, reserve_percent=0),
        Budgets(output_tokens=99, reserve_percent=0),
        Budgets(usd=Decimal("0.002999"), reserve_percent=0),
        Budgets(agents={"logs": Bounds(tokens=1099)}, reserve_percent=0),
    ],
)
def test_each_bound_is_checked_with_the_requests_own_size(bounds: Budgets) -> None:
    assert isinstance(Book(bounds).ask("logs", "a"), Refused)
    assert isinstance(Book(bounds).ask("logs", "a", 900, 9), Allowed)


# -- the reserve -------------------------------------------------------------------------------


def test_only_the_concluding_request_of_the_orchestrator_may_use_the_reserve() -> None:
    book = Book(Budgets(usd=Decimal("0.0200")))
    assert (book.budget.bound("usd"), book.budget.ordinary("usd")) == (20_000, 17_000)
    book.spent("logs", "a", input_tokens=16_000)
    for agent, concluding in (("logs", False), ("logs", True), (MAIN_THREAD, False)):
        answer = book.ask(agent, "b", concluding=concluding)
        assert isinstance(answer, Refused), (agent, concluding)
        assert "$0.0030 kept for the verdict" in answer.reason
    assert isinstance(book.ask("logs", "d", 1000, 10), Refused)
    assert isinstance(book.ask("logs", "d", 1000, 10, concluding=True), Allowed), "half of it, for a last word"
    book.budget.release("d")
    assert isinstance(book.ask(MAIN_THREAD, "b", concluding=True), Allowed)
    assert isinstance(book.ask(MAIN_THREAD, "c", concluding=True), Refused), "nor more than all"


def test_the_reserve_may_be_a_fixed_part() -> None:
    book = Book(Budgets(usd=Decimal(5), reserve_usd=Decimal("0.25")))
    assert book.budget.ordinary("usd") == 4_750_000


def test_a_reserve_larger_than_the_budget_leaves_half_for_ordinary_work() -> None:
    book = Book(Budgets(usd=Decimal(1), reserve_usd=Decimal(5)))
    assert book.budget.ordinary("usd") == 500_000
    assert isinstance(book.ask("logs", "a"), Allowed)


def test_an_estimate_below_nothing_makes_no_room() -> None:
    book = Book(Budgets(tokens=1000, reserve_percent=0))
    assert isinstance(book.ask("logs", "a", -50_000, -50_000), Allowed)
    assert isinstance(book.ask("metrics", "b", 1001, 0), Refused)


def test_what_an_engine_never_ended_is_given_back_when_its_run_ends() -> None:
    book = Book(money("0.003"))
    book.add(StatusRunning())
    assert isinstance(book.ask("logs", "a", 1000, 0), Allowed)
    assert isinstance(book.ask("logs", "b", 1000, 0), Refused), "reserved"
    book.idle("requires_action")
    book.add(StatusRunning())
    assert isinstance(book.ask("logs", "b", 1000, 0), Refused), "a person answered: the run goes on"
    book.idle("interrupted")
    book.add(StatusRunning())
    assert isinstance(book.ask("logs", "b", 1000, 0), Allowed)


def test_a_request_that_went_out_and_never_ended_counts_once_in_the_next_run() -> None:
    book = Book(money("0.005"))
    book.add(StatusRunning())
    assert isinstance(book.ask("logs", "a", 1000, 0), Allowed)
    book.add(book.budget.start("a"), "logs", "a")
    book.idle("requires_action")
    book.add(StatusRunning())
    assert book.budget.used("usd") == 2000, "as large as it could get"
    assert isinstance(book.ask("logs", "b", 1000, 0), Allowed), "not reserved once more"
    assert isinstance(book.ask("logs", "c", 1000, 0), Refused)
    book.spent("logs", "a", input_tokens=100)
    assert book.budget.used("usd") == 100


@pytest.mark.parametrize(("bound", "ordinary"), [(1, 1), (2, 1), (6, 5), (100, 85)])
def test_of_what_is_counted_at_least_one_is_kept(bound: int, ordinary: int) -> None:
    assert Book(Budgets(turns=bound)).budget.ordinary("turns") == ordinary


def test_an_agent_over_its_own_cap_is_told_and_has_its_last_word() -> None:
    book = Book(Budgets(agents={"logs": Bounds(turns=3)}))
    for key in ("a", "b"):
        assert book.budget.over("logs") is None
        book.spent("logs", key, input_tokens=1)
    over = book.budget.over("logs")
    assert over is not None
    assert over.reason == f"{SPENT}: logs: 2 of 3 turns used, 1 kept for its last word"
    assert book.budget.over("metrics") is None
    refused = book.budget.admit("logs", "call", "logs_search")
    assert refused is not None
    assert refused.reason.startswith(SPENT)
    assert book.budget.admit("logs", "call", "report_finding") is None
    assert isinstance(book.ask("logs", "c"), Refused)
    assert isinstance(book.ask("logs", "c", concluding=True), Allowed)


# -- tool calls and time -----------------------------------------------------------------------


def test_tool_calls_are_reserved_before_they_start() -> None:
    book = Book(Budgets(tool_calls=3))
    assert [book.budget.admit("logs", name, "t") is None for name in "abc"] == [True, True, False]
    book.budget.release("a")
    assert book.budget.admit("logs", "c", "t") is None
    for name in "bc":
        book.add(ToolStarted(tool_use_id=name, tool="t", effect="read"), "logs")
    book.add(ToolStarted(tool_use_id="c", tool="t", effect="read", attempt=2), "logs")
    assert book.budget.used("tool_calls") == 2, "another attempt is the same call"
    assert book.budget.admit("logs", "c", "t") is None, "which goes on"
    assert book.budget.admit("logs", "d", "t") is not None
    assert book.budget.admit(MAIN_THREAD, "d", "t") is None, "the verdict's part"


def test_only_time_at_work_counts() -> None:
    book = Book(Budgets(seconds=100, reserve_percent=0))
    book.clock.advance(1000)
    book.add(StatusRunning(reason="start"))
    book.clock.advance(60)
    assert book.budget.used("seconds") == 60_000
    book.idle("requires_action")
    book.clock.advance(5000)
    assert book.budget.time_left("logs") == 40
    book.add(StatusRunning(reason="resume"))
    book.clock.advance(39)
    assert book.budget.over("logs") is None
    book.clock.advance(1)
    over = book.budget.over("logs")
    assert over is not None
    assert over.reason == f"{SPENT}: 1:40 of 1:40 min used"
    assert isinstance(book.ask("logs", "a"), Refused)


def test_an_agents_time_is_that_of_its_thread_while_the_session_works() -> None:
    book = Book(Budgets(agents={"logs": Bounds(seconds=10)}, reserve_percent=0))
    book.add(StatusRunning())
    book.add(ThreadCreated(session_thread_id="sthr_1", agent_name="logs"), "sthr_1")
    book.add(ThreadStatusRunning(session_thread_id="sthr_1", agent_name="logs"), "sthr_1")
    book.clock.advance(4)
    book.idle("interrupted")
    book.clock.advance(100)
    book.add(StatusRunning())
    book.clock.advance(5)
    assert (book.budget.used("seconds", "logs"), book.budget.time_left("logs")) == (9_000, 1.0)
    book.add(ThreadStatusIdle(session_thread_id="sthr_1", agent_name="logs", stop_reason=StopReason(type="end_turn")))
    book.clock.advance(50)
    assert book.budget.used("seconds", "logs") == 9_000
    assert book.budget.time_left("metrics") is None


@pytest.mark.parametrize("jump", [-7200, -30, 30, 7200])
def test_a_wall_clock_that_is_set_is_no_work_and_no_rest(jump: float) -> None:
    watch, start = Stopwatch(), FakeClock().now()
    watch.start((start, 50.0))
    watch.stop((start + timedelta(seconds=10 + jump), 60.0))
    assert watch.total == 10_000


def test_after_a_boot_the_wall_clock_is_what_there_is() -> None:
    watch, start = Stopwatch(), FakeClock().now()
    watch.start((start, 5000.0))
    assert watch.at((start + timedelta(seconds=10), 3.0)) == 10_000


def test_the_time_between_a_crash_and_the_next_start_is_no_work() -> None:
    book = Book(Budgets(seconds=100))
    book.add(StatusRunning())
    book.clock.advance(7)
    book.add(ToolStarted(tool_use_id="a", tool="t", effect="read"), "logs")
    book.clock.advance(86_400)
    book.idle("interrupted", "the last run broke off; it was at logs: t")
    assert book.again().budget.used("seconds") == 7_000
