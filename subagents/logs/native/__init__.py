"""The compiled first stage of the log pass (`lines.c`), where it could be built; the same is done without it."""

from __future__ import annotations

import ctypes
import importlib.machinery
import os
from ctypes import c_char_p, c_int32, c_int64, c_uint8, c_uint32, c_uint64, c_void_p
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_CLASS = -1
NO_FINDER, NOT_LOOKED = -1, -2
MOST_CLASSES = 1 << 18
INTERFACE = 20
MOST_FINDERS = 127
VERIFIED, SLOW, SPECIAL, LITERAL, CHILD, HOSTED, MISREAD = 1, 2, 4, 8, 16, 32, 64
"""Flags of a class: one line tells all; each is read; its neighbours count; some words do, as here; one is the host;
the stamp that is found is not what counts."""
ORIGINS = {"syslog priority": 1, "kubectl --prefix": 2, "docker compose": 4, "stern": 8}
NO_TIME = -(1 << 63)
PLACES = ("Y", "y", "m", "b", "d", "H", "M", "S", "f")
ANY_DIGIT, SPACE_OR_DIGIT, MONTH, IN_MONTH, WEEKDAY, IN_WEEKDAY = range(1, 7)
ODD_ESCAPES, ODD_BYTES, NOT_ASCII = 1, 2, 4
_ANCHOR, _BODY, _ZONE = 48, 48, 12


class Finder(ctypes.Structure):
    """How a stamp is found and read; see `finders.h`."""

    _fields_ = (
        ("start", c_int32),
        ("json", c_int32),
        ("anchor_length", c_int32),
        ("body_length", c_int32),
        ("fraction", c_int32),
        ("zone_length", c_int32),
        ("naive", c_int32),
        ("epoch", c_int32),
        ("year", c_int32),
        ("days", c_int32),
        ("place", c_int32 * len(PLACES)),
        ("within", c_int32),
        ("words", c_int32),
        ("ragged", c_int32),
        ("turn", c_int32),
        ("bare", c_int32),
        ("zone_us", c_int64),
        ("latest_us", c_int64),
        ("anchor", c_uint8 * _ANCHOR),
        ("body", c_uint8 * _BODY),
        ("zone", c_uint8 * _ZONE),
        ("pad", c_uint8 * 4),
    )

    def texts(self, anchor: bytes, body: bytes, zone: bytes) -> bool:
        """Fill in what is compared byte by byte; False where there is no room for it."""
        if len(anchor) > _ANCHOR or len(body) > _BODY or len(zone) > _ZONE:
            return False
        self.anchor[: len(anchor)] = list(anchor)
        self.body[: len(body)] = list(body)
        self.zone[: len(zone)] = list(zone)
        self.anchor_length, self.body_length, self.zone_length = len(anchor), len(body), len(zone)
        return True


@dataclass(frozen=True)
class Scan:
    """The lines of a block at first sight (numpy, one of each for a line)."""

    starts: Any
    times: Any
    """µs since 1970 UTC, NO_TIME where no stamp was found"""
    finders: Any
    """NO_FINDER; NOT_LOOKED: it has to be read as if nothing were known"""
    places: Any
    """Where its text, its stamp and what stands behind that begin, in bytes"""
    classes: Any
    """NO_CLASS where nothing is known"""
    hosts: Any
    """By number, -1 where the class does not name it by a word"""
    varied: Any
    """How many bytes are in words with digits: so much longer or shorter may lines of a class be"""
    state: int = 0
    """Number of the state of knowledge that the classes belong to"""

    def head(self, rows: int) -> Scan:
        """Return the first lines."""
        starts, times, finders, places = (
            column[:rows] for column in (self.starts, self.times, self.finders, self.places)
        )
        classes, hosts, varied = self.classes[:rows], self.hosts[:rows], self.varied[:rows]
        return Scan(starts, times, finders, places, classes, hosts, varied, self.state)


