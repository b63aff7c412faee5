"""Looking at what is there, and making it what it should be. Nothing is created twice: on doubt, list and match.

there = await Sync(client, register, to, clock).survey(wanted)
plan = make_plan(wanted, there)              # shown to a person, who says yes
await sync.apply(wanted, there, on_step)     # raises Moved where somebody else changed something meanwhile
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from orchestrator.engines.client import patient
from orchestrator.engines.credentials import Endpoint
from orchestrator.engines.faults import explain, in_doubt, wait_of
from orchestrator.engines.managed.definitions import AgentDefinition
from orchestrator.engines.managed.environment import (
    RemoteEnvironment,
    environment_body,
    environment_changes,
    remote_environment_of,
)
from orchestrator.engines.managed.look import Look
from orchestrator.engines.managed.plan import ENVIRONMENT, Step, Survey, Wanted, agent_step
from orchestrator.engines.managed.register import ENVIRONMENT_INTENT, AgentRef, Place, Register, agent_intent
from orchestrator.engines.managed.remote import Remote, remote_of, update_body
from subagents.contract import SPECIALISTS, Clock

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

T = TypeVar("T")
ATTEMPTS: Final = 3
PAUSE_S: Final = 1.0


class Moved(Exception):
    """Something there was changed by somebody else since it was looked at: look again, and ask again."""


@dataclass(frozen=True)
class Sync:
    """Sees to it that the agents and the environment at one endpoint are what they should be."""

    client: AsyncAnthropic
    register: Register
    endpoint: Endpoint
    clock: Clock
    say: Callable[[str], object] = lambda line: None
    """Told what is waited for, and for how long."""

    @property
    def look(self) -> Look:
        """What reads."""
        return Look(self.client)

    async def survey(self, wanted: Wanted, adopt: str | None = None, *, making: bool = False) -> Survey:
        """Return what is there (see Look.survey)."""
        return await self.look.survey(wanted, self.register.read(self.endpoint), adopt, making=making)

    async def apply(self, wanted: Wanted, there: Survey, on_step: Callable[[Step], object] = lambda step: None) -> None:
        """Make it so, specialists before the coordinator; each id is recorded as soon as it is known.

        Raises Moved, StateError, and what the SDK raises; what was made until then is recorded.
        """
        on_step(await self._apply_environment(wanted, there))
        refs: dict[str, AgentRef] = {}
        for definition in wanted.cast:
            roster = [refs[role] for role in SPECIALISTS] if definition.leads else []
            step, ref = await self._apply_agent(definition, there, roster)
            refs[definition.role] = ref
            on_step(step)

    # -- agents ------------------------------------------------------------------------------

    async def _apply_agent(
        self, definition: AgentDefinition, there: Survey, roster: Sequence[AgentRef]
    ) -> tuple[Step, AgentRef]:
        found = there.agents.get(definition.role)
        step = agent_step(definition, found, roster, there.synced.get(definition.role))
        if found is None:
            made = await self._create_agent(definition, roster)
        elif step.action == "update":
            made = await self._update_agent(definition, found, roster)
        else:
            made = found
        ref = made.ref.model_copy(update={"digest": definition.digest})
        self._note(lambda place: place.with_agent(definition.role, ref))
        return step, ref

    async def _create_agent(self, definition: AgentDefinition, roster: Sequence[AgentRef]) -> Remote:
        async def send() -> Remote:
            return remote_of(await self.client.beta.agents.create(**definition.body(roster)))

        async def find() -> Remote | None:
            listed, _ = await self.look.agents()
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
            listed = await self.look.environments()
            return next((one for one in listed if one.install == wanted.install), None)

        return await self._create_once(ENVIRONMENT_INTENT, send, find)

    # -- sending once ------------------------------------------------------------------------

    async def _create_once(
        self, intent: str, send: Callable[[], Awaitable[T]], find: Callable[[], Awaitable[T | None]]
    ) -> T:
        """Create something once: the intent first, and on doubt look for it before it is sent again.

        The intent is settled when what was made is recorded.
        """
        for attempt in range(1, ATTEMPTS + 1):
            self._note(lambda place: place.with_intent(intent))
            try:
                return await send()
            except Exception as error:
                if not in_doubt(error):
                    self._note(lambda place: place.without_intent(intent))
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
        seconds = wait_of(error, PAUSE_S)
        self.say(f"waiting {seconds:g} s: {explain(error, self.endpoint)}")
        await self.clock.sleep(seconds)

    def _note(self, change: Callable[[Place], Place]) -> None:
        self.register.change(self.endpoint, change)


def _ours(listed: Iterable[Remote], definition: AgentDefinition) -> Remote | None:
    """Return the agent that this definition made, by what it carries in its metadata."""
    owned = [one for one in listed if not one.archived and one.metadata.items() >= definition.metadata.items()]
    return min(owned, key=lambda one: one.created, default=None)
