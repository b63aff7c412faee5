"""What a person said to a session that a server keeps: on its way, queued there, heard, or dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from orchestrator.journal.events import Event, Mirrored, RemoteRequest, RemoteSession, SessionError, UserMessage
from orchestrator.journal.text import clean
from tui.views.paint import Row, Tone, flat, line

_SIGNED: Final = re.compile(r"\(warroom message (m-[0-9a-f]{16})\)\s*\Z")
_WORDS: Mapping[str, tuple[str, Tone]] = {
    "waiting": ("not sent yet  ", "warn"),
    "queued": ("queued  ", "warn"),
    "dropped": ("was dropped there, say it again  ", "bad"),
    "refused": ("was not taken  ", "bad"),
}
"""A state that is not here needs no mark: it was heard."""


@dataclass
class _Said:
    row: Row
    tab: str
    text: str
    state: str
    nonce: str = ""


class Queued:
    """Fed every event once, in order; marks the rows of messages. Without a server's session it marks nothing."""

    def __init__(self) -> None:
        self._remote = False
        self._said: list[_Said] = []

    @property
    def count(self) -> int:
        """How many messages were not heard yet."""
        return sum(one.state in ("waiting", "queued") for one in self._said)

    def mark(self, event: Event, row: Row, tab: str) -> Row:
        """Return the row of a message with what is known of it."""
        body = event.body
        if not isinstance(body, UserMessage):
            return row
        if event.stream != "local" and event.source_id:  # somebody else's: it comes again once it was heard
            row = replace(row, key=f"u{event.source_id}")
            return row if event.processed else _marked(row, "queued")
        if not self._remote:
            return row
        said = _Said(row, tab, flat(str(clean("\n".join(part.text for part in body.content)))), "waiting")
        self._said.append(said)
        return _marked(row, said.state)

    def learn(self, event: Event) -> Iterator[tuple[str, Row]]:
        """Take an event into account; yield the rows that look otherwise now, each with its tab."""
        body = event.body
        if isinstance(body, RemoteSession):
            self._remote = True
        elif isinstance(body, RemoteRequest) and body.what == "message":
            yield from self._requested(body)
        elif isinstance(body, Mirrored) and body.kind == "user.message":
            found = self._by_nonce(_nonce_of(body.event))
            if found is not None:
                yield from self._move(found, "heard" if event.processed else "queued")
        elif isinstance(body, SessionError) and body.error.retry_status == "exhausted":
            for said in self._said:
                if said.state == "queued":
                    yield from self._move(said, "dropped")

    def _requested(self, body: RemoteRequest) -> Iterator[tuple[str, Row]]:
        if body.state == "intended":
            sent = flat(str(clean(body.text)))
            found = next((one for one in self._said if not one.nonce and one.text and one.text in sent), None)
            if found is not None:
                found.nonce = body.nonce
            return
        found = self._by_nonce(body.nonce)
        if found is not None and found.state == "waiting":
            yield from self._move(found, "queued" if body.state == "sent" else "refused")

    def _by_nonce(self, nonce: str) -> _Said | None:
        return next((one for one in self._said if nonce and one.nonce == nonce), None)

    @staticmethod
    def _move(said: _Said, state: str) -> Iterator[tuple[str, Row]]:
        if said.state in ("heard", state):
            return
        said.state = state
        yield said.tab, _marked(said.row, state)


def _marked(row: Row, state: str) -> Row:
    mark = _WORDS.get(state)
    return row if mark is None else replace(row, line=line(mark, *row.line))


def _nonce_of(raw: Mapping[str, Any]) -> str:
    content = raw.get("content")
    blocks = content if isinstance(content, list) else []
    text = "\n".join(str(one.get("text") or "") for one in blocks if isinstance(one, Mapping))
    match = _SIGNED.search(text[-200:])
    return match[1] if match else ""
