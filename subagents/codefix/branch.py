"""Names of fix branches: `triage/<incident>-<slug>`, in letters that every file system and shell takes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from subagents.codefix.fixes import BRANCH_PREFIX

_BRANCH = re.compile(r"triage/[a-z0-9][a-z0-9._/-]{0,80}\Z")
_OTHER = re.compile(r"[^a-z0-9]+")
INCIDENT_LIMIT, SLUG_LIMIT = 32, 40
SUFFIXES = 50
"""Most drafts of one name."""


def require_branch(name: str) -> str:
    """Return the name of a fix branch; raise ValueError for what is none, or what git would not take as a ref."""
    parts = name.split("/") if _BRANCH.match(name) else [""]
    bad = any(not part or part.startswith(".") or part.endswith((".", ".lock")) for part in parts)
    if bad or ".." in name:
        raise ValueError(f"not the name of a fix branch: {name[:90]!r}")
    return name


def slug(text: str, limit: int) -> str:
    """Return text in lower-case letters, digits and single hyphens; empty where nothing of it is left."""
    plain = unicodedata.normalize("NFKD", text[:400]).encode("ascii", "ignore").decode().lower()
    whole = _OTHER.sub("-", plain).strip("-")
    return whole if len(whole) <= limit else whole[: limit + 1].rpartition("-")[0][:limit] or whole[:limit]


def branch_names(incident: str, title: str) -> Iterator[str]:
    """Yield the names that a draft may have, in the order in which they are tried."""
    incident = slug(incident, INCIDENT_LIMIT) or "incident"
    stem = f"{BRANCH_PREFIX}{incident}-{slug(title, SLUG_LIMIT) or 'fix'}"
    yield require_branch(stem)
    for number in range(2, SUFFIXES + 1):
        yield require_branch(f"{stem}-{number}")
