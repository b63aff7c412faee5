"""The one door for foreign text: nothing that a terminal obeys or hides comes out of `clean()`."""

from __future__ import annotations

import copy
import pickle
import random
import sys
import unicodedata

import pytest

from orchestrator.journal.text import CleanText, clean, hidden_count

BANNED = ("Cc", "Cf", "Cs", "Zl", "Zp")
ESC = "\x1b"

# The 25 classes of T1: what comes in, and what must come out.
CLASSES: dict[str, tuple[str, str]] = {
    "csi colour": (f"a{ESC}[31mred{ESC}[0mb", "aredb"),
    "csi clear screen": (f"{ESC}[2J{ESC}[Hx", "x"),
    "osc title": (f"{ESC}]0;owned\x07x", "x"),
    "osc link": (f"{ESC}]8;;http://e{ESC}\\text{ESC}]8;;{ESC}\\", "text"),
    "osc clipboard": (f"{ESC}]52;c;cm0gLXJm{ESC}\\x", "x"),
    "dcs": (f"{ESC}P1;2|body{ESC}\\x", "x"),
    "apc": (f"{ESC}_Gf=100;AAAA{ESC}\\x", "x"),
    "pm": (f"{ESC}^secret{ESC}\\x", "x"),
    "sos": (f"{ESC}Xsecret{ESC}\\x", "x"),
    "c1 csi": ("\x9b31mred", "red"),
    "c1 osc": ("\x9d0;title\x9cx", "x"),
    "backspace": ("rm\b\bls", "rm␈␈ls"),
    "carriage return": ("safe\rEVIL", "safe␍EVIL"),
    "shift out and in": ("\x0ea\x0f", "␎a␏"),
    "nul": ("a\x00b", "a␀b"),
    "delete": ("a\x7fb", "a␡b"),
    "bidi override": ("a\u202eb", r"a\u{202e}b"),
    "bidi isolate": ("a\u2066b\u2069", r"a\u{2066}b\u{2069}"),
    "zero width": ("a\u200bb\u200d\ufeff", r"a\u{200b}b\u{200d}\u{feff}"),
    "tags": ("a\U000e0041\U000e007f", r"a\u{e0041}\u{e007f}"),
    "lone surrogate": ("a\ud800b", "a\ufffdb"),
    "line separators": ("a\u2028b\u2029c\x85d", r"a\u{2028}b\u{2029}c\u{85}d"),
    "combining pile": ("e" + "\u0301" * 200, "e" + "\u0301" * 4 + r"\u{+196}"),
    "variation selectors": ("a\ufe01\ufe02\U000e0100", r"a\u{fe01}\u{fe02}\u{e0100}"),
    "unterminated": (f"{ESC}]0;title and all the rest", "␛]0;title and all the rest"),
}


def leaks(text: str) -> list[str]:
    return [f"U+{ord(c):04x}" for c in text if c != "\n" and unicodedata.category(c) in BANNED]


@pytest.mark.parametrize("name", CLASSES)
def test_each_class_of_payload_is_stripped_or_shown(name: str) -> None:
    given, wanted = CLASSES[name]
    assert clean(given) == wanted
    assert leaks(clean(given)) == []
    assert hidden_count(given) > 0
    assert clean(clean(given)) == clean(given)


@pytest.mark.parametrize("name", CLASSES)
def test_exact_takes_nothing_away(name: str) -> None:
    given, _ = CLASSES[name]
    shown = clean(given, exact=True)
    assert leaks(shown) == []
    remaining = iter(shown)
    assert all(c in remaining for c in given if c.isascii() and c.isprintable())


def test_every_banned_code_point_of_this_python_is_covered() -> None:
    everything = "".join(chr(code) for code in range(sys.maxunicode + 1))
    assert leaks(clean(everything)) == []


def test_benign_text_is_untouched() -> None:
    for text in (
        "plain line\nsecond",
        "größe → 5 µs ─── ✓ 漢字 नमस्ते ก็",
        "I ❤\ufe0f it",
        "[TODO] [/b] [@click=app.quit]x[/]",
    ):
        assert clean(text) == text
        assert hidden_count(text) == 0


def test_markup_is_left_literal() -> None:
    for text in ("[/b]", "[TODO]", "[@click=app.quit]z[/]", "[link=http://x]y[/link]", "[", "\\[", ":smile:"):
        assert clean(text) == text


