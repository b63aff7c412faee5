"""Which peer a line names as the one that fails: never who asked, nor where the asker came from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from subagents.logs.sources.json_fields import flatten

_HOST = r"[A-Za-z0-9_](?:[\w-]*[\w])?(?:\.[\w-]+)*(?::\d{2,5})?"
_TARGETS: tuple[re.Pattern[str], ...] = (
    re.compile(
        rf"\b(?:instances?|servers?|endpoints?) (?:available )?for (?:service:? )?\"?(?P<host>{_HOST})", re.IGNORECASE
    ),
    re.compile(
        rf"\b(?:https?|grpc|tcp|amqp|redis|postgres(?:ql)?|mysql|mongodb|kafka|jdbc:\w+)://(?:[^@/\s]*@)?(?P<host>{_HOST})"
    ),
    re.compile(
        rf"\b(?:host|peer|upstream|endpoint|server|addr|address|broker|cn)[=:] ?[\"']?(?P<host>{_HOST})", re.IGNORECASE
    ),
    re.compile(
        rf"\b(?:dial tcp|lookup|UnknownHostException:|resolve(?: host:?)?|getaddrinfo \w+)\s+[\"']?(?P<host>{_HOST})"
    ),
    re.compile(
        rf"\b(?:upstream|peer|connect(?:ing|ion)? to|connected to|failed to connect to|from|call(?:ing)? to|request to"
        rf"|unavailable:)\s+\"?(?:service |server |host )?(?P<host>{_HOST})",
        re.IGNORECASE,
    ),
    re.compile(rf"\bupstream (?P<host>{_HOST})", re.IGNORECASE),
)
_LIKE_HOST = re.compile(
    r"^[a-z][a-z0-9]*(?:-[a-z0-9]+)+$|[A-Za-z].*\.[A-Za-z]|^\d+\.\d+\.\d+\.\d+|^[A-Za-z][\w.-]*:\d{2,5}$"
)
_PROXIED = re.compile(
    rf", client: [^\n]*?, server: [^\n]*?(?:, upstream: \"(?:[a-z][\w+.-]*://)?(?P<host>{_HOST})[^\n]*|$|(?=\n))"
)
"""What nginx appends about the request: of all the names in it only that of the upstream is a peer."""
_CAME_FROM = re.compile(
    r"\b(?:http_?)?(?:referr?er|origin|user[-_ ]?agent)\b[\"']?[:=] ?(?:\"[^\"\n]*\"?|'[^'\n]*'?|[^\s,]+)",
    re.IGNORECASE,
)
"""Where the asker came from, and what it says that it is."""
_SERVED = re.compile(
    r"\b(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) \"?https?://[^\s\"]+\"?(?: HTTP/[\d.]+)?\"?"
    r"(?= (?:from|by|for|client) ?[=:]? ?\"?\d{1,3}(?:\.\d{1,3}){3}\b)"
)
"""A request with who asked behind it: it was asked of the speaker, so that its address is the own site's."""
_OWN_MACHINE = re.compile(r"(?:localhost|unix|0\.0\.0\.0|127(?:\.\d+){3})(?:[.:].*)?$", re.IGNORECASE)
_PEER_FIELDS = (
    "peer", "net.peer.name", "peer.service", "upstream.host", "upstream", "server.address", "rpc.service", "db.host",
    "upstream_host", "target", "dest", "destination", "remote", "http.host", "aws.service", "db.name",
)  # fmt: skip
_SERVER_FIELDS = frozenset({"server.address", "http.host", "target", "destination"})
"""Of these: those that are the speaker's own where the record says who asked."""
_ASKER_FIELDS = (
    "client.address", "client.ip", "client_ip", "clientip", "clientIp", "client", "remote_addr", "remote_ip",
    "remoteAddr", "http.client_ip", "source.ip", "source.address", "x_forwarded_for",
)  # fmt: skip


def target_of(raw: str, text: str, services: Iterable[str], own: Iterable[str]) -> str | None:
    """Return the peer that a line names, without its port; None where it names none.

    A word counts as a peer only if it looks like a host name or is a service of these logs, but not the speaker. What
    runs on the speaker's own machine is no peer by that name: every machine calls itself so.
    """
    fields = _fields(raw)
    served = any(fields.get(name) for name in _ASKER_FIELDS)
    names = (name for name in _PEER_FIELDS if not (served and name in _SERVER_FIELDS))
    told = next((fields[name] for name in names if fields.get(name)), None)
    known = {service.lower(): service for service in services}
    found = told if told is not None else _said(text[:2048], known, own)
    return None if found is None or _OWN_MACHINE.match(_bare(found)) else _bare(found)


def _said(text: str, known: Mapping[str, str], own: Iterable[str]) -> str | None:
    """Return the peer that a text names."""
    proxied = _PROXIED.search(text)
    if proxied is not None and proxied["host"]:
        group = _bare(proxied["host"]).lower() not in known and not _LIKE_HOST.search(proxied["host"])
        return None if group else proxied["host"]
    text = _SERVED.sub("", _CAME_FROM.sub("", _PROXIED.sub("", text)))
    speakers = {service.lower() for service in own}
    for pattern in _TARGETS:
        for match in pattern.finditer(text):
            host = _bare(match["host"])
            if host[:1].isdigit() and match.group().lower().startswith("from "):
                continue  # a bare address after "from" is who asked, not who was asked
            if host.lower() in known or _LIKE_HOST.search(match["host"]):
                return host
    words = {word.lower().rstrip(".,:;") for word in re.findall(r"[\w.-]{3,}", text)}
    named = sorted((words & known.keys()) - speakers)
    return known[named[0]] if len(named) == 1 else None


def _bare(host: str) -> str:
    name = host.rsplit("://", 1)[-1].split("/", 1)[0]
    return name.rsplit(":", 1)[0] if name.count(":") == 1 else name


def _fields(raw: str) -> Mapping[str, str]:
    if not raw.startswith("{"):
        return {}
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return flatten(record) if isinstance(record, dict) else {}


def same_service(host: str, services: Iterable[str]) -> str | None:
    """Return the known service that a host name belongs to: `payments.svc.cluster.local` is `payments`."""
    label = host.split(".", 1)[0].lower()
    return next((service for service in services if service.lower() == label), None)
