"""The answers. Opened after the lines of a run are written, and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import JsonValue

from subagents.quantities import counted

Label = Mapping[str, JsonValue]


def read_labels(folder: Path | None, families: Iterable[str]) -> tuple[dict[tuple[str, str], Label], list[str]]:
    """Return the label of each case, by family and id, and what was wrong with the files, a line each."""
    found: dict[tuple[str, str], Label] = {}
    faults: list[str] = []
    for family in sorted(set(families)) if folder is not None else ():
        path = folder / f"{family}.jsonl" if folder is not None else Path()
        if not path.is_file():
            faults.append(f"{family}: no labels; its cases are not scored")
            continue
        try:
            raw = path.read_bytes().splitlines()
        except OSError as error:
            faults.append(f"{family}: labels cannot be read ({error.strerror}); its cases are not scored")
            continue
        broken = 0
        for line in raw:
            label = _label(line)
            if label is not None:
                found[family, str(label["id"])] = label
            elif line.strip():
                broken += 1
        if broken:
            faults.append(f"{family}: {counted(broken, 'line')} of its labels cannot be read as labels")
    return found, faults


def _label(line: bytes) -> Label | None:
    try:
        label = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return label if isinstance(label, dict) and isinstance(label.get("id"), str) else None
