"""From what a tool gave to what is kept: redacted, bounded, with the whole of it in a blob where it was cut.

A result is read back from what was stored before an engine gets it, so that a first run and a replay give the
same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from orchestrator.hands.approvals import canonical
from orchestrator.hands.redacting import redacted_alone
from orchestrator.journal.blobs import BlobStore, blob_ref
from orchestrator.journal.events import ToolFinished
from orchestrator.journal.faults import BlobMissing, StateError
from orchestrator.journal.redaction import Redactor
from subagents.contract import Evidence, Outcome, Tool, ToolError, ToolResult

TEXT_LIMIT = 256 * 1024
"""Most bytes of text, as stored JSON, whatever a tool's own cap says."""
DATA_LIMIT = 128 * 1024
"""Most bytes of data kept in the event; more goes to a blob."""
CITATIONS_LIMIT = 256 * 1024
SHORT_EXCERPT = 512
MESSAGE_LIMIT = 16 * 1024
"""Most bytes of why a call gave nothing."""
INPUT_LIMIT = 256 * 1024
INPUT_DEPTH = 32


@dataclass(frozen=True)
class Ran:
    """How a run ended: the result as JSON, or the message of a failure (and its trace, for the log only)."""

    outcome: Outcome
    result: Mapping[str, Any] | None = None
    message: str = ""
    trace: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Sealed:
    """What is kept of a run: the event, and the blob that must be durable before it."""

    finished: ToolFinished
    blob: bytes | None = None


