"""Messages as numbered words: the compiled way and the other are one."""

from __future__ import annotations

from random import Random

import pytest

from subagents.logs import numbering
from subagents.logs.native import library
from subagents.logs.numbering import numbered
from subagents.logs.phrases import phrased

PIECES = (
    *('"', "'", " ", "  ", "\\", "=", ":", "a", "word", "*", "*)", "ms", "ms,", "s).", "for", "of", "user", "role"),
    *("alice", "msg=", "Event: ", "text ", "\n", "\t", "\x1c", "\0", "\x01", "\x02", "(", ")", ".", ",", "é", "Jun"),
    *(" * ms ", " for user ", " for user * ", 'log=" a b"', " 5", "kB", " * KB) ", "in the ", "x" * 70, "y" * 131),
)


def _words(texts: list[str]) -> list[tuple[str, ...]]:
    vocabulary, words, starts, sizes = numbered(texts)
    known = list(vocabulary)
    return [
        tuple(known[word] for word in words[start : start + size].tolist())
        for start, size in zip(starts.tolist(), sizes.tolist(), strict=True)
    ]


@pytest.mark.parametrize("compiled", [True, False])
def test_numbered_words_are_the_words_of_the_messages(monkeypatch: pytest.MonkeyPatch, compiled: bool) -> None:
    if compiled and library() is None:
        pytest.skip("this install has no compiled library")
    if not compiled:
        monkeypatch.setattr(numbering, "library", lambda: None)
    rng = Random(5)
    texts = ["".join(rng.choice(PIECES) for _ in range(rng.randrange(40))) for _ in range(3_000)]
    texts += ["", "*", " ", *(f"w{n} {'z' * (n % 300)}" for n in range(9_000))]
    assert _words(texts) == [phrased(text) for text in texts]
    assert _words([]) == []


def test_a_library_that_cannot_number_words_leaves_it_to_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbering, "library", object)
    assert _words(["took * ms", "é"]) == [("took", "*"), ("é",)]
