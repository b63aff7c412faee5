"""Sessions and their threads: made, read, changed, archived, deleted."""

from __future__ import annotations

from typing import Any

from tests.standin import roster, sends, tools
from tests.standin.agents import Agents
from tests.standin.environments import Environments
from tests.standin.errors import invalid, missing
from tests.standin.logbook import Log
from tests.standin.paging import BOUNDS, Query, page
from tests.standin.session import Session, Thread, World
from tests.standin.shapes import array, by_type, fields, integer, metadata, nullable, one_of, patched, tagged, text

Pairs = tuple[tuple[str, str], ...]
STATUSES = ("rescheduling", "running", "idle", "terminated")
_SNAPSHOT = (
    "id",
    "type",
    "version",
    "name",
    "description",
    "model",
    "system",
    "tools",
    "mcp_servers",
    "skills",
    "execution_identity",
)
_MONEY = fields({"amount": text(1, 18, r"[1-9][0-9]*"), "currency": one_of("USD")})
_BUDGET = tagged("limit", {"max_list_cost": _MONEY})
_REF = {"id": text(1)}
_VERSION = {"version": nullable(integer(1, 1_000_000_000))}
_OVERRIDES = {
    "model": tools.model,
    "system": nullable(text(0, 100_000)),
    "tools": tools.tools,
    "mcp_servers": tools.servers,
    "skills": tools.skills,
}
_AGENT = by_type(
    {
        "agent": tagged("agent", _REF, _VERSION),
        "agent_with_overrides": tagged("agent_with_overrides", _REF, {**_VERSION, **_OVERRIDES}),
    }
)
_INITIAL = by_type({"user.message": sends.MESSAGE, "user.define_outcome": sends.OUTCOME})


def _agent(value: Any, where: str) -> Any:
    return {"type": "agent", "id": text(1)(value, where)} if isinstance(value, str) else _AGENT(value, where)


def _no_resources(value: Any, where: str) -> Any:
    if value:
        raise invalid(f"{where}: the stand-in holds no files, repositories or memory stores")
    return []


_CREATE = fields(
    {"agent": _agent, "environment_id": text(1)},
    {
        "budget": _BUDGET,
        "initial_events": array(_INITIAL, 0, 50),
        "metadata": metadata(),
        "resources": _no_resources,
        "title": nullable(text(0, 512)),
        "vault_ids": _no_resources,
    },
)
_UPDATE = fields(
    {},
    {
        "agent": fields({}, {"tools": tools.tools, "mcp_servers": tools.servers}),
        "budget": nullable(_BUDGET),
        "metadata": nullable(metadata(patch=True)),
        "title": nullable(text(0, 512)),
    },
)


