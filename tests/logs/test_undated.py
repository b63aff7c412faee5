"""A log without times says which command gives it with times."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.logs.params import CoverageParams
from tests.logs.builders import agent_for, call, write


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("[  123.456789] eth0: link becomes ready", "dmesg -T"),
        ("<6>[12345.000001] eth0: link becomes ready", "dmesg -T"),
        ("LAST SEEN   TYPE      REASON   OBJECT   MESSAGE", "kubectl get events"),
        ("NAMESPACE   LAST SEEN   TYPE      REASON   OBJECT   MESSAGE", "kubectl get events"),
        ("api-1  | order taken", "docker compose logs --timestamps"),
        ("[pod/web-7c9d8b6f5-x2x4z/web] order taken", "kubectl logs --prefix --timestamps"),
        ("order taken", "--timestamps"),
    ],
)
@pytest.mark.parametrize("name", ["x.log", "x.log.gz"])
def test_what_to_ask_for_is_said(tmp_path: Path, line: str, command: str, name: str) -> None:
    coverage = call(agent_for(write(tmp_path, name, [line] * 3)), "logs_coverage", CoverageParams()).need()
    (problem,) = coverage.sources[0].problems
    assert command in problem.todo
