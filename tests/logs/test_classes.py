"""The compiled library by itself: which lines are of one class, twins of them, and when it is not used."""

from __future__ import annotations

import ctypes
import re
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from subagents.logs import native
from subagents.logs.native import LITERAL, MOST_CLASSES, NO_CLASS, NO_TIME, SLOW, SPECIAL, VERIFIED, Classes
from subagents.logs.native.twins import Twins, Wanted, twins_of
from subagents.logs.sources.timestamps import microseconds
from tests.logs.builders import at, iso
from tests.logs.compiled import classes_by, finder_in

pytestmark = pytest.mark.needs("compiled")


@pytest.fixture
def classes() -> Classes:
    return classes_by([finder_in(iso(0))])


def scanned(classes: Classes, *lines: str) -> tuple[list[int], list[int]]:
    data = "\n".join(lines).encode()
    scan = classes.scan(data, len(data), 0, 100)
    assert len(scan.starts) == len(lines)
    return scan.times.tolist(), scan.classes.tolist()


def twins(classes: Classes, line: bytes, keep: int = 0, only: int = -1) -> Twins:
    return twins_of(classes, [Wanted(line, keep, only)])[0]


def test_lines_are_of_one_class_but_for_words_with_digits(classes: Classes) -> None:
    times, found = scanned(
        classes,
        f"{iso(1)} order 17 of 10.1.2.3 failed",
        f"{iso(2.5)} order 4711 of 192.168.0.17 failed",
        f"{iso(3)} order 17 of 10.1.2.3 settled",
        "order 17 of 10.1.2.3 failed",
        f"{iso(4)[:-1]}+01:00 order 17 of 10.1.2.3 failed",
    )
    assert times[:3] == [microseconds(at(seconds)) for seconds in (1, 2.5, 3)]
    assert found[0] == found[1] != found[2]
    assert (times[3:], found[3:]) == ([NO_TIME] * 2, [NO_CLASS] * 2)


def test_a_class_that_depends_on_a_word_is_split_by_it_until_there_are_too_many(classes: Classes) -> None:
    def line(status: int) -> str:
        return f"{iso(1)} done with {status} bytes"

    parent = scanned(classes, line(200))[1][0]
    classes.flags[parent], classes.literal[parent] = LITERAL, 1 << 2
    ok, bad, again = scanned(classes, line(200), line(503), line(200))[1]
    assert ok == again != bad
    assert {ok, bad}.isdisjoint({parent, NO_CLASS})
    assert classes.flags[ok] & VERIFIED
    many = "\n".join(line(1000 + n) for n in range(4000)).encode()
    found = classes.scan(many, len(many), 0, 2000).classes
    assert set(found[-100:].tolist()) == {parent}
    assert classes.flags[parent] & SLOW


def test_a_twin_is_of_the_same_class_and_differs_where_it_may(classes: Classes) -> None:
    line = f"{iso(1)} order 17 of web3 at 10.1.2.3 took 5ms".encode()
    words, twin, *_ = twins(classes, line)
    assert words == 1 << 1 | 1 << 3 | 1 << 5 | 1 << 7
    assert twin[: len(iso(1))] == line[: len(iso(1))]
    assert scanned(classes, line.decode(), twin.decode())[1][0] == scanned(classes, twin.decode())[1][0]
    assert [a != b for a, b in zip(line.split(), twin.split(), strict=True)] == [
        bool(words >> (n - 1) & 1) if n else False for n in range(9)
    ]
    assert twins(classes, line, keep=words).twin == line
    assert classes.word(line, 3) == b"web3"
    assert classes.word(line, 4) is None


def test_another_twin_has_statuses_where_numbers_have_other_digits_than_those(
    classes: Classes,
) -> None:
    line = f"{iso(1)} order 17 of web3 took 5ms [0] 404 1234567".encode()
    assert twins(classes, line).wide == f"{iso(1)} order 503 of web3 took 5ms [503] 50 503".encode()
    assert twins(classes, line, keep=1 << 1).wide == line.replace(b"[0] 404 1234567", b"[503] 50 503")
    assert twins(classes, line, only=6).wide == line.replace(b"[0]", b"[503]")
    assert twins(classes, b"no stamp 5").wide == b"no stamp 5"


def test_a_third_twin_leaves_numbers_of_three_digits_beside_those_that_become_statuses(classes: Classes) -> None:
    line = f"{iso(1)} 0 200 952 642 GET".encode()
    assert twins(classes, line).wide == f"{iso(1)} 503 50 50 50 GET".encode()
    assert twins(classes, line).beside == f"{iso(1)} 503 200 952 642 GET".encode()
    alone = [f"{iso(1)} 200 952 GET", f"{iso(1)} 0 12 GET", "no stamp 5 200", f"{iso(1)} none"]
    assert [twins(classes, each.encode()).beside for each in alone] == [b""] * 4


def test_another_twin_has_paths_with_a_part_more_that_has_no_digits(classes: Classes) -> None:
    line = f'{iso(1)} GET /4711/7?p=2 of "/80" 1/2 10.0.0.1/24 HTTP/1.1'.encode()
    said = b'GET /abc/4711/7?p=503 of "/abc/80" 1/2 10.0.0.1/24 HTTP/1.1'
    assert twins(classes, line).wide == f"{iso(1)} ".encode() + said
    assert twins(classes, line, keep=1 << 1).wide.endswith(b'GET /4711/7?p=503 of "/abc/80" 1/2 10.0.0.1/24 HTTP/1.1')
    assert len(set(scanned(classes, line.decode(), twins(classes, line).wide.decode())[1])) == 1
    assert len(set(scanned(classes, line.decode(), line.decode().replace("/80", "/u/80"))[1])) == 1


