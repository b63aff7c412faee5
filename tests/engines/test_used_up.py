"""A resource that series show to be used up before the trouble is named, with its own first action; a leak is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.engines.offline.looked import Level
from subagents.metrics.model import Compared
from tests.engines.incidents import MINUTES, SERVICE, Story, investigated, level
from tests.engines.test_no_code_cause import CHATTY, deployed

FILLED = [max(0.0, 4e10 * (1 - at / 38)) for at in range(MINUTES)]
DISK = Story(series={(SERVICE, "node_filesystem_avail_bytes"): FILLED})


async def test_a_full_disk_is_the_cause_and_space_is_freed_first(tmp_path: Path) -> None:
    found = await investigated(tmp_path, DISK)
    assert found.kind == "no_code_cause"
    assert f"disk full in {SERVICE} since 09:38:00Z" in found.headline
    assert found.cause is not None
    assert found.cause.suspect is not None
    assert (found.cause.suspect.kind, found.cause.trigger) == ("resource", "external")
    assert not any("node_filesystem" in one.suspect.key for one in found.ruled_out)
    assert found.actions[0].text.startswith(f"free space on {SERVICE}")
    assert 0.5 <= found.confidence.value <= 0.75
    assert not found.unchecked


async def test_what_a_change_may_have_filled_is_freed_all_the_same(tmp_path: Path) -> None:
    used = {(SERVICE, "disk_used_pct"): [60.0 if i < 8 else min(100.0, 60 + (i - 8) * 1.4) for i in range(MINUTES)]}
    found = await investigated(tmp_path, deployed(Story(series=used), CHATTY, "Log what is charged", 5))
    assert (found.kind, found.culprit) == ("inconclusive", None)
    assert "is not cleared" in found.headline
    assert found.actions[0].text.startswith("free space")


async def test_memory_that_grew_for_long_names_no_cause_and_more_memory_first(tmp_path: Path) -> None:
    grown = [3e8 + min(1.0, at / 39) * 7.3e8 for at in range(MINUTES)]
    ended = [float(max(0, (at - 34) // 5)) for at in range(MINUTES)]
    series = {
        (SERVICE, "container_memory_working_set_bytes"): grown,
        (SERVICE, "container_spec_memory_limit_bytes"): [1.07e9] * MINUTES,
        (SERVICE, "container_restarts_total"): ended,
    }
    found = await investigated(tmp_path, Story(series=series))
    assert found.kind == "inconclusive"
    assert f"out of memory in {SERVICE}" in found.headline
    assert "had filled from" in found.headline
    assert found.actions[0].text.startswith(f"give {SERVICE} more memory")


async def test_a_certificate_that_ran_out_by_its_gauge_is_renewed(tmp_path: Path) -> None:
    left = [60.0 * (40 - at) for at in range(MINUTES)]
    found = await investigated(tmp_path, Story(series={(SERVICE, "tls_cert_expires_in_seconds"): left}))
    assert found.kind == "no_code_cause"
    assert found.actions[0].text.startswith(f"renew the certificate of {SERVICE}")


async def test_connections_used_up_together_with_the_trouble_are_no_cause(tmp_path: Path) -> None:
    series = {(SERVICE, "db_pool_usage_ratio"): level(0.3, 1.0)}
    found = await investigated(tmp_path, Story(series=series))
    assert found.kind == "inconclusive"


@pytest.mark.parametrize(("bad", "size", "hurts"), [("down", -12.0, True), ("down", 12.0, False), ("up", 12.0, True)])
def test_less_of_what_is_left_is_worse(bad: str, size: float, hurts: bool) -> None:
    row = Compared.model_validate(
        {"service": "db", "name": "node_filesystem_avail_bytes", "role": "host", "before": 4e10, "after": 0.0}
        | {"size": size, "bad": bad, "hurts": hurts, "citation": "metric:m/db/a@09:00Z"}
    )
    assert (Level(row, ()).departure > 0) is hurts


async def test_connections_that_a_deploy_began_to_use_up_speak_for_it(tmp_path: Path) -> None:
    held = [4.0 if at < 27 else min(20.0, 4.0 + (at - 27) * 1.4) for at in range(MINUTES)]
    series = {(SERVICE, "db_pool_in_use"): held, (SERVICE, "db_pool_size"): [20.0] * MINUTES}
    leak = "@@ -1,4 +1,3 @@\n-    with pool.connection() as held:\n+    held = pool.acquire()\n     charge(held)\n"
    found = await investigated(tmp_path, deployed(Story(series=series), leak, "Flatten the charge", 25, "pay/price.py"))
    assert found.kind == "culprit"
    assert "db_pool_in_use began to move" in " ".join(found.confidence.reasons)
    assert not any("also shows" in one for one in found.confidence.against)
