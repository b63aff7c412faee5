"""How plans, differences and remote agents are shown as text. All that comes from there is cleaned."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.engines.managed.definitions import AgentDefinition
from orchestrator.engines.managed.environment import NAME
from orchestrator.engines.managed.plan import Plan, Step, Survey, Wanted
from orchestrator.engines.managed.remote import Change, Remote
from orchestrator.journal.text import clean

_ONE_LINE = 100


def plan_page(plan: Plan, wanted: Wanted) -> str:
    """Return every step with its exact differences, and the remarks."""
    cast = {definition.role: definition for definition in wanted.cast}
    lines = [line for step in plan.steps for line in _step(step, cast.get(step.what))]
    lines += [f"note: {_clean(remark)}" for remark in plan.remarks]
    return "\n".join([*lines, ""])


def status_rows(plan: Plan, there: Survey) -> list[dict[str, Any]]:
    """Return a row for each agent and the environment: what is there, and how it differs."""
    rows = []
    for step in plan.steps:
        remote = there.agents.get(step.what)
        rows.append(
            {
                "what": step.what,
                "id": step.id,
                "version": step.version,
                "model": remote.model if remote else None,
                "state": {"create": "not made", "update": "differs", "keep": "as defined"}[step.action],
                "differs": [change.field for change in step.changes] if step.action == "update" else [],
            }
        )
    return rows


def status_page(rows: Sequence[Mapping[str, Any]], remarks: Sequence[str]) -> str:
    """Return the rows as a table."""
    table = [("AGENT", "ID", "VERSION", "MODEL", "STATE")]
    for row in rows:
        differs = ", ".join(row["differs"])
        state = f"{row['state']}: {differs}" if differs else row["state"]
        cells = (row["what"], row["id"] or "-", str(row["version"] or "-"), row["model"] or "-", state)
        table.append(tuple(_clean(cell, 160) for cell in cells))  # type: ignore[arg-type]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    padded = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in table
    ]
    return "\n".join([*padded, *(f"note: {_clean(remark)}" for remark in remarks), ""])


def agent_page(agent: Remote) -> str:
    """Return one agent as it is there: every field, the whole prompt, every tool."""
    raw = agent.raw
    model = raw.get("model") if isinstance(raw.get("model"), Mapping) else {"id": raw.get("model")}
    effort = (model or {}).get("effort")
    pairs = [
        ("agent", raw.get("name")),
        ("id", f"{agent.id} v{agent.version}" + (" (archived)" if agent.archived else "")),
        ("model", f"{agent.model} {effort.get('type') if isinstance(effort, Mapping) else effort or ''}"),
        ("made by", f"{agent.install or 'somebody else'} as {agent.role or '-'}"),
        ("about", raw.get("description")),
    ]
    lines = [f"{name:<8} {_clean(str(value or '-'), 2100)}" for name, value in pairs]
    lines += [f"roster   {_clean(line)}" for line in _roster(raw.get("multiagent"))]
    lines += [f"tool     {_clean(str(tool.get('name') or tool.get('type')))}" for tool in raw.get("tools") or []]
    for name in ("mcp_servers", "skills"):
        lines += [f"{name}: {_clean(str(one))}" for one in raw.get(name) or []]
    return "\n".join([*lines, "", *str(clean(str(raw.get("system") or ""))).split("\n"), ""])


def _roster(multiagent: Any) -> Iterator[str]:
    if not isinstance(multiagent, Mapping):
        return
    subagents = multiagent.get("subagents") or {}
    for entry in subagents.get("predefined_agents") or multiagent.get("agents") or []:
        yield f"{entry.get('id')} v{entry.get('version')}" if isinstance(entry, Mapping) else str(entry)
    yield f"inline agents {(subagents.get('inline_agents') or {}).get('type')}"
    yield f"workflows {(multiagent.get('workflows') or {}).get('type')}"


def _step(step: Step, definition: AgentDefinition | None) -> Iterator[str]:
    if step.action == "create":
        yield f"+ {step.what}: create {_made(definition)}"
        return
    where = f"{step.id} v{step.version}" if step.version else f"{step.id}"
    if step.action == "keep":
        yield f"= {step.what}: {_clean(where)}, as defined"
        return
    following = f" -> v{step.next_version}" if step.next_version else ""
    yield f"~ {step.what}: update {_clean(where)}{following}"
    for change in step.changes:
        yield from _change(change)


def _made(definition: AgentDefinition | None) -> str:
    if definition is None:
        return f"{NAME} (cloud, may reach no host)"
    effort = f" {definition.effort}" if definition.effort else ""
    tools = ", ".join(str(tool["name"]) for tool in definition.tools)
    prompt = f"prompt of {len(definition.system.splitlines())} lines"
    roster = "; roster: the specialists, no inline agents, no workflows" if definition.leads else ""
    return f"{definition.name} ({definition.model}{effort}; {prompt}; tools: {tools}{roster})"


def _change(change: Change) -> Iterator[str]:
    old, new = change.old, change.new
    short = all(text is None or (len(text) <= _ONE_LINE and "\n" not in text) for text in (old, new))
    if short:
        yield f"    {_clean(change.field)}: {_word(old)} -> {_word(new)}"
        return
    yield f"    {_clean(change.field)}:"
    before, after = ([] if text is None else str(clean(text)).split("\n") for text in (old, new))
    for line in list(difflib.unified_diff(before, after, "there", "here", lineterm="", n=2)):
        yield f"      {line}"


def _word(text: str | None) -> str:
    return "(none)" if text is None else _clean(text) or '""'


def _clean(text: str, limit: int = 300) -> str:
    return str(clean(text, newlines=False, limit=limit))