class Sessions:
    """Every session that was not deleted."""

    def __init__(self, world: World, agents: Agents, environments: Environments) -> None:
        self._world, self._agents, self._environments = world, agents, environments
        self.all: dict[str, Session] = {}
        self.deleted: set[str] = set()

    def get(self, key: str) -> Session:
        """Return a session, or refuse with 404."""
        if key not in self.all:
            raise missing("Session", key)
        return self.all[key]

    def thread(self, key: str, thread: str) -> Thread:
        """Return a session's thread, or refuse with 404."""
        found = self.get(key).threads.get(thread)
        if found is None:
            raise missing("Thread", thread)
        return found

    def _snapshot(self, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        agent = self._agents.get(given["id"], given.get("version"))
        if agent["archived_at"]:
            raise invalid(f"agent: {agent['id']} is archived")
        shown = {name: agent[name] for name in _SNAPSHOT}
        for name in _OVERRIDES:
            if given.get(name) is not None or (name in given and name == "system"):
                shown[name] = given[name]
        tools.agree(shown)
        cast: dict[str, dict[str, Any]] = {}
        for ref in roster.callable_agents(agent["multiagent"]):
            found = self._agents.get(ref["id"], ref["version"])
            cast[found["name"]] = {name: found[name] for name in _SNAPSHOT}
        shown["multiagent"] = _resolved(agent["multiagent"], {snap["id"]: snap for snap in cast.values()})
        return shown, cast

    def create(self, body: Any) -> dict[str, Any]:
        """Make a session; with initial events it is created running."""
        given = _CREATE(body, "")
        environment = self._environments.usable(given["environment_id"])
        initial = given.get("initial_events", [])
        if sum(event["type"] == "user.define_outcome" for event in initial) > 1:
            raise invalid("initial_events: at most one user.define_outcome")
        shown, cast = self._snapshot(given["agent"])
        now = self._world.stamps.now()
        record = {
            "id": self._world.ids.new("sesn"),
            "type": "session",
            "agent": shown,
            "environment_id": environment["id"],
            "title": given.get("title"),
            "metadata": given.get("metadata", {}),
            "budget": given.get("budget"),
            "outcome_evaluations": [],
            "resources": [],
            "vault_ids": [],
            "deployment_id": None,
            "created_at": now,
            "updated_at": now,
            "archived_at": None,
        }
        session = Session(self._world, record, cast)
        self.all[session.id] = session
        if initial:
            sends.send(session, {"events": initial})
        return session.read()

    def update(self, key: str, body: Any) -> dict[str, Any]:
        """Change title, metadata, budget or, while it does not run, the tools."""
        session = self.get(key)
        if isinstance(body, dict) and "vault_ids" in body:
            raise invalid("vault_ids: can only be set when the session is created")
        given = _UPDATE(body, "")
        if session.record["archived_at"]:
            raise invalid(f"Session {key} is archived")
        record, changed = session.record, dict[str, Any]()
        if "agent" in given:
            if session.status in ("running", "rescheduling"):
                raise invalid("agent: cannot be changed while the session runs")
            changed["agent"] = {**record["agent"], **given["agent"]}
            tools.agree(changed["agent"])
        if "budget" in given and given["budget"] != record["budget"]:
            changed["budget"] = _budget(session, given["budget"])
        if given.get("metadata") is not None:
            changed["metadata"] = patched(record["metadata"], given["metadata"])
        if "title" in given:
            changed["title"] = given["title"]
        changed = {name: value for name, value in changed.items() if value != record[name]}
        if changed:
            record.update(changed, updated_at=self._world.stamps.now())
            session.emit("session.updated", **changed)
        if "budget" in changed:
            session.budget_raised.set()
        return session.read()

    def _quiet(self, session: Session, verb: str) -> None:
        if session.status in ("running", "rescheduling") or session.lag > 0:
            raise invalid(
                f"Session {session.id} is running and cannot be {verb}; interrupt it and wait until it is idle"
            )

    def archive(self, key: str) -> dict[str, Any]:
        """Make it read-only; its status becomes terminated."""
        session = self.get(key)
        self._quiet(session, "archived")
        if session.record["archived_at"] is None:
            session.record["archived_at"] = session.record["updated_at"] = self._world.stamps.now()
            session.terminate()
        return session.read()

    def delete(self, key: str) -> dict[str, Any]:
        """Remove it; live streams end with session.deleted."""
        session = self.get(key)
        self._quiet(session, "deleted")
        del self.all[key]
        self.deleted.add(key)
        for thread in session.threads.values():
            if thread.task is not None:
                thread.task.cancel()
            thread.log.live(session.event("session.deleted"))
            thread.log.close()
        return {"id": key, "type": "session_deleted"}

    def archive_thread(self, key: str, name: str) -> dict[str, Any]:
        """Archive an idle child thread."""
        session, thread = self.get(key), self.thread(key, name)
        if thread is session.primary:
            raise invalid("The primary thread cannot be archived")
        if thread.status not in ("idle", "terminated"):
            raise invalid(f"Thread {name} is {thread.status} and cannot be archived")
        if thread.archived_at is None:
            thread.archived_at = thread.updated_at = self._world.stamps.now()
            if thread.task is not None:
                thread.task.cancel()
            session.close_calls(thread)
            thread.status = "terminated"
            session.post_status(thread, "terminated")
            thread.log.close()
        return session.read_thread(thread)

    # -- listings

    def listed(self, pairs: Pairs) -> dict[str, Any]:
        """Return a page of sessions, newest first unless asked otherwise."""
        names = ("agent_id", "agent_version", "deployment_id", "memory_store_id", "statuses")
        query = Query(pairs, (*BOUNDS, *names, "include_archived", "limit", "order", "page"))
        statuses, archived = query.many("statuses", STATUSES), query.flag("include_archived")
        version = query.one("agent_version")
        if version and not query.one("agent_id"):
            raise invalid("agent_version: needs agent_id")
        rows: list[tuple[int, Session]] = []
        for at, session in enumerate(self.all.values()):
            record = session.record
            wanted = query.one("agent_id") in ("", record["agent"]["id"])
            wanted = wanted and version in ("", str(record["agent"]["version"]))
            wanted = wanted and not query.one("deployment_id") and not query.one("memory_store_id")
            wanted = wanted and (archived or record["archived_at"] is None) and query.within(record["created_at"])
            status = "running" if session.lag > 0 else session.status
            if wanted and (not statuses or status in statuses):
                rows.append((at, session))
        found = page(rows, query, "sessions", (20, 100), query.order("desc"))
        return {**found, "data": [session.read() for session in found["data"]]}

    def threads_listed(self, key: str, pairs: Pairs) -> dict[str, Any]:
        """Return a page of a session's threads, the primary first."""
        session = self.get(key)
        query = Query(pairs, ("limit", "page", "statuses"))
        statuses = query.many("statuses", STATUSES)
        rows = [
            (at, session.read_thread(thread))
            for at, thread in enumerate(session.threads.values())
            if not statuses or thread.status in statuses
        ]
        return _forward(page(rows, query, f"threads {key}", (1000, 1000), "asc"))

    def events_listed(self, key: str, pairs: Pairs) -> dict[str, Any]:
        """Return a page of the primary thread's events."""
        log = self.get(key).primary.log
        query = Query(pairs, (*BOUNDS, "limit", "order", "page", "types"))
        types = query.many("types")
        if any(kind.startswith("event_") or kind == "session.deleted" for kind in types):
            raise invalid("types: previews and session.deleted are never stored")
        rows = [
            row for row in log.rows if (not types or row[1]["type"] in types) and query.within(row[1]["processed_at"])
        ]
        return _forward(page(rows, query, f"events {key}", (1000, 1000), query.order("asc")))

    def thread_events_listed(self, key: str, name: str, pairs: Pairs) -> dict[str, Any]:
        """Return a page of one thread's events."""
        log: Log = self.thread(key, name).log
        query = Query(pairs, ("limit", "page"))
        return _forward(page(log.rows, query, f"events {key} {name}", (1000, 1000), "asc"))


def _resolved(config: dict[str, Any] | None, known: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """Return a roster with its references replaced by snapshots."""
    if config is None:
        return None
    if config["type"] == "coordinator":
        return {**config, "agents": [known.get(entry.get("id", ""), entry) for entry in config["agents"]]}
    found = dict(config)
    for part in ("subagents", "workflows"):
        if "predefined_agents" in found[part]:
            entries = [known.get(ref["id"], ref) for ref in found[part]["predefined_agents"]]
            found[part] = {**found[part], "predefined_agents": entries}
    return found


def _budget(session: Session, new: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the budget after an update; it can be raised or removed, never added."""
    if new is None:
        return None
    if session.record["budget"] is None:
        raise invalid("budget: can only be set when the session is created", "budget_create_only")
    if int(new["max_list_cost"]["amount"]) <= int(session.usage()["list_cost"]["amount"]):
        raise invalid("budget: must be above the cost so far", "budget_not_raised")
    return new


def _forward(found: dict[str, Any]) -> dict[str, Any]:
    return {"data": found["data"], "next_page": found["next_page"]}
