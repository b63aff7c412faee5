"""Drain3's groups of messages: run by the benchmark environment's Python, from one JSON file to another.

`drain_groups.py IN OUT`: IN holds lists of messages by name; OUT, by configuration and name, a group for each.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

MASKS = (
    (r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", "UUID"),
    (r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}", "IP"),
    (r"\b(?:0x[0-9a-fA-F]+|(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,})\b", "HEX"),
    (r"(?<![A-Za-z])[-+]?\d+(?:\.\d+)?", "NUM"),
)
"""The four usual ones: uuid, address, hexadecimal, number."""


def miner(masks: tuple[tuple[str, str], ...]) -> Any:
    """Return a Drain3 miner at its defaults with these masks."""
    masking = importlib.import_module("drain3.masking").MaskingInstruction
    config = importlib.import_module("drain3.template_miner_config").TemplateMinerConfig()
    config.masking_instructions = [masking(pattern, name) for pattern, name in masks]
    return importlib.import_module("drain3").TemplateMiner(config=config)


def groups(messages: list[str], masks: tuple[tuple[str, str], ...]) -> list[int]:
    """Return the cluster of each message, as known when all have been seen."""
    drain = miner(masks)
    return [drain.add_log_message(message)["cluster_id"] for message in messages]


def main(source: str, target: str) -> None:
    """Group what `source` holds, write to `target`."""
    corpora = json.loads(Path(source).read_text(encoding="utf-8"))
    found = {
        name: {part: groups(messages, masks) for part, messages in corpora.items()}
        for name, masks in (("Drain3", ()), ("Drain3 + 4 masks", MASKS))
    }
    Path(target).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
