"""The only places that warroom talks to, each with the only secrets that may go there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from orchestrator.hands.egress_addresses import Reach, host_fault, literal, reach_of, reaches

DEFAULT_PORTS = {"http": 80, "https": 443}
CREDENTIAL_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-goog-api-key", "x-auth-token"}
)
_LEAST_SECRET = 8
"""Shortest secret that is looked for inside other text."""


class EgressRefused(Exception):
    """A request was not sent, or not followed further; says where to and why. Trying again gives the same."""


class Origin(NamedTuple):
    """Scheme, host and port: what a secret belongs to."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


@dataclass(frozen=True)
class Endpoint:
    """One place that is configured, and what may be sent only there."""

    base_url: str
    key: str = field(default="", repr=False)
    """Sent as `Authorization: Bearer` unless the request brings it; to this origin only."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further headers that every request there gets; their values count as secrets."""
    private: bool = False
    """Its name may resolve to a private network: for an address from the person's own settings."""

    @property
    def origin(self) -> Origin:
        """Its origin; raises EgressRefused where the address cannot be used."""
        return origin_of(self.base_url)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret of it that is long enough to be looked for."""
        return tuple(one for one in (self.key, *self.headers.values()) if len(one) >= _LEAST_SECRET)


def origin_of(url: str) -> Origin:
    """Return the origin of an http(s) address; raises EgressRefused for what must not be connected to."""
    shown = url.rpartition("@")[2][:120]
    try:
        parts = urlsplit(url)
        scheme, host, port, named = parts.scheme.lower(), parts.hostname or "", parts.port, "@" in parts.netloc
    except ValueError:
        raise EgressRefused(f"{shown!r} is not an address") from None
    if scheme not in DEFAULT_PORTS or not host:
        raise EgressRefused(f"{shown!r} is not an http or https address")
    if named:
        raise EgressRefused(f"{shown!r}: an address with a user name or password in it is never used")
    address = literal(host)
    if fault := host_fault(host):
        raise EgressRefused(f"{scheme}://{host}: nothing is sent there: {fault}")
    if address is not None and reach_of(address) == "never":
        raise EgressRefused(f"{scheme}://{host}: nothing is sent there: a link-local, metadata or reserved address")
    if port == 0:
        raise EgressRefused(f"{shown!r} names port 0")
    return Origin(scheme, str(address) if address else host.lower(), port or DEFAULT_PORTS[scheme])


class Allowed:
    """The configured places: which requests may go out, with which secrets."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints: dict[Origin, list[Endpoint]] = {}
        for endpoint in endpoints:
            self._endpoints.setdefault(endpoint.origin, []).append(endpoint)
        self.reaches: dict[tuple[str, int], frozenset[Reach]] = {}
        """What each configured host and port may resolve to."""
        for origin, there in self._endpoints.items():
            reach = reaches(origin.host, private=any(one.private for one in there))
            self.reaches[origin.host, origin.port] = self.reaches.get((origin.host, origin.port), reach) & reach

    def require(self, origin: Origin) -> None:
        """Raise EgressRefused for an origin that is not configured."""
        if origin not in self._endpoints:
            known = ", ".join(map(str, self._endpoints)) or "nothing"
            raise EgressRefused(f"{origin}: nothing is sent there; configured is {known}")

    def credentials(self, origin: Origin) -> dict[str, str]:
        """Return the headers that requests to this origin get where they bring none of their own."""
        given: dict[str, str] = {}
        for endpoint in self._endpoints.get(origin, ()):
            given |= {name.lower(): value for name, value in endpoint.headers.items()}
            if endpoint.key:
                given.setdefault("authorization", f"Bearer {endpoint.key}")
        return given

    def check_secrets(self, origin: Origin, headers: Iterable[tuple[str, str]], *texts: bytes) -> None:
        """Raise EgressRefused where a request carries a secret of another origin, or a credential of unknown origin."""
        own = {secret for endpoint in self._endpoints.get(origin, ()) for secret in endpoint.secrets}
        foreign = {secret for there in self._endpoints.values() for one in there for secret in one.secrets} - own
        allowed = set(self._whole(origin))
        for name, value in headers:
            if any(secret in value for secret in foreign):
                raise EgressRefused(f"{origin}: not sent: its {name} header holds a key of another host")
            if name.lower() in CREDENTIAL_HEADERS and value.strip() not in allowed:
                raise EgressRefused(f"{origin}: not sent: its {name} header holds a key that is not this host's")
        for secret in foreign:
            if any(secret.encode() in text for text in texts):
                raise EgressRefused(f"{origin}: not sent: it holds a key of another host")

    def _whole(self, origin: Origin) -> Iterable[str]:
        yield from ("", "Bearer")  # what a library sends where there is no key
        for endpoint in self._endpoints.get(origin, ()):
            yield from endpoint.headers.values()
            if endpoint.key:
                yield from (endpoint.key, f"Bearer {endpoint.key}")
