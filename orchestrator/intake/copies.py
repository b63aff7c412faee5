"""Logs that are given twice: a copy under another name, a file beside its archive, a folder and a file in it.

What is counted twice looks like a burst, so each is read once. Sizes are compared first, then beginnings; only what
still looks the same is read to its end, which costs less than to read it as a log.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrator.intake.recognise import unrotated_name
from subagents.contract import SourceSpec
from subagents.files import CHUNK, open_bounded, unpacked_size

SURE_BYTES = 4096
"""Shorter logs of other names may well say the same by chance: two programs that only say that they started."""


def copies(specs: Sequence[SourceSpec]) -> Iterator[tuple[SourceSpec, SourceSpec]]:
    """Yield (a log that is left out, the one that says the same and stays); what cannot be read is no copy."""
    kept = dict[tuple[object, ...], SourceSpec]()
    in_order = sorted(specs, key=lambda spec: ("service" not in spec.options, os.path.islink(spec.path)))
    for spec, identity in _identified(in_order):
        first = next((kept[each] for each in identity if each in kept), None)
        if first is not None:
            yield spec, first
            continue
        kept.update(dict.fromkeys(identity, spec))


def _identified(specs: Sequence[SourceSpec]) -> Iterator[tuple[SourceSpec, list[tuple[object, ...]]]]:
    """Yield each log with what no other log shares with it unless it is the same."""
    sizes = {spec.id: unpacked_size(Path(spec.path)) for spec in specs}
    of_size = Counter(sizes.values())
    begins = {
        spec.id: (sizes[spec.id], _head(spec)) for spec in specs if sizes[spec.id] > 0 and of_size[sizes[spec.id]] > 1
    }
    alike = Counter(begins.values())
    for spec in specs:
        try:
            found = os.stat(spec.path)
        except OSError:
            continue
        identity: list[tuple[object, ...]] = [(found.st_dev, found.st_ino)]
        digest = _digest(spec) if spec.id in begins and alike[begins[spec.id]] > 1 else None
        if digest is not None:
            name = (os.path.dirname(spec.path), unrotated_name(os.path.basename(spec.path)))
            identity += [(digest, *name), *([(digest,)] if sizes[spec.id] >= SURE_BYTES else [])]
        yield spec, identity


def _head(spec: SourceSpec) -> bytes:
    try:
        stream, _ = open_bounded(Path(spec.path))
        with stream:
            return stream.read(CHUNK)
    except OSError:
        return b""


def _digest(spec: SourceSpec) -> bytes | None:
    """Return the digest of all that a file holds, unpacked; None where that cannot be read to its end."""
    found = hashlib.blake2b(digest_size=16)
    try:
        stream, bounded = open_bounded(Path(spec.path))
        with stream:
            while data := stream.read(1 << 20):
                found.update(data)
    except OSError:
        return None
    return found.digest() if bounded.problem is None else None
