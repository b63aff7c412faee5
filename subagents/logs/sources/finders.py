"""Shapes of stamps as the compiled first stage finds them: by places of bytes instead of expressions."""

from __future__ import annotations

from datetime import datetime

from subagents.logs.native import (
    ANY_DIGIT,
    IN_MONTH,
    IN_WEEKDAY,
    MONTH,
    PLACES,
    SPACE_OR_DIGIT,
    WEEKDAY,
    Finder,
)
from subagents.logs.sources import weekdays
from subagents.logs.sources.stamp_columns import EPOCH_DAY, WIDTHS, parts_of, places
from subagents.logs.sources.timestamps import Shape, zone_minutes

_EPOCH_DIGITS = (10, 13, 16, 19)


def finder_of(shape: Shape, hint: datetime, field: str = "") -> Finder | None:
    """Return how lines of a shape are found; `field` is the JSON field that holds the stamp. None for odd shapes."""
    epoch = shape.kind.name == "epoch"
    body = _digits(shape.length) if epoch else _template(shape)
    at = () if epoch else places(shape)
    if body is None or at is None or (epoch and shape.length not in _EPOCH_DIGITS):
        return None
    found = Finder(
        start=0 if field else shape.start,
        json=bool(field),
        fraction=shape.frac,
        naive=(1 + shape.kind.has_halves) * (not shape.zone and not (epoch and shape.frac)),
        epoch=shape.length if epoch else 0,
        year=0 if shape.kind.year else hint.year,
        days=-1 if shape.kind.date else hint.toordinal() - EPOCH_DAY,
        zone_us=(zone_minutes(shape.zone) or 0) * 60_000_000,
        within=next((int(name[0]) for name, _ in at if name[-1] == "f"), 0),
        words=shape.words,
        ragged=shape.kind.ragged,
        turn=shape.turn,
        bare=shape.is_bare,
        latest_us=int((hint.timestamp() + 2 * 86400) * 1e6),
    )
    where = {"d" if name == "e" else name[-1]: place for name, place in at}
    found.place[:] = [where.get(name, -1) for name in PLACES]
    anchor = f'"{field}"' if field else shape.anchor
    return found if found.texts(anchor.encode(), body, shape.zone.encode()) else None


def _digits(count: int) -> bytes:
    return bytes([ANY_DIGIT]) * count


def _template(shape: Shape) -> bytes | None:
    """Return the body byte by byte; None where its format has parts of other widths."""
    found = bytearray()
    for part in parts_of(shape.format):
        if part[0] != "%":
            found += part.encode()
        elif part == "%b":
            found += bytes([MONTH, IN_MONTH, IN_MONTH])
        elif part == "%e":
            found += bytes([SPACE_OR_DIGIT, ANY_DIGIT])
        elif part == "%k":
            found += bytes([ord(" "), ANY_DIGIT])
        elif part in weekdays.WIDTHS:
            found += bytes([WEEKDAY]) + bytes([IN_WEEKDAY]) * (weekdays.WIDTHS[part] - 1)
        elif part in WIDTHS:
            found += _digits(WIDTHS[part])
        else:
            return None
    return bytes(found) if len(found) == shape.length else None
