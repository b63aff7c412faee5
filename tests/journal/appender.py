"""A process to kill: forks a child per command line, which appends for ever and acknowledges on standard output.

`python -m tests.journal.appender`; each line on standard input is `<mode> <directory>`. The child writes `pid <n>`, its
own, then `ack <seq> <hash>`, and `dead` follows once it is gone.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from orchestrator.journal.codec import Entry
from orchestrator.journal.events import Note
from orchestrator.journal.store import Journal
from subagents.clock import SystemClock


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def append_to_journal(directory: Path) -> None:
    """Three tasks append as fast as they can."""
    exists = (directory / "journal.db").exists()
    journal = (Journal.open if exists else Journal.create)(directory, SystemClock())

    async def work(name: str) -> None:
        while True:
            for event in await journal.append(Entry(Note(text=name * 50), name), Entry(Note(text="second"), name)):
                say(f"ack {event.seq} {event.hash}")

    await asyncio.gather(*(work(name) for name in ("logs", "metrics", "deploys")))


async def hold(directory: Path) -> None:
    """Hold the session open and do nothing."""
    journal = Journal.open(directory, SystemClock())
    [event] = await journal.append(Entry(Note(text="held"), "logs"))
    say(f"ack {event.seq} {event.hash}")
    await asyncio.Event().wait()


def append_to_jsonl(directory: Path) -> None:
    """What a plain log would do: a batch of lines, flush, fdatasync, acknowledge. No repair on opening."""
    path = directory / "log.jsonl"
    number = path.stat().st_size if path.exists() else 0
    with path.open("a") as file:
        while True:
            batch = range(number + 1, number + 201)
            for number in batch:
                json.dump({"n": number, "text": "x" * 300}, file)
                file.write("\n")
            file.flush()
            os.fdatasync(file.fileno())
            say("\n".join(f"ack {done} -" for done in batch))


def main() -> None:
    for line in iter(sys.stdin.readline, ""):
        mode, directory = line.split(maxsplit=1)
        place = Path(directory.strip())
        child = os.fork()
        if child == 0:
            try:
                say(f"pid {os.getpid()}")
                if mode == "jsonl":
                    append_to_jsonl(place)
                asyncio.run((hold if mode == "hold" else append_to_journal)(place))
            finally:
                os._exit(1)
        os.waitpid(child, 0)
        say("dead")


if __name__ == "__main__":
    main()
