"""`warroom audit`: who or what did, asked, decided, redacted and sent what, when, with hashes, from the journal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from orchestrator.journal.audit import Audit, AuditLine, Ending, Wanted
    from orchestrator.journal.chain import Damage

NOT_WHOLE = 1
"""Exit status: what is there was printed, and not all of it is proved."""
_CHUNK_LINES = 500
_VALUE_LIMIT = 200
_PLAIN = re.compile(r"[\w:./@+#=~%-]+\Z")
_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")


@click.command(
    epilog="""\b
Example:
  warroom audit 20260301 --type 'warroom.approval_*' --type warroom.fix_delivered
  warroom audit 20260301 --json | jq 'select(.who == "person")'
  warroom audit --outside

Exit status: 0 the whole record is proved, 1 it is not (what is wrong is named), 2 unusable arguments."""
)
@click.argument("session", required=False)
@click.option(
    "--outside", "others", is_flag=True, help="What was sent or removed outside of sessions, as by `agents sync`."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON lines, with whole hashes and digests.")
@click.option("--since", type=click.IntRange(1), default=1, metavar="SEQ", help="Begin with this event.")
@click.option("--type", "types", multiple=True, metavar="GLOB", help="Only events of such types; repeatable.")
def audit(session: str | None, others: bool, as_json: bool, since: int, types: tuple[str, ...]) -> int:
    """Print who or what did, asked, decided, redacted and sent what in SESSION, one line per act.

    Times are UTC. It is read from the journal alone, also while the session runs, and ends with whether the chain of
    hashes holds from the first event to the last. The start of the session's id is enough.

    The chain shows accidents and edits. Whoever may write as you can make a whole new record: to show that too, keep
    the last line, the head, somewhere else.
    """
    from orchestrator.journal.audit import Audit
    from orchestrator.journal.reader import JournalReader
    from tui.commands.faults import Fault
    from tui.commands.opening import clear_faults, session_folder
    from tui.commands.output import to_stdout

    _refuse_unknown(types)
    if others == (session is not None):
        raise Fault("name a session, or give --outside for what was done outside of sessions")
    if session is None:
        return _outside(as_json, lambda seq, kind: seq >= since and _chosen(kind, types))
    with clear_faults(), JournalReader.open(session_folder(session)) as reader:
        made = Audit(reader, lambda seq, kind: seq >= since and _chosen(kind, types))
        chunk: list[str] = []
        for line in _as_json(made) if as_json else _as_text(made):
            chunk.append(line)
            if len(chunk) == _CHUNK_LINES:
                to_stdout("\n".join(chunk) + "\n")
                chunk.clear()
        to_stdout("\n".join(chunk) + "\n")
        return 0 if made.ending().whole else NOT_WHOLE


def _outside(as_json: bool, wanted: Wanted) -> int:
    from orchestrator.journal.chain import Damage
    from orchestrator.journal.home import StateHome
    from orchestrator.journal.outside import outside
    from tui.commands.opening import clear_faults
    from tui.commands.output import to_stdout

    count = unread = 0
    with clear_faults():
        for item in outside(StateHome.locate().path):
            if isinstance(item, Damage):
                unread += 1
                line = _line({"record": "damage", **_damage(item)}) if as_json else f"{'-':>7}  {item.words}"
            elif wanted(item.seq, item.type):
                count += 1
                line = _line({"record": "outside", **vars(item)}) if as_json else _text_line(item)
            else:
                continue
            to_stdout(line + "\n")
    if not as_json:
        to_stdout(f"\n{count} acts outside of sessions; no chain of hashes proves that none was taken out\n")
    return NOT_WHOLE if unread else 0


def _chosen(kind: str, types: tuple[str, ...]) -> bool:
    return not types or any(fnmatchcase(kind, glob) for glob in types)


def _refuse_unknown(types: tuple[str, ...]) -> None:
    from orchestrator.journal.audit_words import NOT_AUDITED
    from orchestrator.journal.events import KNOWN_TYPES
    from tui.commands.faults import Fault

    for glob in types:
        found = {kind for kind in KNOWN_TYPES if fnmatchcase(kind, glob)}
        if not found:
            raise Fault(f"--type {glob!r}: no type is named so; `warroom schema events` has them")
        if found <= set(NOT_AUDITED):
            kind = min(found)
            raise Fault(f"--type {glob!r}: {kind} is not audited: {NOT_AUDITED[kind]}")


# -- as text -----------------------------------------------------------------------------------


def _as_text(made: Audit) -> Iterator[str]:
    from orchestrator.journal.chain import Damage

    for item in made.lines():
        yield f"{'-':>7}  {item.words}" if isinstance(item, Damage) else _text_line(item)
    yield ""
    yield from _closing(made.ending())


def _text_line(line: AuditLine) -> str:
    from orchestrator.journal.text import clean

    about = ", ".join(f"{name} {_value(value)}" for name, value in line.about.items())
    at = line.ts[:23].replace("T", " ")
    said = f"{line.seq:>7}  {at}Z  {line.hash[:12]:<12}  {_value(line.who):<12}  {line.did}"
    doubt = f"  [NOT PROVED: {line.doubt}]" if line.doubt else ""
    return str(clean(f"{said}: {about}{doubt}" if about else said + doubt, newlines=False))


def _value(value: Any) -> str:
    """Return a value for a line; what is more than a word is quoted, so that no text can pass for another field."""
    text = _DIGEST.sub(r"\1", value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text if len(text) <= _VALUE_LIMIT else text[: _VALUE_LIMIT - 1] + "…"
    return text if _PLAIN.match(text) or not isinstance(value, str) else json.dumps(text, ensure_ascii=False)


def _closing(end: Ending) -> Iterator[str]:
    from orchestrator.journal.text import clean

    if end.newer:
        yield f"written by a newer warroom (log version {end.version}): events that this one does not know are digests"
    if end.live:
        yield f"open in another warroom: what it records after event {end.events} is not in this audit"
    if end.damage:
        proved = f"events 1 to {end.proved} of {end.events} are" if end.proved else f"none of {end.events} events is"
        yield f"chain verified from 1 to {end.events}: no, {proved} proved"
        yield from (f"  {clean(damage.words, newlines=False)}" for damage in end.damage[:20])
        if len(end.damage) > 20:
            yield f"  and {len(end.damage) - 20} more"
    else:
        yield f"chain verified from 1 to {end.events}: yes"
    yield f"head anchor matches: {_anchor(end)}"
    if end.lost:
        yield f"results beside the journal: {end.lost} gone, or not what was stored; their lines say so"
    if end.recorded_as:
        yield f"NOT THIS SESSION'S: the record says that it is of {clean(end.recorded_as, newlines=False, limit=100)}"
    yield f"head: event {end.proved}, {end.head}"


def _anchor(end: Ending) -> str:
    from orchestrator.journal.text import clean

    if end.anchor:
        return f"no, {clean(end.anchor, newlines=False)}"
    return f"event {end.anchored}; {end.loose}" if end.loose else "yes"


# -- as JSON lines -----------------------------------------------------------------------------


def _as_json(made: Audit) -> Iterator[str]:
    from orchestrator.journal.chain import Damage

    for item in made.lines():
        if isinstance(item, Damage):
            yield _line({"record": "damage", **_damage(item)})
        else:
            yield _line({"record": "act", **vars(item), "proved": not item.doubt})
    end = made.ending()
    whole = {"record": "end", **vars(end), "damage": [_damage(item) for item in end.damage]}
    whole |= {"loose": end.loose, "whole": end.whole}
    yield _line(whole)


def _damage(item: Damage) -> dict[str, Any]:
    return {"kind": item.kind, "first": item.first, "last": item.last, "words": item.words}


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record).replace("\x7f", "\\u007f")  # ASCII only: a terminal obeys nothing in it
