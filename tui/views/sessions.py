"""The list of sessions as rows: how each stands, how old, what is unread, what waits for a decision, what it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tui.views.paint import Line, Row, Tone, fitted, flat, line
from tui.views.standing import CUT_OFF, TONES, standing, verdict_words

if TYPE_CHECKING:
    from orchestrator.journal.index import SessionRow

_VERDICT_TONES: dict[str | None, Tone] = {"inconclusive": "warn", None: "dim"}
_MARKS = {"done": "=", "over": "=", "stopped": "-", "waits for you": "!", "budget reached": "-", "not started": "·"}


def status_of(row: SessionRow, here: bool, live: bool) -> tuple[str, Tone]:
    """Return a session's status as words; one that says it runs and that nobody holds was cut off."""
    if row.problem:
        return "x damaged", "bad"
    if row.status in ("running", "rescheduling"):
        if here:
            return f"~ {standing(row.status, row.reason)}", "accent"
        return ("~ in another window", "accent") if live else (f"- {CUT_OFF}", "warn")
    words = standing(row.status, row.reason)
    return f"{_MARKS.get(words, 'x')} {words}", TONES.get(words, "warn" if words in _MARKS else "bad")


def age(at: datetime | None, now: datetime) -> str:
    """Return how long ago something was: `12 s`, `5 min`, `3 h`, `2 d`."""
    if at is None:
        return "-"
    seconds = max(0, int((now - at).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


WIDE = 110
"""Width from which approvals have a column of their own."""


def columns(width: int) -> str:
    """Return the heads of the columns for a width in cells."""
    if width < WIDE:
        return f"{'UPDATED':>8}  {'STATUS':<17}{'VERDICT':<19}INCIDENT"
    return f"{'UPDATED':>8}  {'STATUS':<20}{'VERDICT':<18}{'APPROVALS':<12}{'NEW':>5}         INCIDENT"


def session_rows(
    rows: Sequence[SessionRow],
    seen: Mapping[str, int],
    here: frozenset[str],
    live: frozenset[str],
    now: datetime,
    width: int = WIDE,
) -> tuple[Row, ...]:
    """Return one row per session. `seen`: last event read; `here`, `live`: running in this window, held by any."""
    made = _row if width >= WIDE else _narrow_row
    return tuple(made(one, seen.get(one.id, 0), status_of(one, one.id in here, one.id in live), now) for one in rows)


def _narrow_row(row: SessionRow, seen: int, status: tuple[str, Tone], now: datetime) -> Row:
    """What waits for a decision takes the place of the status; a mark says that there is something new."""
    decide = f"! {len(row.approvals)} to decide" if row.approvals else ""
    verdict, verdict_tone = verdict_words(row.verdict), _VERDICT_TONES.get(row.verdict, "good")
    head = line(
        (f"{age(row.updated, now):>7}  ", "dim"),
        (f"{fitted(decide or status[0], 16):<17}", "warn" if decide else status[1]),
        (f"{fitted(verdict, 17):<17}", verdict_tone),
        ("+ " if row.events > seen else "  ", "accent"),
        (f"{flat(row.incident)}  ", "accent"),
        (flat(row.problem or row.title), "strong"),
    )
    return Row(row.id, head, _detail(row))


def _row(row: SessionRow, seen: int, status: tuple[str, Tone], now: datetime) -> Row:
    words, tone = status
    verdict, verdict_tone = verdict_words(row.verdict), _VERDICT_TONES.get(row.verdict, "good")
    unread = max(0, row.events - seen)
    approvals = f"{len(row.approvals)} to decide" if row.approvals else ""
    head = line(
        (f"{age(row.updated, now):>7}  ", "dim"),
        (f"{words:<20}", tone),
        (f"{verdict:<18}", verdict_tone),
        (f"{approvals:<12}", "warn"),
        (f"{unread:>5} unread  " if unread else " " * 14, "accent"),
        (f"{flat(row.incident)}  ", "accent"),
        (flat(row.problem or row.title), "strong"),
        (f"  {flat(row.service)}" if row.service else "", "dim"),
    )
    return Row(row.id, head, _detail(row))


def _detail(row: SessionRow) -> tuple[Line, ...]:
    stamp = "%Y-%m-%d %H:%M UTC"
    pairs = (
        ("session", row.id),
        ("engine", row.engine),
        ("status", standing(row.status, row.reason)),
        ("created", row.created.strftime(stamp) if row.created else "-"),
        ("updated", row.updated.strftime(stamp) if row.updated else "-"),
        ("events", str(row.events)),
        ("server", f"{row.remote}{'' if row.hands else ', watched only'}" if row.remote else ""),
        ("problem", row.problem),
    )
    return tuple(line((f"{name:<9}", "dim"), flat(value)) for name, value in pairs if value)
