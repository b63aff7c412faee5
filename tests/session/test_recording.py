"""Bodies are put on record in the order in which they came, whatever each takes to redact."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

from orchestrator.hands.redacting import SMALL, redacted_json
from orchestrator.journal.events import AgentMessage, Note, text_content
from orchestrator.journal.redaction import Redactor
from orchestrator.journal.store import Journal
from orchestrator.session.patient import PatientLog
from orchestrator.session.recording import Recorder
from tests.fakes import FakeClock

SECRET = "token=" + "q7Xw" * 9


class HeldRedactor(Redactor):
    """Keeps whatever it does in a thread waiting until it is let go."""

    def __init__(self) -> None:
        super().__init__((), b"k" * 32)
        self.loop = asyncio.get_running_loop()
        self.go = threading.Event()
        self.threads: list[str] = []
        self.taken = asyncio.Event()

    def redact_json(self, value: Any) -> tuple[Any, dict[str, int]]:
        name = threading.current_thread().name
        self.threads.append(name)
        if len(self.threads) == 3:
            self.loop.call_soon_threadsafe(self.taken.set)
        if name == "redact":
            assert self.go.wait(30)
        return super().redact_json(value)


async def test_a_small_body_waits_for_the_large_one_before_it(tmp_path: Path) -> None:
    redactor = HeldRedactor()
    clock = FakeClock()
    journal = Journal.create(tmp_path / "session", clock)
    recorder = Recorder(PatientLog(journal, clock, lambda event: None), redactor)
    large = AgentMessage(content=text_content("x " * SMALL + SECRET))
    first = asyncio.ensure_future(recorder.record(large, "logs"))
    cancelled = asyncio.ensure_future(recorder.record(Note(text="taken back"), "main"))
    last = asyncio.ensure_future(recorder.record(Note(text="small " + SECRET), "main"))
    await redactor.taken.wait()
    cancelled.cancel()
    await asyncio.wait((cancelled,))
    assert not first.done()
    assert not last.done()
    redactor.go.set()
    await asyncio.gather(first, last)
    kinds = [event.type for event in journal.events()]
    assert kinds == ["agent.message", "warroom.redacted", "warroom.note", "warroom.redacted"]
    assert SECRET not in "".join(event.body.model_dump_json() for event in journal.events())
    await journal.close()


async def test_whatever_a_scanner_is_still_built_for_goes_to_a_thread() -> None:
    class Building:
        ready = False

        def __call__(self, data: bytes) -> list[Any]:
            used.append(threading.current_thread().name)
            return []

    used: list[str] = []
    building = Building()
    redactor = Redactor((), b"k" * 32, [building])
    await redacted_json(redactor, {"a": "b"})
    building.ready = True
    await redacted_json(redactor, {"a": "b"})
    await redacted_json(redactor, {"a": ["b"] * SMALL})
    assert used == ["redact", "MainThread", "redact"]
