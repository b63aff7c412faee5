"""Making very many lasting objects at once without the cycle collector walking over all of them again and again.

They hold no circles, and a tenth of the time would go into the search for some.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager


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


def trim_memory() -> None:
    """Give memory that is free back to the system, where the C library keeps it and can."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, TypeError, AttributeError):
        return
