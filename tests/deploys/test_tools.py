"""The tools that look closely: a diff piece by piece, who uses what a change touches, what else changed around it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from subagents.contract import ServiceInfo, SourceSpec, ToolError
from subagents.deploys import diffs
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.model import AlongsideParams, CallersParams, CommitParams, DiffParams, TimelineParams
from subagents.deploys.tools import ChangeTools, build_tools
from tests.deploys.builders import commit, context, sha, source, stamp
from tests.deploys.histories import Made, make, spec

DB = b"def engine():\n    return make(\n        pool_size=%d,\n    )\n"
SETTINGS = b"cache:\n  ttl_seconds: %d\n"


@dataclass
class Shop:
    """A repository, its deploys and its flags."""

    place: Path
    ids: dict[str, str]
    specs: list[SourceSpec]

    def tools(self) -> ChangeTools:
        services = (ServiceInfo(name="pages", depends_on=("orders",)),)
        return ChangeTools(ChangeCatalogue(self.specs, services), self.specs)

    def names(self, lines: tuple[object, ...]) -> list[str]:
        known = {each: name for name, each in self.ids.items()}
        return [known.get(getattr(line, "key"), getattr(line, "key")) for line in lines]  # noqa: B009  any line


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    place = tmp_path_factory.mktemp("shop")
    uses = b"from orders.db import engine\n\ndb = engine()\n# engines are not it\n"
    history = [
        Made("start", (), {"orders/db.py": DB % 40, "orders/view.py": uses, "pages/page.py": uses,
                           "tests/test_db.py": b"engine()\n", "config/cache.yaml": SETTINGS % 900,
                           "pages/cache.py": b"ttl = settings['ttl_seconds']\n"}, -6000),
        Made("pool", ("start",), {"orders/db.py": DB % 4}, -300),
        Made("ttl", ("pool",), {"config/cache.yaml": SETTINGS % 15}, -290),
        Made("side", ("pool",), {"pages/side.py": b"x = 1\n"}, -285),
        Made("merge", ("ttl", "side"), {}, -280),
        Made("long", ("merge",), {"orders/long.py": b"".join(b"x%d = 1\n" % n for n in range(300))}, -30),
    ]  # fmt: skip
    ids = make(place / "repo", history, {"refs/heads/main": "long"})
    rows = [{"ts": stamp(minute), "service": service, "commit": ids[name], "version": version}
            for minute, service, name, version in ((-2000, "orders", "start", "v1"), (-200, "orders", "merge", "v2"),
                                                   (-195, "pages", "long", "w7"))]  # fmt: skip
    specs = [
        spec(place / "repo"),
        source(place / "deploys.json", "deploys", rows),
        source(place / "flags.json", "flags", [{"ts": stamp(-190), "flag": "fast", "change": "off->on"}]),
        source(place / "topology.csv", "topology", "caller,callee\nmail,orders\norders,orders\n"),
    ]
    return Shop(place, ids, specs)


def test_who_uses_a_function_that_a_change_is_inside_of(shop: Shop) -> None:
    result = shop.tools().callers(CallersParams(commit=shop.ids["pool"]), context())
    found = result.need()
    (symbol,) = found.symbols
    assert (symbol.name, symbol.path) == ("engine", "orders/db.py")
    assert [(use.path, use.line) for use in symbol.uses] == [
        ("orders/view.py", 1), ("orders/view.py", 3), ("pages/page.py", 1), ("pages/page.py", 3),
        ("tests/test_db.py", 1),
    ]  # fmt: skip
    assert symbol.uses[2].services == ("pages",)
    assert (found.services, found.called_by) == (("orders",), ("mail", "pages"))
    assert "pages/page.py:3 pages: db = engine()" in result.text
    few = shop.tools().callers(CallersParams(commit=shop.ids["pool"], limit=2), context())
    assert (len(few.need().symbols[0].uses), few.need().symbols[0].more, few.more) == (2, 3, "limit=5")


def test_who_reads_a_key_that_a_change_sets(shop: Shop) -> None:
    found = shop.tools().callers(CallersParams(commit=shop.ids["ttl"][:9]), context()).need()
    assert [(s.name, [use.path for use in s.uses]) for s in found.symbols] == [
        ("ttl_seconds", ["pages/cache.py", "config/cache.yaml"])
    ]
    asked = shop.tools().callers(CallersParams(commit=shop.ids["ttl"], symbol="engine"), context()).need()
    assert len(asked.symbols[0].uses) == 5
    for odd in ("-e", "\\(", "nowhere_at_all"):
        none = shop.tools().callers(CallersParams(commit=shop.ids["ttl"], symbol=odd), context()).need()
        assert none.symbols[0].uses == ()
    with pytest.raises(ToolError, match="must be one line"):
        shop.tools().callers(CallersParams(commit=shop.ids["ttl"], symbol="two\nlines"), context())


def test_where_no_repository_is_it_is_said(tmp_path: Path) -> None:
    diff = "--- a/orders/db.py\n+++ b/orders/db.py\n@@ -1 +1 @@ def engine():\n-a = 1\n+a = 2\n"
    rows = [commit(1, -60, "one", ["orders/db.py"], diff), commit(2, -50, "two", ["orders/db.py", "x.md"])]
    specs = [source(tmp_path / "commits.json", "commits", rows)]
    tools = ChangeTools(ChangeCatalogue(specs), specs)
    found = tools.callers(CallersParams(commit=sha(1)), context()).need()
    assert [symbol.name for symbol in found.symbols] == ["engine"]
    assert "no repository holds the files around it" in found.reason
    assert "no diff" in tools.callers(CallersParams(commit=sha(2)), context()).need().reason
    around = tools.alongside(AlongsideParams(commit=sha(1)), context()).need()
    assert [line.key for line in around.same_files] == [sha(2)]
    assert around.deploys == ()
    with pytest.raises(ToolError, match="no source knows a commit"):
        tools.alongside(AlongsideParams(commit="abcdef0"), context())


def test_what_else_changed(shop: Shop) -> None:
    result = shop.tools().alongside(AlongsideParams(commit=shop.ids["ttl"], hours=3), context())
    found = result.need()
    assert found.at is not None
    assert found.at.isoformat() == stamp(-200), "it took effect when it was deployed"
    assert [line.version for line in found.deploys] == ["v2", "w7"]
    assert set(shop.names(found.same_deploy)) == {"pool", "side", "merge", "long"}
    assert shop.names(found.same_files) == ["start"]
    assert [line.kind for line in found.same_time[:3]] == ["deploy", "deploy", "flag"]
    assert "start" not in shop.names(found.same_time)
    for heading in ("it came with:", "the same deploys brought:", "its files were changed by:", "at about that time:"):
        assert heading in result.text
    assert result.citations
    few = shop.tools().alongside(AlongsideParams(commit=shop.ids["ttl"], limit=1), context())
    assert (len(few.need().same_time), few.need().same_time_count > 1, few.more) == (1, True, few.more)
    assert few.more is not None
    assert few.more.startswith("limit=")


def test_a_diff_comes_whole_by_file_and_piece_by_piece(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    tools, long = shop.tools(), shop.ids["long"]
    whole = tools.diff(DiffParams(commit=long), context())
    assert (whole.more, whole.need().truncated) == (None, False)
    monkeypatch.setattr(diffs, "DIFF_LIMIT", 500)
    pieces, offset = "", 0
    while True:
        piece = tools.diff(DiffParams(commit=long, offset=offset), context())
        pieces += piece.need().diff
        if piece.more is None:
            break
        assert piece.need().truncated
        offset = int(piece.more.removeprefix("offset="))
    assert pieces == whole.need().diff
    one = tools.diff(DiffParams(commit=shop.ids["start"], path="config/cache.yaml"), context()).need()
    assert "+  ttl_seconds: 900" in one.diff
    assert "orders/db.py" not in one.diff
    with pytest.raises(ToolError, match="does not change"):
        tools.diff(DiffParams(commit=long, path="orders/db.py"), context())
    with pytest.raises(ToolError, match="not a path"):
        tools.diff(DiffParams(commit=long, path="../x"), context())
    merge = tools.diff(DiffParams(commit=shop.ids["merge"]), context())
    assert (merge.need().available, merge.need().diff) == (True, "")
    assert "note: a merge: only what differs from all its parents is shown" in merge.text


def test_a_change_knows_its_deploys_in_a_repository_too(shop: Shop) -> None:
    def brought(name: str) -> tuple[str, ...]:
        return shop.tools().touches(CommitParams(commit=shop.ids[name]), context()).need().deploys

    assert brought("pool") == ("deploy:deploys#2", "deploy:deploys#3")
    assert brought("start")[0] == "deploy:deploys#1"
    assert brought("long") == (), "the record of w7 is older than the commit it names: its clock cannot be relied on"


def test_the_timeline_says_how_to_see_the_rest(shop: Shop) -> None:
    result = shop.tools().timeline(TimelineParams(limit=4), context())
    assert (len(result.need().changes), result.more) == (4, f"limit={result.need().total}")
    assert "more are not shown" in result.text
    assert shop.tools().timeline(TimelineParams(), context()).more is None


def test_every_tool_has_a_flat_schema_and_a_capability() -> None:
    for tool in build_tools(ChangeCatalogue([])):
        assert tool.effect == "read"
        for field in tool.schema().get("properties", {}).values():
            assert "$ref" not in str(field)
