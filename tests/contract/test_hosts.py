from __future__ import annotations

import pytest

from subagents.hosts import outside_host


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("HTTP POST api.example.com/v1/charges (retry 1)", "api.example.com"),
        ("POST https://hooks.example.io/x exceeded deadline", "hooks.example.io"),
        ("dial bucket-prod.s3.us-east-1.example.com:443", "bucket-prod.s3.us-east-1.example.com"),
        ("ledger.shop.svc.cluster.local refused", None),
        ("db.internal timed out", None),
        ("10.0.0.2:53", None),
        ("com.example.app.io threw", None),
        ("UserController.getToken", None),
        ("config.go:12", None),
        ("mail to someone@example.com", None),
    ],
)
def test_public_hosts_only(text: str, host: str | None) -> None:
    assert outside_host(text) == host
