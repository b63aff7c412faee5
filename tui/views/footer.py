"""The footer: what the keys do here, from the registry, as many as there is room for."""

from __future__ import annotations

from collections.abc import Callable

from tui.actions import Action, Context, live, shown
from tui.views.paint import Line, Span, line, text_of

MOST = 9


def footer(context: Context, offers: Callable[[Action], bool], width: int, lead: str = "") -> Line:
    """Return the footer of a context: the most useful first, what does not fit left out, `?` always there."""
    chosen = sorted((one for one in live(context) if one.footer and offers(one)), key=lambda one: one.footer)
    keep = [one for one in chosen if one.id == "help"]
    rest = [one for one in chosen if one.id != "help"][: MOST - len(keep)]
    made: list[Span] = []
    parts = [_item(shown(one.keys[0]), one.word) for one in rest]
    if lead:
        keys, _, word = lead.partition(" ")
        parts.insert(0, _item(keys, word))
    last = [part for one in keep for part in _item(shown(one.keys[0]), one.word)]
    room = width - len(text_of(last))
    for part in parts:
        size = len(text_of(part))
        if size > room:
            continue
        made += part
        room -= size
    return (*made, *last)


def _item(key: str, word: str) -> Line:
    return line((key, "accent"), (f" {word}  ", "dim"))
