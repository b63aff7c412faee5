"""How a scripted agent reports: what does not hold is left out, and the rest is reported again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.standin.actor import Actor
from tests.standin.script import Call, Told
from tests.standin.scripts.reading import lines

ROUNDS = 5
_PLACE = re.compile(r"^- `?(?P<place>[A-Za-z_]+(?:\[\d+\]|\.[A-Za-z_]+)*)`?[: ]")
_STEP = re.compile(r"[A-Za-z_]+|\[\d+\]")
_REFUSED = ("does not hold", "was not taken")


class Spent(Exception):
    """The agent was told that its budget is spent."""


async def ask(actor: Actor, *calls: Call | None) -> list[Told]:
    """Make calls side by side, leaving out tools that the agent does not hold; raises Spent."""
    own = [call for call in calls if call is not None and call.name in actor.tools]
    if not own:
        return []
    told = await actor.act(calls=own, think=True)
    if any("budget spent" in one.text for one in told):
        raise Spent
    return told


def taken(told: Told) -> bool:
    """Say whether a report was taken."""
    return not told.is_error and not any(words in told.text for words in _REFUSED)


async def report(actor: Actor, tool: str, body: Mapping[str, Any], keep: Mapping[str, Any]) -> Told | None:
    """Report until it is taken; what is refused at a place of `keep` is replaced by that, at another left out."""
    if tool not in actor.tools:
        return None
    properties = actor.tools[tool]["input_schema"].get("properties") or {}
    whole: dict[str, Any] = {
        name: value for name, value in body.items() if name in properties and value not in (None, "", [], {})
    }
    told: Told | None = None
    for _ in range(ROUNDS):
        said = {name: value for name, value in whole.items() if value != []}
        told = await actor.call(tool, json.loads(json.dumps(said)))
        if taken(told):
            return told
        places = [match["place"] for line in lines(told.text) if (match := _PLACE.match(line)) is not None]
        if not places:
            return told
        for place in sorted(places, key=_descending, reverse=True):
            _leave_out(whole, place, keep)
    return told


def _descending(place: str) -> tuple[tuple[str, int], ...]:
    return tuple((step.strip("[]"), int(step[1:-1]) if step.startswith("[") else -1) for step in _STEP.findall(place))


def _leave_out(whole: dict[str, Any], place: str, keep: Mapping[str, Any]) -> None:
    """Remove the smallest entry of a list that holds the place, or else the top field."""
    steps = _STEP.findall(place)
    if steps[0] in keep:
        whole[steps[0]] = keep[steps[0]]
        return
    at: Any = whole
    found: tuple[list[Any], int] | None = None
    for step in steps:
        if step.startswith("[") and isinstance(at, list) and int(step[1:-1]) < len(at):
            found = (at, int(step[1:-1]))
            at = at[int(step[1:-1])]
        elif isinstance(at, dict) and step in at:
            at = at[step]
        else:
            break
    if found is not None:
        del found[0][found[1]]
    else:
        whole.pop(steps[0], None)
