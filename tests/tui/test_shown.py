"""Rings and what is shown of them: numbers stay, lines and rows agree, however rows come, go, wrap and unfold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from tui.text import STYLES
from tui.views.paint import Row, line, span, text_of
from tui.views.ring import Ring
from tui.views.shown import MOST_LINES, WRAP_UP_TO, Shown, capped, wrap
from tui.widgets.painted import Painted

TEXTS = st.text(st.characters(codec="utf-8"), max_size=120)


def row(key: str, text: str = "", details: int = 0, wraps: bool = False) -> Row:
    return Row(key, line(text or key), tuple(line(f"detail {at}") for at in range(details)), wraps=wraps)


def ring_of(count: int, limit: int = 100) -> Ring:
    ring = Ring(limit)
    for number in range(count):
        ring.put(row(f"r{number}", details=number % 3))
    return ring


def test_numbers_stay_when_old_rows_go() -> None:
    ring = ring_of(250, limit=100)
    assert (ring.first, ring.end, len(ring)) == (150, 250, 100)
    assert ring[200].key == "r200"
    assert ring.number_of("r149") is None
    with pytest.raises(IndexError):
        ring[149]
    big = ring_of(10_000, limit=50)
    assert (big.first, len(list(big)), big[9_999].key) == (9_950, 50, "r9999")


def test_a_row_of_the_same_key_takes_its_place() -> None:
    ring = ring_of(5)
    assert ring.put(row("r2", "new")) == 2
    assert len(ring) == 5
    assert text_of(ring[2].line) == "new"


@given(st.integers(0, 40), st.sets(st.integers(0, 39)), st.booleans(), st.integers(30, 60))
def test_lines_and_rows_agree(count: int, unfolded: set[int], wraps: bool, width: int) -> None:
    shown = Shown(Ring())
    for number in range(count):
        shown.source.put(row(f"r{number}", f"row {number} " * 4, details=number % 3, wraps=wraps))
    for number in unfolded:
        if number < count:
            shown.toggle(f"r{number}")
    shown.update(width)
    places = [shown.locate(y) for y in range(shown.lines)]
    assert [index for index, sub in places if sub == 0] == list(range(count))
    assert places == sorted(places)
    for y, (index, sub) in enumerate(places):
        assert shown.line_of(index) + sub == y
        if wraps or sub:
            assert cell_len(text_of(shown.line_at(index, sub))) <= max(width, 8) + 2


def test_long_lists_have_one_line_per_row() -> None:
    shown = Shown(Ring())
    for number in range(WRAP_UP_TO + 1):
        shown.source.put(row(f"r{number}", "words and more words " * 5, details=2, wraps=True))
    shown.update(20)
    assert shown.lines == shown.rows
    shown.toggle("r300")
    shown.update(20)
    assert shown.lines == shown.rows + 2
    assert shown.locate(302) == (300, 2)
    assert shown.locate(303) == (301, 0)


def test_a_filter_counts_and_search_goes_round() -> None:
    shown = Shown(ring_of(30))
    shown.look_for("R1", filtering=True)
    shown.update(40)
    assert shown.rows == 11
    assert shown.index_of(2) is None
    assert shown.number_at(1) == 10
    shown.source.put(row("r100"))
    shown.update(40)
    assert shown.rows == 12
    shown.look_for("r1", filtering=False)
    shown.update(40)
    assert shown.rows == 31
    assert shown.next_match(19, 1) == 30
    assert shown.next_match(30, 1) == 1
    assert shown.next_match(1, -1) == 30
    shown.look_for("none such", filtering=False)
    assert shown.next_match(0, 1) is None


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["hit", "miss"])), max_size=80))
def test_a_filter_keeps_up_with_rows_that_come_change_and_go(puts: list[tuple[int, str]]) -> None:
    shown = Shown(Ring(12))
    shown.look_for("hit", filtering=True)
    for number, (key, text) in enumerate(puts):
        shown.source.put(row(f"r{key}", text))
        if number % 3:
            shown.update(40)
    shown.update(40)
    ring = shown.source
    wanted = [number for number in range(ring.first, ring.end) if "hit" in text_of(ring[number].line)]
    assert [shown.number_at(index) for index in range(shown.rows)] == wanted


@given(TEXTS, st.integers(8, 40))
def test_wrapping_loses_nothing_but_blanks(text: str, width: int) -> None:
    one = span(text)
    pieces = wrap((one,), width)
    assert "".join(text_of(piece).replace(" ", "") for piece in pieces) == one.text.replace(" ", "")
    for piece in pieces:
        assert cell_len(text_of(piece)) <= width or len(piece) <= 2


@pytest.mark.parametrize("width", range(12, 40))
def test_what_is_cut_says_so_at_every_width(width: int) -> None:
    painter = Painted()
    painter._tones = dict.fromkeys(STYLES, Style())
    (*_, last) = capped(wrap(line("words " * 60), width), MOST_LINES)
    drawn = "".join(one.text for one in painter.paint(last, width))
    assert cell_len(drawn) == width
    assert drawn.rstrip().endswith("…")
