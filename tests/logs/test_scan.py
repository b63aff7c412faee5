"""What the compiled first stage leaves of a line: all but what varies, on every processor."""

from __future__ import annotations

import re
from random import Random

import pytest

from subagents.logs import native
from subagents.logs.native import ODD_BYTES, ODD_ESCAPES, ORIGINS, Finder
from subagents.logs.sources.finders import finder_of
from subagents.logs.sources.timestamps import find_stamp, shape_of
from tests.logs.builders import NOON, iso
from tests.logs.compiled import classes_by, finder_in
from tests.logs.corpus import FOLDER
from tests.logs.test_alike import fuzzed

pytestmark = pytest.mark.needs("compiled")

PIECES = (*'7-/:()"[].é', "web", "id", "api", "42", "0", "x" * 30, "5" * 30, "GET")
EVERY_ORIGIN = sum(ORIGINS.values())
GAPS = (" ", " ", " ", "  ", "=", "\t", " =")


def finders() -> list[Finder]:
    """Return one for each of the first shapes of stamps that the layouts show."""
    found = dict[object, Finder]()
    for path in sorted(FOLDER.glob("*.txt")):
        stamp = find_stamp(path.read_text().splitlines()[0])
        shape = shape_of(stamp, None) if stamp is not None else None
        finder = finder_of(shape, NOON) if shape is not None else None
        if shape is not None and finder is not None:
            found.setdefault(shape, finder)
    return list(found.values())[: native.MOST_FINDERS]


def lowered(classes: native.Classes, steps: int) -> bool:
    """Have lines scanned as a lesser processor does, by so many steps; False where there are fewer."""
    return all(classes.step_down() for _ in range(steps))


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_same_whatever_the_processor_can_do(seed: int) -> None:
    by = finders()
    assert len(by) > 64
    ways = [classes for steps in range(3) if lowered(classes := classes_by(by, EVERY_ORIGIN), steps)]
    if len(ways) == 1:
        pytest.skip("this processor can do no more than any")
    rng = Random(seed)
    names = tuple(rng.sample(sorted(path.stem for path in FOLDER.glob("*.txt")), 40))
    data = fuzzed(names, seed)
    data += b"\n".join(line * rng.choice((1, 1, 3, 40)) for line in data.splitlines()[:300])  # no line feed at the end
    odd = ODD_ESCAPES | ODD_BYTES
    first, *others = [each.scan(data, len(data), odd, 9000) for each in ways]
    assert len(set(first.classes.tolist())) > 80
    stamped = first.finders >= 0
    for second in others:
        for name in ("starts", "times", "finders", "classes", "hosts", "varied"):
            assert getattr(first, name).tolist() == getattr(second, name).tolist(), name
        assert first.places[stamped].tolist() == second.places[stamped].tolist()


def rest(text: bytes) -> tuple[bytes | tuple[str, bytes], ...]:
    """Return what is left of what stands behind a stamp, as it is meant to be."""
    found, index = list[bytes | tuple[str, bytes]](), 0
    for match in re.finditer(rb"([^\x00- \x7f-\xff=]+)|[\x00- \x7f-\xff=]+", text):
        word = match[1]
        if word is None or not re.search(rb"\d", word):
            found.append(match[0])
        elif index < 4 and is_name(word) and not is_path(word, text[: match.start()]):
            found.append(("name", re.sub(rb"\d+", b"0", word)))
        else:
            found.append(("number" if word.isdigit() else "id", re.sub(rb"[0-9A-Za-z._/+-]", b"", word)))
        index += word is not None
    return tuple(found)


def is_path(word: bytes, before: bytes) -> bool:
    return word[:1] == b"/" and bool(re.search(rb"[^A-Z][A-Z]{3,8} $", before))


def is_name(word: bytes) -> bool:
    named = bool(re.search(rb"(?i)(?=[a-z]{3})[a-z]{0,2}[g-z]", word)) or bool(re.match(rb"[A-Za-z][^0-9]*\[\d", word))
    return len(word) <= 64 and len(re.findall(rb"\d+", word)) <= 2 and named


@pytest.mark.parametrize("steps", range(3))
def test_lines_are_of_one_class_if_and_only_if_the_same_is_left_of_them(steps: int) -> None:
    rng, classes = Random(5), classes_by([finder_in(iso(0))])
    if not lowered(classes, steps):
        pytest.skip("there are fewer ways to do it on this processor")
    texts = list[bytes]()
    for _ in range(4000):
        words = ["".join(rng.choices(PIECES, k=rng.randrange(1, 4))) for _ in range(rng.randrange(1, 4))]
        gaps = [rng.choice(GAPS) for _ in words]
        texts.append("".join(gap + word for gap, word in zip(gaps, words, strict=True)).encode())
    texts += [b" " + b"word " * 11 + text for text in texts[:500]]
    data = b"\n".join(iso(1).encode() + text for text in texts)
    found = classes.scan(data, len(data), 0, len(texts)).classes.tolist()
    pairs = set(zip(found, map(rest, texts), strict=True))
    assert len(pairs) == len(set(found)) == len({left for _, left in pairs}) > 1000


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (" a  5 b", " a 5  b"),
        (" a\t5\t\tb", " a\t\t5\tb"),
        (" a 5", " a (5)"),
        (" a 5", " a x5"),
        (" a 5 b", " a b"),
        (" a 5", " a "),
        (" a =5", " a= 5"),
        (" web5x", " webx5"),
        (" " + "w" * 70 + "5 b", " " + "w" * 70 + " 5b"),
    ],
)
def test_where_a_word_with_digits_stood_tells_lines_apart(one: str, other: str) -> None:
    data = f"{iso(1)}{one}\n{iso(1)}{other}".encode()
    classes = classes_by([finder_in(iso(0))])
    for _ in ("as this processor can", "as a lesser one can", "as any can"):
        first, second = classes.scan(data, len(data), 0, 2).classes.tolist()
        assert first != second
        classes.step_down()


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_what_a_block_holds_is_as_python_says(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, classes, bad = Random(3), classes_by([]), 0
    edges = ("a", "zz zz zz z", "\n", "\x1b", "é", "€", "😀", "\u0800", "\ud7ff", "\ue000", "\U00010000", "\U0010ffff")
    for _ in range(3000):
        data = bytearray("".join(rng.choices(edges, k=rng.randrange(9))).encode())
        for _ in range(rng.choice((0, 0, 1, 2)) if data else 0):
            data[rng.randrange(len(data))] = rng.choice(b"\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xe0\xed\xf0\xf4\xf5\xff")
        some = bytes(data)
        assert classes.is_utf8(some, len(some)) == is_utf8(some)
        bad += not is_utf8(some)
        found = native.looked_at(some)
        with monkeypatch.context() as patched:
            patched.setattr(native, "library", lambda: None)
            assert native.looked_at(some) == found
    assert bad > 500
    assert classes.is_utf8("é".encode(), 1) is False
    assert native.looked_at(b"\n" * 1000 + b"\x1b")[0] == 1000
