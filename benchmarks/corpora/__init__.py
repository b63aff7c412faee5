"""Log corpora with known answers: generated, of any size, each line with the statement that printed it.

`write(path, kind, megabytes)` writes a corpus; `events(kind)` yields it; `SYSTEMS` are its programs. Half of
them (`System.frozen`) were written before any rule of grouping was chosen, and are not looked at when one is.
"""

from __future__ import annotations

from benchmarks.corpora.stream import KINDS, Answers, Event, Written, answers, events, sample, write
from benchmarks.corpora.systems import SYSTEMS, System

__all__ = ["KINDS", "SYSTEMS", "Answers", "Event", "System", "Written", "answers", "events", "sample", "write"]
