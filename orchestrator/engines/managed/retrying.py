"""What a fault of a stream or a read means: wait so long and try again, or stop and say why.

No key, no right, nothing there: stop. A spend limit: stop. `retry-after`: so long. Anything else: full jitter up to a
cap that doubles. A lost network is tried for ever, since the session goes on without us; a server that keeps refusing
is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from orchestrator.engines.managed.delivered import part_of, text_of

LEAST_S: Final = 0.5
MOST_S: Final = 10.0
RETRY_AFTER_MOST_S: Final = 300.0
"""Longest that a `retry-after` is followed: then it is asked again, which costs nothing."""
MOST_REFUSALS: Final = 8
"""Refusals in a row (429, 5xx, 529), after which whoever is refused gives up."""
MOST_UNSAID: Final = 3
"""429 in a row that say not when to come again: those may be limits that no waiting clears."""
SPEND_LIMITS: Final = frozenset(
    {
        "enforced_spend_limit_reached",
        "contract_spend_limit_reached",
        "linked_organization_spend_limit_reached",
        "linked_organization_billing_unavailable",
    }
)
_STOPS: Mapping[int, str] = {
    400: "the request was refused",
    401: "the key is not valid (any more)",
    402: "the account cannot pay",
    403: "the key may not use this session: beta access, workspace, or revoked",
    404: "there is no such session for this key: deleted, or of another workspace",
    410: "the session is gone",
    422: "the request was refused",
}
_ERROR_STATUS: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""What an error frame of a stream is as an HTTP status."""

Random = Callable[[], float]
"""Returns a number from 0 to 1."""


@dataclass(frozen=True)
class Fault:
    """Something that went wrong on the way, sorted."""

    why: str
    """One line for people."""
    status: int = 0
    """The HTTP status; 0: the network."""
    code: str = ""
    retry_after: float | None = None
    stops: bool = False
    """It never passes by itself, whatever its status."""
    absent: bool = False
    """What was asked for is not there."""

    @property
    def refusal(self) -> bool:
        """Whether the server answered and would not."""
        return self.status in (408, 409, 429) or self.status >= 500


class StreamError(Exception):
    """The server ended a stream with an error frame."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        error = part_of(body, "error")
        self.kind = text_of(error, "type")
        self.code = text_of(part_of(error, "details"), "error_code")
        super().__init__(text_of(error, "message") or self.kind or "error")


class Dropped(Exception):
    """A connection was given up here, or ended without a word; the message says why."""


def fault_of(error: Exception, now: datetime) -> Fault:
    """Sort what opening, reading or listing raised; what is no fault of the way is raised again."""
    import anthropic
    import httpx2

    from orchestrator.hands.egress import ResponseRefused, refusal_in

    if isinstance(error, Dropped):
        return Fault(str(error))
    if isinstance(error, StreamError):
        status = _ERROR_STATUS.get(error.kind, 500)
        return _answered(status, error.code, _line(f"{error.kind or 'error'}: {error}"), None)
    if (refused := refusal_in(error)) is not None:
        too_much = isinstance(refused, ResponseRefused)  # what came, not where it came from: it may come otherwise
        return Fault(_line(str(refused)), 500) if too_much else Fault(_line(str(refused)), stops=True)
    if isinstance(error, anthropic.APIStatusError):
        wait = _retry_after(error.response.headers, now)
        said = error.api_message or error.message
        return _answered(error.status_code, error.error_code or "", _line(said), wait)
    if isinstance(error, ValueError):
        return Fault(_line(f"the answer cannot be read: {error}"), 500)
    if isinstance(error, (anthropic.APIError, httpx2.HTTPError, httpx2.StreamError)):
        cause = error.__cause__ if isinstance(error, anthropic.APIConnectionError) and error.__cause__ else error
        return Fault(_line(f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__))
    raise error


def _answered(status: int, code: str, said: str, retry_after: float | None) -> Fault:
    if status == 200:  # an answer that was no answer
        status = 500
    if code in SPEND_LIMITS:
        return Fault(f"a spend limit is reached, which no waiting clears: {said}", status, code, stops=True)
    words = _STOPS.get(status)
    if words is not None:
        return Fault(f"{words} ({status}): {said}", status, code, stops=True, absent=status in (404, 410))
    return Fault(f"{status}: {said}", status, code, retry_after)


def delay(fault: Fault, attempt: int, random: Random) -> float:
    """Return the seconds to wait before attempt `attempt` + 1 (1 is the first that failed), jitter and cap included."""
    if fault.retry_after is not None:
        wanted = min(max(fault.retry_after, 0.0), RETRY_AFTER_MOST_S)
        return max(LEAST_S, wanted) + random() * max(LEAST_S, wanted * 0.25)
    cap: float = min(MOST_S, 2.0 * LEAST_S * 2.0 ** min(attempt - 1, 10))
    return LEAST_S + random() * (cap - LEAST_S)


def gives_up(fault: Fault, refusals: int) -> str:
    """Return why it is not tried again; empty where it is. `refusals` are those in a row, this one counted."""
    if fault.stops:
        return fault.why
    if not fault.refusal:
        return ""
    unsaid = fault.status == 429 and fault.retry_after is None
    if unsaid and refusals >= MOST_UNSAID:
        return f"{fault.why}; refused {refusals} times without a word on when to come again: a limit of the account?"
    if refusals >= MOST_REFUSALS:
        return f"{fault.why}; refused {refusals} times in a row"
    return ""


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that an answer asks for, as number or date; None where it does not, or not in earnest."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = (headers.get(name) or "").strip()
        try:
            seconds = float(value) * unit
        except ValueError:
            continue
        return seconds if 0 <= seconds < float("inf") else None
    try:
        moment = parsedate_to_datetime((headers.get("retry-after") or "").strip())
    except (TypeError, ValueError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _line(text: str) -> str:
    return " ".join(text.split())[:300]
