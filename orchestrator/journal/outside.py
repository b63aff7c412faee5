"""What happened outside of any session that is still there: requests such as those of `warroom agents sync`, deletions.

Both logs of the state directory, as acts of an audit. Each line is on its own: nothing chains them, so a line that
somebody took away is not missed.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
from pydantic import JsonValue

from orchestrator.journal.audit import AuditLine
from orchestrator.journal.audit_words import PERSON, Said, say
from orchestrator.journal.chain import Damage
from orchestrator.journal.deeds import LOG as DEEDS
from orchestrator.journal.events import Egress

LOG, OLDER = "egress.log", "egress.log.1"
_LINE_LIMIT = 64 * 1024
_DEED = "deed"

Stamped = tuple[str, AuditLine | Damage]


def outside(home: Path) -> Iterator[AuditLine | Damage]:
    """Yield what the state directory has on record outside of sessions, oldest first; a line that is none, a Damage.

    Raises OSError where a log cannot be read.
    """
    requests = (item for name in (OLDER, LOG) for item in _lines(home / name))
    for _, item in heapq.merge(requests, _lines(home / DEEDS), key=lambda stamped: stamped[0]):
        yield item


def _lines(path: Path) -> Iterator[Stamped]:
    """Yield what a log holds with the time of each, or of the one before where it has none that can be read."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    ts, number = "", 0
    with file:
        while raw := file.readline(_LINE_LIMIT):
            number += 1
            item = _act(number, raw, path.name)
            ts = item.ts if isinstance(item, AuditLine) else ts
            yield ts, item


def _act(number: int, raw: bytes, name: str) -> AuditLine | Damage:
    try:
        stored = dict(orjson.loads(raw))
        ts = str(stored.pop("ts"))
        kind, said = (_DEED, _deed(stored)) if name == DEEDS else ("warroom.egress", say(Egress.model_validate(stored)))
    except (ValueError, TypeError, KeyError):
        return Damage("unreadable", number, number, f"a line of {name} that is no record")
    about: dict[str, JsonValue] = {name: value for name, value in said.about.items() if value not in (None, "")}
    return AuditLine(number, ts, "", kind, said.who, said.did, about, hash="")


def _deed(stored: Mapping[str, Any]) -> Said:
    return Said(PERSON, str(stored["did"]), {name: value for name, value in stored.items() if name != "did"})
