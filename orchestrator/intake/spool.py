"""Copies of input that sources cannot read as it is: streams, other encodings, records inside a document."""

from __future__ import annotations

import codecs
import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from orchestrator.intake.journal_text import entries_of
from orchestrator.intake.naming import shown, source_id
from subagents.contract import Problem
from subagents.files import open_bounded

COPY_BYTES = 1 << 30


class Spool:
    """The session's own folder for such copies; nothing is written before something must be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, name: str) -> Path:
        """Return a path in the spool that is not taken yet; the name's stem, which may be a service's, is kept."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        stem, dot, suffix = source_id(name.replace("/", "-"), ()).partition(".")
        number, found = 2, self.folder / f"{stem}{dot}{suffix}"
        while os.path.lexists(found):
            found, number = self.folder / f"{stem}.{number}{dot}{suffix}", number + 1
        return found

    def records(self, name: str, records: Sequence[JsonValue]) -> Path:
        """Write records as one JSON array."""
        import orjson

        path = self.place(name)
        path.write_bytes(orjson.dumps(list(records)))
        return path

    def lines(self, name: str, records: Sequence[JsonValue]) -> Path:
        """Write records as JSON lines."""
        import orjson

        path = self.place(name)
        with path.open("wb") as out:
            out.writelines(orjson.dumps(record) + b"\n" for record in records)
        return path

    def entries(self, path: Path, where: str, form: str) -> tuple[Path, Problem | None]:
        """Write the entries of a journal, given with a field to a line, as JSON lines."""
        import orjson

        copy, written = self.place(f"{path.name.removesuffix('.gz').removesuffix('.zst')}.jsonl"), 0
        stream, bounded = open_bounded(path, where)
        with stream, copy.open("wb") as out:
            for entry in entries_of(form, stream):
                written += out.write(orjson.dumps(entry) + b"\n")
                if written > COPY_BYTES:
                    return copy, Problem(what=f"larger than {COPY_BYTES >> 20} MiB", where=where, lost="the rest")
        return copy, bounded.problem

    def text(self, name: str, text: str) -> Path:
        """Write text as UTF-8; a lone surrogate becomes `?`."""
        path = self.place(name)
        path.write_bytes(text.encode("utf-8", "replace"))
        return path

    def utf8(self, path: Path, where: str, encoding: str) -> tuple[Path, Problem | None]:
        """Convert text of another encoding to a UTF-8 copy; what cannot be decoded becomes U+FFFD."""
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        copy, written = self.place(path.name.removesuffix(".gz").removesuffix(".zst")), 0
        stream, bounded = open_bounded(path, where)
        with stream, copy.open("wb") as out:
            while chunk := stream.read(1 << 20):
                written += out.write(decoder.decode(chunk).encode("utf-8", "replace"))
                if written > COPY_BYTES:
                    return copy, Problem(what=f"larger than {COPY_BYTES >> 20} MiB", where=where, lost="the rest")
            out.write(decoder.decode(b"", final=True).encode("utf-8", "replace"))
        if bounded.problem is not None:
            return copy, bounded.problem
        return copy, Problem(what=f"{encoding.upper()} text", where=where, todo="read through a UTF-8 copy")

    def addressable(self, path: Path) -> Path:
        """Return a path that is valid UTF-8: the path itself, or a link in the spool that leads to it."""
        try:
            os.fspath(path).encode("utf-8")
        except UnicodeEncodeError:
            link = self.place(shown(path.name))
            link.symlink_to(path)
            return link
        return path
