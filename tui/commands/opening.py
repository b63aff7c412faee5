"""Opening what is kept: the state directory, a session by the start of its id, its report."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tui.commands.faults import Fault, narrate

if TYPE_CHECKING:
    from orchestrator.journal.home import StateHome
    from orchestrator.journal.reader import JournalReader
    from orchestrator.verdict.report_model import Report


@contextmanager
def clear_faults() -> Iterator[None]:
    """Turn what can go wrong with the state directory and a journal into the one line of a command."""
    from orchestrator.journal.faults import JournalError, StateError

    try:
        yield
    except (StateError, JournalError) as error:
        raise Fault(str(error)) from error


def state_home() -> StateHome:
    """Return the state directory, there or not."""
    from orchestrator.journal.home import StateHome

    with clear_faults():
        return StateHome.locate()


def session_folder(name: str) -> Path:
    """Return the folder of the one session whose id begins (or ends) with `name`."""
    home = state_home()
    with clear_faults():
        return home.session_dir(home.find(name))


def open_reader(name: str) -> JournalReader:
    """Open a session's journal for reading; say on standard error where it is not whole."""
    from orchestrator.journal.reader import JournalReader

    with clear_faults():
        reader = JournalReader.open(session_folder(name))
    if not reader.integrity.whole or reader.newer:
        narrate(f"warroom: {reader.directory.name}: {reader.words}")
    return reader


def read_report(name: str) -> Report:
    """Fold a session's journal into its report."""
    from orchestrator.journal.blobs import BlobStore
    from orchestrator.verdict.report import ReportError, build_report

    with open_reader(name) as reader, clear_faults():
        try:
            return build_report(reader.events(), BlobStore(reader.directory).read)
        except ReportError as error:
            raise Fault(f"{reader.directory.name}: {error}") from error


def on_terminal() -> bool:
    """Say whether a person reads standard output."""
    return sys.stdout is not None and sys.stdout.isatty()
