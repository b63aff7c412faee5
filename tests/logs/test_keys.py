"""More different messages than are kept: none is lost, what is severe or new late is still seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import polars as pl
import pytest

from subagents.contract import Window
from subagents.logs.compare import compare, spans_of
from subagents.logs.early import EarlyTemplates
from subagents.logs.index import LogIndex
from subagents.logs.keys import OTHER, KeyTable
from subagents.logs.patterns import KEY_CHARS, templates
from subagents.logs.sources.log_source import LogSource
from tests.logs.builders import at, iso, write

Room = Callable[..., None]


def word(number: int) -> str:
    """Return a word without a digit for a number."""
    return "word" + "-".join("abcdefghij"[int(digit)] for digit in str(number))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subagents.logs.sources.reader.LEAST_BYTES", 1)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    def limit(keys: int, severe: int, rough: int, first: int = 75_000) -> None:
        given = {"FIRST_KEYS": first, "MAX_KEYS": keys, "SEVERE_KEYS": severe, "ROUGH_KEYS": rough}
        for name, value in given.items():
            monkeypatch.setattr(f"subagents.logs.keys.{name}", value)

    return limit


def indexed(folder: Path, lines: list[str], block_bytes: int = 1 << 14) -> LogIndex:
    return LogIndex.build([LogSource(write(folder, "x.log", lines), block_bytes=block_bytes)])


def test_what_has_no_room_at_all_is_counted(tmp_path: Path, room: Room) -> None:
    room(50, 0, 0)
    index = indexed(tmp_path, [f"{iso(n)} INFO {word(n)}" for n in range(300)])
    assert index.ungrouped == 250
    assert int(index.table["n"].sum()) == 300


def test_what_comes_late_is_kept_by_its_first_words_and_length(tmp_path: Path, room: Room) -> None:
    room(50, 10, 10)
    lines = [f"{iso(n)} INFO {word(n)}" for n in range(50)]
    lines += [f"{iso(n)} INFO started job {word(n)} of the {word(n + 1)} queue" for n in range(50, 300)]
    index = indexed(tmp_path, [*lines, f"{iso(300)} INFO all jobs are done now"])
    assert index.ungrouped == 0
    late = {template.text: template.level for template in index.templates[51:]}
    assert "all jobs … (5 words)" in late, "by its first two words, where half of the room is taken"
    assert any(text.startswith("started job * of the *") for text in late)
    rough = index.number(f" INFO started job {word(999)} of the queue queue")
    assert rough is not None
    assert int(index.table.filter(index.table["key"] == rough)["n"].sum()) >= 150
    assert index.number(f" INFO ended job {word(999)} of the queue") is None


def test_what_is_said_from_first_to_last_in_other_words_each_time_is_neither_new_nor_gone(
    tmp_path: Path, room: Room
) -> None:
    room(80, 10, 10, first=60)
    words = [word(n) for n in range(900)]
    lines = [f"{iso(n)} INFO started job {words[n]} of the {words[n - 1]} queue" for n in range(600)]
    lines[500] = f"{iso(500)} INFO the queue is drained"
    index = indexed(tmp_path, lines)
    found = {each.text: (each.change, each.count) for each in compare(index, spans_of(index, *halves()))}
    assert found == {
        "started job * of the * queue": ("steady", 299),
        "the queue is drained": ("new", 1),
    }
    late = index.number(f" INFO started job {words[700]} of the {words[800]} queue")
    assert late is not None
    assert index.template_of(late) == index.template_of(1)


def test_a_message_of_another_severity_does_not_take_the_others_along(tmp_path: Path, room: Room) -> None:
    room(120, 40, 10, first=60)
    said = [(3, f"job {word(n)} of the queue is done") for n in range(600)]
    said.insert(5, (5, said[0][1]))
    names = {3: "info", 5: "error"}
    lines = [
        json.dumps({"time": iso(n), "level": names[level], "message": text}) for n, (level, text) in enumerate(said)
    ]
    index = indexed(tmp_path, lines)
    found = {each.text: (each.change, each.count) for each in compare(index, spans_of(index, *halves()))}
    assert found["job * of the queue is done"] == ("steady", 300)


@pytest.mark.parametrize("block_bytes", [1 << 12, 1 << 20])
def test_what_is_counted_does_not_depend_on_where_blocks_end(tmp_path: Path, room: Room, block_bytes: int) -> None:
    room(80, 10, 10, first=20)
    said = [f"job alpha {word(n)} done" for n in range(20)] + ["job alpha gamma done"] * 300
    said += [f"job {word(100 + n)} gamma done" for n in range(60)] + [f"ended {word(n)} of that" for n in range(30)]
    said += ["job alpha gamma done"] * 600
    index = indexed(tmp_path, [f"{iso(n)} INFO {text}" for n, text in enumerate(said)], block_bytes)
    counts = index.table.group_by("template").agg(pl.col("n").sum()).rows()
    assert {(index.different[template].text, count) for template, count in counts} >= {
        ("job alpha * done", 920),
        ("job * gamma done", 60),
    }


def halves() -> tuple[Window, Window]:
    """Return the second five minutes, and the first."""
    return Window(start=at(300), end=at(600)), Window(start=at(0), end=at(300))


@pytest.mark.parametrize("severity", ["ERROR ", ""], ids=["by level", "by words"])
def test_a_new_error_late_is_found_as_new_however_many_messages_there_were(
    tmp_path: Path, room: Room, severity: str
) -> None:
    room(50, 10, 2)
    lines = [f"{iso(n)} INFO {word(n)} {'and so on ' * (n % 5)}" for n in range(600)]
    late = f"{severity}payment gateway refused card: connection failed"
    lines[590:590] = [f"{iso(590)} {late}"] * 3
    index = indexed(tmp_path, lines)
    assert int(index.table["n"].sum()) == 603
    assert index.ungrouped > 0
    whole = spans_of(index, Window(start=at(580), end=at(600)), Window(start=at(0), end=at(580)))
    top = compare(index, whole)[0]
    assert (top.change, top.count, top.text) == ("new", 3, late.removeprefix("ERROR "))
    assert index.examples[top.key].text.endswith(late)


def events(*texts: str, suffixes: Sequence[str | None] = (), levels: Sequence[int | None] = ()) -> pl.DataFrame:
    given = {"text": texts, "suffix": suffixes or [None] * len(texts), "level": levels or [None] * len(texts)}
    return pl.DataFrame(given, schema={"text": pl.String, "suffix": pl.String, "level": pl.Int8})


def numbered(table: KeyTable, rows: pl.DataFrame) -> tuple[list[int], list[int]]:
    numbers, new = table.add(rows)
    return numbers.tolist(), new.tolist()


@pytest.fixture(params=[True, False], ids=["compiled", "in Python"])
def table(request: pytest.FixtureRequest) -> KeyTable:
    table = KeyTable()
    if not request.param:
        table._compiled = None
    elif table._compiled is None:
        pytest.skip("the library is not compiled")
    return table


def test_severe_messages_have_bounds_too(room: Room, table: KeyTable) -> None:
    room(0, 2, 1)
    late = events("a failed", "b failed", "a failed", "an order now failed", "d was denied")
    assert numbered(table, late) == ([1, 2, 1, 3, OTHER], [0, 1, 3])
    assert numbered(table, events("an order later failed", "a failed")) == ([3, 1], [])
    assert table.keys[3] == "an order … (4 words)"
    assert [table.number(each) for each in ("b failed", "an order again failed", "c came")] == [2, 3, None]


def test_late_instances_of_early_templates_are_counted_with_them(room: Room, table: KeyTable) -> None:
    room(60, 4, 4, first=20)
    jobs = [f"started job {word(n)} of the queue" for n in range(40)]
    numbers, new = numbered(table, events(*jobs[:20]))
    assert (numbers, new) == (list(range(1, 21)), list(range(20)))
    numbers, new = numbered(table, events(*jobs[20:], "the queue is drained", "ended job a of the queue"))
    assert (numbers, new) == ([21] * 20 + [22, 23], [0, 20, 21])
    assert table.keys[21] == "started job * of the queue", "no message of its own, which may be said elsewhere"
    numbers, new = numbered(table, events("started job z of the queue", levels=[5]))
    assert (numbers, new) == ([24], [0]), "of another severity"
    assert [table.number(each) for each in (jobs[30], jobs[39], "ended job b of the queue")] == [21, 21, None]


def test_a_severity_that_only_the_text_says_stays_with_it(room: Room, table: KeyTable) -> None:
    room(60, 4, 4, first=20)
    numbered(table, events(*(f"WARN job {word(n)} is late" for n in range(20))))
    numbers, new = numbered(table, events(f"WARN job {word(30)} is late", "job x is late", levels=[None, 4]))
    assert (numbers, new) == ([21, 22], [0, 1])
    assert table.keys[21:] == ["WARN job * is late", "job * is late"]
    found = templates(table.keys[1:], [0] * 21 + [4], [1] * 22)
    assert {(each.text, each.level) for each in found} == {("job * is late", 4)}


def test_what_was_kept_since_makes_templates_too(room: Room, table: KeyTable) -> None:
    room(40, 0, 0, first=20)
    started = [f"started job {word(n)} of the queue" for n in range(30)]
    ended = [f"ended job {word(n)} of the queue" for n in range(60)]
    numbers, new = numbered(table, events(*started, *ended))
    assert numbers == [*range(1, 21), *[21] * 10, *range(22, 41), *[41] * 41]
    assert [table.keys[21], table.keys[41]] == ["started job * of the queue", "ended job * of the queue"]
    assert new == [*range(20), 20, *range(30, 49), 49]
    assert numbered(table, events("all is done", started[25])) == ([OTHER, 21], [])


def test_the_first_templates_are_asked_first_for_good(room: Room, table: KeyTable) -> None:
    room(80, 0, 0, first=20)
    both = "job alpha gamma done"
    numbered(table, events(*(f"job alpha {word(n)} done" for n in range(20))))
    before = numbered(table, events(both))
    numbered(table, events(*(f"job {word(100 + n)} gamma done" for n in range(60)), *("ended a", "ended b")))
    assert numbered(table, events(both)) == (before[0], [])
    assert table.number(both) == before[0][0]


def test_how_something_went_is_not_lost_with_an_early_template(room: Room, table: KeyTable) -> None:
    room(60, 0, 0, first=30)
    numbered(table, events(*(f"a job ended with status={word(n)}" for n in range(30))))
    assert {each.text for each in templates(table.keys[1:], [3] * 30, [1] * 30)} == {"a job ended with status=*"}
    late = events("a job ended with status=timeout", "a job ended with status=*")
    assert numbered(table, late) == ([31, 32], [0, 1])
    assert table.keys[31:] == ["a job ended with status=timeout", "a job ended with status=*"]


def test_what_sounds_bad_is_no_instance_of_what_does_not(room: Room, table: KeyTable) -> None:
    room(60, 0, 0, first=20)
    numbered(table, events(*(f"the job of {word(n)} came to {word(n + 1)}" for n in range(20))))
    late = ["the job of x came to failure", "the job of x came to rest"]
    assert numbered(table, events(*late))[0] == [21, 22]
    assert table.keys[21:] == [late[0], "the job of * came to *"]
    assert numbered(table, events(late[0], levels=[3])) == ([21], [])


def test_columns_of_a_file_are_not_what_early_templates_say() -> None:
    words = [word(n) for n in range(6_000)]
    keys = [f"main app {words[n // 60]} {words[5_000 + n % 60]}" for n in range(2_000)]
    forms = ("moved {} to the store", "put {} of this to a place", "sent {} of many to the big lake", "had {} here")
    keys += [f"main app {forms[n % 4].format(words[n])} {'and on ' * (n % 3)}" for n in range(1_200)]
    early = EarlyTemplates(keys, [0] * len(keys))
    assert ("main app * *", 0) in early.said
    found = early.alike(["main app gateway awake", f"main app moved {words[5_999]} to the store "], [0, 0]).tolist()
    assert found[0] == -1, "what all lines begin with says nothing of it"
    assert early.said[found[1]][0] == "main app moved * to the store"


def test_names_and_lists_are_values_in_late_messages_where_they_are_in_early_ones(room: Room, table: KeyTable) -> None:
    room(60, 0, 0, first=24)
    early = [f"mail=<a{chr(97 + n)}.b@c.example>" for n in range(12)]
    lists = [f"got tables {', '.join(word(each) for each in range(n % 6 + 2))} from the replica" for n in range(12)]
    numbered(table, events(*early, *lists, *(f"unlike {word(n)}" for n in range(6))))
    late = [f"got tables {', '.join(word(50 + each) for each in range(count))} from the replica" for count in (2, 5, 9)]
    numbers, _ = numbered(table, events("mail=<x.y@z.example>", *late))
    assert [table.keys[number] for number in numbers] == ["mail=*", *["got tables * from the replica"] * 3]


def test_templates_are_made_of_as_much_as_is_compared(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subagents.logs.patterns.MERGED_WORDS", 60)
    keys = [f"started job {word(n)} of the queue" for n in range(10)]
    assert EarlyTemplates([*keys, *(f"ended {word(n)}" for n in range(90))], [3] * 100).said == [
        ("started job * of the queue", 3)
    ]


def test_messages_are_masked_and_what_is_put_behind_them_is_not(table: KeyTable) -> None:
    rows = events(
        "took 5ms", "took 6ms", "took 6ms", "", "id=x7=8 é9 a٣\u2003b", suffixes=["", " 503", " 503", None, None]
    )
    assert numbered(table, rows) == ([1, 2, 2, 3, 4], [0, 1, 3, 4])
    assert table.keys[1:] == ["took *", "took * 503", "", "id=* * *\u2003b"]
    assert numbered(table, events()) == ([], [])
    assert [table.number(key) for key in table.keys[1:]] == [1, 2, 3, 4]


def test_columns_joined_by_bars_are_words(table: KeyTable) -> None:
    rows = events("Pump|4711|started 7", "Pump|4712|started 8", "Pump|4711|stopped 7", "|9|", "a=1|b=2|3")
    assert numbered(table, rows) == ([1, 1, 2, 3, 4], [0, 2, 3, 4])
    assert table.keys[1:] == ["Pump|*|started *", "Pump|*|stopped *", "|*|", "a=*|b=*|*"]


def test_only_the_first_characters_count_however_many_bytes_they_are(table: KeyTable) -> None:
    long = [letter * KEY_CHARS for letter in "aé"]
    rows = events(*long, *(each + " and so on" for each in long), *(each[1:] + "b1" for each in long))
    assert numbered(table, rows) == ([1, 2, 1, 2, 3, 4], [0, 1, 4, 5])
    assert table.keys[3:] == [each[1:] + "b" for each in long]


def test_the_compiled_table_says_what_python_says_however_many_come_at_once(room: Room) -> None:
    compiled, plain, rng = {200: KeyTable(), 40: KeyTable()}, KeyTable(_compiled=None), Random(4)
    if compiled[40]._compiled is None:
        pytest.skip("the library is not compiled")
    room(900, 40, 30, first=300)
    letters = "ab=1| 2\t\u00a0é٣c\x1f\v0\n"
    for _ in range(12):
        texts = ["".join(rng.choices(letters, k=rng.randrange(9))) + rng.choice(["", " failed"]) for _ in range(200)]
        texts += [f"job {rng.choice('abcdefgh') * rng.randrange(1, 40)} was moved by {word(n)}" for n in range(60)]
        suffixes = [rng.choice([None, " 5", "é"]) for _ in texts] if rng.random() < 0.5 else ()
        rows = events(*texts, suffixes=suffixes, levels=[3 if text.endswith(" failed") else None for text in texts])
        whole = numbered(plain, rows)
        for at_once, table in compiled.items():
            parts = [numbered(table, rows[start : start + at_once]) for start in range(0, rows.height, at_once)]
            assert [number for numbers, _ in parts for number in numbers] == whole[0]
            assert [row + place * at_once for place, (_, new) in enumerate(parts) for row in new] == whole[1]
    assert compiled[200].keys == compiled[40].keys == plain.keys
    assert len(plain.keys) > 900


def test_a_settled_table_knows_its_keys_and_numbers_others(table: KeyTable) -> None:
    texts = [f"order {name} lost {n}" for n, name in enumerate("abcab")]
    assert numbered(table, events(*texts)) == ([1, 2, 3, 1, 2], [0, 1, 2])
    table.settle()
    assert numbered(table, events(*texts, "cart lost")) == ([1, 2, 3, 1, 2, 4], [5])
    assert table.number("order a lost *") == 1
