"""Offsets of provider tokens from a well-kept scanner: Kingfisher, in process, offline.

Only its detection is used: its validator and its revoker send the secret out, and are never imported here. It is
built once per process in a thread (its compiled rules are kept on disk, so that takes 2.6 s once and 0.2 s then);
whoever redacts waits for it. Where it is not installed, our own rules work alone, and the session says so.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from orchestrator.journal.secret_bounds import Span

_RANK_SCANNED = 4
_PAGING = re.compile(
    rb"(?i)(?:page|pagination|continuation|cursor|sync|resume)[ _.-]?token\\{0,3}[\"']?\s?[:=]\s?\\{0,3}[\"']?\Z"
)
_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_=-]*")
_NOT_KIND = re.compile(r"[^a-z0-9]+")
_RULE_NUMBER = re.compile(r"\.\d+\Z")
_PUBLIC_HALF = re.compile(
    r"-(?:(?:client|tenant|application|app|account|auth|api|key)-id|username|host|domain|instance-url|"
    r"jfrog-url|project-url|rest-url|account-name|cloud-name|token-name|pub(?:lic)?-key|repository)\Z"
)
"""Rules for what names an account or a server beside its secret, which is found by itself."""
_HALF_THAT_OPENS = re.compile(r"access-key-id\Z")
_KIND_LIMIT = 32
_STARTING = threading.Lock()
_started: list[ProviderScanner] = []
ABSENT = (
    "the secret scanner (kingfisher-secret-scanner) cannot be used here ({why}): secrets are found by warroom's own "
    "rules alone, which know fewer providers' tokens; `make setup` installs it on Linux (glibc 2.28 or later) and macOS"
)


class ProviderScanner:
    """Implements `orchestrator.journal.redaction.Scanner`. Safe to share between threads; it lets go of the GIL."""

    def __init__(self, cache_dir: Path | None) -> None:
        self._cache_dir = cache_dir
        self._built = threading.Event()
        self._scanner: Any = None
        self._fault = ""
        threading.Thread(target=self._build, name="secret-scanner", daemon=True).start()

    @property
    def ready(self) -> bool:
        """Say whether a scan starts at once; it waits for the rules to be compiled otherwise."""
        return self._built.is_set()

    @property
    def fault(self) -> str:
        """Why it finds nothing, once that is known; empty while it works."""
        return self._fault

    def __call__(self, data: bytes) -> Iterator[Span]:
        """Yield the spans of what it takes for a secret; nothing where it could not be built."""
        self._built.wait()
        if self._scanner is None or not data:
            return
        for finding in self._scanner.scan(data.replace(b"\0", b" ")):  # with NULs it may take the text for UTF-16
            if _is_public(finding.rule_id):
                continue
            location = finding.location
            start, end = location["start_offset"], location["end_offset"]
            if finding.is_base64_encoded:
                start, end = _whole_run(data, start, end)
            if finding.rule_id.endswith("aws-secret-access-key") and _PAGING.search(data[max(0, start - 48) : start]):
                continue  # any 40 characters beside a name will do for that rule
            if 0 <= start < end <= len(data):
                yield Span(start, end, _kind(finding.rule_id), _RANK_SCANNED)

    def _build(self) -> None:
        try:
            import kingfisher_sdk

            place = self._cache_dir
            rules = kingfisher_sdk.Rules(cache=place is not None, cache_dir=None if place is None else str(place))
            self._scanner = kingfisher_sdk.Scanner(rules, base64=True, dedup=False)
        except Exception as error:  # a foreign extension: whatever it raises, our own rules go on
            self._fault = f"{type(error).__name__}: {error}"[:200]
        finally:
            self._built.set()


def provider_scanner(state: Path) -> ProviderScanner | None:
    """Return this process's scanner, started at the first call; None where it is not installed."""
    with _STARTING:
        if not _started and installed():
            _started.append(ProviderScanner(_rules_cache(state)))
    return _started[0] if _started else None


def scanner_at_hand() -> ProviderScanner | None:
    """Return this process's scanner where it is built already; a crash waits for none and starts none."""
    return next((scanner for scanner in _started if scanner.ready), None)


def installed() -> bool:
    """Say whether the package is there; importing it comes later, in the thread that builds the scanner."""
    return find_spec("kingfisher_sdk") is not None


def scanner_remark() -> str:
    """Return what is lost without the scanner, for a person; empty where nothing is, as far as is known yet."""
    if not installed():
        return ABSENT.format(why="it is not installed")
    fault = _started[0].fault if _started else ""
    return ABSENT.format(why=fault) if fault else ""


def _rules_cache(state: Path) -> Path | None:
    """Keep compiled rules beside what is installed where that is ours, so that all state directories share them."""
    for place in (Path(sys.prefix, "share", "warroom") if sys.prefix != sys.base_prefix else state, state):
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if place.stat().st_uid == os.geteuid() and os.access(place, os.W_OK):
                return place / "scanner-rules"
        except OSError:
            continue
    return None


def prepare(state: Path) -> str:
    """Compile the scanner's rules once, so that no session waits for that; return what is lost where it cannot be."""
    scanner = provider_scanner(state)
    if scanner is not None:
        list(scanner(b"-"))
    return scanner_remark()


def _whole_run(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Widen what was found inside base64 to the whole of it."""
    before = data[max(0, start - 4096) : start]
    start -= len(before) - len(before.rstrip(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"))
    match = _BASE64_RUN.match(data, end)
    return start, end if match is None else match.end()


def _is_public(rule_id: str) -> bool:
    rule = _RULE_NUMBER.sub("", rule_id)
    return _PUBLIC_HALF.search(rule) is not None and _HALF_THAT_OPENS.search(rule) is None


def _kind(rule_id: str) -> str:
    rule = _RULE_NUMBER.sub("", rule_id).rpartition(".")[2]
    return _NOT_KIND.sub("_", rule.lower()).strip("_")[:_KIND_LIMIT] or "token"


if __name__ == "__main__":
    sys.stdout.write("".join(f"{remark}\n" for remark in [prepare(Path(sys.prefix))] if remark))
