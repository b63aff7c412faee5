"""How a model reports: `report_finding` of each specialist and `conclude` of the orchestrator.

What comes in is checked for its shape here, and answered in words from which a model can mend it; whether it is true is
the claims checker's business (`orchestrator.verdict.claims`). Prose is shown and never parsed.

    finding = parse_finding("logs", use.input)       # Finding, or ReportError
    verdict = parse_verdict(use.input)               # Verdict, or ReportError
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Final

from pydantic import ValidationError

from orchestrator.engines.report_words import CONCLUDE_WORDS, EXAMPLES, FINDING_WORDS
from orchestrator.engines.schemas import custom_tool, flat_schema
from orchestrator.journal.verdict import Verdict
from subagents.contract import AgentName, Finding

REPORT_FINDING: Final = "report_finding"
CONCLUDE: Final = "conclude"
REPORT_TOOLS: Final = frozenset({REPORT_FINDING, CONCLUDE})
"""Names that no tool of a roster may have: the engine answers them itself."""

FINDING_LIMIT = 64 * 1024
VERDICT_LIMIT = 256 * 1024
"""Most bytes of JSON that are taken."""
MOST_FAULTS = 12
"""Most faults that one answer names."""

_NOT_FOR_MODELS: Mapping[str, frozenset[str]] = {
    REPORT_FINDING: frozenset({"agent"}),
    CONCLUDE: frozenset({"gist", "unchecked"}),
}
"""Fields that warroom fills in itself."""
_WRAPPED: Mapping[str, str] = {REPORT_FINDING: "finding", CONCLUDE: "verdict"}
"""What some models put the whole input under."""


class ReportError(ValueError):
    """A report cannot be taken; the message tells a model each field, why, and an example."""


@cache
def _schema(tool: str) -> str:
    model, words = (Finding, FINDING_WORDS) if tool == REPORT_FINDING else (Verdict, CONCLUDE_WORDS)
    schema = flat_schema(model)
    for name in _NOT_FOR_MODELS[tool]:
        schema["properties"].pop(name, None)
        if name in schema.get("required", ()):
            schema["required"].remove(name)
    for path, text in words.items():
        _property(schema, path)["description"] = text
    return json.dumps(schema)


def _property(schema: dict[str, Any], path: str) -> dict[str, Any]:
    node = schema
    for name in path.split("."):
        node = node.get("items", node)
        node = node["properties"][name]
    return node


def finding_tool() -> dict[str, Any]:
    """Return `report_finding` as Managed Agents takes it."""
    return custom_tool(
        REPORT_FINDING,
        "Put one finding on the board: one claim with its facts and citations. Call it once for each claim, as soon as "
        "you have it. What is not reported this way does not count. The answer says what does not hold.",
        json.loads(_schema(REPORT_FINDING)),
    )


def conclude_tool() -> dict[str, Any]:
    """Return `conclude` as Managed Agents takes it."""
    return custom_tool(
        CONCLUDE,
        "End the investigation with the verdict. Every sentence that rests on data cites it. The answer says what does "
        "not hold; then conclude again. `inconclusive` and `no_code_cause` are good answers when they are the truth.",
        json.loads(_schema(CONCLUDE)),
    )


def parse_finding(agent: AgentName, given: Mapping[str, object]) -> Finding:
    """Return what `agent` reported; raises ReportError with what to mend. `agent` is never taken from the input."""
    fields = _prepared(REPORT_FINDING, given, FINDING_LIMIT)
    fields["agent"] = agent
    try:
        finding = Finding.model_validate(fields)
    except ValidationError as error:
        raise ReportError(_explained(REPORT_FINDING, error)) from None
    faults = []
    if not finding.claim.strip():
        faults.append(_line(REPORT_FINDING, "claim", "is empty"))
    if finding.about is None and finding.stance != "observes":
        reason = f"is {finding.stance!r} but `about` is missing: name the suspect, or use the stance 'observes'"
        faults.append(_line(REPORT_FINDING, "stance", reason))
    if faults:
        raise ReportError(_refusal(REPORT_FINDING, faults))
    return finding


def parse_verdict(given: Mapping[str, object]) -> Verdict:
    """Return the verdict that was concluded; raises ReportError with what to mend."""
    fields = _prepared(CONCLUDE, given, VERDICT_LIMIT)
    try:
        verdict = Verdict.model_validate(fields)
    except ValidationError as error:
        raise ReportError(_explained(CONCLUDE, error)) from None
    faults = []
    if not verdict.headline.strip():
        faults.append(_line(CONCLUDE, "headline", "is empty"))
    if verdict.kind == "culprit" and verdict.culprit is None:
        faults.append(_line(CONCLUDE, "culprit", "is missing, and `kind` is 'culprit'"))
    if verdict.kind != "culprit" and verdict.culprit is not None:
        faults.append(_line(CONCLUDE, "kind", f"is {verdict.kind!r}, and a `culprit` is named: one of both is wrong"))
    if verdict.kind == "no_code_cause" and (verdict.cause is None or not verdict.cause.citations):
        faults.append(_line(CONCLUDE, "cause", "must say what the cause is instead, with citations that show it"))
    if faults:
        raise ReportError(_refusal(CONCLUDE, faults))
    return verdict


def _prepared(tool: str, given: Mapping[str, object], limit: int) -> dict[str, Any]:
    """Return the input as a copy without fields that are ours, without `null`, and with text that can be stored."""
    if not isinstance(given, Mapping):
        raise ReportError(_refusal(tool, ["- the input: must be an object with named fields"]))
    try:
        size = len(json.dumps(given, allow_nan=False, default=str))
    except ValueError:
        raise ReportError(_refusal(tool, ["- a number: must be finite; leave out what you do not know"])) from None
    except RecursionError:
        raise ReportError(_refusal(tool, ["- the input: is nested too deep"])) from None
    if size > limit:
        faults = [f"- the input: is {size} bytes, and {limit} are the most; say less and cite instead of quoting"]
        raise ReportError(_refusal(tool, faults))
    inner = given.get(_WRAPPED[tool]) if len(given) == 1 else None
    cleaned: dict[str, Any] = _storable(_unpacked(inner if isinstance(inner, Mapping) else given))
    return {name: value for name, value in cleaned.items() if name not in _NOT_FOR_MODELS[tool]}


def _unpacked(given: Mapping[str, object]) -> dict[str, object]:
    """Take objects and lists that came as JSON text for what they are: models do that."""
    unpacked: dict[str, object] = {}
    for name, value in given.items():
        if isinstance(value, str) and name in _STRUCTURED and value.lstrip()[:1] in ("{", "["):
            with suppress(ValueError, RecursionError):
                value = json.loads(value)
        unpacked[name] = value
    return unpacked


_STRUCTURED = frozenset(
    {
        name
        for model in (Finding, Verdict)
        for name, field in model.model_fields.items()
        if field.annotation not in (str, float)
    }
)


def _storable(value: Any) -> Any:
    """Replace what JSON cannot carry (half surrogate pairs), and leave out fields that are `null`."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_storable(str(name)): _storable(child) for name, child in value.items() if child is not None}
    if isinstance(value, list | tuple):
        return [_storable(child) for child in value]
    return value


