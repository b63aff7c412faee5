"""Masked keys as numbered words: the compiled way and the other are one."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NoReturn

import numpy as np
import pytest

from subagents.logs import numbering
from subagents.logs.heads import head_of
from subagents.logs.levels import ERROR, INFO, UNKNOWN
from subagents.logs.native import library
from subagents.logs.numbering import KeyWords, Numbered, numbered
from subagents.logs.phrases import phrased
from tests.thinned import thinned

PIECES = (
    *('"', "'", " ", "  ", "\\", "=", ":", "a", "word", "*", "*)", "ms", "ms,", "s).", "for", "of", "user", "role"),
    *("alice", "msg=", "Event: ", "text ", "\n", "\t", "\x1c", "\0", "\x01", "\x02", "(", ")", ".", ",", "é", "Jun"),
    *(" * ms ", " for user ", " for user * ", 'log=" a b"', " 5", "kB", " * KB) ", "in the ", "x" * 70, "y" * 131),
    *("|", "a|*", "b=*|c "),
)
HEADS = (
    *("ERROR", "INFO ", " WARN", "[main] ", "[a b]", "[*", "[x*y] ", " --- ", ": ", ":|", "|", ", ", " -- ["),
    *(" ---- [", "--- [", "]", "[", "-", "level=error ", "error: ", "lvl=odd ", "[T] ", "I ", "<warn>", "debug * "),
    *("\x1c", "\t", "   ", "at ", "z" * 58),
)
DATES = (
    *("Jun", "June", "Mon", "Mon,", "Sunday", "May.", "Sept", "Jan,", "Monday.", "*", "*,", "x*", "*)", " ", " ", "  "),
    *(" * Jul ", "Tue, Jan. *", " Jan *", "-", "_", "a", ".", "Thu *", "March *:", "\t", "(", "3"),
)
compiled_or_not = pytest.mark.parametrize("compiled", [True, False])


def _choose(monkeypatch: pytest.MonkeyPatch, compiled: bool) -> None:
    if compiled and library() is None:
        pytest.skip("this install has no compiled library")
    if not compiled:
        monkeypatch.setattr(numbering, "library", lambda: None)


def _words(found: Numbered) -> list[tuple[str, ...]]:
    known = list(found.vocabulary)
    return [
        tuple(known[word] for word in found.words[start : start + size].tolist())
        for start, size in zip(found.starts.tolist(), found.sizes.tolist(), strict=True)
    ]


def _made(rng: Random, pieces: Sequence[str], most: int) -> str:
    return "".join(rng.choice(pieces) for _ in range(rng.randrange(most)))


@compiled_or_not
@pytest.mark.parametrize("seed", thinned((5, 8, 9), 3))
def test_numbered_words_are_the_words_of_the_messages(
    monkeypatch: pytest.MonkeyPatch, seed: int, compiled: bool
) -> None:
    _choose(monkeypatch, compiled)
    rng = Random(seed)
    texts = [_made(rng, PIECES, 40) for _ in range(1_000)]
    texts += [_made(rng, DATES, 12) for _ in range(2_000)]
    texts += ["", "*", " ", *(f"w{n} {'z' * (n % 300)}" for n in range(14_000))]
    assert _words(numbered(texts, [UNKNOWN] * len(texts))) == [phrased(text) for text in texts]
    assert _words(numbered([], [])) == []


@compiled_or_not
@pytest.mark.parametrize("seed", thinned((6, 8, 9), 3))
def test_numbered_keys_are_what_is_left_of_them_without_their_heads(
    monkeypatch: pytest.MonkeyPatch, seed: int, compiled: bool
) -> None:
    _choose(monkeypatch, compiled)
    rng = Random(seed)
    keys = [_made(rng, HEADS, 6) + _made(rng, (*HEADS, *PIECES), 12) for _ in range(2_000)]
    keys += ["", " ", "ERROR", "ERROR ", *(f"[x] INFO [worker {n}] done" for n in range(13_000))]
    levels = [rng.choice((UNKNOWN, UNKNOWN, INFO)) for _ in keys]
    asked = np.array(levels) == UNKNOWN
    found = KeyWords().numbered(keys, np.arange(len(keys)), np.array(levels), asked)
    heads = [head_of(key, level) for key, level in zip(keys, levels, strict=True)]
    assert found.levels.tolist() == [level for level, _ in heads]
    assert _words(found) == [phrased(message) for _, message in heads]
    assert sum(level == ERROR for level, _ in heads) > 100 < sum("\x02[" in message for _, message in heads[:2_000])


def test_where_the_library_has_no_memory_for_words_it_is_left_to_python(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object) -> NoReturn:
        raise MemoryError

    _choose(monkeypatch, compiled=True)
    texts, words = ["kept", "took * ms", "é"], KeyWords()
    asked = np.zeros(len(texts), np.bool_)
    words.take(texts[:1], asked[:1])
    monkeypatch.setattr("subagents.logs.native.words.Keys.numbers", no_memory)
    found = words.numbered(texts, np.arange(3), np.full(3, UNKNOWN), asked)
    assert _words(found) == [("kept",), ("took", "*"), ("é",)]
    monkeypatch.setattr("subagents.logs.native.words.Words.__init__", no_memory)
    assert _words(numbered(texts, [UNKNOWN] * 3)) == [("kept",), ("took", "*"), ("é",)]


@compiled_or_not
def test_keys_taken_as_they_come_are_numbered_as_all_at_once(monkeypatch: pytest.MonkeyPatch, compiled: bool) -> None:
    _choose(monkeypatch, compiled)
    rng = Random(7)
    keys = [_made(rng, HEADS, 6) + _made(rng, (*HEADS, *PIECES), 12) for _ in range(3_000)]
    first = np.array([rng.choice((UNKNOWN, INFO)) for _ in keys])
    last = np.where(np.arange(len(keys)) % 9 == 4, INFO + UNKNOWN - first, first)  # of some it turns out otherwise
    order = np.array(rng.sample(range(len(keys)), 2_500))
    words = KeyWords()
    for start in range(0, 2_800, 700):  # the last ones come at the end
        words.take(keys[start : start + 700], first[start : start + 700] == UNKNOWN)
    found = words.numbered(keys, order, last[order], last[order] == UNKNOWN)
    heads = [head_of(keys[place], last[place]) for place in order.tolist()]
    assert _words(found) == [phrased(message) for _, message in heads]
    assert found.levels.tolist() == [level for level, _ in heads]
