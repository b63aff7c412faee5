"""Pages behind opaque cursors, each bound to the listing and the order that it was made for."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.standin.errors import invalid
from tests.standin.ids import moment


@dataclass
class Query:
    """The query string of a listing, read strictly."""

    pairs: Sequence[tuple[str, str]]
    allowed: tuple[str, ...]
    _seen: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        """Refuse what the endpoint does not know."""
        self._seen = {}
        for name, value in self.pairs:
            plain = name.removesuffix("[]")
            if plain not in self.allowed and plain != "beta":
                raise invalid(f"{name}: Extra inputs are not permitted")
            self._seen.setdefault(plain, []).append(value)

    def one(self, name: str, default: str = "") -> str:
        """Return a parameter's value."""
        return self._seen.get(name, [default])[-1]

    def many(self, name: str, known: Sequence[str] = ()) -> list[str]:
        """Return a parameter's values; 400 for one that is not known."""
        found = self._seen.get(name, [])
        for value in found:
            if known and value not in known:
                raise invalid(f"{name}: unknown value {value!r}")
        return found

    def flag(self, name: str) -> bool:
        """Return a boolean parameter."""
        value = self.one(name, "false")
        if value not in ("true", "false"):
            raise invalid(f"{name}: Input should be a valid boolean")
        return value == "true"

    def number(self, name: str, default: int, most: int) -> int:
        """Return a whole number from 1 to `most`."""
        value = self.one(name, str(default))
        if not value.isdecimal() or not 1 <= int(value) <= most:
            raise invalid(f"{name}: Input should be an integer from 1 to {most}")
        return int(value)

    def order(self, default: str) -> str:
        """Return the order, `asc` or `desc`."""
        value = self.one("order", default)
        if value not in ("asc", "desc"):
            raise invalid("order: Input should be asc or desc")
        return value

    def within(self, stamp: str | None) -> bool:
        """Say whether a moment lies in the created_at bounds that were given; none lies in no bounds."""
        for mark in ("gt", "gte", "lt", "lte"):
            bound = self.one(f"created_at[{mark}]")
            if not bound:
                continue
            if stamp is None:
                return False
            try:
                edge, at = moment(bound), moment(stamp)
            except ValueError:
                raise invalid(f"created_at[{mark}]: Input should be a valid datetime") from None
            if not {"gt": at > edge, "gte": at >= edge, "lt": at < edge, "lte": at <= edge}[mark]:
                return False
        return True


BOUNDS = ("created_at[gt]", "created_at[gte]", "created_at[lt]", "created_at[lte]")


def _cursor(listing: str, order: str, back: bool, after: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([listing, order, back, after]).encode()).decode().rstrip("=")


def page(
    rows: Sequence[tuple[int, Any]], query: Query, listing: str, limits: tuple[int, int], order: str
) -> dict[str, Any]:
    """Return one page of `rows`, which are (position, item) by rising position; limits are (default, most)."""
    limit = query.number("limit", *limits)
    given = query.one("page")
    back, after = False, None
    if given:
        try:
            name, cursor_order, back, after = json.loads(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
        except ValueError:
            raise invalid("page: Invalid cursor") from None
        if name != listing or cursor_order != order:
            raise invalid("page: the cursor belongs to another listing or order")
    ordered = list(rows) if order == "asc" else list(reversed(rows))
    sign = 1 if order == "asc" else -1
    if after is not None and back:
        ahead = [row for row in ordered if row[0] * sign < after * sign][-limit:]
    elif after is not None:
        ahead = [row for row in ordered if row[0] * sign > after * sign][:limit]
    else:
        ahead = ordered[:limit]
    more = bool(ahead) and ahead[-1] != ordered[-1]
    less = bool(ahead) and ahead[0] != ordered[0]
    return {
        "data": [item for _, item in ahead],
        "next_page": _cursor(listing, order, False, ahead[-1][0]) if more else None,
        "prev_page": _cursor(listing, order, True, ahead[0][0]) if less else None,
    }
