"""A log of few statements with very many different words: names, addresses, paths and free text without a digit.

What is compared is nothing new but one statement, though nearly all messages are said but once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

from benchmarks.corpora.stream import Written, answers

VOCABULARY = 5_000
LATE = "payment of {} declined by {} after # ms"
"""It is said from the change on only."""
_SAID = (
    "user {} searched for {} {} {} in # ms",
    "sent mail to {}@{}.example.com about {} {} {}",
    "cache miss for key {}:{}",
    "indexed document {}-{}-{} titled {} {} {} {}",
    "order # placed by {}",
    "call to {} for {} ended with an error after # ms",
)
_PATHS = ("/products/{}-{}-{}", "/search/{}/{}", "/static/{}/{}.js", "/orders/#")
_MONTH = "Mar"


def write_words(path: Path, megabytes: int, seed: int = 11) -> Written:
    """Write such a log, of three layouts by turns, over the time of the other corpora's."""
    rng, truth, size, lines = Random(seed), answers("service"), 0, 0
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(3, 9))) for _ in range(VOCABULARY)]
    length, wanted = (truth.end - truth.start), megabytes * 1_000_000
    with path.open("w", encoding="utf-8") as out:
        while size < wanted:
            at = truth.start + length * (size / wanted)
            said = LATE if at >= truth.change and rng.random() < 0.02 else rng.choice(_SAID)
            layout = rng.randrange(3)
            if layout == 0:
                line = (
                    f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03d} INFO  [worker-{rng.randint(1, 16)}] shop - "
                )
                line += _filled(said, words, rng)
            elif layout == 1:
                line = f"{_MONTH} {at.day:2d} {at:%H:%M:%S} web{rng.randint(1, 9)} shop[{rng.randint(100, 30_000)}]: "
                line += _filled(said, words, rng)
            else:
                line = f"10.0.{rng.randrange(256)}.{rng.randrange(256)} - - [{at:%d}/{_MONTH}/{at:%Y:%H:%M:%S} +0000] "
                status = rng.choices((200, 304, 404, 500), (90, 6, 3, 1))[0]
                line += f'"GET {_filled(rng.choice(_PATHS), words, rng)} HTTP/1.1" {status} {rng.randint(100, 99_999)} '
                line += f'"https://{rng.choice(words)}.example.com/" "Mozilla/5.0"'
            size += out.write(line + "\n")
            lines += 1
    return Written(size, lines, lines, 0)


def _filled(text: str, words: list[str], rng: Random) -> str:
    parts: list[str] = []
    fill: dict[str, Callable[[], str]] = {"{": lambda: rng.choice(words), "#": lambda: str(rng.randint(1, 99_999))}
    for char in text.replace("{}", "{"):
        parts.append(fill[char]() if char in fill else char)
    return "".join(parts)
