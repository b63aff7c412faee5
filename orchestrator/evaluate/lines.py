"""One line of JSON per case: what is written, published as a schema, and read again on resume."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field, JsonValue, ValidationError

from orchestrator.journal.verdict import ServiceScore, SuspectScore, Verdict, VerdictKind
from orchestrator.verdict.report_model import DoubtedClaim
from subagents.contract import Frozen

_BEGINNING = b'{"id": "'
"""Of every line, as `LineFile.append` writes it."""
Failure = Literal["crashed", "timed out", "unusable", "no verdict"]


class Answer(Frozen):
    """What is scored: of warroom, or of a simple baseline."""

    kind: VerdictKind | None = Field(None, description="None: there is no verdict; counts as wrong.")
    culprit: str | None = Field(None, description="Full id of the commit that did it, where one did and is known.")
    service: str | None = Field(None, description="Where it began.")
    services: tuple[ServiceScore, ...] = Field((), description="Every service that was ranked, best first.")
    suspects: tuple[SuspectScore, ...] = Field((), description="Every commit that was ranked, most suspicious first.")
    confidence: float = Field(0.0, ge=0, le=1)


NAMED = ("id", "family", "kind", "culprit", "service", "services", "suspects", "confidence", "seconds", "verdict")
"""What every line carries, as null or empty where there is none."""


class BaselineAnswer(Answer):
    """What a simple rule answers to the same case."""

    name: str
    onset: AwareDatetime | None = None


def _all_required(schema: dict[str, JsonValue]) -> None:
    required = schema.get("required")
    schema["required"] = [*dict.fromkeys([*(required if isinstance(required, list) else []), *NAMED])]


class EvalLine(Answer):
    """The result of one case. It holds nothing of the labels."""

    model_config = ConfigDict(json_schema_extra=_all_required)

    id: str = Field(description="The case's id.")
    family: str
    engine: str
    warroom: str = Field(description="Version that wrote this.")
    build: str = Field(description="Digest of the program's code, so that runs of different code are told apart.")
    input: str = Field("", description="Digest of the case's files; a case that has changed runs again.")
    seconds: float = Field(0.0, ge=0, description="Seconds that the engine worked.")
    elapsed: float = Field(0.0, ge=0, description="Seconds from the start of the case's process to its end.")
    verdict: Verdict | None = None
    doubted: tuple[DoubtedClaim, ...] = Field((), description="Claims that do not hold; they did not count.")
    problems: tuple[str, ...] = Field((), description="What was wrong with the input, one line each.")
    failure: Failure | None = Field(None, description="How the case failed; None where it did not.")
    error: str = Field("", description="What is known of the failure.")
    baselines: tuple[BaselineAnswer, ...] = Field((), description="What simple rules answer to the same case.")

    @property
    def onset(self) -> AwareDatetime | None:
        """When the symptom began, by the verdict."""
        return self.verdict.symptom.onset if self.verdict is not None and self.verdict.symptom is not None else None


class LinesError(Exception):
    """The file of lines cannot be used; the message is one line for people."""


class LineFile:
    """The lines of a run, open for more. One process at a time; a torn last line is cut off when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[EvalLine] = []
        """Those that are whole, oldest first."""
        self.unreadable = 0
        """Lines that are not (or not any more) of this form; they stay in the file and do not count."""
        self.torn = False
        """The last line was cut short, as by a kill; it was removed."""
        self._descriptor = -1

    def __enter__(self) -> LineFile:
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._descriptor = os.open(self.path, flags, 0o666)
            if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
                raise LinesError(f"{self.path}: is no regular file; give another --out")
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._repair(self.path.read_bytes())
        except LinesError:
            self._close()
            raise
        except BlockingIOError as error:
            self._close()
            raise LinesError(f"{self.path}: another run is writing to it; wait for it or give another --out") from error
        except OSError as error:
            self._close()
            raise LinesError(f"{self.path}: cannot be written ({error.strerror}); give another --out") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def append(self, line: EvalLine) -> None:
        """Write one line, durably; raises LinesError."""
        named = {"id": line.id, "family": line.family, **line.model_dump(mode="json")}  # those two first, for people
        data = json.dumps(named, ensure_ascii=True).encode() + b"\n"
        try:
            written = 0
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
            os.fsync(self._descriptor)
        except OSError as error:
            raise LinesError(
                f"{self.path}: cannot be written ({error.strerror}); the lines so far are kept, run it again"
            ) from error
        self.lines.append(line)

    def _repair(self, data: bytes) -> None:
        whole, _, rest = data.rpartition(b"\n")
        lines, last = whole.splitlines(), _parse(rest) if rest.strip() else None
        self.lines, self.unreadable = parse_lines(lines)
        is_ours = self.lines or last or any(_is_line(line) for line in lines)
        if data.strip() and not is_ours and not (_is_torn(rest) and not whole.strip()):
            raise LinesError(f"{self.path}: is not a file of eval lines; give another --out")
        if last is not None:
            os.write(self._descriptor, b"\n")
            self.lines.append(last)
        elif _is_torn(rest):
            os.ftruncate(self._descriptor, len(data) - len(rest))
            self.torn = True
        elif rest:
            os.write(self._descriptor, b"\n")
            self.unreadable += bool(rest.strip())

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def parse_lines(raw: Iterable[bytes]) -> tuple[list[EvalLine], int]:
    """Return the lines that are whole, and how many are not."""
    parsed = [_parse(line) for line in raw if line.strip()]
    good = [line for line in parsed if line is not None]
    return good, len(parsed) - len(good)


def _parse(raw: bytes) -> EvalLine | None:
    try:
        line = EvalLine.model_validate_json(raw)
    except ValidationError:
        return None
    return line if line.model_fields_set >= set(NAMED) else None


def _is_line(raw: bytes) -> bool:
    """Say whether it is a line of some form, an older one perhaps."""
    return _object(raw).keys() >= {"id", "family", "engine"}


def _is_torn(raw: bytes) -> bool:
    """Say whether it is the beginning of a line, as a kill leaves it."""
    begins = raw.startswith(_BEGINNING) or (raw != b"" and _BEGINNING.startswith(raw))
    return begins and not _object(raw)


def _object(raw: bytes) -> dict[str, JsonValue]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
