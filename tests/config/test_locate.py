"""The line of each key, for every form that TOML allows."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config.locate import KeyPath, line_of, locate

TEXT = """\
# comment = 1
runbooks = [
  "a",   # one
  'b',
]

[services.search]          # table
repo = "."
"quoted key" = '''
many = 1
[not.a.table]
'''
paths = [ "x", "y" ]
tests.command = ["a"]
tests . env = { A = "1", "B.C" = { D = 2 } }

[services."shop web"]
rollback = \"\"\"
x = \\\"\"\" y
\"\"\"
depends_on = []

[[policies]]
agent = "*"
[[policies]]
agent = "logs"
[policies.arguments]
path = "#"
[[policies]]
decision = 2026-03-01T12:00:00Z
"""


def test_every_form() -> None:
    lines = locate(TEXT)
    tomllib.loads(TEXT)
    expected: dict[KeyPath, int] = {
        ("runbooks",): 2,
        ("runbooks", 0): 3,
        ("runbooks", 1): 4,
        ("services",): 7,
        ("services", "search"): 7,
        ("services", "search", "repo"): 8,
        ("services", "search", "quoted key"): 9,
        ("services", "search", "paths", 1): 13,
        ("services", "search", "tests", "command"): 14,
        ("services", "search", "tests", "env", "B.C", "D"): 15,
        ("services", "shop web"): 17,
        ("services", "shop web", "depends_on"): 21,
        ("policies", 0, "agent"): 24,
        ("policies", 1): 25,
        ("policies", 1, "agent"): 26,
        ("policies", 1, "arguments", "path"): 28,
        ("policies", 2, "decision"): 30,
    }
    assert {path: lines.get(path) for path in expected} == expected
    assert ("many",) not in lines
    assert ("not",) not in lines


def test_nearest_known() -> None:
    lines = locate(TEXT)
    assert line_of(lines, ("services", "search", "missing", "deep")) == 7
    assert line_of(lines, ("nowhere",)) == 1


def paths_of(value: Any, at: KeyPath = ()) -> set[KeyPath]:
    found = {at} if at else set()
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        found |= paths_of(inner, (*at, key))
    return found


KEYS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=0, max_size=4)
SCALARS = st.one_of(
    st.integers(-9, 9), st.booleans(), st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=6)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)


def quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, list):
        return "[" + ",\n ".join(written(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quote(key)} = {written(item)}" for key, item in value.items()) + "}"
    return str(value)


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.dictionaries(KEYS, VALUES, max_size=4))
def test_every_key_of_any_document_is_found(top: dict[str, Any], table: dict[str, Any]) -> None:
    body = "".join(f"{quote(key)} = {_flat(value)}\n" for key, value in top.items() if key != "t")
    body += "[t]\n" + "".join(f"{quote(key)} = {_flat(value)}\n" for key, value in table.items())
    assert set(locate(body)) == paths_of(tomllib.loads(body))


def _flat(value: Any) -> str:
    """Inline tables may not hold line breaks, not even inside their arrays' separators."""
    text = written(value)
    return text.replace(",\n ", ", ") if "{" in text else text
