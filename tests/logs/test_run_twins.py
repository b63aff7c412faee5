"""What stands below a stamped line counts as its twin does, which has other numbers, and as nothing else."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from subagents.logs.native import Classes
from subagents.logs.sources.run_twins import twin_below
from tests.logs.builders import iso
from tests.logs.compiled import classes_by, finder_in
from tests.thinned import thinned

pytestmark = pytest.mark.needs("compiled")


@pytest.fixture
def classes() -> Classes:
    return classes_by([finder_in(iso(0))])


def rest_of(classes: Classes, *lines: str) -> int:
    data = "\n".join([f"{iso(0)} failed", *lines, f"{iso(1)} next"]).encode()
    scan = classes.scan(data, len(data), 0, 100)
    rests = classes.runs(data, scan, np.array([0]), np.array([len(lines) + 1]))[1]
    return int(rests[0])


@pytest.mark.parametrize("seed", thinned(range(2, 5), 3))
def test_a_twin_counts_as_the_same_and_what_is_no_number_does_not(classes: Classes, seed: int) -> None:
    rng, letters = Random(seed), "abcdefxyzABCDEF0123456789_$.:-/ '=é"
    differed = 0
    for _ in range(1000):
        line = "e" + "".join(rng.choices(letters, k=rng.randrange(1, 60)))
        twin = twin_below(line.encode()).decode()
        differed += twin != line
        assert rest_of(classes, line) == rest_of(classes, twin), (line, twin)
        place = rng.randrange(len(line))
        if line[place] in "xyz_$.:-/ '=é":
            assert rest_of(classes, line) != rest_of(classes, line[:place] + "w" + line[place + 1 :])
    assert differed > 170


def test_numbers_count_where_a_line_is_indented_and_where_they_have_fewer_digits(classes: Classes) -> None:
    assert rest_of(classes, "took 12 ms") == rest_of(classes, "took 37 ms") != rest_of(classes, "took 7 ms")
    assert rest_of(classes, "took 12345 ms") == rest_of(classes, "took 123456 ms")
    assert rest_of(classes, "  line 12") != rest_of(classes, "  line 37")
    assert rest_of(classes, "V2 gone") != rest_of(classes, "V3 gone")
    assert rest_of(classes, "a", "b") != rest_of(classes, "ab") != rest_of(classes, "b", "a")
