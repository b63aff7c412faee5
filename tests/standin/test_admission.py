"""Who is let in: credentials, versions, betas, content types, bodies, paths."""

from __future__ import annotations

from typing import Any

import anthropic
import httpx2
import pytest

from tests.standin import Standin
from tests.standin.cast import connected, provision

OK = {"anthropic-version": "2026-10-21", "anthropic-beta": "managed-agents-2026-04-01"}


async def test_each_kind_of_bad_key_has_its_own_answer(quiet: Standin) -> None:
    quiet.options.revoked.add("old")
    quiet.options.no_beta.add("poor")
    quiet.options.foreign.add("other")
    for key, kind, status in (
        ("wrong", anthropic.AuthenticationError, 401),
        ("old", anthropic.AuthenticationError, 401),
        ("poor", anthropic.PermissionDeniedError, 403),
    ):
        async with connected(quiet, key) as client:
            with pytest.raises(kind) as refused:
                await client.beta.agents.list()
        assert refused.value.status_code == status
    async with connected(quiet) as client:
        lead, _ = await provision(client)
        with pytest.raises(anthropic.PermissionDeniedError):
            await client.beta.agents.list(workspace_id="wrkspc_elsewhere")
    async with connected(quiet, "other") as client:
        with pytest.raises(anthropic.NotFoundError):
            await client.beta.agents.retrieve(lead)


@pytest.mark.parametrize(
    ("method", "path", "change", "body", "status"),
    [
        ("GET", "/v1/agents", {"authorization": ""}, b"", 401),
        ("GET", "/v1/agents", {"authorization": "", "x-api-key": "KEY"}, b"", 401),
        ("GET", "/v1/agents", {"anthropic-version": "2023-06-01"}, b"", 400),
        ("GET", "/v1/agents", {"anthropic-beta": "other-2026-01-01"}, b"", 400),
        ("GET", "/v1/sessions/s/threads", {"anthropic-beta": ""}, b"", 404),
        ("POST", "/v1/agents", {"content-type": "text/plain"}, b"{}", 400),
        ("POST", "/v1/agents", {"content-type": "application/json"}, b"{", 400),
        ("POST", "/v1/agents", {"content-type": "application/json"}, b"[]", 400),
        ("GET", "/v1/wonders", {}, b"", 404),
        ("GET", "/v1/sessions/s?colour=red", {}, b"", 400),
        ("GET", "/v1/sessions/s?beta=true", {}, b"", 404),
        ("PUT", "/v1/agents", {}, b"", 405),
    ],
)
async def test_bad_requests(
    quiet: Standin, method: str, path: str, change: dict[str, str], body: bytes, status: int
) -> None:
    headers = {"authorization": f"Bearer {quiet.key}", **OK, **change}
    headers = {name: value.replace("KEY", quiet.key) for name, value in headers.items() if value}
    async with httpx2.AsyncClient() as http:
        answer = await http.request(method, quiet.base_url + path, headers=headers, content=body)
    error: Any = answer.json()
    assert (answer.status_code, error["type"]) == (status, "error")
    assert error["error"]["type"]
    assert error["error"]["message"]
    assert error["request_id"].startswith("req_")


async def test_the_log_holds_no_credential(quiet: Standin) -> None:
    async with connected(quiet) as client:
        await client.beta.environments.create(name="logged")
    last = quiet.requests[-1]
    assert (last.method, last.path, last.body, last.status) == ("POST", "/v1/environments", {"name": "logged"}, 200)
    assert quiet.key not in repr(quiet.requests)
