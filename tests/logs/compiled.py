"""The compiled library by itself, told how to find the stamps that lines show."""

from __future__ import annotations

from collections.abc import Sequence

from subagents.logs.native import Classes, Finder, library
from subagents.logs.sources.finders import finder_of
from subagents.logs.sources.timestamps import find_stamp, shape_of
from tests.logs.builders import NOON


def finder_in(line: str) -> Finder:
    """Return what finds the stamp of a line."""
    stamp = find_stamp(line)
    assert stamp is not None
    finder = finder_of(shape_of(stamp, None), NOON)
    assert finder is not None
    return finder


def classes_by(finders: Sequence[Finder], origins: int = 0) -> Classes:
    """Return new classes of lines whose stamps are found so."""
    compiled = library()
    assert compiled is not None
    classes = Classes(compiled)
    classes.find_by(finders, origins)
    return classes
