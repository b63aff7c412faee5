"""Whether every failure to read input is about one and the same record.

Code that cannot read a format fails on every record; a record that is broken fails each time that it is tried again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LEAST = 5
"""Events, each of another ten seconds, that must name the same record."""
TEXT_CHARS = 2000
_RECORD = re.compile(
    r"\b(?:offset|record|message|event|key|row|entry|document|item|order|batch|file|job|task|payload|sequence|id)"
    r"[ \t]{0,2}(?:id|no|number)?[ \t:=#'\"\[(]{1,4}[\w.-]{0,80}\d[\w-]{0,80}",
    re.IGNORECASE,
)


def same_record(texts: Sequence[str]) -> str | None:
    """Return the words that name the one record that all texts are about; None where they are about several or none."""
    if len(texts) < LEAST:
        return None
    named = [dict.fromkeys(each.group() for each in _RECORD.finditer(text[:TEXT_CHARS])) for text in texts]
    return next((words for words in named[0] if all(words in others for others in named)), None)
