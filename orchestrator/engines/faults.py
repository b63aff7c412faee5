"""What a failed request means, in one line for people: what happened, where, what to set. Never a key, never a body."""

from __future__ import annotations

from typing import Final

from orchestrator.engines.credentials import WORKSPACE, Endpoint
from orchestrator.journal.text import clean

_SAID_LIMIT: Final = 300


class Garbled(Exception):
    """An answer with a good status that is not what the API would answer; says what was expected."""


def in_doubt(error: BaseException) -> bool:
    """Say whether the request may have had its effect although it failed: then list and match before it is repeated."""
    import anthropic
    import httpx2

    from orchestrator.hands.egress import refusal_in

    if refusal_in(error) is not None:
        return False
    if isinstance(error, Garbled):
        return True
    if isinstance(error, anthropic.APIStatusError):
        return error.status_code >= 500 or error.status_code == 408
    return isinstance(error, anthropic.APIConnectionError | httpx2.HTTPError)


def wait_of(error: BaseException, otherwise: float, most: float = 60.0) -> float:
    """Return how many seconds to wait before a request is repeated: what the server says, within bounds."""
    import anthropic

    said = error.response.headers.get("retry-after", "") if isinstance(error, anthropic.APIStatusError) else ""
    try:
        return min(max(float(said), 0.0), most)
    except ValueError:
        return otherwise


def explain(error: BaseException, to: Endpoint) -> str:
    """Return one line for people about a request that failed at this endpoint."""
    import anthropic

    from orchestrator.hands.egress import refusal_in

    refused = refusal_in(error)
    if refused is not None:
        return _clean(str(refused))
    if isinstance(error, Garbled):
        return f"{to.host} answered with what is {error}: is it Anthropic's API, or a proxy of it?"
    if isinstance(error, anthropic.APIStatusError):
        return _status(error, to)
    if isinstance(error, anthropic.APITimeoutError):
        return f"{to.host} did not answer in time; try again"
    reason = _clean(str(error.__cause__ or error)) or type(error).__name__
    return f"{to.host} cannot be reached ({reason}): check the network and engine.base_url or ANTHROPIC_BASE_URL"


def _status(error: object, to: Endpoint) -> str:
    import anthropic

    assert isinstance(error, anthropic.APIStatusError)  # noqa: S101 narrows only
    status, said = error.status_code, _said(error, to)
    if _about_workspace(error) and status in (400, 401, 403, 404):
        where = f"workspace {to.workspace} ({WORKSPACE})" if to.workspace else "its workspace"
        todo = f"set {WORKSPACE} or a key of that workspace"
        return f"the key in {to.key_name} is not for {where} at {to.host} ({status}){said}: {todo}"
    if status == 401:
        return f"{to.host} does not take the key in {to.key_name} (401){said}: check that it is whole and not revoked"
    if status == 402:
        return f"{to.host} asks for payment (402){said}: see the billing page of the account"
    if status == 403:
        return (
            f"the key in {to.key_name} may not use Managed Agents at {to.host} (403){said}: "
            "the beta needs access for this workspace, or a key of one that has it"
        )
    if status == 404:
        return (
            f"{to.host} has no Managed Agents for the key in {to.key_name} (404){said}: "
            "the workspace needs access to the beta, and the address must be Anthropic's or a proxy of it"
        )
    if status == 429:
        return f"{to.host} lets through no more at the moment (429){said}: wait, or raise the limit of the account"
    if status >= 500:
        return f"{to.host} is in trouble ({status}){said}; try again later"
    return f"{to.host} refused the request ({status}){said}"


def _about_workspace(error: object) -> bool:
    code, message = getattr(error, "error_code", None), getattr(error, "api_message", None)
    return "workspace" in str(code or "").lower() or "workspace" in str(message or "").lower()


def _said(error: object, to: Endpoint) -> str:
    """What the API said, without the key should it repeat it."""
    message = str(getattr(error, "api_message", None) or "").replace(to.key, "…") if to.key else ""
    for value in to.headers.values():
        message = message.replace(value, "…")
    text = _clean(message)
    request = _clean(str(getattr(error, "request_id", None) or ""))
    inside = "; ".join(
        part for part in (f"it says: {text}" if text else "", f"request {request}" if request else "") if part
    )
    return f" [{inside}]" if inside else ""


def _clean(text: str) -> str:
    return str(clean(text, newlines=False, limit=_SAID_LIMIT)).strip()
