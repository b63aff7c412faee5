"""What the supervisor counts is the run's own, at every moment of the sandbox's set-up."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from subagents.codefix.sandbox_watch import Tree, _files_of_its_own
from tests.sandbox.conftest import RunPython


def test_nothing_of_this_machine_counts_as_a_file_of_the_run() -> None:
    assert Tree(os.getpid()).files_in_memory() == 0


def test_a_place_that_turns_into_this_machine_s_disk_between_two_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it does while bubblewrap changes the root: both answers are of what was there first."""
    memory, disk = os.stat("/dev/shm").st_dev, os.stat(tmp_path).st_dev
    if memory == disk:
        pytest.skip("/dev/shm is on the same file system as the temporary directory here")
    about = os.statvfs("/dev/shm")
    place = tmp_path / "place"
    place.symlink_to("/dev/shm")
    real = os.fstat

    def then_changed(fd: int) -> os.stat_result:
        seen = real(fd)
        place.unlink()
        place.symlink_to(tmp_path)
        return seen

    monkeypatch.setattr(os, "fstat", then_changed)
    assert _files_of_its_own(str(place), disk) <= about.f_files - about.f_ffree + 100
    assert _files_of_its_own(str(place), disk) == 0


@pytest.mark.soak
@pytest.mark.needs("bwrap")
def test_a_thousand_short_runs_of_which_none_is_stopped(run_python: RunPython) -> None:
    with ThreadPoolExecutor(4) as threads:
        runs = list(threads.map(lambda _: run_python("print(1)"), range(1_000)))
    assert {(run.outcome, run.exit, run.reason) for run in runs} == {("exited", 0, "")}
