"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from subagents.quantities import figure


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (2.2449, "2.24"),
        (97.14, "97.1"),
        (999.6, "1000"),
        (2000.8, "2001"),
        (-12345.6, "-12346"),
        (12e-5, "0.00012"),
    ],
)
def test_three_digits_and_large_ones_in_full(value: float, shown: str) -> None:
    assert figure(value) == shown


def test_more_digits_and_what_is_no_number() -> None:
    assert figure(97.1449, 4) == "97.14"
    assert figure(123456.7, 4) == "123457"
    assert (figure(math.inf), figure(math.nan)) == ("inf", "nan")
