"""Reading runbooks of any quality, the user's own ones, and searching with anything at all."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runbooks import Library
from runbooks.parse import BYTES_LIMIT, Unreadable, parse
from runbooks.search import Index

GOOD = """---
title: Cache is cold
summary: What to do when the cache was flushed.
applies_to: shop
triggers:
  signals: [latency]
  with: [traffic]
  words: ["cache miss", no]
steps:
  - {id: look, kind: look}
  - {id: warm, kind: contain, risk: "Load on the database; undo: stop it."}
thresholds: [hit ratio under 80 %]
risks: [stampede]
---
Intro text.

## look: See the hit ratio
Some prose.
```sh
# a comment
redis-cli info stats | grep keyspace
$ long-command --one \\
  --two
```
```promql
rate(hits[5m])
```

## warm: Warm it slowly
```
./warm.sh
```

## Notes
Not a step, since steps are listed.
"""


def write(place: Path, name: str, text: str) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    path = place / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_runbook_is_read_whole(tmp_path: Path) -> None:
    library = Library.load([write(tmp_path, "cache-cold.md", GOOD)], bundled=False)
    assert library.problems == ()
    runbook = library.get("cache-cold")
    assert runbook is not None
    assert runbook.title == "Cache is cold"
    assert runbook.applies_to == ("shop",)
    assert runbook.triggers.signals == ("latency",)
    assert runbook.triggers.supporting == ("traffic",)
    assert runbook.triggers.words == ("cache miss", "no"), "`no` is a word, not false"
    assert runbook.thresholds == ("hit ratio under 80 %",)
    assert [step.id for step in runbook.steps] == ["look", "warm"]
    look, warm = runbook.steps
    assert look.commands == ("redis-cli info stats | grep keyspace", "long-command --one --two")
    assert "rate(hits[5m])" in look.body
    assert (warm.kind, warm.command) == ("contain", "./warm.sh")
    assert warm.risk == "Load on the database; undo: stop it."
    assert GOOD.split("\n")[warm.line - 1] == "## warm: Warm it slowly"


def test_plain_markdown_is_a_runbook_as_well(tmp_path: Path) -> None:
    text = "# Restart the mailer\n\nWhen mail is stuck.\n\n## Look at the Queue!\nmailq\n\n## Restart\n"
    text += "```sh\nsystemctl restart mailer\n```\n"
    library = Library.load([write(tmp_path, "mailer.md", text).parent], bundled=False)
    runbook = library.runbooks["mailer"]
    assert (runbook.title, runbook.summary) == ("Restart the mailer", "When mail is stuck.")
    assert [step.id for step in runbook.steps] == ["look-at-the-queue", "restart"]
    assert runbook.steps[1].command == "systemctl restart mailer"
    assert library.search("mail is stuck")[0].slug == "mailer"


def test_the_users_own_wins_and_says_so(tmp_path: Path) -> None:
    own = write(tmp_path / "runbooks", "latency.md", GOOD)
    library = Library.load([own.parent])
    runbook = library.runbooks["latency"]
    assert runbook.title == "Cache is cold"
    assert not runbook.bundled
    assert runbook.replaces_bundled
    assert library.step("latency", "warm") is not None
    assert library.step("latency", "shed") is None
    assert library.problems == ()
    assert library.get("bad-deploy") is not None


def test_two_of_the_users_own_with_one_name_are_reported(tmp_path: Path) -> None:
    places = [write(tmp_path / part, "cache.md", GOOD).parent for part in ("a", "b")]
    library = Library.load(places, bundled=False)
    assert library.runbooks["cache"].path == tmp_path / "b" / "cache.md"
    assert [problem.lost for problem in library.problems] == ["the other one"]


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        (("summary: What", "summary: [a"), 4, "not YAML"),
        (("  signals: [latency]", "  signals: [latencies]"), 6, "unknown signal 'latencies'"),
        (("thresholds:", "treshholds:"), 12, "unknown key 'treshholds'"),
        (("{id: look, kind: look}", "{id: Look Up}"), 10, "malformed or taken"),
        (("{id: look, kind: look}", "{id: look, kind: pray}"), 10, "unknown kind 'pray'"),
        (("{id: warm,", "{id: warmer,"), 11, "step 'warmer' has no section"),
        (("risks: [stampede]", "title: twice"), 13, "names 'title' twice"),
        (("risks: [stampede]", "risks: {a: b}"), 13, "risks must be a list"),
        (("title: Cache is cold", "title: {a: b}"), 2, "title must be text"),
        (("## Notes", "## warm: again"), 34, "is there twice"),
    ],
)
def test_what_is_wrong_is_said_by_line_and_the_rest_is_kept(
    tmp_path: Path, change: tuple[str, str], where: int, what: str
) -> None:
    path = write(tmp_path, "broken.md", GOOD.replace(*change))
    library = Library.load([tmp_path], bundled=False)
    assert library.runbooks["broken"].steps
    assert [p for p in library.problems if p.where == f"{path}:{where}" and what in p.what], [
        p.line() for p in library.problems
    ]


@pytest.mark.parametrize(
    ("name", "raw", "why"),
    [
        ("empty.md", b"", "no step"),
        ("prose.md", b"# Only a title\n\ntext", "no step"),
        ("open.md", b"---\ntitle: x\n## a: b\n", "no closing"),
        ("big.md", b"## a: b\n" + b"x" * BYTES_LIMIT, "larger than 64 KiB"),
        ("Bad Name.md", b"## a: b\n", "file name"),
        ("binary.md", bytes(range(256)) * 4, "no step"),
    ],
)
def test_an_unusable_file_hides_no_good_one(tmp_path: Path, name: str, raw: bytes, why: str) -> None:
    write(tmp_path, "good.md", GOOD)
    (tmp_path / name).write_bytes(raw)
    library = Library.load([tmp_path], bundled=False)
    assert set(library.runbooks) == {"good"}
    (problem,) = library.problems
    assert why in problem.what
    assert name in problem.where
    assert problem.lost == "this runbook"


def test_what_is_not_a_file_or_not_there(tmp_path: Path) -> None:
    write(tmp_path, "good.md", GOOD)
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "gone.md").symlink_to(tmp_path / "nowhere")
    library = Library.load([tmp_path, tmp_path / "missing"], bundled=False)
    assert set(library.runbooks) == {"good"}
    assert len(library.problems) == 4


def test_hostile_yaml_builds_nothing(tmp_path: Path) -> None:
    bomb = "---\ntitle: &a [x,x,x,x,x,x,x,x]\n" + "".join(
        f"k{n}: &b{n} [{','.join([f'*b{n - 1}' if n else '*a'] * 9)}]\n" for n in range(12)
    )
    raw = (bomb + "risks: *b11\n---\n## a: b\n").encode()
    runbook, problems = parse(tmp_path / "bomb.md", raw)
    assert runbook.steps[0].id == "a"
    assert problems
    tagged = b"---\ntitle: !!python/object/apply:os.system ['touch owned']\n---\n## a: b\n"
    runbook, _ = parse(tmp_path / "tag.md", tagged)
    assert runbook.title == "tag"
    deep = b"---\ntitle: " + b"[" * 20_000 + b"\n---\n## a: b\n"
    assert parse(tmp_path / "deep.md", deep)[1]


def test_self_referring_yaml_ends(tmp_path: Path) -> None:
    runbook, problems = parse(
        tmp_path / "loop.md", b"---\nrisks: &a [*a, *a]\ntriggers: &b {words: *b}\n---\n## a: b\n"
    )
    assert runbook.steps
    assert problems


def test_parser_never_raises_anything_else(tmp_path: Path) -> None:
    rng = random.Random(4)
    raw = GOOD.encode()
    for _ in range(400):
        broken = bytearray(raw)
        for _ in range(rng.randrange(1, 12)):
            at = rng.randrange(len(broken))
            broken[at : at + rng.randrange(4)] = rng.choice(
                [b"", b"\xff", b"---\n", b": ", b"[", b"```", b"\n", b"&a ", b"\x00"]
            )
        try:
            runbook, _ = parse(tmp_path / "fuzz.md", bytes(broken))
        except Unreadable:
            continue
        assert len({step.id for step in runbook.steps}) == len(runbook.steps)


HOSTILE = (
    *(
        "",
        " ",
        '"',
        "'",
        "(",
        "a AND",
        "NEAR(a b",
        "title:x",
        "slug : *",
        "*",
        "a*",
        "^a",
        "-a",
        "a OR b NOT c",
        '"" OR "',
    ),
    *("x'); DROP TABLE words;--", "select * from words", "\x00", "\ud800", "%_", "{}", "🔥", "\u202e"),
    *("é" * 5000, "a" * 100_000, ";".join("ab" for _ in range(9999))),
)


@pytest.mark.parametrize("fts", [True, False])
@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
def test_no_query_is_syntax(query: str, fts: bool) -> None:
    index = Index(Library.load().runbooks.values(), fts=fts)
    assert len(index.search(query, ["latency", "no such signal", query], limit=3)) <= 3
    assert index.search("certificate expired")[0].slug == "expired-certificate"


def test_without_fts5_whole_words_still_find_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = sqlite3.connect

    def connect(*args: object, **options: object) -> sqlite3.Connection:
        raise sqlite3.OperationalError("no such module: fts5")

    monkeypatch.setattr(sqlite3, "connect", connect)
    library = Library.load()
    for query, wanted in (("no space left on device", "full-disk"), ("kafka consumer lag", "queue-backlog")):
        assert library.search(query)[0].slug == wanted
    monkeypatch.setattr(sqlite3, "connect", real)


def test_fragments_of_identifiers_are_found() -> None:
    library = Library.load()
    assert library.search("oomkill")[0].slug == "memory-growth"
    assert library.search("ikaripoo")[0].slug == "pool-saturation"


def test_nothing_matches_nothing() -> None:
    library = Library.load()
    assert library.search("qqqzzz") == []
    assert library.search() == []
    assert library.search("latency", limit=0) == []
    assert Library([]).search("latency", ["latency"]) == []


def test_search_from_many_threads() -> None:
    library = Library.load()
    wanted = library.search("consumer lag")
    wrong: list[object] = []

    def work() -> None:
        wrong.extend(hits for _ in range(20) if (hits := library.search("consumer lag")) != wanted)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_floor_stands_alone() -> None:
    others = ("subagents", "orchestrator", "tui", "yaml", "pydantic")
    code = f"import sys, runbooks; print(*[m for m in sys.modules if m.split('.')[0] in {others}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
