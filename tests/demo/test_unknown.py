"""The product does not know its demo: no name, id or word of it outside `orchestrator/demo`."""

from __future__ import annotations

import json
import re
from pathlib import Path

from orchestrator.demo.bundled import DATA
from orchestrator.demo.recorder.history import SERIES

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "orchestrator" / "demo"
WORDS = (
    *("storefront", "paydesk", "postroom", "tealane", "place_order", "give_back", "note_decline", "get_or_load"),
    *("pool_wait_s", "pooltimeout", "relayrefused", "storefronterrors", "inc-0310", "shopctl", "http_5xx_pct"),
    *("db_pool_in_use", "gives_its_connection_back", "one way out per outcome"),
)


def test_no_word_of_it_is_in_the_product() -> None:
    authors = {
        name.split()[1].lower()
        for patch in SERIES.glob("*.patch")
        for name in re.findall(r"^From: (\w+ \w+)", patch.read_text("utf-8"), re.MULTILINE)
    }
    commits = {deploy["commit"][:7] for deploy in json.loads((DATA / "deploys.json").read_text())}
    assert len(authors) >= 3
    words = re.compile(
        "|".join(rf"\b{re.escape(word)}\b" for word in sorted({*WORDS, *authors, *commits})), re.IGNORECASE
    )
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for package in ("tui", "orchestrator", "subagents", "runbooks")
        for path in sorted((ROOT / package).rglob("*"))
        if path.suffix in (".py", ".md", ".toml", ".tcss") and not path.is_relative_to(DEMO)
        for match in words.finditer(path.read_text("utf-8"))
    ]
    assert found == []
