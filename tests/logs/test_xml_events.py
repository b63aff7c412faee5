"""Events of Windows as XML: with a message or without, among other lines, whatever is missing."""

from __future__ import annotations

from pathlib import Path

from subagents.logs.sources.timestamps import moment
from tests.logs.builders import NOON, read, write


def event(level: str, rest: str) -> str:
    head = '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="Cart"/>'
    time = f'<TimeCreated SystemTime="{NOON:%Y-%m-%dT%H:%M:%S}.1234567Z"/>'
    return f"{head}<EventID Qualifiers='0'>7031</EventID>{level}{time}{rest}</Event>"


def test_what_an_event_says_stands_in_its_elements(tmp_path: Path) -> None:
    _, events = read(write(tmp_path, "x.log", [
        event("<Level>2</Level>", "<Computer>web-1</Computer></System><Message>lost</Message>"),
        event("<Level>3</Level>", "</System><EventData><Data Name='a'>C:</Data><Data>full</Data></EventData>"),
        event("<Level>9</Level>", "</System>"),
        event("", "</System>"),
        "<Event>2026-03-01T12:00:00Z not one of them",
    ]))  # fmt: skip
    assert [(one["level"], one["service"], one["host"], one["text"].strip()) for one in events[:4]] == [
        (5, "Cart", "web-1", "lost"), (4, "Cart", None, "7031 C: full"), (3, "Cart", None, "7031"),
        (3, "Cart", None, "7031"),
    ]  # fmt: skip
    assert {moment(one["t"]).replace(microsecond=0) for one in events} == {NOON}
