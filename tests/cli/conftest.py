"""Fixtures of the command line's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import InProcess


@pytest.fixture
def quick(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> InProcess:
    """The command in this process, at home in `tmp_path`."""
    return InProcess(tmp_path, capsys, monkeypatch)