def test_what_stands_behind_a_path_does_not_split_a_class(classes: Classes) -> None:
    def line(path: str) -> str:
        return f"{iso(1)} got GET {path} 200"

    parent = scanned(classes, line("/a/1?q2"))[1][0]
    classes.flags[parent], classes.literal[parent] = LITERAL, 1 << 2
    one, other, third, fourth = scanned(classes, *map(line, ("/a/1?q2", "/a/22?z/3", "/b/1?q2", "/a/b?q2")))[1]
    assert one == other
    assert len({one, third, fourth}) == 3
    twin = twins(classes, line("/a/b/1?q2").encode(), keep=1 << 2).twin.decode()
    assert twin.startswith(f"{iso(1)} got GET /a/b/")
    assert not twin.endswith("?q2 200")


def test_numbers_before_a_stamp_in_a_column_keep_their_width(classes: Classes) -> None:
    line = f"job 4711 {iso(1)} took 5 s".encode()
    classes.find_by([finder_in(line.decode())], 0)
    assert twins(classes, line).wide == line.replace(b"took 5", b"took 503")
    assert twins(classes, line).twin.startswith(b"job 7044 ")


def test_lines_cannot_be_made_to_be_taken_for_one(classes: Classes) -> None:
    """Bits that cancel each other out whatever the seed, where the factor is known: 0x40 here, 0x08 and 0x40 there."""
    one, other = bytearray(b"aaaaaaaabbbbbbbb"), bytearray(b"aaaaaaaabbbbbbbb")
    other[7], other[11], other[15] = one[7] ^ 0x40, one[11] ^ 0x08, one[15] ^ 0x40
    first, second = scanned(classes, f"{iso(1)}{one.decode()}", f"{iso(1)}{other.decode()}")[1]
    assert first != second


@pytest.mark.parametrize(
    "amiss",
    [
        {"body_length": 49},
        {"zone_length": -1},
        {"fraction": 99},
        {"place": (0, 0, 0, 0, 0, 0, 0, 47, 0)},
        {"within": 3},
        {"within": 10},
        {"words": 999},
    ],
    ids=str,
)
def test_a_finder_that_reaches_beyond_its_body_is_refused(classes: Classes, amiss: dict[str, Any]) -> None:
    finder = finder_in(iso(0))
    for name, value in amiss.items():
        setattr(finder, name, type(getattr(finder, name))(*value) if isinstance(value, tuple) else value)
    with pytest.raises(ValueError, match="beyond its own body"):
        classes.find_by([finder], 0)


def test_room_ends_and_what_was_learnt_can_be_forgotten(classes: Classes) -> None:
    word = "abcdefghij"
    lines = [f"{iso(1)} {word[n % 10]}{word[n // 10 % 10]}{word[n // 100 % 10]}" for n in range(1000)]
    data = "\n".join(lines).encode()
    assert len(set(classes.scan(data, len(data), 0, 2000).classes.tolist())) == 1000 == len(classes)
    assert len(classes.scan(data, len(data), 0, 10).starts) == 10
    classes.flags[:5] = SPECIAL
    classes.forget()
    assert len(classes) == 0
    assert not classes.flags[:1000].any()
    assert len(classes.flags) == MOST_CLASSES
    with pytest.raises(ValueError, match="at most"):
        classes.find_by([native.Finder()] * 300, 0)


def test_a_library_that_is_not_ours_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "__file__", str(tmp_path / "__init__.py"))
    native.library.cache_clear()
    try:
        assert native.library() is None
        (tmp_path / f"_lines{EXTENSION_SUFFIXES[0]}").write_bytes(b"no library")
        native.library.cache_clear()
        assert native.library() is None
        assert "apt-get install gcc" in native.absence()
    finally:
        native.library.cache_clear()


def test_a_library_that_lacks_a_function_is_not_used_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    exported = r"^EXPORT .*?(\w+)\("
    sources = "".join(path.read_text() for path in Path(native.__file__).parent.glob("*.c"))
    names = re.findall(exported, sources, re.MULTILINE)
    assert {"classes_scan", "twins_of", "keys_find", "words_of_keys", "block_is_utf8"} <= set(names)
    real, lacking = native.library(), dict[str, str]()
    try:
        for name in names:
            rest = SimpleNamespace(**{each: getattr(real, each) for each in names if each != name})
            monkeypatch.setattr("ctypes.CDLL", lambda _path, rest=rest: rest)
            native.library.cache_clear()
            lacking[name] = native.absence()
    finally:
        native.library.cache_clear()
    assert [name for name, told in lacking.items() if "not compiled" not in told] == []


def test_the_library_and_python_agree_on_what_a_finder_is() -> None:
    library = native.library()
    assert library is not None
    assert library.finder_size() == ctypes.sizeof(native.Finder)
    assert library.classes_room() == MOST_CLASSES
    assert native.absence() == ""
