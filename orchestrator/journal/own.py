"""Event bodies that are warroom's own: `warroom.*`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from orchestrator.journal.doubts import Doubt
from orchestrator.journal.verdict import Verdict
from subagents.contract import AgentName, Coverage, Evidence, Finding, Frozen, Incident, Outcome, SourceSpec

SCHEMA_VERSION = 1


class IncidentOpened(Frozen):
    """First event of every session: what is investigated, how, by which version."""

    type: Literal["warroom.incident"] = "warroom.incident"
    session: str
    incident: Incident
    engine: str
    shown_as: str = ""
    version: str
    schema_version: int = SCHEMA_VERSION
    settings: dict[str, JsonValue] = Field(default_factory=dict)


class SourceAddedEvent(Frozen):
    """Evidence was attached."""

    type: Literal["warroom.source_added"] = "warroom.source_added"
    spec: SourceSpec
    coverage: Coverage | None = None


class FindingReported(Frozen):
    """An agent put a finding on the board."""

    type: Literal["warroom.finding"] = "warroom.finding"
    id: str
    finding: Finding


class VerdictReached(Frozen):
    """The orchestrator concluded; a later verdict replaces an earlier one."""

    type: Literal["warroom.verdict"] = "warroom.verdict"
    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    """Evidence that the verdict cites and that no tool call made (such as runbook steps)."""
    id: str = ""
    """What its check names; empty in journals of before there were checks."""
    corrected: Verdict | None = None
    """The verdict without what did not hold; None where all of it held or nothing was checked."""

    @property
    def stands(self) -> Verdict:
        """The verdict as far as it holds: what is shown and what counts."""
        return self.corrected or self.verdict


class ClaimsChecked(Frozen):
    """What the claims checker says of a finding or a verdict. It stands before the claim that it is about."""

    type: Literal["warroom.claims_checked"] = "warroom.claims_checked"
    subject: Literal["finding", "verdict"]
    id: str
    """The finding's or the verdict's."""
    claimant: AgentName
    slot: str
    """What the claim is about: corrected claims of one claimant about one thing are rounds of each other."""
    claim: str
    """The finding's sentence or the verdict's headline, as it was claimed."""
    doubts: tuple[Doubt, ...] = ()
    """What does not hold; empty: the claim counts."""
    unchecked: tuple[str, ...] = ()
    """Numbers that no data settles."""
    checked: int = 0
    """How many citations, facts, names, times and quotes were looked up."""
    handed_back: bool = False
    """It went back to the claimant instead of on the board."""
    evidence: tuple[Evidence, ...] = ()
    """What the claim cites and no tool call returned, opened by the check."""


class PolicyDecided(Frozen):
    """The policy's answer to a call."""

    type: Literal["warroom.policy_decided"] = "warroom.policy_decided"
    tool_use_id: str
    agent: AgentName
    tool: str
    decision: Literal["allow", "ask", "deny"]
    rule: str
    reason: str = ""


class ApprovalRequested(Frozen):
    """A person's decision on exact bytes is needed."""

    type: Literal["warroom.approval_requested"] = "warroom.approval_requested"
    id: str
    subject: Literal["tool_call", "fix", "push", "other"]
    digest: str
    """`sha256:` of the canonical JSON of `detail`: the decision binds to it."""
    detail: dict[str, JsonValue]


class ApprovalDecided(Frozen):
    """What the person decided, on which bytes."""

    type: Literal["warroom.approval_decided"] = "warroom.approval_decided"
    id: str
    decision: Literal["approve", "reject", "void"]
    digest: str
    by: str
    reason: str = ""


class SessionRule(Frozen):
    """A person's yes to one exact call that goes on for the rest of the session, or its end."""

    type: Literal["warroom.session_rule"] = "warroom.session_rule"
    name: str
    """How decisions name it."""
    action: Literal["allow", "revoke"]
    approval: str
    """The approved call that it repeats."""
    agent: AgentName
    tool: str
    digest: str
    """Of the call it covers (`orchestrator.hands.session_rules.coverage`): no other call has it."""
    by: str
    reason: str = ""


class ToolStarted(Frozen):
    """A call's effect may happen from here on."""

    type: Literal["warroom.tool_started"] = "warroom.tool_started"
    tool_use_id: str
    tool: str
    effect: Literal["read", "keyed", "unkeyed"]
    attempt: int = 1
    apart: bool = False
    """A person's look at the evidence: it goes on when the agents stop."""


class ToolFinished(Frozen):
    """A call's result is durable. What is too large is in a blob, and `data`/`text` are None/cut."""

    type: Literal["warroom.tool_finished"] = "warroom.tool_finished"
    tool_use_id: str
    tool: str
    outcome: Outcome
    seconds: float
    text: str = ""
    data: JsonValue = None
    blob: str | None = None
    """`blob:sha256:<hex>` of the whole stored result (JSON of the ToolResult)."""
    citations: tuple[Evidence, ...] = ()
    more: str | None = None
    redacted: int = 0


class ResultAcknowledged(Frozen):
    """The engine has the result: nothing more is owed for this call."""

    type: Literal["warroom.result_acknowledged"] = "warroom.result_acknowledged"
    tool_use_id: str


class FixDrafted(Frozen):
    """A fix branch was drafted in warroom's own store."""

    type: Literal["warroom.fix_drafted"] = "warroom.fix_drafted"
    id: str
    detail: dict[str, JsonValue]


class FixChecked(Frozen):
    """A draft's tests ran, or why they did not."""

    type: Literal["warroom.fix_checked"] = "warroom.fix_checked"
    id: str
    detail: dict[str, JsonValue]


class FixDelivered(Frozen):
    """Exactly one new ref appeared in the user's repository."""

    type: Literal["warroom.fix_delivered"] = "warroom.fix_delivered"
    id: str
    detail: dict[str, JsonValue]


class Redacted(Frozen):
    """How many secrets were replaced in what, by kind."""

    type: Literal["warroom.redacted"] = "warroom.redacted"
    where: str
    counts: dict[str, int]


class Egress(Frozen):
    """Bytes left this machine."""

    type: Literal["warroom.egress"] = "warroom.egress"
    host: str
    purpose: str
    bytes_out: int = 0
    detail: dict[str, JsonValue] = Field(default_factory=dict)


class BudgetChanged(Frozen):
    """A budget was set or raised."""

    type: Literal["warroom.budget_changed"] = "warroom.budget_changed"
    detail: dict[str, JsonValue]


class BoardEdited(Frozen):
    """A person added, pinned or ruled out a hypothesis, or took that back: their word, never evidence."""

    type: Literal["warroom.board_edited"] = "warroom.board_edited"
    action: Literal["add", "remove", "pin", "unpin", "rule_out", "reopen"]
    suspect: str
    """The suspect's id: `kind:key`; the kind `none` holds a hypothesis in free words."""
    note: str = ""
    label: str = ""
    """How it is shown, where its key does not say."""
    by: str = "person"


class Mirrored(Frozen):
    """What a server said that this journal says in words of its own (its status, an echo, a second copy): kept whole.

    No view folds it: it proves what came, and counts for nothing.
    """

    type: Literal["warroom.mirrored"] = "warroom.mirrored"
    kind: str
    """The server's own type for it."""
    event: dict[str, JsonValue]


class Note(Frozen):
    """A line for the record: from a person, or from warroom about itself."""

    type: Literal["warroom.note"] = "warroom.note"
    text: str
    level: Literal["info", "warning", "error"] = "info"
    by: str = "warroom"
