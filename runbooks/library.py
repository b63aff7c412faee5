"""The runbook library: those that ship, and the user's own, which win over a shipped one of the same name."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from runbooks.model import Runbook, RunbookProblem, Step
from runbooks.parse import BYTES_LIMIT, Unreadable, parse
from runbooks.search import Hit, Index

FILES_LIMIT = 500
"""Most runbook files read from one folder."""


class Library:
    """Runbooks by slug, searchable. A broken file is a problem line and hides no other."""

    def __init__(self, runbooks: Iterable[Runbook], problems: Iterable[RunbookProblem] = ()) -> None:
        self.runbooks: dict[str, Runbook] = {runbook.slug: runbook for runbook in runbooks}
        self.problems: tuple[RunbookProblem, ...] = tuple(problems)
        self._index: Index | None = None

    @classmethod
    def load(cls, extra: Sequence[Path] = (), *, bundled: bool = True) -> Library:
        """Read the runbooks that ship, then those in `extra` (folders or files; a later one wins)."""
        found: dict[str, Runbook] = {}
        problems: list[RunbookProblem] = []
        if bundled:
            _take(found, problems, Path(__file__).parent, bundled=True)
        for place in extra:
            _take(found, problems, place, bundled=False)
        return cls(found.values(), problems)

    def get(self, slug: str) -> Runbook | None:
        """Return the runbook of that slug."""
        return self.runbooks.get(slug)

    def step(self, slug: str, step_id: str) -> Step | None:
        """Return one step: what `runbook:<slug>#<step>` cites."""
        runbook = self.runbooks.get(slug)
        return runbook.step(step_id) if runbook is not None else None

    def search(self, query: str = "", signals: Iterable[str] = (), limit: int = 5) -> list[Hit]:
        """Return the runbooks that fit the words and the observed signals, best first, each with why."""
        if self._index is None:
            self._index = Index(self.runbooks.values())
        return self._index.search(query, signals, limit)


def _take(found: dict[str, Runbook], problems: list[RunbookProblem], place: Path, *, bundled: bool) -> None:
    for path in _files(place, problems):
        try:
            raw = _read(path)
            runbook, faults = parse(path, raw, bundled=bundled)
        except (Unreadable, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            problems.append(RunbookProblem(f"not usable: {reason}", str(path), "this runbook"))
            continue
        problems.extend(replace(fault, where=str(path.parent / fault.where)) for fault in faults)
        earlier = found.get(runbook.slug)
        if earlier is not None and (earlier.bundled or earlier.replaces_bundled):
            runbook = replace(runbook, replaces_bundled=True)
        elif earlier is not None:
            problems.append(
                RunbookProblem(
                    f"{runbook.slug} is also at {earlier.path}", str(path), "the other one", "rename one of them"
                )
            )
        found[runbook.slug] = runbook


def _files(place: Path, problems: list[RunbookProblem]) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    try:
        paths = sorted(p for p in place.iterdir() if p.suffix.lower() == ".md" and p.stem.lower() != "readme")
    except OSError as error:
        problems.append(RunbookProblem(f"cannot be read: {error.strerror or error}", str(place), "its runbooks"))
        return
    if len(paths) > FILES_LIMIT:
        problems.append(RunbookProblem(f"more than {FILES_LIMIT} runbooks", str(place), "the rest"))
    yield from paths[:FILES_LIMIT]


def _read(path: Path) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):
        raise Unreadable("it is not a regular file")
    with path.open("rb") as file:
        return file.read(BYTES_LIMIT + 1)
