"""Looking at what is there: lists first, then what was recorded and is in no list. Changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engines.client import patient
from orchestrator.engines.faults import Garbled
from orchestrator.engines.managed.environment import RemoteEnvironment, remote_environment_of
from orchestrator.engines.managed.plan import Survey, Wanted
from orchestrator.engines.managed.register import Place
from orchestrator.engines.managed.remote import Remote, remote_of

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

MOST_LISTED: Final = 2000
"""Most agents of a workspace that are looked through for our own."""
_NO_LIST: Final = (404, 405, 501)


@dataclass(frozen=True)
class Look:
    """Reads agents and environments, each read repeated where it failed on the way. Raises what the SDK raises."""

    client: AsyncAnthropic

    async def survey(self, wanted: Wanted, place: Place, adopt: str | None = None, *, making: bool = False) -> Survey:
        """Return what is there; `adopt` names another installation whose things count as ours.

        An endpoint without lists (a proxy may have none) is asked for what was recorded; where nothing was, that is
        an error, unless it is about `making` things and none is in doubt.
        """
        listless_will_do = not place.intents and (making or bool(place.agents))
        try:
            listed, partial = await self.agents()
        except Exception as error:
            if not listless_will_do or getattr(error, "status_code", None) not in _NO_LIST:
                raise
            listed, partial = [], True
        known, gone = await self._with_recorded(listed, place)
        installs = {wanted.install, adopt} - {None}
        roles = {ref.id: role for role, ref in place.agents.items()}
        ours = [one for one in known if one.id in roles or one.install in installs]
        agents: dict[str, Remote] = {}
        archived: list[Remote] = []
        spare: list[Remote] = []
        cast = tuple(definition.role for definition in wanted.cast)
        for role in cast:
            playing = [one for one in ours if (roles.get(one.id) or one.role) == role]
            living = [one for one in playing if not one.archived]
            living.sort(key=lambda one: (one.id not in roles, one.created))
            agents |= {role: living[0]} if living else {}
            spare += living[1:]
            archived += [] if living else playing
        environments = await self._environments(wanted, place, installs, partial)
        return Survey(
            agents=agents,
            archived=tuple(archived),
            spare=tuple(spare),
            strangers=tuple(_strangers(known, ours, cast)),
            gone=gone,
            synced=place.agents,
            environment=environments[0] if environments else None,
            spare_environments=tuple(environments[1:]),
            partial=partial,
        )

    async def agents(self) -> tuple[list[Remote], bool]:
        """Return the agents of the workspace, archived ones too, and whether there are more."""
        found = await _taken(patient(self.client).beta.agents.list(include_archived=True, limit=100), "agents")
        return [remote_of(agent) for agent in found[:MOST_LISTED]], len(found) > MOST_LISTED

    async def agent(self, key: str) -> Remote | None:
        """Return one agent; None where it is not there."""
        import anthropic

        try:
            return remote_of(await patient(self.client).beta.agents.retrieve(key))
        except anthropic.NotFoundError:
            return None

    async def environments(self) -> list[RemoteEnvironment]:
        """Return the environments of the workspace that are not archived."""
        found = await _taken(patient(self.client).beta.environments.list(limit=100), "environments")
        return [one for one in map(remote_environment_of, found) if not one.archived]

    async def environment(self, key: str) -> RemoteEnvironment | None:
        """Return one environment; None where it is not there."""
        import anthropic

        try:
            return remote_environment_of(await patient(self.client).beta.environments.retrieve(key))
        except anthropic.NotFoundError:
            return None

    async def _with_recorded(self, listed: Sequence[Remote], place: Place) -> tuple[list[Remote], tuple[str, ...]]:
        """Return the listed agents with those that were recorded, and the ids of recorded ones that are not there."""
        known = {one.id: one for one in listed}
        gone = []
        for ref in place.agents.values():
            if ref.id in known:
                continue
            found = await self.agent(ref.id)
            if found is None:
                gone.append(ref.id)
            else:
                known[ref.id] = found
        return list(known.values()), tuple(gone)

    async def _environments(
        self, wanted: Wanted, place: Place, installs: set[str | None], listless: bool
    ) -> list[RemoteEnvironment]:
        """Return the environment that counts, then others of ours."""
        own = wanted.own_environment or (place.environment if listless else None)
        if own or listless:
            found = await self.environment(own) if own else None
            return [found] if found and (wanted.own_environment or not found.archived) else []
        listed = await self.environments()
        ours = [one for one in listed if one.id == place.environment or one.install in installs]
        ours = [one for one in ours if one.kind == "cloud"]
        return sorted(ours, key=lambda one: (one.id != place.environment, str(one.raw.get("created_at"))))


def _strangers(known: Iterable[Remote], ours: Iterable[Remote], cast: Sequence[str]) -> Iterable[Remote]:
    """Return the living agents that another installation made for the same roles."""
    own = {one.id for one in ours}
    return (one for one in known if one.install and one.role in cast and one.id not in own and not one.archived)


async def _taken(pages: AsyncIterable[Any], what: str) -> list[Any]:
    """Return a list's items, one more than are looked at; raises Garbled for what is no list."""
    found: list[Any] = []
    try:
        async for one in pages:
            found.append(one)
            if len(found) > MOST_LISTED:
                break
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise Garbled(f"no list of {what}") from error
    return found
