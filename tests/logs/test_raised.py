"""Lines that are errors by the status of their request say so: their own text calls them INFO, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.logs.levels import ERROR, INFO
from subagents.logs.model import LogsSearch
from subagents.logs.params import SearchParams
from subagents.logs.raised import raised_by
from tests.logs.builders import agent_for, call, iso, write


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ('{"ts":"2026-03-10T12:58:25Z","level":"INFO","msg":"GET /p 503 in 2007 ms","status":503}', "503"),
        ('{"level":30,"msg":"done","res.status_code": "502"}', "502"),
        ('{"level":50,"msg":"failed","status":500}', ""),
        ('{"severityNumber":17,"msg":"failed","status":500}', ""),
        ('{"level":"ERROR","msg":"pool is empty after 500 ms"}', ""),
        ("2026-03-10 12:00:01,123 INFO  [http-1] c.e.Shop GET /cart status=503 3ms", "503"),
        ("2026-03-10 12:00:02,123 ERROR [http-1] c.e.Shop GET /cart status=500 3ms", ""),
        ('10.0.0.1 - - [10/Mar/2026:12:00:00 +0000] "GET /x HTTP/1.1" 503 12 "-" "curl"', "503"),
        ("cannot reach the database", ""),
        ("<3>shop: cannot reach the database, status=503", ""),
        ("2026-03-10T12:00:00Z shop: gave up after 503 tries", ""),
        ("2026-03-10T12:00:00Z shop: GET /cart took 503 ms", ""),
        ("2026-03-10T12:00:00Z shop: GET /cart/517 502 in 3 ms", "502"),
    ],
)
def test_only_what_the_status_made_an_error_is_said_to_be_one_by_it(raw: str, status: str) -> None:
    assert raised_by(raw, ERROR) == status
    assert not raised_by(raw, INFO)


def test_a_search_says_which_of_its_errors_are_errors_by_their_status(tmp_path: Path) -> None:
    lines = [f"{iso(n)} INFO [http-1] GET /cart status={503 if n % 2 else 200} 3ms" for n in range(6)]
    found = call(agent_for(write(tmp_path, "a.log", [*lines, f"{iso(9)} ERROR [x] no db"])), "logs_search",
                 SearchParams(level="error"))  # fmt: skip
    data = found.data
    assert isinstance(data, LogsSearch)
    assert [line.by_status for line in data.lines] == ["503", "503", "503", ""]
    assert "3 of these are errors by the status (5xx) of the request, whatever level the line names" in found.text
