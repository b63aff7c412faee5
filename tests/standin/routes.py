"""From a request to what answers it; who may ask at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.standin import sends
from tests.standin.agents import Agents
from tests.standin.environments import Environments
from tests.standin.errors import ApiError, invalid
from tests.standin.logbook import Log
from tests.standin.options import BETA, VERSION, Options
from tests.standin.paging import Query
from tests.standin.session import World
from tests.standin.sessions import Sessions
from tests.standin.wire import Request


class Space:
    """What one workspace holds."""

    def __init__(self, world: World) -> None:
        self.agents = Agents(world.ids, world.stamps)
        self.environments = Environments(world.ids, world.stamps)
        self.sessions = Sessions(world, self.agents, self.environments)


@dataclass(frozen=True)
class Stream:
    """An answer that goes on: a thread's events."""

    log: Log
    deltas: frozenset[str]


Route = Callable[[Space, Request, dict[str, str]], Any]


def _version(request: Request) -> int | None:
    value = Query(request.query, ("version",)).one("version")
    if value and (not value.isdecimal() or int(value) < 1):
        raise invalid("version: Input should be an integer from 1")
    return int(value) if value else None


def _stream(log: Log, request: Request) -> Stream:
    query = Query(request.query, ("event_deltas",))
    return Stream(log, frozenset(query.many("event_deltas", ("agent.message", "agent.thinking"))))


_ROUTES: tuple[tuple[str, str, Route], ...] = (
    ("POST", "/v1/agents", lambda s, r, k: s.agents.create(r.json())),
    ("GET", "/v1/agents", lambda s, r, k: s.agents.listed(r.query)),
    ("GET", "/v1/agents/{a}", lambda s, r, k: s.agents.get(k["a"], _version(r))),
    ("POST", "/v1/agents/{a}", lambda s, r, k: s.agents.update(k["a"], r.json())),
    ("POST", "/v1/agents/{a}/archive", lambda s, r, k: s.agents.archive(k["a"])),
    ("GET", "/v1/agents/{a}/versions", lambda s, r, k: s.agents.versions_listed(k["a"], r.query)),
    ("POST", "/v1/environments", lambda s, r, k: s.environments.create(r.json())),
    ("GET", "/v1/environments", lambda s, r, k: s.environments.listed(r.query)),
    ("GET", "/v1/environments/{e}", lambda s, r, k: s.environments.get(k["e"])),
    ("POST", "/v1/environments/{e}", lambda s, r, k: s.environments.update(k["e"], r.json())),
    ("DELETE", "/v1/environments/{e}", lambda s, r, k: s.environments.delete(k["e"])),
    ("POST", "/v1/environments/{e}/archive", lambda s, r, k: s.environments.archive(k["e"])),
    ("POST", "/v1/sessions", lambda s, r, k: s.sessions.create(r.json())),
    ("GET", "/v1/sessions", lambda s, r, k: s.sessions.listed(r.query)),
    ("GET", "/v1/sessions/{s}", lambda s, r, k: s.sessions.get(k["s"]).read()),
    ("POST", "/v1/sessions/{s}", lambda s, r, k: s.sessions.update(k["s"], r.json())),
    ("DELETE", "/v1/sessions/{s}", lambda s, r, k: s.sessions.delete(k["s"])),
    ("POST", "/v1/sessions/{s}/archive", lambda s, r, k: s.sessions.archive(k["s"])),
    ("POST", "/v1/sessions/{s}/events", lambda s, r, k: sends.send(s.sessions.get(k["s"]), r.json())),
    ("GET", "/v1/sessions/{s}/events", lambda s, r, k: s.sessions.events_listed(k["s"], r.query)),
    ("GET", "/v1/sessions/{s}/events/stream", lambda s, r, k: _stream(s.sessions.get(k["s"]).primary.log, r)),
    ("GET", "/v1/sessions/{s}/threads", lambda s, r, k: s.sessions.threads_listed(k["s"], r.query)),
    (
        "GET",
        "/v1/sessions/{s}/threads/{t}",
        lambda s, r, k: s.sessions.get(k["s"]).read_thread(s.sessions.thread(k["s"], k["t"])),
    ),
    (
        "POST",
        "/v1/sessions/{s}/threads/{t}/archive",
        lambda s, r, k: s.sessions.archive_thread(k["s"], k["t"]),
    ),
    (
        "GET",
        "/v1/sessions/{s}/threads/{t}/events",
        lambda s, r, k: s.sessions.thread_events_listed(k["s"], k["t"], r.query),
    ),
    (
        "GET",
        "/v1/sessions/{s}/threads/{t}/stream",
        lambda s, r, k: _stream(s.sessions.thread(k["s"], k["t"]).log, r),
    ),
)
_BARE = {"/v1/environments/{e}", "/v1/sessions/{s}", "/v1/sessions/{s}/threads/{t}"}
"""Paths that take no query even when they are read; no other method takes one."""
_COMPILED = [
    (method, re.compile(re.sub(r"\{(\w)\}", r"(?P<\1>[^/]+)", path) + r"\Z"), method != "GET" or path in _BARE, run)
    for method, path, run in _ROUTES
]


def respond(space: Space, request: Request) -> Any:
    """Return the body that answers a request, or a Stream."""
    known = False
    for method, path, bare, run in _COMPILED:
        if (found := path.match(request.path)) is not None:
            known = True
            if method == request.method:
                if bare:
                    Query(request.query, ())
                return run(space, request, found.groupdict())
    if known:
        raise ApiError(405, f"Method {request.method} is not allowed for {request.path}")
    raise ApiError(404, f"Not found: {request.path}")


def admit(request: Request, options: Options) -> str:
    """Return the key of a request that may be answered; refuse any other."""
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    known = {options.key} | options.foreign | options.no_beta
    if kind != "Bearer" or not key:
        raise ApiError(401, "An Authorization header with a Bearer credential is required")
    if key in options.revoked:
        raise ApiError(401, "This API key was revoked")
    if key not in known:
        raise ApiError(401, "invalid bearer credential")
    workspace = request.headers.get("anthropic-workspace-id")
    if workspace is not None and workspace != options.workspace:
        raise ApiError(403, f"The credential has no access to the workspace {workspace}")
    if request.headers.get("anthropic-version") != VERSION:
        raise invalid(f"anthropic-version: must be {VERSION}")
    betas = [beta.strip() for beta in request.headers.get("anthropic-beta", "").split(",")]
    if BETA not in betas:
        if "/threads" in request.path:
            raise ApiError(404, f"Not found: {request.path}")
        raise invalid(f"anthropic-beta: this endpoint is in beta, send {BETA}")
    if key in options.no_beta:
        raise ApiError(403, f"This organization has no access to the beta {BETA}")
    if request.raw and request.headers.get("content-type", "").split(";")[0] != "application/json":
        raise invalid("content-type: must be application/json")
    return key
