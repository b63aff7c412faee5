"""More different messages than are kept: none is lost, what is severe or new late is still seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import polars as pl
import pytest

from subagents.contract import Window
from subagents.logs.compare import compare, spans_of
from subagents.logs.index import LogIndex
from subagents.logs.keys import OTHER, KeyTable
from subagents.logs.patterns import KEY_CHARS, templates
from subagents.logs.sources.log_source import LogSource
from tests.logs.builders import at, iso, write

Room = Callable[..., None]


def word(number: int) -> str:
    """Return a word without a digit for a number."""
    return "word" + "-".join("abcdefghij"[int(digit)] for digit in str(number))


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    def limit(keys: int, severe: int, rough: int, first: int = 75_000) -> None:
        given = {"FIRST_KEYS": first, "MAX_KEYS": keys, "SEVERE_KEYS": severe, "ROUGH_KEYS": rough}
        for name, value in given.items():
            monkeypatch.setattr(f"subagents.logs.keys.{name}", value)

    return limit


def indexed(folder: Path, lines: list[str]) -> LogIndex:
    return LogIndex.build([LogSource(write(folder, "x.log", lines), block_bytes=1 << 14)])


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
    assert (numbers, new) == ([1] * 20 + [21, 22], [20, 21])
    numbers, new = numbered(table, events("started job z of the queue", levels=[5]))
    assert (numbers, new) == ([23], [0]), "of another severity"
    assert [table.number(each) for each in (jobs[30], jobs[39], "ended job b of the queue")] == [1, 1, None]


def test_what_was_kept_since_makes_templates_too(room: Room, table: KeyTable) -> None:
    room(40, 0, 0, first=20)
    started = [f"started job {word(n)} of the queue" for n in range(30)]
    ended = [f"ended job {word(n)} of the queue" for n in range(60)]
    numbers, new = numbered(table, events(*started, *ended))
    assert numbers == [*range(1, 21), *[1] * 10, *range(21, 41), *[21] * 40]
    assert new == [*range(20), *range(30, 50)]
    assert numbered(table, events("all is done")) == ([OTHER], [])


def test_how_something_went_is_not_lost_with_an_early_template(room: Room, table: KeyTable) -> None:
    room(60, 0, 0, first=30)
    numbered(table, events(*(f"a job ended with status={word(n)}" for n in range(30))))
    assert {each.text for each in templates(table.keys[1:], [3] * 30, [1] * 30)} == {"a job ended with status=*"}
    late = events("a job ended with status=timeout", "a job ended with status=*")
    assert numbered(table, late) == ([31, 1], [0])


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


@pytest.mark.parametrize("at_once", [200, 7])
def test_the_compiled_table_says_what_python_says_however_many_come_at_once(room: Room, at_once: int) -> None:
    compiled, plain, rng = KeyTable(), KeyTable(_compiled=None), Random(4)
    if compiled._compiled is None:
        pytest.skip("the library is not compiled")
    room(900, 40, 30, first=300)
    letters = "ab=1| 2\t\u00a0é٣c\x1f\v0\n"
    for _ in range(12):
        texts = ["".join(rng.choices(letters, k=rng.randrange(9))) + rng.choice(["", " failed"]) for _ in range(200)]
        texts += [f"job {rng.choice('abcdefgh') * rng.randrange(1, 40)} was moved by {word(n)}" for n in range(60)]
        suffixes = [rng.choice([None, " 5", "é"]) for _ in texts] if rng.random() < 0.5 else ()
        rows = events(*texts, suffixes=suffixes, levels=[3 if text.endswith(" failed") else None for text in texts])
        whole = numbered(plain, rows)
        parts = [numbered(compiled, rows[start : start + at_once]) for start in range(0, rows.height, at_once)]
        assert [number for numbers, _ in parts for number in numbers] == whole[0]
        assert [row + place * at_once for place, (_, new) in enumerate(parts) for row in new] == whole[1]
    assert compiled.keys == plain.keys
    assert len(compiled.keys) > 900


def test_a_settled_table_knows_its_keys_and_numbers_others(table: KeyTable) -> None:
    texts = [f"order {name} lost {n}" for n, name in enumerate("abcab")]
    assert numbered(table, events(*texts)) == ([1, 2, 3, 1, 2], [0, 1, 2])
    table.settle()
    assert numbered(table, events(*texts, "cart lost")) == ([1, 2, 3, 1, 2, 4], [5])
    assert table.number("order a lost *") == 1
