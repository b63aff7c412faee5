"""Looking at what is there, and making it what it should be. Nothing is created twice: on doubt, list and match.

there = await Sync(client, register, to, clock).survey(wanted)
plan = make_plan(wanted, there)              # shown to a person, who says yes
await sync.apply(wanted, there, on_step)     # raises Moved where somebody else changed something meanwhile
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from orchestrator.engines.client import patient
from orchestrator.engines.credentials import Endpoint
from orchestrator.engines.faults import Garbled, in_doubt, wait_of
from orchestrator.engines.managed.definitions import AgentDefinition
from orchestrator.engines.managed.environment import (
    RemoteEnvironment,
    environment_body,
    environment_changes,
    remote_environment_of,
)
from orchestrator.engines.managed.plan import ENVIRONMENT, Step, Survey, Wanted, agent_step
from orchestrator.engines.managed.register import ENVIRONMENT_INTENT, AgentRef, Place, Register, agent_intent
from orchestrator.engines.managed.remote import Remote, remote_of, update_body
from subagents.contract import SPECIALISTS, Clock

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

T = TypeVar("T")
ATTEMPTS: Final = 3
PAUSE_S: Final = 1.0
MOST_LISTED: Final = 2000
"""Most agents of a workspace that are looked through for our own."""


class Moved(Exception):
    """Something there was changed by somebody else since it was looked at: look again, and ask again."""


@dataclass(frozen=True)
class Sync:
    """Sees to it that the agents and the environment at one endpoint are what they should be."""

    client: AsyncAnthropic
    register: Register
    endpoint: Endpoint
    clock: Clock

    async def survey(self, wanted: Wanted, adopt: str | None = None) -> Survey:
        """Return what is there; `adopt` names another installation whose agents count as ours.

        Raises what the SDK raises.
        """
        place = self.register.read(self.endpoint)
        listed, partial = await self._listed()
        by_id = {one.id: one for one in listed}
        gone = []
        for ref in place.agents.values():
            if ref.id not in by_id:
                found = await self._retrieve(ref.id)
                if found is None:
                    gone.append(ref.id)
                else:
                    by_id[ref.id] = found
        roles = {ref.id: role for role, ref in place.agents.items()}
        cast = tuple(definition.role for definition in wanted.cast)
        ours = [one for one in by_id.values() if one.id in roles or one.install in {wanted.install, adopt} - {None}]
        agents: dict[str, Remote] = {}
        archived: list[Remote] = []
        spare: list[Remote] = []
        for role in cast:
            playing = [one for one in ours if (roles.get(one.id) or one.role) == role]
            living = sorted(
                (one for one in playing if not one.archived), key=lambda one: (one.id not in roles, one.created)
            )
            agents |= {role: living[0]} if living else {}
            spare += living[1:]
            archived += [] if living else playing
        known = {one.id for one in ours}
        strangers = [one for one in by_id.values() if one.install and one.id not in known and not one.archived]
        environment, spare_environments = await self._environments(wanted, place, adopt)
        return Survey(
            agents=agents,
            archived=tuple(archived),
            spare=tuple(spare),
            strangers=tuple(one for one in strangers if one.role in cast),
            gone=tuple(gone),
            environment=environment,
            spare_environments=spare_environments,
            partial=partial,
        )

    async def apply(self, wanted: Wanted, there: Survey, on_step: Callable[[Step], object] = lambda step: None) -> None:
        """Make it so, specialists before the coordinator; each id is recorded as soon as it is known.

        Raises Moved, StateError, and what the SDK raises; what was made until then is recorded.
        """
        on_step(await self._apply_environment(wanted, there))
        refs: dict[str, AgentRef] = {}
        for definition in wanted.cast:
            roster = [refs[role] for role in SPECIALISTS] if definition.leads else []
            step, ref = await self._apply_agent(definition, there.agents.get(definition.role), roster)
            refs[definition.role] = ref
            on_step(step)

    # -- agents ------------------------------------------------------------------------------

    async def _apply_agent(
        self, definition: AgentDefinition, there: Remote | None, roster: Sequence[AgentRef]
    ) -> tuple[Step, AgentRef]:
        step = agent_step(definition, there, roster)
        if there is None:
            made = await self._create_agent(definition, roster)
        elif step.action == "update":
            made = await self._update_agent(definition, there, roster)
        else:
            made = there
        self._note(lambda place: place.with_agent(definition.role, made.ref))
        return step, made.ref

    async def _create_agent(self, definition: AgentDefinition, roster: Sequence[AgentRef]) -> Remote:
        async def send() -> Remote:
            return remote_of(await self.client.beta.agents.create(**definition.body(roster)))

        async def find() -> Remote | None:
            listed, _ = await self._listed()
            return _ours(listed, definition)

        return await self._create_once(agent_intent(definition.role), send, find)

    async def _update_agent(self, definition: AgentDefinition, there: Remote, roster: Sequence[AgentRef]) -> Remote:
        """Send what differs, bound to the version that it was compared with; a lost answer is looked up."""
        import anthropic

        body = update_body(definition, there, roster)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return remote_of(await self.client.beta.agents.update(there.id, **body))
            except anthropic.ConflictError as error:
                raise Moved(f"{definition.role} {there.id} was changed by somebody else meanwhile") from error
            except Exception as error:
                await self._wait_or_raise(error)
                now = remote_of(await patient(self.client).beta.agents.retrieve(there.id))
                if now.version != there.version:
                    if agent_step(definition, now, roster).action == "keep":
                        return now
                    raise Moved(f"{definition.role} {there.id} was changed by somebody else meanwhile") from error
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _listed(self) -> tuple[list[Remote], bool]:
        """Return the agents of the workspace, archived ones too, and whether there are more."""
        found = await _taken(patient(self.client).beta.agents.list(include_archived=True, limit=100), "agents")
        return [remote_of(agent) for agent in found[:MOST_LISTED]], len(found) > MOST_LISTED

    async def _retrieve(self, key: str) -> Remote | None:
        import anthropic

        try:
            return remote_of(await patient(self.client).beta.agents.retrieve(key))
        except anthropic.NotFoundError:
            return None

    # -- the environment ---------------------------------------------------------------------

    async def _apply_environment(self, wanted: Wanted, there: Survey) -> Step:
        if wanted.own_environment:
            return Step(ENVIRONMENT, "keep", wanted.own_environment)
        if there.environment is None:
            made = await self._create_environment(wanted)
            step = Step(ENVIRONMENT, "create", made.id)
        else:
            found = environment_changes(there.environment, wanted.install)
            step = Step(ENVIRONMENT, "update" if found else "keep", there.environment.id, changes=found)
            made = there.environment
        if step.action == "update":
            body = environment_body(wanted.install)
            await self._send_again(
                lambda: self.client.beta.environments.update(made.id, config=body["config"], metadata=body["metadata"])
            )
        self._note(lambda place: place.with_environment(made.id))
        return step

    async def _create_environment(self, wanted: Wanted) -> RemoteEnvironment:
        async def send() -> RemoteEnvironment:
            return remote_environment_of(await self.client.beta.environments.create(**environment_body(wanted.install)))

        async def find() -> RemoteEnvironment | None:
            listed = await self._listed_environments()
            return next((one for one in listed if one.install == wanted.install and not one.archived), None)

        return await self._create_once(ENVIRONMENT_INTENT, send, find)

    async def _environments(
        self, wanted: Wanted, place: Place, adopt: str | None
    ) -> tuple[RemoteEnvironment | None, tuple[RemoteEnvironment, ...]]:
        """Return the environment that counts, and others of ours."""
        if wanted.own_environment:
            return await self._retrieve_environment(wanted.own_environment), ()
        listed = await self._listed_environments()
        ours = [one for one in listed if one.id == place.environment or one.install in {wanted.install, adopt} - {None}]
        living = [one for one in ours if not one.archived and one.kind == "cloud"]
        living.sort(key=lambda one: (one.id != place.environment, str(one.raw.get("created_at"))))
        return (living[0] if living else None), tuple(living[1:])

    async def _listed_environments(self) -> list[RemoteEnvironment]:
        found = await _taken(patient(self.client).beta.environments.list(limit=100), "environments")
        return [remote_environment_of(one) for one in found]

    async def _retrieve_environment(self, key: str) -> RemoteEnvironment | None:
        import anthropic

        try:
            return remote_environment_of(await patient(self.client).beta.environments.retrieve(key))
        except anthropic.NotFoundError:
            return None

    # -- sending once ------------------------------------------------------------------------

    async def _create_once(
        self, intent: str, send: Callable[[], Awaitable[T]], find: Callable[[], Awaitable[T | None]]
    ) -> T:
        """Create something once: the intent first, and on doubt look for it before it is sent again.

        The intent is settled when what was made is recorded.
        """
        self._note(lambda place: place.with_intent(intent))
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await send()
            except Exception as error:
                await self._wait_or_raise(error)
                found = await find() if in_doubt(error) else None
                if found is not None:
                    return found
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _send_again(self, send: Callable[[], Awaitable[object]]) -> None:
        """Send what has the same effect once or twice."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await send()
                return
            except Exception as error:
                await self._wait_or_raise(error)
                if attempt == ATTEMPTS:
                    raise

    async def _wait_or_raise(self, error: Exception) -> None:
        """Wait where it makes sense to look, or to send, again; raise where it does not."""
        import anthropic

        if not in_doubt(error) and not isinstance(error, anthropic.RateLimitError):
            raise error
        await self.clock.sleep(wait_of(error, PAUSE_S))

    def _note(self, change: Callable[[Place], Place]) -> None:
        self.register.change(self.endpoint, change)


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


def _ours(listed: Iterable[Remote], definition: AgentDefinition) -> Remote | None:
    """Return the agent that this definition made, by what it carries in its metadata."""
    owned = [one for one in listed if not one.archived and one.metadata.items() >= definition.metadata.items()]
    return min(owned, key=lambda one: one.created, default=None)