class Classes:
    """The classes of one file's lines, in memory of the library."""

    def __init__(self, library: ctypes.CDLL) -> None:
        import numpy as np

        self._library = library
        seed, secret = os.urandom(8), os.urandom(8)
        self._handle = library.classes_new(int.from_bytes(seed, "little"), int.from_bytes(secret, "little"))
        if not self._handle:
            raise MemoryError("no memory for the classes of log lines")
        self.flags = np.ctypeslib.as_array(library.classes_flags(self._handle), (MOST_CLASSES,))
        self.literal = np.ctypeslib.as_array(library.classes_literal(self._handle), (MOST_CLASSES,))
        self.host_word = np.ctypeslib.as_array(library.classes_host_word(self._handle), (MOST_CLASSES,))
        self.group = np.ctypeslib.as_array(library.classes_group(self._handle), (MOST_CLASSES,))
        """How a line begins and where its words with digits stand, by class; 0 for objects."""

    def __len__(self) -> int:
        return int(self._library.classes_count(self._handle))

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._library.classes_free(self._handle)

    def find_by(self, finders: Sequence[Finder], origins: int) -> None:
        """Say how stamps are found, in this order, and what collectors write before lines (`ORIGINS`, by bit)."""
        if self._library.classes_find_by(self._handle, (Finder * len(finders))(*finders), len(finders), origins) < 0:
            raise ValueError(f"at most {MOST_FINDERS} finders, of which none reaches beyond its own body")

    def settle(self, group: int, flags: int, literal: int, host_word: int) -> None:
        """Keep what holds for all classes of a group that are still to come; no flags: nothing does."""
        self._library.classes_settle(self._handle, group, flags, literal, host_word)

    def forget(self) -> None:
        """Begin anew: what was learnt of the file's lines no longer holds."""
        self._library.classes_forget(self._handle)

    def step_down(self) -> bool:
        """Scan as a lesser processor from now on, which comes to the same; False where there is none."""
        return bool(self._library.classes_step_down(self._handle))

    def is_utf8(self, data: bytes, size: int) -> bool:
        """Say whether the first `size` bytes are UTF-8, without making a text of them."""
        return bool(self._library.block_is_utf8(data, size))

    def scan(self, data: bytes, size: int, odd: int, room: int) -> Scan:
        """Look at the lines in the first `size` bytes."""
        import numpy as np

        starts, times, finders = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int8)
        places, classes, hosts = np.empty((room, 3), np.int16), np.empty(room, np.int32), np.empty(room, np.int32)
        varied = np.empty(room, np.int16)
        count = self._scan(data, size, odd, room, [starts, times, finders, places, classes, hosts, varied])
        wide = classes[:count].astype(np.intp)  # as an index takes them: what is asked by class is asked many times
        return Scan(starts, times, finders, places, wide, hosts, varied).head(count)

    def stamps(self, data: bytes, size: int, room: int) -> tuple[Any, Any, Any]:
        """Return (times, finders, places) of the lines in the first `size` bytes as a scan does; nothing is learnt."""
        import numpy as np

        starts, times, finders = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int8)
        places = np.empty((room, 3), np.int16)
        count = self._scan(data, size, ODD_ESCAPES | ODD_BYTES, room, [starts, times, finders, places])
        return times[:count], finders[:count], places[:count]

    def _scan(self, data: bytes, size: int, odd: int, room: int, arrays: list[Any]) -> int:
        pointers = [*map(address, arrays), *[None] * (7 - len(arrays))]
        return int(self._library.classes_scan(self._handle, data, size, odd, room, *pointers))

    def runs(self, data: bytes, scan: Scan, heads: Any, behinds: Any) -> tuple[Any, Any]:
        """Return two numbers for each run of lines, from a stamped one to before `behinds` (numpy int64, uint64).

        One is the same where the first lines are of one class and equal but for numbers, the other where the rest is,
        in which numbers of indented lines count. Behind each run stands another line.
        """
        import numpy as np

        of_heads, of_rests = np.empty((2, len(heads)), np.uint64)
        classes = scan.classes[heads].astype(np.int32)
        arrays = map(address, (scan.starts, scan.places, classes, heads, behinds))
        hashes = map(address, (of_heads, of_rests))
        self._library.runs_hashed(self._handle, data, *arrays, len(heads), *hashes)
        return of_heads, of_rests

    def hosts(self, known: int) -> list[str]:
        """Return the hosts met beyond the first `known`."""
        count = self._library.classes_hosts(self._handle)
        names = [self._library.classes_host(self._handle, number) for number in range(known, count)]
        return [name.decode("utf-8", "replace") for name in names]

    def word(self, line: bytes, index: int) -> bytes | None:
        """Return a line's word with digits by its number; None where it has none."""
        length = c_int64()
        begin = self._library.classes_word(self._handle, line, len(line), index, ctypes.byref(length))
        return line[begin : begin + length.value] if begin >= 0 else None


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL | None:
    """Return the compiled library; None where it was not built or is none of ours."""
    folder = Path(__file__).parent
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        path = folder / f"_lines{suffix}"
        if path.is_file():
            try:
                found = ctypes.CDLL(str(path))
                _declare(found)
            except (OSError, AttributeError):
                continue
            ours = (INTERFACE, ctypes.sizeof(Finder), MOST_CLASSES)
            if (found.interface_number(), found.finder_size(), found.classes_room()) == ours:
                return found
    return None


