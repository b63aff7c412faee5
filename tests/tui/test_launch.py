"""Running the app on a terminal: what it must not leave behind."""

from __future__ import annotations

import gc
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from tui.launch import launch
from tui.start import Start


def test_no_thread_that_reads_keys_outlives_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a terminal that goes away leaves it: the driver fails before it told its thread to end."""
    ends, reads = threading.Event(), list[threading.Thread]()

    class Broken:
        return_code, farewell, _driver = 3, "", SimpleNamespace(exit_event=ends)

        def __init__(self, start: Start) -> None:
            self.start = start

        def run(self, **_: Any) -> None:
            reads.append(threading.Thread(target=ends.wait, name="textual-input"))
            reads[0].start()

    monkeypatch.setattr("tui.app.WarRoomApp", Broken)
    assert launch(Start()) == 3
    reads[0].join()
    assert not reads[0].is_alive()
    assert gc.isenabled(), "an app that never showed a frame leaves the collector as it was"
