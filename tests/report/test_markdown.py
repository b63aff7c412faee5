"""The Markdown report says what a person needs, and nothing in it can act on who renders it."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.journal.verdict import Symptom
from orchestrator.verdict.markdown_text import code, fence, inline
from orchestrator.verdict.report import build_report
from orchestrator.verdict.report_markdown import render_markdown
from orchestrator.verdict.report_model import HypothesisLine
from orchestrator.verdict.status_update import LINE_LIMIT, status_update
from orchestrator.verdict.when import moment
from subagents.contract import Finding, Incident
from tests.report.story import LOG, ONSET, SHA, Story, finding, frozen, opening, told, verdict

CET = timezone(timedelta(hours=1), "CET")
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](http://evil.example/p.png)",
    "[click](javascript:alert(1))",
    "<https://evil.example>",
    "http://evil.example/a",
    "www.evil.example",
    "mail me@evil.example now",
    "mailto:me",
    "@channel look",
    "#1 heading",
    "# heading",
    "- item",
    "12. item",
    "> quote",
    "***bold***",
    "__bold__",
    "_em_",
    "~~gone~~",
    "`code` and ``more`` ```",
    "&lt;b&gt;",
    "a | b | c",
    "back\\slash",
    "$x$",
    "line\nbreak\r\n# heading\n```\nfence",
    "\x1b[31mred\x1b[0m \x9b5m \u202eabc",
    "[ref]: http://evil.example",
    "===",
    "---",
    "+ item",
    "* item",
    "> ",
    ">quote",
    "a `b <i>` `` c` <b> ``` d",
    "`` ` `` <b>",
    "` <b> `",
    "`a\\` <b> `",
]


def outside_code(markdown: str) -> str:
    """Return what a renderer sees as prose: fenced blocks and code spans taken out, as CommonMark pairs them."""
    prose: list[str] = []
    closing: re.Pattern[str] | None = None
    for line in markdown.split("\n"):
        if closing is not None:
            closing = None if closing.fullmatch(line.strip()) else closing
            continue
        opened = re.fullmatch(r" {0,3}(`{3,})\w*", line)
        if opened:
            closing = re.compile(f"`{{{len(opened.group(1))},}}")
            continue
        prose.append(re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", line))
    assert closing is None, "a fence is left open"
    return "\n".join(prose)


@pytest.mark.parametrize("text", HOSTILE)
def test_inline_text_is_inert(text: str) -> None:
    made = inline(text)
    assert "\n" not in made
    prose = re.sub(r"\\[^\w\s]", "", outside_code("x " + made).removeprefix("x "))
    assert not re.search(r"[<`\[\]|#@~]|\*\S|\S\*|&\w|\$\S|://|www\.|mailto:|(^|\s)_|__", prose), prose
    alone = outside_code(made)
    assert not re.match(r"\s{0,3}(#|>|[-+*]\s|\d+[.)]\s|=+\s*$|-+\s*$)", alone), alone


@example("*`<`>")
@example("`<`*b")
@given(st.text(alphabet="`<>*_[]!&~@#|\\()“: ab\n", max_size=40))
def test_no_mix_of_markup_gets_out(text: str) -> None:
    prose = re.sub(r"\\[^\w\s]", "", outside_code("x " + inline(text)))
    assert not re.search(r"[<`\[\]|#@~]|\*\S|\S\*", prose), (text, prose)


def test_plain_words_stay_readable() -> None:
    text = "p95 of cart-service rose 0.2 % -> 11 % (55x) at 09:12:40, ticket * of {it}, file pool/max_size.py"
    assert inline(text) == text
    assert inline('fails: `raise E(f"x {y}: *z*")` twice') == 'fails: `raise E(f"x {y}: *z*")` twice'


def test_the_words_of_hostile_text_are_all_still_there() -> None:
    assert "evil.example/p.png" in inline("see ![x](http://evil.example/p.png) there")
    assert inline("12. item") == "12\\. item"
    for text, made in (
        ("“#cart faster” (dig x @NS), then", "“`#cart` faster” (dig x `@NS`), then"),
        ("f(@c) and ((@d)) or (@e", "`f(@c)` and ((`@d`)) or (`@e`"),
    ):
        assert inline(text) == made


@pytest.mark.parametrize("ticks", ["`", "```", "`````", "a ``` b ```` c"])
def test_a_fence_and_a_span_are_longer_than_any_run_within(ticks: str) -> None:
    block = fence(f"x\n{ticks}\n# not a heading\n").split("\n")
    assert block[0].removesuffix("text") == block[-1]
    assert len(block[-1]) > max(len(run) for run in re.findall("`+", ticks))
    assert outside_code(fence(f"x\n{ticks}\n# not a heading")).strip() == ""
    assert outside_code("a " + code(f"x {ticks}") + " b") == "a  b"


def hostile_report() -> str:
    text = " ".join(HOSTILE)
    bad: Finding = finding(text, citations=(LOG, "log:app@<b>`x`+1", "log:app@77+1"), terms=(text,))
    ending = verdict(headline=text, affected=(text,))
    events = told(ending, found=(bad,), extra=(frozen("log:app@5+1", text, text),))
    events[0] = events[0].model_copy(update={"body": opening(incident=Incident(id="INC <b>", title=text))})
    return render_markdown(build_report(events), CET)


def test_a_report_full_of_hostile_text_is_inert() -> None:
    made = hostile_report()
    prose = outside_code(made)
    own = re.compile(
        r"^(#{1,3} |- |  - |\d+\. |   - )|\*\*|\[(?:session|verdict|alert|operator|metrics|symptom)[^\]]*\]"
    )
    for line in prose.split("\n"):
        assert not re.search(r"[<`\[\]|@~]|&\w|\$\S|://|www\.|mailto:", own.sub("", line)), line
    assert not [char for char in made if (ord(char) < 32 and char != "\n") or char in "\x9b\u202e\x7f"]


def test_it_answers_what_a_person_asks() -> None:
    made = render_markdown(build_report(told()), CET)
    for heading in (
        "What was broken",
        "What changed, and what did it",
        "How it came about",
        "What else was considered",
        "How sure: 87%",
        "What to do",
        "What was not looked at",
        "Contradictions",
        "Timeline",
        "Findings",
        "What was read",
        "Evidence",
    ):
        assert f"## {heading}" in made
    assert "2026-03-29 00:40:00 UTC (01:40:00 CET)" in made
    assert f"deployctl rollback billing --to {SHA}" in made
    assert "Warroom has run none of this." in made
    assert "it changes the web pages only" in made
    assert "acquire timed out" in made
    assert "do not resolve" not in made


def test_each_number_in_the_text_has_its_appendix_entry() -> None:
    made = render_markdown(build_report(told()), CET)
    body, _, appendix = made.partition("\n## Evidence\n")
    named = {int(number) for number in re.findall(r"\bE(\d+)\b", body)}
    listed = [int(number) for number in re.findall(r"^### E(\d+): ", appendix, re.MULTILINE)]
    assert named == set(listed)
    assert len(listed) == len(set(listed))
    assert appendix.count("sha256:") == len(listed)


def test_what_does_not_resolve_is_marked_in_text_and_appendix() -> None:
    invented = "log:app@999+1"
    made = render_markdown(build_report(told(found=(finding(citations=(invented,)),))), CET)
    assert re.search(r"\(E\d+ unresolved\)", made)
    assert "**Unresolved**: no tool call of this session returned" in made
    assert "**does not count**" in made
    assert "1 of" in made


def test_a_zone_without_offset_gives_utc_alone() -> None:
    made = render_markdown(build_report(told()), timezone.utc)  # noqa: UP017 - a zone, not the constant, is meant
    assert "00:40:00 UTC (" not in made.replace("00:40:00 UTC (measured onset)", "")


def test_without_a_verdict_the_report_says_so_first() -> None:
    made = render_markdown(build_report(Story().add(opening()).events), CET)
    assert "**No verdict.**" in made
    assert "nothing here is a conclusion" in made
    assert "(no verdict on it yet)" in made
    assert "0 ms" not in made, "how long it took is not known before it ends"


def test_chain_times_that_run_backwards_are_pointed_out() -> None:
    steps = verdict().chain
    made = render_markdown(build_report(told(verdict(chain=tuple(reversed(steps))))), CET)
    assert "not in order" in made
    assert "not in order" not in render_markdown(build_report(told()), CET)


def test_the_status_update_is_five_plain_lines() -> None:
    made = status_update(build_report(told()), CET)
    lines = made.splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("[INC-7] ongoing: billing is slow")
    assert "01:40:00 CET" in lines[1]
    assert "billing, checkout" in lines[1]
    assert SHA[:12] in lines[2]
    assert "(not run)" in lines[3]
    assert "warroom report s-1" in lines[4]


def test_what_was_ruled_out_is_one_number_that_says_what_it_counts() -> None:
    """The board holds what findings speak of; the verdict tests more than that."""
    report = build_report(told())
    assert not report.hypotheses
    assert "Ruled out: 1 (0 on the board, 1 by the verdict's own tests)." in status_update(report, UTC)
    assert "Ruled out: 1 (0 on the board, 1 by the verdict's own tests).\n" in render_markdown(report, UTC)
    assert report.verdict is not None
    both = HypothesisLine(suspect=report.verdict.ruled_out[0].suspect.id, state="ruled out", score=0.0)
    assert "Ruled out: 1. Full" in status_update(report.model_copy(update={"hypotheses": (both,)}), UTC)
    none = build_report(told(verdict(ruled_out=(), gaps=())))
    assert "Open: nothing that is known of was left out. Ruled out: nothing." in status_update(none, UTC)


def test_a_sentence_that_is_cut_leaves_no_bracket_open() -> None:
    said = f"shop p95_ms (of all) rose from 50 ms to 490 ms; ongoing (taken as the symptom: {'one (own) series ' * 9})."
    symptom = Symptom(text=said, onset=ONSET, citations=(LOG,))
    impact = status_update(build_report(told(verdict(symptom=symptom))), UTC).splitlines()[1]
    begun = "Impact: shop p95_ms (of all) rose from 50 ms to 490 ms; ongoing …, since "
    assert impact == f"{begun}{moment(ONSET, UTC)}. Affected: billing, checkout"


def test_what_ends_a_sentence_stays_outside_of_a_code_span() -> None:
    assert inline("seen (log:a#b). Next. deploy:x#y. Then") == "seen (`log:a#b`). Next. `deploy:x#y`. Then"


def test_a_hostile_status_update_pings_nobody_and_stays_five_lines() -> None:
    text = "<!channel> <@U1> @here http://evil.example\n\n" + "x" * 1000
    made = status_update(build_report(told(verdict(headline=text, affected=(text,)))), CET)
    lines = made.splitlines()
    assert len(lines) == 5
    assert all(len(line) <= LINE_LIMIT for line in lines)
    assert not re.search(r"[<>@`]|http:", made)


def test_a_status_update_without_a_verdict() -> None:
    lines = status_update(build_report(Story().add(opening()).events), CET).splitlines()
    assert len(lines) == 5
    assert "no verdict yet" in lines[2]
