"""How the stand-in behaves where the API leaves it open, and how fast its agents are."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

VERSION = "2026-10-21"
BETA = "managed-agents-2026-04-01"
KEY = "sk-ant-standin-0123456789"


@dataclass
class Options:
    """Every one may be changed while the server runs."""

    key: str = KEY
    workspace: str = "wrkspc_01Standin"
    revoked: set[str] = field(default_factory=set)
    """Keys that were valid once: 401."""
    no_beta: set[str] = field(default_factory=set)
    """Keys without access to the beta: 403."""
    foreign: set[str] = field(default_factory=set)
    """Keys of another workspace: they work, and see none of what `key` made."""
    cross_ids: Literal["same", "different"] = "same"
    """Whether a cross-posted event has the id of the thread's own copy (unconfirmed by the API's reference)."""
    mirror_errors: bool = True
    """A child's session.error also shows on the primary stream (unconfirmed)."""
    primary_status: bool = True
    """The primary thread of a multiagent session emits session.thread_status_* on its own stream."""
    interrupt_results: bool = False
    """An interrupted call leaves a synthetic error result in history (unconfirmed)."""
    empty_interrupt_ids: bool = False
    """Echoes of user.interrupt carry an empty id."""
    late_calls: bool = False
    """A child's calls reach the primary stream after the idle that names them (only with the same ids)."""
    lag_reads: int = 1
    """So many reads of a session still say `running` after its stream said idle."""
    pace: float = 0.0
    """Seconds between the steps of an agent."""
    ping_seconds: float = 15.0
    delta_chars: int = 24
    """Characters per preview delta."""
    epoch: datetime | None = None
    """Where the server's clock starts (UTC); it then ticks with what happens. None: the real time."""
    request_cost: int | None = None
    """Cost of every model request in millionths of a dollar; None: from its tokens."""
