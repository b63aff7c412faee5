"""Whether a call may happen: allow, ask a person, or deny. The answer never depends on a model.

Order: a tool that the agent does not hold and an outward tool that no person pressed are denied, whatever
any rule says. Then the first matching rule of the user replaces the default of the tool's effect. Then every
matching rule of the project counts, but only where it is stricter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from subagents.contract import AgentName, Frozen, Tool
from subagents.specialist import Roster

if TYPE_CHECKING:
    from orchestrator.config import Settings

Answer = Literal["allow", "ask", "deny"]

_STRICTNESS: dict[Answer, int] = {"allow": 0, "ask": 1, "deny": 2}


class Decision(Frozen):
    """The policy's answer, which rule gave it, and why."""

    answer: Answer
    rule: str
    reason: str = ""

    def stricter(self, other: Decision) -> Decision:
        """Return the stricter of the two; this one where they are equal."""
        return other if _STRICTNESS[other.answer] > _STRICTNESS[self.answer] else self


class Rule(Frozen):
    """One line of policy: globs on agent and tool, RE2 patterns that must match whole arguments."""

    name: str
    answer: Answer
    agent: str = "*"
    tool: str = "*"
    arguments: Mapping[str, str] = Field(default_factory=dict)
    """Argument name -> pattern. A string is matched as it is, anything else as its JSON; absent never matches.

    `.` stands for a line break too in a rule that asks or denies, and does not in one that allows: neither gets
    looser by one.

    Hands asks with the arguments as the tool will take them, its defaults filled in (`calls.understood`).
    """
    reason: str = ""

    @field_validator("arguments")
    @classmethod
    def _patterns_compile(cls, patterns: Mapping[str, str]) -> Mapping[str, str]:
        for argument, pattern in patterns.items():
            if _compile(pattern) is None:
                raise ValueError(f"the pattern for {argument!r} is not a regular expression that RE2 accepts")
        return patterns

    def speaks_of(self, agent: AgentName, tool: str) -> bool:
        """Say whether the rule is about calls of this tool by this agent."""
        return fnmatchcase(agent, self.agent) and fnmatchcase(tool, self.tool)

    def matches(self, agent: AgentName, tool: str, arguments: Mapping[str, Any]) -> bool:
        """Say whether the rule speaks of this call."""
        return self.speaks_of(agent, tool) and all(
            name in arguments and _fits(pattern, arguments[name], any_line=self.answer != "allow")
            for name, pattern in self.arguments.items()
        )


def _compile(pattern: str, *, any_line: bool = False) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.dot_nl = any_line
    try:
        return re2.compile(pattern, options)
    except re2.error:
        return None


def _fits(pattern: str, value: object, *, any_line: bool) -> bool:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    compiled = _compile(pattern, any_line=any_line)
    return compiled is not None and compiled.fullmatch(text) is not None


_NOT_HELD = "not-held"
_OUTWARD = "outward"
BY_PERSON = "person"
"""The rule by which a person's call is allowed."""


def _by_effect(tool: Tool[Any, Any], by_person: bool) -> Decision:
    if by_person:
        return Decision(answer="allow", rule=BY_PERSON, reason="a person pressed it")
    if tool.effect == "read":
        return Decision(answer="allow", rule="read", reason="it changes nothing")
    if tool.effect == "keyed" and tool.private:
        return Decision(answer="allow", rule="private", reason="what it writes stays in warroom's own state")
    return Decision(answer="ask", rule=tool.effect, reason="it changes something")


class Policy:
    """The rules of a session: the user's own may loosen the defaults, the project's only tighten."""

    def __init__(self, rules: Sequence[Rule] = (), project_rules: Sequence[Rule] = ()) -> None:
        self._rules = tuple(rules)
        self._project_rules = tuple(project_rules)

    def decide(
        self,
        agent: AgentName,
        tool: Tool[Any, Any] | None,
        arguments: Mapping[str, Any],
        *,
        by_person: bool = False,
    ) -> Decision:
        """Answer one call; `tool` is the agent's own tool, or None when it holds none of that name."""
        if tool is None:
            return Decision(answer="deny", rule=_NOT_HELD, reason=f"{agent} holds no such tool")
        if tool.outward and not by_person:
            reason = "it sends bytes off this machine; only a person's key press may do that"
            return Decision(answer="deny", rule=_OUTWARD, reason=reason)
        decision = _by_effect(tool, by_person)
        own = next((rule for rule in self._rules if rule.matches(agent, tool.name, arguments)), None)
        if own is not None:
            decision = Decision(answer=own.answer, rule=own.name, reason=own.reason)
        for rule in self._project_rules:
            if rule.matches(agent, tool.name, arguments):
                decision = decision.stricter(Decision(answer=rule.answer, rule=rule.name, reason=rule.reason))
        return decision

    def idle(self, roster: Roster) -> list[str]:
        """Return a line for each rule that can speak of no call, such as one that misspells a tool."""
        every = [(agent.name, tool) for agent in roster.agents.values() for tool in agent.tools]
        found = []
        for rule in (*self._rules, *self._project_rules):
            spoken_of = [tool for agent, tool in every if rule.speaks_of(agent, tool.name)]
            taken = {name for tool in spoken_of for name in tool.params.model_fields}
            unknown = sorted(set(rule.arguments) - taken)
            if not spoken_of:
                found.append(f"{rule.name}: this rule holds nothing: no agent {rule.agent!r} has a tool {rule.tool!r}")
            elif unknown:
                found.append(f"{rule.name}: this rule holds nothing: no such tool takes an argument {unknown[0]!r}")
        return found

    def depends(self, agent: AgentName, tool: str) -> bool:
        """Say whether the answer for this tool depends on its arguments."""
        rules = (*self._rules, *self._project_rules)
        return any(rule.arguments and rule.speaks_of(agent, tool) for rule in rules)


def policy_of(configured: Settings) -> Policy:
    """Return the policy that warroom.toml asks for; each rule is named after its file and line."""
    mine, theirs = (
        [
            Rule(
                name=rule.origin or "settings",
                answer=rule.decision,
                agent=rule.agent,
                tool=rule.tool,
                arguments=rule.arguments,
                reason=rule.reason,
            )
            for rule in given
        ]
        for given in (configured.policies, configured.project_policies)
    )
    return Policy(mine, theirs)
