"""Folds from events to what is painted, without a loop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.journal.events import (
    MAIN_THREAD,
    AgentCustomToolUse,
    AgentMessage,
    ApprovalDecided,
    ApprovalRequested,
    Event,
    FindingReported,
    PolicyDecided,
    SessionError,
    SessionErrorDetail,
    StatusIdle,
    StatusRunning,
    StopReason,
    ThreadCreated,
    ThreadStatusRunning,
    UnknownBody,
    VerdictReached,
    text_content,
)
from orchestrator.journal.index import SessionRow
from tests.tui.story import (
    DECOY,
    SHA,
    START,
    Teller,
    accusation,
    at_work,
    call,
    dispatched,
    done,
    finished,
    opened,
    verdict,
    view_of,
)
from tui.session_view import SessionView
from tui.views.layout import layout_for
from tui.views.paint import text_of
from tui.views.sessions import age, columns, session_rows
from tui.views.spark import points_of, sparkline


def rows(view: SessionView, pane: str) -> list[str]:
    return [text_of(row.line) for row in view.streams.panes[pane]]


def words(events: list[Event], agent: str, after_s: float = 5.0) -> tuple[str, str]:
    view = view_of(events, after_s=after_s)
    said = view.agents.words(agent, view.clock.now())
    return said.state, said.words


# -- streams ---------------------------------------------------------------------------------


def test_a_call_is_one_row_from_request_to_result() -> None:
    tell = Teller()
    steps = call(tell, "logs", "logs_search", "l1", "12 hits\nmore")
    view = SessionView(view_of([]).clock)
    states = []
    for event in steps:
        view.learn(event)
        states.append(rows(view, "logs"))
    assert [len(one) for one in states] == [1, 1, 1, 1]
    assert "asked for" in states[0][0]
    assert "runs" in states[2][0]
    assert states[3][0] == "> search 84 ms  12 hits"


def test_a_call_that_is_asked_denied_or_fails_says_so() -> None:
    tell = Teller()
    use = AgentCustomToolUse(name="logs_x", input={})
    asked = PolicyDecided(tool_use_id="1", agent="logs", tool="logs_x", decision="ask", rule="r")
    denied = PolicyDecided(tool_use_id="2", agent="logs", tool="logs_x", decision="deny", rule="r", reason="no")
    events = [tell(use, "logs", "1"), tell(asked, "logs"), tell(use, "logs", "2"), tell(denied, "logs")]
    events += call(tell, "logs", "logs_y", "3", "no such file", outcome="error")
    said = rows(view_of(events), "logs")
    assert "waits for your yes" in said[0]
    assert "denied" in said[1]
    assert "error" in said[2]
    assert "no such file" in said[2]


def test_an_event_that_is_learnt_twice_changes_nothing() -> None:
    view = view_of(finished())
    before = {name: rows(view, name) for name in view.streams.panes}
    version = view.version
    for event in finished():
        view.learn(event)
    assert {name: rows(view, name) for name in view.streams.panes} == before
    assert view.version == version


def test_threads_of_one_agent_share_its_pane_and_strangers_go_to_the_orchestrator() -> None:
    tell = Teller()
    hello = AgentMessage(content=text_content("hello"))
    events = [
        tell(ThreadCreated(session_thread_id="t-9", agent_name="logs"), "t-9"),
        tell(hello, "t-9"),
        tell(hello, "stranger"),
        tell(UnknownBody.model_validate({"type": "novel.thing", "x": 1})),
    ]
    view = view_of(events)
    assert rows(view, "logs") == ["hello"]
    assert rows(view, MAIN_THREAD) == ["stranger: hello", "event novel.thing"]


def test_a_preview_is_one_row_until_its_message_takes_the_place() -> None:
    view = view_of([])
    view.preview("logs", "the er")
    view.preview("logs", "rors began")
    assert rows(view, "logs") == ["… the errors began"]
    view.learn(Teller()(AgentMessage(content=text_content("The errors began at nine.")), "logs"))
    assert rows(view, "logs") == ["The errors began at nine."]


def test_a_verdict_that_repeats_the_message_before_is_one_row() -> None:
    tell = Teller()
    said = tell(AgentMessage(content=text_content(verdict().headline)))
    assert len(rows(view_of([said, tell(VerdictReached(verdict=verdict()))]), MAIN_THREAD)) == 1


def test_long_results_are_cut_in_the_detail_and_counted() -> None:
    text = "\n".join(f"line {number}" for number in range(100))
    view = view_of(call(Teller(), "logs", "logs_x", "1", text))
    (row,) = view.streams.panes["logs"]
    said = [text_of(one) for one in row.detail]
    assert any("… 60 more lines are kept" in one for one in said)
    assert not any("line 99" in one for one in said)


# -- agents ----------------------------------------------------------------------------------


def test_every_state_has_words() -> None:
    assert words(at_work(), "logs", 4.0) == ("busy", "runs stacks, 5 s")
    assert words(at_work(), "metrics") == ("done", "done")
    assert words(at_work(), "deploys", 1.0)[1].startswith("quiet")
    assert words([Teller()(opened())], "logs") == ("waiting", "not started")
    assert words(finished(), "codefix") == ("asking", "asks for your yes or no")
    assert words(at_work(), MAIN_THREAD) == ("busy", "waits for 3 agents")


def test_an_agent_at_work_alone_waits_for_the_engine() -> None:
    tell = Teller()
    events = [tell(StatusRunning(reason="start")), *dispatched(tell, "logs")]
    assert words(events, "logs", 0.0) == ("busy", "works")
    assert words(events, "logs", 9.0) == ("busy", "quiet 9 s, waits for the engine")


@pytest.mark.parametrize(
    ("stop", "why", "state", "said"),
    [
        ("error", "ValueError: x", "failed", "failed: ValueError: x"),
        ("interrupted", "stopped by the person", "stopped", "stopped: stopped by the person"),
        ("budget_reached", "", "stopped", "stopped: budget reached"),
        ("refusal", "", "failed", "failed: refusal"),
    ],
)
def test_ends_are_told_apart(stop: str, why: str, state: str, said: str) -> None:
    tell = Teller()
    events = [tell(StatusRunning()), *dispatched(tell, "logs"), done(tell, "logs", stop, why)]
    assert words(events, "logs") == (state, said)


def test_why_it_stopped_is_said_once() -> None:
    tell = Teller()
    why = StopReason(type="budget_reached", message="budget reached: 5 of 5 tool calls used; what was found is kept")
    ended = [tell(StatusRunning()), tell(StatusIdle(stop_reason=why))]
    assert rows(view_of(ended), MAIN_THREAD)[-1] == "budget reached: 5 of 5 tool calls used; what was found is kept"
    said = words(ended, MAIN_THREAD)[1]
    assert said.count("budget reached") == 1


def test_a_question_and_its_answer_are_told_in_words_for_people() -> None:
    tell = Teller()
    asked = [
        ("fix", {"draft": "d-1", "ref": "refs/heads/triage/inc-7-limit"}),
        ("push", {"ref": "refs/heads/triage/inc-7-limit", "url": "ssh://git.example.org/shop"}),
        ("tool_call", {"tool": "shell_run"}),
    ]
    events = []
    for subject, detail in asked:
        request = {"id": f"{subject}:x:1", "subject": subject, "digest": "", "detail": detail}
        events.append(tell(ApprovalRequested.model_validate(request)))
    events.append(tell(ApprovalDecided(id="fix:x:1", decision="approve", digest="", by="person")))
    assert rows(view_of(events), MAIN_THREAD)[-4:] == [
        "! waits for your yes or no: fix triage/inc-7-limit, as a new branch",
        "! waits for your yes or no: push of triage/inc-7-limit to ssh://git.example.org/shop",
        "! waits for your yes or no: call shell_run",
        "approved by person: fix:x:1",
    ]


def test_an_error_of_a_specialist_is_its_state_and_a_decision_ends_asking() -> None:
    tell = Teller()
    fault = SessionError(error=SessionErrorDetail(type="x", message="it broke"))
    assert words([tell(StatusRunning()), *dispatched(tell, "logs"), tell(fault, "logs")], "logs")[0] == "failed"
    events = finished()
    last = Teller(events[-1].ts)
    last._seq = len(events)
    decided = ApprovalDecided(id="a-1", decision="approve", digest="sha256:0", by="person")
    view = view_of([*events, last(decided, "codefix")])
    assert view.agents.words("codefix", view.clock.now()).state != "asking"
    assert not view.incident.pending


def test_work_that_stops_leaves_no_one_busy() -> None:
    events = at_work()
    tell = Teller(events[-1].ts)
    tell._seq = len(events)
    events.append(tell(StatusIdle(stop_reason=StopReason(type="interrupted"))))
    assert words(events, "logs") == ("stopped", "stopped, goes on with r")
    assert view_of(events).agents.at_work == ()


# -- the top ---------------------------------------------------------------------------------


def test_the_board_puts_the_best_first_and_says_why() -> None:
    view = view_of(at_work())
    assert [one.suspect.key for one in view.hypotheses] == [SHA, DECOY]
    assert view.leading is not None
    assert view.leading.suspect.key == SHA
    from tui.views.board import board_rows

    first, second = board_rows(view.hypotheses)
    assert "0.90 +1 -0 4be100000000 Tune the connection pool" in text_of(first.line)
    assert "out" in text_of(second.line)
    assert any("x0.95" in text_of(one) for one in second.detail)


def test_a_new_round_takes_the_old_findings_of_an_agent_off_the_board() -> None:
    tell = Teller()
    again = ThreadStatusRunning(session_thread_id="deploys", agent_name="deploys")
    events = [tell(FindingReported(id="f", finding=accusation()), "deploys"), tell(again, "deploys")]
    assert not view_of(events).hypotheses


# -- small ones ------------------------------------------------------------------------------


def test_bars_rise_with_the_series_and_know_the_onset() -> None:
    start = datetime(2026, 3, 29, 9, tzinfo=UTC)
    points = [((start + timedelta(minutes=at)).isoformat(), float(at >= 30)) for at in range(60)]
    drawn = sparkline(points, 20, start + timedelta(minutes=30))
    assert drawn.bars == "▁" * 10 + "█" * 10
    assert drawn.onset_at == 10
    assert sparkline([], 20, None).bars == ""
    assert sparkline(points[:5], 20, None).bars == "▁" * 5
    assert sparkline([("not a time", 1.0), ("x", 2.0)], 9, start).onset_at is None


def test_an_excerpt_that_was_cut_still_gives_its_points() -> None:
    points, cut = points_of('[["2026-03-29T09:00:00Z",1.5],["2026-03-29T09:01:00Z",2.5],["2026-03-2')
    assert points == [("2026-03-29T09:00:00Z", 1.5), ("2026-03-29T09:01:00Z", 2.5)]
    assert cut
    assert points_of("nonsense") == ([], True)
    assert points_of('{"a": 1}')[0] == []


def test_arrangements_follow_the_size() -> None:
    sizes = {
        (200, 50): "full",
        (160, 30): "full",
        (159, 30): "two",
        (100, 30): "two",
        (99, 30): "one",
        (200, 29): "one",
    }
    sizes |= {(60, 16): "one", (59, 16): "notice", (60, 15): "notice"}
    assert {size: layout_for(*size) for size in sizes} == sizes


def test_the_list_says_status_age_unread_and_what_waits() -> None:
    row = SessionRow(
        id="s", incident="INC-7", title="5xx", status="running", verdict="culprit", events=149, approvals=("a",),
        updated=START - timedelta(minutes=5),
    )  # fmt: skip

    def said(one: SessionRow, seen: int = 0, here: bool = False, live: bool = False) -> str:
        held = frozenset({"s"})
        return text_of(
            session_rows([one], {"s": seen}, held if here else frozenset(), held if live else frozenset(), START)[
                0
            ].line
        )

    narrow = text_of(session_rows([row], {}, frozenset(), frozenset(), START, 80)[0].line)
    for part in ("5 min", "! 1 to decide", "cause found", "+ INC-7", "5xx"):
        assert part in narrow
    assert 1 + narrow.index("INC-7") == columns(80).index("INCIDENT"), "under its head, behind the gutter"
    assert 1 + said(row).index("INC-7") == columns(200).index("INCIDENT")

    assert "cut off" in said(row)
    assert "running" in said(row, here=True)
    assert "in another window" in said(row, live=True)
    for part in ("5 min", "cause found", "1 to decide", "149 unread", "INC-7", "5xx"):
        assert part in said(row)
    assert "unread" not in said(row, seen=149)
    assert "damaged" in said(row.model_copy(update={"problem": "the chain is broken at 7"}))
    assert [age(START - timedelta(seconds=s), START) for s in (5, 90, 7200, 200_000)] == ["5 s", "1 min", "2 h", "2 d"]
    assert age(None, START) == "-"