def looked_at(data: bytes) -> tuple[int, int]:
    """Return (line feeds, whether there are escapes and whether all is ASCII, by bit)."""
    found = library()
    if found is None:
        import numpy as np

        feeds = int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord("\n")))
        return feeds, (ODD_ESCAPES if b"\x1b" in data else 0) | (0 if data.isascii() else NOT_ASCII)
    count = c_int64()
    odd = found.block_looked_at(data, len(data), ctypes.byref(count))
    return count.value, int(odd)


def absence() -> str:
    """Return what is missing without the library and how it is had; nothing where it is there."""
    if library() is not None:
        return ""
    return (
        "the first stage of the log pass is not compiled: large logs take longer to read, with the same result; "
        "install a C compiler (Debian, Ubuntu: apt-get install gcc libc6-dev), then install warroom again (make setup)"
    )


def address(array: Any) -> int | None:
    """Return where a numpy array is, as the library takes it; None where there is none."""
    return None if array is None else int(array.ctypes.data)


def _declare(found: ctypes.CDLL) -> None:
    """State the types of the library's functions; AttributeError where it lacks one."""
    handle = array = c_void_p
    texts = [c_char_p, array]
    types: dict[str, tuple[Any, list[Any]]] = {
        "classes_new": (handle, [c_uint64, c_uint64]),
        "classes_free": (None, [handle]),
        "classes_flags": (ctypes.POINTER(c_uint8), [handle]),
        "classes_literal": (ctypes.POINTER(c_uint32), [handle]),
        "classes_host_word": (ctypes.POINTER(c_uint8), [handle]),
        "classes_group": (ctypes.POINTER(c_uint64), [handle]),
        "classes_hosts": (c_int32, [handle]),
        "classes_host": (c_char_p, [handle, c_int32]),
        "classes_word": (c_int64, [handle, c_char_p, c_int64, c_int32, ctypes.POINTER(c_int64)]),
        "classes_count": (c_int32, [handle]),
        "classes_forget": (None, [handle]),
        "classes_step_down": (c_int32, [handle]),
        "classes_settle": (None, [handle, c_uint64, c_uint8, c_uint32, c_uint8]),
        "classes_find_by": (c_int32, [handle, ctypes.POINTER(Finder), c_int32, c_int32]),
        "classes_scan": (c_int64, [handle, c_char_p, c_int64, c_int32, c_int64, *[array] * 7]),
        "runs_hashed": (None, [handle, c_char_p, *[array] * 5, c_int64, *[array] * 2]),
        "block_looked_at": (c_int32, [c_char_p, c_int64, ctypes.POINTER(c_int64)]),
        "block_is_utf8": (c_int32, [c_char_p, c_int64]),
        "texts_take": (c_int32, [c_char_p, *[array] * 2, c_int64, *[array] * 2]),
        "texts_free": (None, [array, array]),
        "twins_of": (None, [handle, *texts, c_int64, *[array] * 6]),
        "keys_new": (handle, [c_uint64, c_uint64]),
        "keys_free": (None, [handle]),
        "keys_find": (c_int64, [handle, *texts, *texts, c_int64, c_int64, c_int32, c_int32, *[array] * 4]),
        "words_new": (handle, [c_uint64, *texts, array, c_int64]),
        "words_free": (None, [handle]),
        "words_leads": (c_int64, [handle, *texts, array, c_int64, c_int64, c_int32, *[array] * 3]),
        "words_of_keys": (c_int64, [handle, *texts, c_int64, *[array] * 3]),
        "words_count": (c_int32, [handle, ctypes.POINTER(c_int64)]),
        "words_list": (None, [handle, array, array]),
        "classes_room": (c_int32, []),
        "interface_number": (c_int32, []),
        "finder_size": (c_int32, []),
    }
    for name, (result, arguments) in types.items():
        function = getattr(found, name)
        function.restype, function.argtypes = result, arguments
