"""Where only messages, paths and times are known: what points at a change, and that nothing convicts it."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest

from subagents.contract import Finding
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.leads import MOST
from subagents.deploys.model import SuspectsParams, SuspectsResult, TimelineResult
from subagents.deploys.reporting import findings_of
from subagents.deploys.said_when import told_onset
from subagents.deploys.tools import build_tools
from tests.deploys.builders import commit, context, deploy, errors, sha, source, stamp

TEXT = "Invoices are sent twice since the mailer retries"
MOMENT = "invoices wrong at the moment"
QUIET = [commit(n, -10 * n, f"shop: reorder shelf {n}", [f"shop/shelf{n}.py"]) for n in range(20, 24)]


def look(tmp_path: Path, commits: list[dict[str, object]], text: str = TEXT, *findings: Finding) -> SuspectsResult:
    specs = [source(tmp_path / "commits.json", "commits", [*commits, *QUIET])]
    tools = {tool.name: tool for tool in build_tools(ChangeCatalogue(specs, ()), specs)}
    params = SuspectsParams(onset=stamp(0), text=text, limit=200)
    result = tools["deploys_suspects"].run(params, context(*findings)).data
    assert isinstance(result, SuspectsResult)
    return result


def order(result: SuspectsResult) -> list[str]:
    return [item.key for item in result.suspects if item.key in (sha(1), sha(2))]


@pytest.mark.parametrize(
    ("likelier", "lesser", "text"),
    [
        (("mailer: retry politely", "shop/mail.py"), ("shelf: move", "shop/shelf.py"), TEXT),
        (("tidy", "shop/mailer.py"), ("tidy", "shop/shelf.py"), TEXT),
        (("tidy", "shop/mailer.py"), ("tidy", "shop/mailer.yaml"), TEXT),
        (("tidy mailer", "shop/mailer.py"), ('Revert "mend mailer"', "shop/mailer.py"), TEXT),
        (("tidy", "shop/a/post.py"), ("mailer", "web/post.js"), 'File "/srv/app/shop/a/post.py", line 3, in mailer'),
        (("mailer: tidy", "tests/test_mailer.py"), ("shelf: move", "shop/shelf.py"), "unit tests of the mailer fail"),
        (("invoices", "shop/a.py"), ("moment", "shop/b.py"), MOMENT),
        (("tell parcel and crate", "shop/a.py"), ("mend PackStack", "shop/b.py"), "PackStack lost parcel, crate"),
        (("the error", "shop/a.py"), ("shelf", "shop/b.py"), "an error"),
        (("mailer", "dev/mailer.py"), ("shelf: move", "shop/shelf.py"), TEXT),
    ],
    ids=["message", "path", "code", "undoing", "trace", "tests", "english", "compound", "stop word", "elsewhere"],
)
def test_what_points_at_a_change(tmp_path: Path, likelier: tuple[str, str], lesser: tuple[str, str], text: str) -> None:
    result = look(
        tmp_path, [commit(1, -300, likelier[0], [likelier[1]]), commit(2, -299, lesser[0], [lesser[1]])], text
    )
    assert order(result) == [sha(1), sha(2)]


def test_the_newer_of_equals_comes_first_and_what_was_rewritten_since_last(tmp_path: Path) -> None:
    twins = [commit(n, -300 + n, "mailer", [f"shop/mailer{n}.py"]) for n in (1, 2)]
    assert order(look(tmp_path, twins)) == [sha(2), sha(1)]
    again = commit(3, -200, "shelf", ["shop/mailer2.py"])
    result = look(tmp_path, [*twins, again])
    assert order(result) == [sha(1), sha(2)]
    assert "touched 100% of its files again" in next(i for i in result.suspects if i.key == sha(2)).parts[-2].reason


def test_parts_add_up_and_shares_to_no_more_than_half(tmp_path: Path) -> None:
    result = look(tmp_path, [commit(1, -5, "mailer retries invoices twice", ["shop/mailer.py"])])
    assert math.isclose(sum(item.score for item in result.suspects), MOST, abs_tol=1e-3)
    for item in result.suspects:
        points = sum(part.points for part in item.parts) - 4.4
        assert abs(item.score - 1 / (1 + math.exp(-points))) < 0.01


def test_words_alone_blame_nobody_and_say_where_to_look_first(tmp_path: Path) -> None:
    result = look(tmp_path, [commit(1, -5, "mailer retries invoices twice", ["shop/mailer.py"])])
    assert result.suspects[0].score > 0.4
    claims = {finding.topic: finding.claim for finding in findings_of(result, TimelineResult())}
    assert claims["gap"].startswith("No change is blamed: of 5 looked at none came with a diff")
    assert f"Look first at {sha(1)[:12]}" in claims["gap"]
    assert "may matter" in claims["change"]
    assert "mailer" in claims["change"]
    assert not any("explains the symptom" in finding.claim for finding in findings_of(result, TimelineResult()))


def test_only_tests_are_innocent_of_what_runs(tmp_path: Path) -> None:
    changed = [commit(1, -5, "mailer", ["tests/test_mailer.py"])]
    assert "only tests change" in look(tmp_path, changed).suspects[-1].ruled_out
    assert look(tmp_path, changed, "CI is red: mailer").suspects[0].ruled_out == ""
    seen = errors("shop", "mailer failed a health test", 0, ("mailer",))
    production = look(tmp_path, changed, "CI is red: mailer", seen)
    assert next(item for item in production.suspects if item.key == sha(1)).ruled_out


def test_another_environment_is_an_excuse_only_where_production_is_known_to_fail(tmp_path: Path) -> None:
    changed = [commit(1, -5, "mailer", ["dev/mailer.py"])]
    assert look(tmp_path, changed).suspects[0].ruled_out == ""
    production = look(tmp_path, changed, TEXT, errors("shop", "mailer failed", 0, ("mailer",)))
    excused = next(item for item in production.suspects if item.key == sha(1))
    assert "another environment" in excused.ruled_out


def test_each_judgement_is_told_in_words(tmp_path: Path) -> None:
    result = look(tmp_path, [commit(1, -5, "mailer retries invoices twice", ["shop/mailer.py"])])
    told = {part.name: part.reason for part in result.suspects[0].parts}
    assert told["overlap"] == "names what the symptom names: mailer, invoic, retry, twice"
    assert told["message"].startswith("its message as a whole is like the symptom's words by 0.")
    assert {"time", "kind", "rivals"} <= told.keys()


def test_the_same_changes_give_the_same_scores_in_any_order(tmp_path: Path) -> None:
    changed = [commit(n, -n, f"mailer of invoices {n}", [f"shop/{n}/mailer.py", "shop/x.py"]) for n in range(1, 6)]
    scores = [
        {item.key: item.score for item in look(tmp_path, order).suspects}
        for order in (changed, list(reversed(changed)))
    ]
    assert scores[0] == scores[1]


def test_changes_without_any_words_are_ranked_by_place(tmp_path: Path) -> None:
    silent = [commit(n, -n, "", [f"shop/{n}.py"]) for n in (1, 2)]
    assert order(look(tmp_path, silent, "…")) == [sha(1), sha(2)]


def test_a_deploy_or_a_diff_is_more_than_words(tmp_path: Path) -> None:
    patch = "--- a/shop/mailer.py\n+++ b/shop/mailer.py\n@@ -1 +1 @@\n-retries = 1\n+retries = 9\n"
    read = look(tmp_path, [commit(1, -5, "mailer", ["shop/mailer.py"], patch)])
    assert not any(part.name == "rivals" and "no diff" in part.reason for part in read.suspects[0].parts)
    specs = [
        source(tmp_path / "commits.json", "commits", [commit(1, -5, "mailer", ["shop/mailer.py"]), *QUIET]),
        source(tmp_path / "deploys.json", "deploys", [deploy(1, -3, "shop")]),
    ]
    tools = {tool.name: tool for tool in build_tools(ChangeCatalogue(specs, ()), specs)}
    told = tools["deploys_suspects"].run(SuspectsParams(onset=stamp(0), text=TEXT), context()).data
    assert isinstance(told, SuspectsResult)
    assert "deployed" in told.suspects[0].parts[0].reason


REPORTED = datetime(2026, 3, 20, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("failing since 2026-03-18T10:20:30Z", datetime(2026, 3, 18, 10, 20, 30, tzinfo=UTC)),
        ("2026-03-18 10:20:30.123 +02:00 ERROR", datetime(2026, 3, 18, 8, 20, 30, tzinfo=UTC)),
        ("2026-03-18 10:20:30 ERROR", datetime(2026, 3, 19, 12, 0, tzinfo=UTC)),
        ("red since Mar 17, then again on March 18th", datetime(2026, 3, 18, 12, 0, tzinfo=UTC)),
        ("timestamp=1773835200", datetime(2026, 3, 18, 12, 0, tzinfo=UTC)),
        ("since Mar 20", None),
        ("like the outage of 2024-03-18", None),
        ("the certificate expired on 2026-03-18; to be done by Mar 17", None),
        ("since Feb 31, 2026-13-45, May 5 and build 1773835200123", None),
        ("we may 18 times", None),
        ("", None),
    ],
)
def test_a_text_that_dates_itself(text: str, found: datetime | None) -> None:
    assert told_onset(text, REPORTED) == found
    assert told_onset(text, None) is None
