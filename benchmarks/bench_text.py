"""clean() and redact() beside what one would write first: a loop per character, and the same rules on `re`."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable

from orchestrator.journal import secret_forms
from orchestrator.journal.redaction import Redactor
from orchestrator.journal.text import clean

LINE = (
    "2026-01-05T10:00:01.123Z INFO checkout request_id=550e8400-e29b-41d4-a716-446655440000 GET /api/v1/orders/48213"
    " status=200 took 12ms sha=9fceb02d0ae598e95dc970b74767f19372d61af8\n"
)
ROUNDS = 3


def naive_clean(text: str) -> str:
    """Escape each character by its category, in a loop."""
    out = []
    for char in text:
        hidden = char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        out.append(f"\\u{{{ord(char):x}}}" if hidden else char)
    return "".join(out)


def naive_redact() -> Callable[[str], str]:
    """Apply the token and name rules one after the other with the backtracking engine."""
    rules = [re.compile(rb"\b(?:" + whole + rb")") for _, _, whole in secret_forms.PREFIXED]
    rules += [re.compile(whole) for _, whole in secret_forms.SHAPED]
    rules.append(re.compile(secret_forms.CONTEXT + rb"\S+"))

    def redact(text: str) -> str:
        data = text.encode()
        for rule in rules:
            data = rule.sub(b"<redacted>", data)
        return data.decode()

    return redact


def rate(work: Callable[[str], object], text: str) -> float:
    """Return MB/s, the best of a few rounds."""
    best = 0.0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work(text)
        best = max(best, len(text.encode()) / 1e6 / (time.perf_counter() - start))
    return best


def main() -> None:
    """Print one line per kind of text: ours, the naive one, the ratio."""
    redactor = Redactor(["an-own-secret-value", "another/own+secret"], b"k" * 32)
    plain = LINE * 20_000
    texts = {
        "plain log": plain,
        "coloured log": "".join(f"\x1b[32mINFO\x1b[0m {LINE}" for _ in range(10_000)),
        "mixed script log": "".join(f"größe → 漢字 ✓ {LINE}" for _ in range(10_000)),
        "one secret in 100 lines": (LINE * 99 + f"password=hunter{2}hunter {LINE}") * 200,
        "nothing but bidi": "\u202e" * 300_000,
    }
    slow_redact = naive_redact()
    print(f"{'MB/s':24} {'clean':>8} {'loop':>8} {'ratio':>7} {'redact':>8} {'re':>8} {'ratio':>7}")
    for name, text in texts.items():
        ours, loop = rate(clean, text), rate(naive_clean, text[: 1 << 20])
        redact, plain_re = rate(redactor.redact, text), rate(slow_redact, text[: 1 << 20])
        cells = f"{ours:8.1f} {loop:8.1f} {ours / loop:6.1f}x {redact:8.1f} {plain_re:8.2f} {redact / plain_re:6.0f}x"
        print(f"{name:24} {cells}")
    lines = plain.splitlines()[:10_000]
    for name, work in (("clean", clean), ("redact", redactor.redact)):
        start = time.perf_counter()
        for line in lines:
            work(line)
        spent = time.perf_counter() - start
        print(f"{name}, line by line: {spent / len(lines) * 1e6:.2f} µs a line of {len(LINE) - 1} characters")


if __name__ == "__main__":
    main()
