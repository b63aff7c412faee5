"""Of very many changes the first pass keeps those that a close look would put first."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from subagents.collector import collector_waiting
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.firstpass import closest
from subagents.deploys.overlap import OverlapIndex
from subagents.deploys.question import ask
from subagents.deploys.reach import ServiceMap
from subagents.deploys.sources.records import Commit
from subagents.deploys.suspects import score_all
from subagents.deploys.timeline import build_timeline
from tests.deploys.builders import at, commit, deploy, errors, sha, source

ONE_LINE = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a = 1\n+a = 2\n"


def history(number: int) -> list[dict[str, object]]:
    """Return commits of five services, one a minute up to noon; every ninth touches no more than tests."""
    rows = []
    for n in range(number):
        service = ("orders", "mail", "cart", "search", "users")[n % 5]
        path = f"tests/test_{n}.py" if n % 9 == 0 else f"services/{service}/m{n % 7}.py"
        message = f"{service}: adjust the pool" if n % 11 == 0 else f"work {n}"
        rows.append(commit(n, n - number, message, [path], ONE_LINE if n == 0 else None))
    return rows


@pytest.mark.parametrize("deployed", [False, True])
def test_the_first_pass_keeps_what_a_close_look_puts_first(tmp_path: Path, deployed: bool) -> None:
    specs = [source(tmp_path / "commits.json", "commits", history(300))]
    if deployed:
        rows = [deploy(60, -200, "orders"), deploy(290, -5, "orders"), deploy(120, -150, "mail")]
        specs.append(source(tmp_path / "deploys.json", "deploys", rows))
    timeline = build_timeline(ChangeCatalogue(specs), None)
    question = ask((errors("orders", "pool exhausted", terms=("pool",)),), at(0), [], "")
    services = ServiceMap((), ["orders", "mail", "cart", "search", "users"])
    index = OverlapIndex(question.terms, list(timeline.commits.values()))
    kept = {each.sha for each in closest(timeline, question, services, index, limit=60)}
    assert 60 <= len(kept) <= 63
    whole = score_all(timeline, question, services, index=index)
    first = [one.change.sha for one in whole if isinstance(one.change, Commit) and not one.ruled_out][:25]
    assert set(first) <= kept
    if deployed:
        assert sha(120) in kept, "a deploy's head is looked at, though its service is well"


def test_the_collector_goes_on_after_a_failure_too() -> None:
    def fails() -> None:
        with collector_waiting():
            assert not gc.isenabled()
            raise ValueError("x")

    assert gc.isenabled()
    with pytest.raises(ValueError, match="x"):
        fails()
    assert gc.isenabled()
    gc.disable()
    try:
        with collector_waiting():
            pass
        assert not gc.isenabled(), "whoever switched it off keeps it off"
    finally:
        gc.enable()