def test_tabs_and_line_ends() -> None:
    assert clean("a\tb\r\n\tc") == "a       b\n        c"
    assert clean("a\nb", newlines=False) == "a␊b"
    assert clean("a\r\nb", exact=True) == "a␍\nb"


def test_bytes_are_read_as_utf8_and_bad_ones_show() -> None:
    assert clean(b"ok \xff\xfe \xc3\xa9") == "ok \ufffd\ufffd é"


def test_limit_cuts_visibly_and_is_stable() -> None:
    assert clean("abcdef", limit=4) == "abc…"
    assert clean("abcd", limit=4) == "abcd"
    assert clean("abc", limit=0) == ""
    assert len(clean("\u202e" * 100_000, limit=50)) == 50
    assert clean(f"{ESC}[31m" * 100_000 + "tail", limit=10).endswith("…")
    assert clean(clean("abcdef", limit=4), limit=4) == "abc…"


def test_what_an_escape_hid_cannot_join_up_again() -> None:
    assert leaks(clean(f"{ESC}[3{ESC}[0m1mx")) == []
    assert clean("e" + "\u0301" * 3 + f"{ESC}[m" + "\u0301" * 3) == "e" + "\u0301" * 4 + r"\u{+2}"


def test_unterminated_string_does_not_swallow_the_next_line() -> None:
    assert clean(f"{ESC}]0;x\nERROR real\x07") == "␛]0;x\nERROR real␇"


def test_only_clean_makes_clean_text() -> None:
    make: type = CleanText
    with pytest.raises(TypeError, match=r"clean\(\)"):
        make("\x1b[31m")
    text = clean("a\u202eb")
    assert type(text) is CleanText
    assert type(copy.copy(text)) is CleanText
    assert pickle.loads(pickle.dumps(text)) == text  # noqa: S301 - our own bytes
    assert clean(text) is text


def test_hidden_count_counts_characters() -> None:
    assert hidden_count("a\u202eb\u200b") == 2
    assert hidden_count(f"{ESC}[31mx") == 5
    assert hidden_count("a\tb\r\nc") == 0
    assert hidden_count(b"a\x00") == 1
    assert hidden_count(clean("a\u202eb\x00")) == 0


def hostile(rng: random.Random) -> str:
    pieces = [
        "[",
        "]",
        "P",
        "31m",
        ";",
        "0",
        "a",
        " ",
        *"\x1b\\\x07\x9b\x9d\x9c\n\r\t\x85\x00",
        *"é\u202e\u0301\ufe0f❤漢\u0e31",
    ]
    pieces += ["\U000e0041", "\ud800", "\udc00", "\u2028"]
    if rng.random() < 0.3:
        pieces = [*pieces, chr(rng.randrange(sys.maxunicode + 1))]
    return "".join(rng.choice(pieces) for _ in range(rng.randrange(1, 30)))


def fuzz(seed: int, count: int) -> None:
    rng = random.Random(seed)
    for _ in range(count):
        given = hostile(rng)
        for exact in (False, True):
            shown = clean(given, exact=exact)
            assert leaks(shown) == [], ascii(given)
            assert clean(str(shown)) == shown, ascii(given)
        assert hidden_count(str(clean(given))) == 0, ascii(given)


def test_fuzz_leaks_nothing_and_is_idempotent() -> None:
    fuzz(1, 20_000)


@pytest.mark.soak
def test_long_fuzz() -> None:
    fuzz(2, 200_000)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "unit", [f"{ESC}[", f"{ESC}]0;", "\x9d", f"{ESC}[0", "\u0301", "\u202e", "─", "\r", f"{ESC}P\x1b", "\t", "\ufe0f"]
)
def test_a_text_of_nothing_but_spite_ends(unit: str) -> None:
    assert leaks(clean(unit * (300_000 // len(unit)))) == []


def test_a_naive_cleaner_leaks() -> None:
    """Teeth: what libraries strip by themselves (BEL, BS, VT, FF, CR) leaves most classes."""
    naive = str.maketrans(dict.fromkeys("\x07\x08\x0b\x0c\r"))
    leaking = [name for name, (given, _) in CLASSES.items() if leaks(given.translate(naive))]
    assert len(leaking) >= 15
