"""Identifiers in a log line that could also stand in a change: paths, symbols, tables, endpoints, keys, codes."""

from __future__ import annotations

import json
import re

from subagents.logs.sources.json_fields import ROLES, flatten

MOST = 24
_EXTENSIONS = (
    "go|py|js|mjs|jsx|ts|tsx|java|kt|scala|rb|rs|cs|php|cc|cpp|c|h|ex|exs|swift|sql|proto|ya?ml|json|toml|conf|cfg|ini|"
    "properties|xml|html|tf|sh|env|pem|crt|key|tmpl|j2|graphql|lua"
)
_PATTERNS: tuple[re.Pattern[str], ...] = (
    re.compile(rf"(?<![\w/.])((?:[\w.@~-]*/)*[\w-][\w.-]*\.(?:{_EXTENSIONS}))(?![\w.])"),
    re.compile(r"\b((?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Exception|Error|Fault|Timeout|Warning))\b"),
    re.compile(
        r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|INDEX|relation|table|column|index|collection|topic|queue|bucket|constraint)"
        r"[ =:]+[\"'`]?([A-Za-z_][\w.-]{2,60})",
    ),
    re.compile(r"[\"'`]([A-Za-z_$][\w$.:-]{2,60})[\"'`]"),
    re.compile(r"(?<![\w/.:])(/[A-Za-z][\w.-]*(?:/[\w.{}:-]+)*)"),
    re.compile(
        r"\b([A-Z][a-z0-9]+(?:\.[a-zA-Z]\w+)+|[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+|[a-z]+[0-9]*(?:[A-Z][a-z0-9]+)+)\b"
    ),
    re.compile(r"\b([a-z][a-z0-9]*(?:_[a-z0-9]+)+)\b"),
    re.compile(r"\b([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)\b"),
    re.compile(r"\b([a-z][a-z0-9]*(?:\.[a-z][a-z0-9_-]*)+)\b"),
    re.compile(r"(?<![\w/.-])([a-z][a-z0-9]*(?:-[a-z][a-z0-9]*)+)(?![\w/-])"),
    re.compile(r"\b([A-Z]{2,6}-\d{2,6}|SQLSTATE\W{1,2}\w{5}|E[A-Z]{4,})\b"),
)
_NOISE_TEXT = (
    "select where limit order group insert values null true false none error info warn warning debug http https "
    "utf localhost trace_id span_id request_id correlation_id null undefined"
)
_NOISE = frozenset(_NOISE_TEXT.split())
_NO_VALUE = frozenset({"trace_id", "span_id", "traceId", "spanId", "trace.id", "request_id", "pod", "host", "hostname"})
_TIMES = frozenset(ROLES["time"]) | frozenset(ROLES["level"]) | frozenset(ROLES["service"]) | frozenset(ROLES["host"])


def terms_of(*texts: str) -> tuple[str, ...]:
    """Return the identifiers of some texts, most telling kinds first, at most `MOST`."""
    plain = [readable(text) for text in texts if text]
    found: dict[str, None] = {}
    for pattern in _PATTERNS:
        for text in plain:
            for match in pattern.finditer(text[:8192]):
                term = match[1].strip("./:") if not match[1].startswith("/") else match[1].rstrip("./:")
                if _telling(term):
                    found.setdefault(term)
                if len(found) >= MOST:
                    return tuple(found)
    return tuple(found)


def _telling(term: str) -> bool:
    if not 3 <= len(term) <= 120 or term.lower() in _NOISE:
        return False
    if max(len(part) for part in term.split(".")) < 3:
        return False
    digits = sum(char.isdigit() for char in term)
    return digits <= max(2, len(term) // 4) and not re.fullmatch(r"[0-9a-f-]{8,}", term)


def readable(text: str, otherwise: str = "") -> str:
    """Return the text, or the values of a JSON record that are not its time, level, ids or place.

    `otherwise` is what to take where a record is cut short and cannot be read.
    """
    stripped = text.lstrip()
    if not stripped.startswith("{"):
        return text
    try:
        record = json.loads(stripped.split("\n", 1)[0])
    except (ValueError, RecursionError):
        return otherwise or text
    if not isinstance(record, dict):
        return text
    flat = flatten(record)
    return "; ".join(value for key, value in flat.items() if key not in _TIMES and key not in _NO_VALUE)
