"""Copies of input that sources cannot read as it is: streams, other encodings, records inside a document."""

from __future__ import annotations

import codecs
import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from orchestrator.intake.naming import short_hash, shown, slug
from subagents.contract import Problem
from subagents.files import open_bounded

COPY_BYTES = 1 << 30


class Spool:
    """The session's own folder for such copies; nothing is written before something must be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, name: str) -> Path:
        """Return a path in the spool that is not taken yet."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        stem, dot, suffix = name.rpartition(".")
        base = slug(stem if dot else name) or "input"
        tail = f".{slug(suffix)}" if dot else ""
        number, found = 2, self.folder / f"{base}{tail}"
        while os.path.lexists(found):
            found, number = self.folder / f"{base}-{number}{tail}", number + 1
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

    def utf8(self, path: Path, name: str, encoding: str) -> tuple[Path, Problem | None]:
        """Convert text of another encoding to a UTF-8 copy; what cannot be decoded becomes U+FFFD."""
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        copy, written = self.place(name.removesuffix(".gz").removesuffix(".zst")), 0
        stream, bounded = open_bounded(path, name)
        with stream, copy.open("wb") as out:
            while chunk := stream.read(1 << 20):
                written += out.write(decoder.decode(chunk).encode("utf-8", "replace"))
                if written > COPY_BYTES:
                    return copy, Problem(what=f"larger than {COPY_BYTES >> 20} MiB", where=name, lost="the rest")
            out.write(decoder.decode(b"", final=True).encode("utf-8", "replace"))
        if encoding == "utf-8-sig" or bounded.problem is not None:
            return copy, bounded.problem
        return copy, Problem(what=f"{encoding.upper()} text", where=name, todo="read through a UTF-8 copy")

    def addressable(self, path: Path) -> Path:
        """Return a path that is valid UTF-8: the path itself, or a link in the spool that leads to it."""
        try:
            os.fspath(path).encode("utf-8")
        except UnicodeEncodeError:
            link = self.place(f"{shown(path.name)}-{short_hash(os.fspath(path))}")
            link.symlink_to(path)
            return link
        return path