@dataclass(frozen=True)
class Keeper:
    """Turns results into events and back."""

    redactor: Redactor
    blobs: BlobStore

    def seal(self, call_id: str, tool_name: str, tool: Tool[Any, Any] | None, ran: Ran) -> Sealed:
        """Redact, check and bound what a run gave; takes time on large results, so call it off the event loop."""
        if ran.result is None or tool is None:
            told = self.redactor.redact(ran.message)
            finished = ToolFinished(
                tool_use_id=call_id,
                tool=tool_name,
                outcome=ran.outcome,
                seconds=ran.seconds,
                text=bound_text(told.text, MESSAGE_LIMIT),
                redacted=sum(told.counts.values()),
            )
            return Sealed(finished)
        kept, counts = redacted_alone(self.redactor, dict(ran.result))
        try:
            kept["data"] = _data(tool, kept["data"])
            citations = [Evidence.model_validate(item) for item in kept["citations"]]
        except ValueError as error:
            message = f"{tool_name}: its result does not fit its own type, so it was not kept ({_first(error)})"
            return self.seal(call_id, tool_name, None, Ran("error", message=message, seconds=ran.seconds))
        return self._cut(
            ToolFinished(
                tool_use_id=call_id,
                tool=tool_name,
                outcome=ran.outcome,
                seconds=ran.seconds,
                text=kept["text"],
                data=kept["data"],
                citations=tuple(citations),
                more=kept["more"],
                redacted=sum(counts.values()),
            ),
            tool.output_cap,
        )

    def _cut(self, whole: ToolFinished, cap: int) -> Sealed:
        text = bound_text(whole.text, cap)
        while len(json.dumps(text, ensure_ascii=False).encode()) > TEXT_LIMIT:
            text = bound_text(whole.text, min(cap, len(text.encode())) // 2)
        data_fits = whole.data is None or len(canonical(whole.data)) <= DATA_LIMIT
        citations = _bound_citations(whole.citations)
        if text == whole.text and data_fits and citations == whole.citations:
            return Sealed(whole)
        content = {
            "data": whole.data,
            "text": whole.text,
            "citations": [item.model_dump(mode="json") for item in whole.citations],
            "more": whole.more,
        }
        blob = canonical(content)
        handle = blob_ref(blob)
        cut = {
            "text": text,
            "data": whole.data if data_fits else None,
            "citations": citations,
            "blob": handle,
            "more": whole.more or handle,
        }
        return Sealed(whole.model_copy(update=cut), blob)

    async def keep(self, sealed: Sealed) -> ToolFinished:
        """Make the blob durable and return the event to record; raises DiskFull (try again)."""
        if sealed.blob is None:
            return sealed.finished
        try:
            await self.blobs.put(sealed.blob)
        except StateError as error:
            finished, text = sealed.finished, f"the result could not be stored: {error}"
            lost = {"outcome": "error", "text": text, "data": None, "blob": None, "more": None}
            return finished.model_copy(update=lost)
        return sealed.finished

    def unseal(self, tool: Tool[Any, Any] | None, kept: ToolFinished) -> ToolResult[Any]:
        """Return a stored result as the engine gets it; a lost blob is said in the text."""
        data, citations, text = kept.data, kept.citations, kept.text
        if kept.blob is not None:
            try:
                whole = json.loads(self.blobs.read(kept.blob))
                data = whole["data"]
                citations = tuple(Evidence.model_validate(item) for item in whole["citations"])
            except (BlobMissing, ValueError, LookupError, TypeError) as error:
                text = f"{text}\n[the whole result is lost: {error}]"
        parsed = None
        if tool is not None and data is not None:
            try:
                parsed = tool.result.model_validate(data)
            except ValueError:
                text = f"{text}\n[its data were stored by another version and cannot be read]"
        return ToolResult(data=parsed, text=text, citations=citations, more=kept.more, outcome=kept.outcome)


def _data(tool: Tool[Any, Any], data: Any) -> Any:
    """Return data as its own type writes it; raises ValueError when redaction or the tool broke the type."""
    return None if data is None else tool.result.model_validate(data).model_dump(mode="json")


def _first(error: ValueError) -> str:
    return " ".join(str(error).split())[:200]


def _bound_citations(citations: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Keep every reference if that is possible: excerpts get shorter first, then the last ones go to the blob."""
    if sum(len(canonical(item.model_dump(mode="json"))) for item in citations) <= CITATIONS_LIMIT:
        return citations
    kept: list[Evidence] = []
    room = CITATIONS_LIMIT
    for item in citations:
        short = item.model_copy(update={"excerpt": item.excerpt[:SHORT_EXCERPT]})
        room -= len(canonical(short.model_dump(mode="json")))
        if room < 0:
            break
        kept.append(short)
    return tuple(kept)


def bound_text(text: str, cap: int) -> str:
    """Return at most `cap` bytes of text: its head and its tail, with a line between that says what was cut."""
    raw = text.encode()
    if len(raw) <= cap:
        return text
    note = f"\n[... {len(raw):,} bytes in all; the middle was cut here ...]\n"
    room = cap - len(note.encode())
    if room <= 0:
        return raw[:cap].decode("utf-8", "ignore")
    tail = room // 3
    head = raw[: room - tail].decode("utf-8", "ignore")
    return head + note + (raw[-tail:].decode("utf-8", "ignore") if tail else "")


def plain_input(value: Any) -> dict[str, Any]:
    """Return a call's arguments as plain JSON within the limits; raises ToolError that says what is wrong."""
    try:
        raw = canonical(value)
        plain = orjson.loads(raw)  # as the journal reads it back
    except RecursionError:
        raise ToolError(f"the arguments are nested deeper than {INPUT_DEPTH} levels") from None
    except (ValueError, TypeError) as error:
        raise ToolError(f"the arguments are not JSON: {_first(ValueError(error))}") from error
    if len(raw) > INPUT_LIMIT:
        raise ToolError(f"the arguments have {len(raw):,} bytes, more than {INPUT_LIMIT:,}")
    if not isinstance(plain, dict):
        raise ToolError("the arguments are not an object")
    if _deeper_than(plain, INPUT_DEPTH):
        raise ToolError(f"the arguments are nested deeper than {INPUT_DEPTH} levels")
    return plain


def _deeper_than(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
