"""Lines as a column of texts, by the compiled `texts.c`: Polars takes over its memory as it is."""

from __future__ import annotations

import ctypes
from ctypes import addressof, c_char_p, c_uint8, c_void_p, py_object
from typing import TYPE_CHECKING, Any

from subagents.logs.native import ODD_BYTES, address, library

if TYPE_CHECKING:
    import polars as pl

_capsule = ctypes.PYFUNCTYPE(py_object, c_void_p, c_char_p, c_void_p)(("PyCapsule_New", ctypes.pythonapi))


class _Column:
    """A column that whoever asks for it may take over once, by Arrow's protocol for it."""

    def __init__(self, compiled: ctypes.CDLL) -> None:
        self._library = compiled
        self._schema, self._array = (c_uint8 * 72)(), (c_uint8 * 80)()  # as the protocol lays them out

    def take(self, data: bytes, begins: Any, ends: Any) -> int:
        """Take lines; return what is odd in them, by bit."""
        places = address(begins), address(ends), len(begins)
        return int(self._library.texts_take(data, *places, addressof(self._schema), addressof(self._array)))

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        schema, array = addressof(self._schema), addressof(self._array)
        return _capsule(schema, b"arrow_schema", None), _capsule(array, b"arrow_array", None)

    def __del__(self) -> None:
        self._library.texts_free(addressof(self._schema), addressof(self._array))


def texts_of(data: bytes, begins: Any, ends: Any) -> tuple[pl.Series, int] | None:
    """Return the lines that begin and end at these bytes (numpy int64), without their ends, and what is odd in them.

    None where the library is not there, or they are not UTF-8. Raises ValueError where one is not within the bytes.
    """
    import numpy as np
    import polars as pl

    compiled = library()
    if compiled is None:
        return None
    begins, ends = np.ascontiguousarray(begins, np.int64), np.ascontiguousarray(ends, np.int64)
    if len(begins) != len(ends) or (begins < 0).any() or (ends < begins).any() or (ends > len(data)).any():
        raise ValueError("lines that are not within their bytes")
    column = _Column(compiled)
    odd = column.take(data, begins, ends)
    if odd < 0:
        raise MemoryError("no memory for the lines of a log")
    return None if odd & ODD_BYTES else (pl.Series("", column), odd)