def _explained(tool: str, error: ValidationError) -> str:
    seen: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        place = _place(fault["loc"])
        reason = _reason(fault)
        if place in seen and fault["type"] not in ("missing", "extra_forbidden"):
            continue  # a union names one value once for each of its members
        seen.setdefault(place, _line(tool, place, reason))
    return _refusal(tool, list(seen.values()))


_TYPE_NAMES = frozenset({"int", "float", "str", "bool"})


def _place(loc: tuple[int | str, ...]) -> str:
    place = ""
    for part in loc:
        if part in _TYPE_NAMES:
            continue
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else part
    return place[:200] or "the input"


def _reason(fault: Mapping[str, Any]) -> str:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is not a field here: leave it out"
    if kind == "literal_error":
        return f"must be one of {context.get('expected', 'the values of the schema')}, not {_shown(fault)}"
    if kind == "timezone_aware":
        return f"has no time zone: write it in UTC with a Z, not {_shown(fault)}"
    if kind.startswith("datetime"):
        return f"must be an ISO 8601 time in UTC, not {_shown(fault)}"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"must be an object with named fields, not {_shown(fault)}"
    if kind in ("tuple_type", "list_type"):
        return f"must be a list, not {_shown(fault)}"
    message = str(fault["msg"]).replace("Input should be", "must be")
    return f"{message[:1].lower()}{message[1:]}, not {_shown(fault)}"


def _shown(fault: Mapping[str, Any]) -> str:
    text = json.dumps(fault.get("input"), default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def _line(tool: str, place: str, reason: str) -> str:
    bare = "".join(part.partition("]")[2] if index else part for index, part in enumerate(place.split("[")))
    example = EXAMPLES.get(f"{tool}:{bare}") or EXAMPLES.get(bare.rpartition(".")[2])
    return f"- `{place}` {reason}" + (f"; for example {example}" if example else "")


def _refusal(tool: str, faults: list[str]) -> str:
    things = "1 thing" if len(faults) == 1 else f"{len(faults)} things"
    more = [f"- and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
    lines = [f"{tool} was not taken; mend {things} and call it again:", *faults[:MOST_FAULTS], *more]
    return "\n".join(lines)
