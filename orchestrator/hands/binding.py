"""What a decision binds to: the digest of the one JSON form of what was shown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical(value: Any) -> bytes:
    """Return the one JSON form of a value: keys sorted, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest_of(detail: Mapping[str, Any]) -> str:
    """Return what an approval of `detail` binds to: `sha256:` + hex of its canonical JSON."""
    return "sha256:" + hashlib.sha256(canonical(detail)).hexdigest()
