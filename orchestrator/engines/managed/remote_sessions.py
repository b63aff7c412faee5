"""Sessions as the API has them: what a list shows of one, whose hands act for it, what it was asked first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engines.managed.definitions import OWNER_KEY
from orchestrator.engines.managed.delivered import content_text, part_of, text_of
from orchestrator.engines.managed.remote import raw_of

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

HOST_KEY: Final = "warroom_hands"
"""Metadata: the installation whose hands act; where it is missing, the one that made the session."""
CLAIMED_KEY: Final = "warroom_claimed"
"""Metadata: when that installation took them over, ISO 8601."""
INCIDENT_KEY: Final = "warroom_incident"
JOURNAL_KEY: Final = "warroom_session"
NONCE_KEY: Final = "warroom_nonce"
MOST: Final = 1_000
"""Most sessions that a list reads."""
_PAGE = 100


@dataclass(frozen=True)
class RemoteRow:
    """A session as the API has it. Texts are as they came: clean them where they are shown."""

    id: str
    raw: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Its title; empty where it has none."""
        return text_of(self.raw, "title")

    @property
    def status(self) -> str:
        """`idle`, `running`, `rescheduling`, `terminated`, or what a newer API says."""
        return text_of(self.raw, "status") or "unknown"

    @property
    def busy(self) -> bool:
        """Whether it can be neither archived nor deleted now."""
        return self.status in ("running", "rescheduling")

    @property
    def archived(self) -> bool:
        """Whether it is read-only for good."""
        return bool(self.raw.get("archived_at"))

    @property
    def created(self) -> datetime | None:
        """When it was made."""
        return moment_of(self.raw.get("created_at"))

    @property
    def updated(self) -> datetime | None:
        """When it last changed."""
        return moment_of(self.raw.get("updated_at"))

    @property
    def cents(self) -> int | None:
        """What it cost so far, in cents of a dollar; None where it is not said."""
        return cents_of(part_of(part_of(self.raw, "usage"), "list_cost"))

    @property
    def metadata(self) -> Mapping[str, str]:
        """Its metadata."""
        return {key: one for key, one in part_of(self.raw, "metadata").items() if isinstance(one, str)}

    @property
    def install(self) -> str:
        """The installation of warroom that made it; empty where none says so."""
        return self.metadata.get(OWNER_KEY, "")

    @property
    def host(self) -> str:
        """The installation whose hands act for it; empty where no warroom's do."""
        return self.metadata.get(HOST_KEY) or self.install

    @property
    def incident(self) -> str:
        """The incident that it was made for; empty where it does not say."""
        return self.metadata.get(INCIDENT_KEY, "")

    @property
    def nonce(self) -> str:
        """What it was made with, to be known by."""
        return self.metadata.get(NONCE_KEY, "")

    @property
    def environment(self) -> str:
        """Its environment's id."""
        return text_of(self.raw, "environment_id")

    @property
    def agent(self) -> Mapping[str, Any]:
        """Its agent, as it was when the session was made."""
        return part_of(self.raw, "agent")

    @property
    def agent_words(self) -> str:
        """Its agent by name and version."""
        version = self.agent.get("version")
        name = text_of(self.agent, "name") or text_of(self.agent, "id")
        return f"{name} v{version}" if isinstance(version, int) and name else name

    @property
    def version(self) -> int:
        """Its agent's version; 0 where it is not said."""
        found = self.agent.get("version")
        return found if isinstance(found, int) else 0

    @property
    def models(self) -> dict[str, str]:
        """Agent name to model and version, the whole cast."""
        return {name: words for agent in self._cast() if (name := text_of(agent, "name")) and (words := _model(agent))}

    @property
    def lead_model(self) -> str:
        """The coordinator's model and version; empty where it is not said."""
        return _model(self.agent)

    def _cast(self) -> list[Mapping[str, Any]]:
        config = part_of(self.agent, "multiagent")
        listed = config.get("agents") or part_of(config, "subagents").get("predefined_agents")
        others = listed if isinstance(listed, list) else []
        return [self.agent, *(one for one in others if isinstance(one, Mapping))]


def _model(agent: Mapping[str, Any]) -> str:
    model = agent.get("model")
    name = text_of(model, "id") if isinstance(model, Mapping) else model if isinstance(model, str) else ""
    version = agent.get("version")
    return f"{name} v{version}" if name and isinstance(version, int) else name


def cents_of(money: Mapping[str, Any]) -> int | None:
    """Read an amount of money as the API writes it, in cents; None where it is none."""
    amount = str(money.get("amount", ""))
    return int(amount) if amount.isascii() and amount.isdigit() and len(amount) < 12 else None


def moment_of(said: object) -> datetime | None:
    """Read a time as the API writes it; None where it is none."""
    if not isinstance(said, str):
        return None
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def remote_row_of(session: Any) -> RemoteRow:
    """Read a session as the SDK returned it; raises Garbled for what is none."""
    raw = raw_of(session, "session")
    return RemoteRow(id=raw["id"], raw=raw)


async def retrieve(client: AsyncAnthropic, session_id: str) -> RemoteRow:
    """Return one session; raises what the SDK raises, NotFoundError where there is none."""
    return remote_row_of(await client.beta.sessions.retrieve(session_id))


@dataclass(frozen=True)
class Listing:
    """Sessions, newest first, and whether there are more."""

    rows: tuple[RemoteRow, ...]
    more: bool = False


async def list_sessions(
    client: AsyncAnthropic, statuses: Sequence[str] = (), since: datetime | None = None, most: int = MOST
) -> Listing:
    """Return the sessions that the key can see, page after page, at most `most`; raises what the SDK raises."""
    bounds: dict[str, Any] = {"statuses": list(statuses)} if statuses else {}
    if since is not None:
        bounds["created_at_gte"] = since
    found: list[RemoteRow] = []
    async for session in client.beta.sessions.list(
        limit=min(_PAGE, most), order="desc", include_archived=True, **bounds
    ):
        if len(found) >= most:
            return Listing(tuple(found), more=True)
        found.append(remote_row_of(session))
    return Listing(tuple(found))


async def find_by_nonce(client: AsyncAnthropic, nonce: str, agent: str = "", most: int = MOST) -> RemoteRow | None:
    """Return the session that was made with a nonce, among the newest `most`, of one agent where it is given.

    Raises what the SDK raises.
    """
    bounds: dict[str, Any] = {"agent_id": agent} if agent else {}
    looked = 0
    async for session in client.beta.sessions.list(
        limit=min(_PAGE, most), order="desc", include_archived=True, **bounds
    ):
        row = remote_row_of(session)
        if row.metadata.get(NONCE_KEY) == nonce:
            return row
        looked += 1
        if looked >= most:
            break
    return None


async def first_words(client: AsyncAnthropic, session_id: str) -> str:
    """Return the first thing that a person, or warroom, said in a session; empty where nothing was said yet."""
    page = await client.beta.sessions.events.list(session_id, types=["user.message"], limit=1)
    for event in page.data or []:
        return content_text(event.to_dict(mode="json", warnings=False).get("content"))
    return ""


async def last_hand(client: AsyncAnthropic, session_id: str) -> datetime | None:
    """Return when a call of the session was last answered: whoever answered was alive then."""
    page = await client.beta.sessions.events.list(session_id, types=["user.custom_tool_result"], order="desc", limit=1)
    for event in page.data or []:
        return moment_of(event.to_dict(mode="json", warnings=False).get("processed_at"))
    return None
