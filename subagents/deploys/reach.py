"""Whether a change can reach the service that failed: by deploy, by path, by shared library, by dependency."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from subagents.contract import ServiceInfo
from subagents.deploys.comments import PARTS, word_set
from subagents.deploys.paths import is_shared
from subagents.deploys.sources.records import Commit, Deploy

_GENERIC = word_set("""
    service services svc server srv app api worker workers job daemon backend ms microservice
""")
_SUFFIX = re.compile(r"(services?|svc|server|srv|backend|worker)$")
_NEVER_A_SERVICE = word_set("""
    src lib libs pkg internal cmd main test tests docs common shared core config web ui java python go com org
""")


_OWNERS_KEPT = 1 << 16
"""Paths whose owners are remembered."""


@lru_cache(maxsize=1 << 14)
def service_key(name: str) -> str:
    """Return a service's or a directory's name without case, separators and words like `service`."""
    parts = [p.lower() for p in PARTS.findall(name)]
    kept = [p for p in parts if p not in _GENERIC] or parts
    joined = "".join(kept)
    bare = _SUFFIX.sub("", joined)
    return bare if len(bare) >= 3 else joined


@dataclass(frozen=True)
class Failing:
    """The services that failed, each with how early and how surely, 0 to 1; the first is where it began."""

    weights: Mapping[str, float]

    @property
    def known(self) -> bool:
        """Say whether any is named."""
        return bool(self.weights)


class Reach(NamedTuple):
    """How a change reaches what failed: -1 it runs elsewhere, 0 unknown, 1 it runs there."""

    value: float
    how: str
    services: tuple[str, ...]
    """Services that run the change, as far as is known."""
    deploy: Deploy | None
    """The deploy that put it where it could act."""
    surely_elsewhere: bool = False
    """Known to run only where nothing that failed is, or depends on it."""


class ServiceMap:
    """Which services there are, which paths are theirs, who calls whom."""

    def __init__(
        self, services: Sequence[ServiceInfo], names: Iterable[str], edges: Iterable[tuple[str, str]] = ()
    ) -> None:
        self._prefixes = [(path.strip("/") + "/", info.name) for info in services for path in info.paths]
        self._by_key: dict[str, str] = {}
        for name in [*(info.name for info in services), *names]:
            key = service_key(name)
            if name and key not in _NEVER_A_SERVICE:
                self._by_key.setdefault(key, name)
        self._owners: dict[str, frozenset[str]] = {}
        self._calls: dict[str, set[str]] = {}
        for caller, callee in [*edges, *((i.name, d) for i in services for d in i.depends_on)]:
            self._calls.setdefault(service_key(caller), set()).add(service_key(callee))

    @property
    def knows_calls(self) -> bool:
        """Say whether anything is known about who calls whom."""
        return bool(self._calls)

    def owners(self, path: str) -> frozenset[str]:
        """Return the services that a path belongs to."""
        known = self._owners.get(path)
        if known is None:
            known = self._find_owners(path)
            if len(self._owners) < _OWNERS_KEPT:
                self._owners[path] = known
        return known

    def _find_owners(self, path: str) -> frozenset[str]:
        owned = frozenset(name for prefix, name in self._prefixes if (path + "/").startswith(prefix))
        if owned:
            return owned
        for part in reversed(path.split("/")[:-1]):
            name = self._by_key.get(service_key(part))
            if name is not None:
                return frozenset((name,))
        return frozenset()

    def depends(self, service: str, on: str, depth: int = 3) -> bool:
        """Say whether `service` calls `on`, directly or through others."""
        target, seen, front = service_key(on), set[str](), {service_key(service)}
        for _ in range(depth):
            front = {callee for caller in front for callee in self._calls.get(caller, ())} - seen
            if target in front:
                return True
            seen |= front
        return False


def same_service(one: str, other: str) -> bool:
    """Say whether two names mean one service."""
    return one == other or service_key(one) == service_key(other)


def reach(commit: Commit, deploys: Sequence[Deploy], failing: Failing, services: ServiceMap) -> Reach:
    """Judge how one change reaches what failed. `deploys` are those that carried it before the onset."""
    owners: set[str] = set()
    shared = False
    for touched in commit.files[:200]:
        owners |= services.owners(touched.path)
        shared = shared or is_shared(touched.path)
    best = Reach(0.0, "which service runs it is unknown", tuple(sorted(owners)), None)
    for deploy in deploys:
        found = _by_deploy(commit, deploy, failing, services, owners, shared)
        if found.value > best.value or best.deploy is None:
            best = found
        if best.value >= 1.0:
            break
    by_path = _by_path(owners, shared, failing, services)
    if by_path.value > best.value or (best.deploy is None and by_path.value < 0):
        return Reach(by_path.value, by_path.how, by_path.services, best.deploy, by_path.surely_elsewhere)
    return best


def _weight(service: str, failing: Failing) -> float:
    return max((w for name, w in failing.weights.items() if same_service(name, service)), default=0.0)


def _by_deploy(
    commit: Commit, deploy: Deploy, failing: Failing, services: ServiceMap, owners: set[str], shared: bool
) -> Reach:  # fmt: skip
    head = deploy.commit == commit.sha
    at = f"{deploy.at:%H:%M:%S} UTC" if deploy.at else "an unknown time"
    what = f"{'deployed' if head else 'brought'} to {deploy.service} by {deploy.version or deploy.id} at {at}"
    own = any(same_service(deploy.service, owner) for owner in owners)
    sure = (
        1.0
        if head
        else 0.95
        if deploy.certain and (own or shared or not owners)
        else 0.9
        if own
        else 0.55
        if shared
        else 0.0
    )
    if sure == 0.0:
        return Reach(
            0.0,
            f"landed before {deploy.version or deploy.id} of {deploy.service}, no path of that service in it",
            (),
            None,
        )
    if not failing.known:
        return Reach(0.3 * sure, what, (deploy.service,), deploy)
    weight = _weight(deploy.service, failing)
    if weight > 0:
        return Reach(sure * (0.55 + 0.45 * weight), what, (deploy.service,), deploy)
    for name, importance in failing.weights.items():
        if services.depends(name, deploy.service):
            return Reach(0.6 * sure * importance, f"{what}, which {name} calls", (deploy.service,), deploy)
        if services.depends(deploy.service, name):
            return Reach(0.6 * sure * importance, f"{what}, which calls {name}", (deploy.service,), deploy)
    elsewhere = services.knows_calls and not shared
    return Reach(-0.7, f"{what}; it did not fail", (deploy.service,), deploy, elsewhere)


def _by_path(owners: set[str], shared: bool, failing: Failing, services: ServiceMap) -> Reach:
    names = tuple(sorted(owners))
    if not failing.known:
        return Reach(0.0, "no failing service is known", names, None)
    weight = max((_weight(owner, failing) for owner in owners), default=0.0)
    if weight > 0:
        return Reach(0.45 + 0.35 * weight, f"its paths belong to {', '.join(names)}", names, None)
    for owner in owners:
        for name, importance in failing.weights.items():
            if services.depends(name, owner) or services.depends(owner, name):
                return Reach(0.35 * importance, f"its paths belong to {owner}, which works with {name}", names, None)
    if shared:
        return Reach(0.2, "its paths are shared code", names, None)
    if owners:
        return Reach(
            -0.8, f"its paths belong to {', '.join(names)}, which did not fail", names, None, services.knows_calls
        )
    return Reach(-0.1, "its paths name no service", names, None)
