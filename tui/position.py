"""Where a person was in a session, kept lightly beside it: a lost or torn file costs the place, never more."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

FILE = "screen.json"
_MOST = 4096


@dataclass(frozen=True)
class Position:
    """What is kept."""

    place: str = "orchestrator"
    """`board`, or an agent's name."""
    zoomed: bool = False
    seen: int = 0
    """The last event that was on a screen: what came after is unread."""
    left: bool = False
    """The person left while it worked: it goes on when it is opened again."""


def read(directory: Path) -> Position:
    """Return what is kept in a session's folder; the default where nothing usable is."""
    try:
        with open(directory / FILE, "rb") as file:
            raw = json.loads(file.read(_MOST))
        kept = {one.name: raw[one.name] for one in fields(Position) if type(raw.get(one.name)) is _TYPES[one.name]}
        return Position(**kept)
    except (OSError, ValueError, TypeError, AttributeError):
        return Position()


_TYPES: dict[str, type] = {"place": str, "zoomed": bool, "seen": int, "left": bool}


def write(directory: Path, position: Position) -> None:
    """Keep a position, whole or not at all; a disk that takes nothing more stops nothing."""
    spare = directory / f".{FILE}.{os.getpid()}"
    with suppress(OSError):
        handle = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            json.dump(asdict(position), file)
        os.replace(spare, directory / FILE)
        return
    with suppress(OSError):
        spare.unlink(missing_ok=True)
