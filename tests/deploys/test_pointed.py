"""Errors that point into a change: a trace that ends in its lines, a name that it takes away; soon after it, only."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.contract import Finding
from subagents.deploys.model import ScoredSuspect
from tests.deploys.builders import at, commit, deploy, source, symptom
from tests.deploys.test_suspects import named, rank

CARD = (
    "--- a/services/shop/card.js\n+++ b/services/shop/card.js\n@@ -28,4 +28,3 @@\n const box = open();\n"
    "-const offer = item.offer || NONE;\n-return cell(offer.price);\n+return cell(item.offer.price);\n }\n"
)
VIEW = (
    "--- a/services/shop/views.py\n+++ b/services/shop/views.py\n@@ -10,3 +10,3 @@\n     return {\n"
    "-        'valid_until': grant.end,\n+        'validUntil': grant.end,\n     }\n"
)


def thrown(claim: str, *terms: str) -> Finding:
    return Finding(agent="logs", claim=claim, topic="mechanism", services=("shop",), at=at(0), terms=terms)


def pointed(tmp_path: Path, diff: str, path: str, found: Finding, before: float = 2) -> tuple[ScoredSuspect, float]:
    specs = [
        source(tmp_path / "commits.json", "commits", [commit(1, -before - 5, "shop: tidy", [path], diff)]),
        source(tmp_path / "deploys.json", "deploys", [deploy(1, -before, "shop")]),
    ]
    item = named(rank(specs, symptom("shop", "errors of shop rose"), found), 1)
    return item, sum(part.points for part in item.parts if part.name == "pointed")


@pytest.mark.parametrize(
    ("place", "before", "says"),
    [
        ("/app/services/shop/card.js:29", 2, True),
        ("services/shop/card.js:31", 2, True),
        ("shop/card.js:29", 2, True),
        ("/app/services/shop/card.js:90", 2, False),
        ("/app/services/till/card.js:29", 2, False),
        ("card.js:29", 2, False),
        ("/app/services/shop/card.js:29", 230, False),
    ],
    ids=["within", "beside", "a shorter path", "elsewhere in it", "of another", "a mere name", "it ran for hours"],
)
def test_a_trace_that_ends_in_lines_just_changed_speaks_for_the_change(
    tmp_path: Path, place: str, before: float, says: bool
) -> None:
    found = thrown("shop threw TypeError", "/app/services/shop/card.js", place)
    item, points = pointed(tmp_path, CARD, "services/shop/card.js", found, before)
    assert (points > 0) is says
    assert ("the trace that is thrown ends in lines that it changed" in item.reasons()) is says


@pytest.mark.parametrize(
    ("claim", "says"),
    [
        ("web logged code fault 9 times: KeyError: 'valid_until'", True),
        ("web logged: AttributeError: 'Grant' object has no attribute 'valid_until'", True),
        ("web logged: missing required field valid_until", True),
        ("web logged: KeyError: 'validUntil'", False),
        ("web logged: valid_until is in the past", False),
        ("web logged: KeyError: 'end'", False),
    ],
)
def test_a_name_that_errors_miss_speaks_for_the_change_that_takes_it_away(
    tmp_path: Path, claim: str, says: bool
) -> None:
    _, points = pointed(tmp_path, VIEW, "services/shop/views.py", thrown(claim))
    assert (points > 0) is says
