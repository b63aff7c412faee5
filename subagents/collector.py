"""Making very many lasting objects at once without the cycle collector walking over all of them again and again.

They hold no circles, and a tenth of the time would go into the search for some.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def collector_waiting() -> Iterator[None]:
    """Keep the cycle collector waiting for the length of a block; reference counts free everything else as ever."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if not gc.get_freeze_count():
                gc.freeze()  # and back: what was made counts as old, and is not walked over at once
                gc.unfreeze()
            gc.enable()


_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGEST_KEPT = 32 << 20
"""More is refused by glibc before 2.35, which would then ask the system for every block."""
_MOST_KEPT = 512 << 20


@contextmanager
def memory_kept() -> Iterator[None]:
    """Let this process use freed memory again for the length of a block and give it back then, with glibc.

    Blocks of many megabytes come and go; the system would clear the pages of each anew.
    """
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):
            library = ctypes.CDLL(None)
            for option, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, _LARGEST_KEPT), (_TRIM_THRESHOLD, _MOST_KEPT)):
                library.mallopt(option, value)
    try:
        yield
    finally:
        with suppress(OSError, TypeError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
