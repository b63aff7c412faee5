"""What kind of change a diff is: its dangerous signs, or why it cannot have an effect."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from subagents.deploys.comments import TEXT
from subagents.deploys.exchanges import EXCHANGES
from subagents.deploys.gates import Gates
from subagents.deploys.hunkview import HunkView, view, words
from subagents.deploys.lost_tests import LostTest, lost_tests
from subagents.deploys.paths import INERT, PathClass, not_production, path_class
from subagents.deploys.settings_signs import SETTINGS_SIGNS, tables_used
from subagents.deploys.signs import CODE_SIGNS, Sign, asks, quote
from subagents.deploys.sources.patch import FileDiff
from subagents.deploys.taken_away import TAKEN_AWAY
from subagents.deploys.wiring import WIRING
from subagents.quantities import counted, verb


@dataclass(frozen=True)
class Kind:
    """How dangerous a kind of change is, 0 to 2, and what it can lead to."""

    danger: float
    leads_to: frozenset[str]


def _kind(danger: float, leads_to: str) -> Kind:
    return Kind(danger, frozenset(leads_to.split()))


KINDS: dict[str, Kind] = {
    "query_in_loop": _kind(1.9, "load latency saturation"),
    "removed_cache": _kind(1.7, "load latency cache"),
    "removed_batch": _kind(1.6, "load latency"),
    "removed_index": _kind(1.8, "load latency"),
    "changed_query": _kind(1.1, "load latency saturation data"),
    "costlier": _kind(1.1, "latency load saturation"),
    "changed_signature": _kind(0.8, "errors crash"),
    "blocking_call": _kind(1.3, "latency saturation"),
    "made_anew": _kind(1.2, "latency saturation load"),
    "removed_transaction": _kind(1.3, "data errors"),
    "changed_identity": _kind(1.1, "cache data errors"),
    "changed_arithmetic": _kind(0.9, "data errors"),
    "changed_schedule": _kind(1.0, "load saturation latency"),
    "changed_setting": _kind(0.75, "config errors latency availability"),
    "removed_bound": _kind(1.6, "latency memory load saturation"),
    "lowered_limit": _kind(1.6, "saturation latency errors cache load memory"),
    "changed_retry": _kind(1.5, "load errors latency saturation"),
    "dropped_guard": _kind(1.5, "errors crash data"),
    "changed_lock": _kind(1.5, "latency saturation"),
    "added_lock": _kind(1.3, "latency saturation"),
    "removed_lock": _kind(1.2, "data errors crash"),
    "removed_release": _kind(1.6, "memory saturation"),
    "unscoped_release": _kind(1.6, "memory saturation errors latency"),
    "schema_change": _kind(1.5, "schema errors data"),
    "unmigrated_table": _kind(1.4, "schema errors"),
    "changed_format": _kind(1.3, "format errors data"),
    "renamed_key": _kind(1.3, "config errors format"),
    "removed_key": _kind(1.1, "config errors"),
    "unbounded_growth": _kind(1.2, "memory"),
    "opened_unreleased": _kind(1.1, "memory saturation"),
    "heavy_migration": _kind(1.2, "latency load saturation"),
    "removed_dependency": _kind(1.0, "dependency crash errors"),
    "bumped_dependency": _kind(1.1, "dependency crash errors format"),
    "changed_address": _kind(1.2, "config errors availability"),
    "toggled": _kind(1.1, "config errors latency"),
    "changed_condition": _kind(1.1, "errors data latency"),
    "new_raise": _kind(1.0, "errors crash"),
    "removed_async": _kind(1.0, "latency"),
    "added_wait": _kind(1.2, "latency"),
    "changed_trust": _kind(0.9, "errors trust availability"),
    "raised_limit": _kind(0.9, "memory load saturation latency"),
    "changed_image": _kind(0.7, "dependency crash"),
    "new_query": _kind(0.8, "load latency errors schema"),
    "changed_constant": _kind(0.7, "data errors latency"),
    "light_migration": _kind(0.3, "schema latency"),
    "removed_code": _kind(0.6, "errors"),
    "changed_code": _kind(0.4, "errors data"),
    "added_code": _kind(0.25, "errors"),
    "moved_code": _kind(0.1, "errors"),
    "renamed": _kind(0.2, "errors"),
    "added_guard": _kind(0.1, ""),
    "added_release": _kind(0.0, ""),
}

INNOCENT = {
    "comments": "only comments change",
    "formatting": "only layout changes",
    "logging": "only log lines change",
    "metrics": "only metrics or trace attributes are added",
    "wording": "only the wording of texts changes",
    "test": "only tests change",
    "docs": "only documentation changes",
    "ci": "only build pipelines or repository settings change",
    "style": "only styles or images change",
    "nowhere": "only another environment than production changes",
    "mode": "only file modes change",
    "look": "only colours or spacing change",
}
"""Kinds that cannot have the effect, and the test made, in words."""

_LOG_LINE = re.compile(
    r"^\W*(?:\w+\s*[:=]+\s*)?(?:\w+[.>:-]+)*_?(log|logger|logging|console|slog|zap|LOG|LOGGER|klog|glog|log_\w+|logf?)\b[\w.]*"
    r"(_\w+)?(?:[.(:]|->).*|^\W*\w*LOG_?\w*\(|^\W*(print|println|printf|puts|fmt\.Print\w*|System\.out\.\w+)\s*\("
    r"|^\W*(?:\w+::)*(trace|debug|info|warn|error|log)!\s*[(\[{]|^\W*(f|e|evt|event|logger|log|entry)\s*(=\s*\w+)?\.(Str|Int|Bool|Err|Msg|With|WithField|WithFields|bind)\(",
)
_METRIC_LINE = re.compile(
    r"prometheus|statsd|Counter\b|Histogram\b|Gauge\b|\.(Inc|inc|increment|observe|Observe|record|gauge|timing|histogram)\("
    r"|SetAttributes?\(|set_attribute|setAttribute\(|\bspan\.|tracer\.|otel|opentelemetry|metrics?[._]\w*\(|CounterOpts|Buckets:"
    r"|^\s*(Name|Help|Namespace|Subsystem|ConstLabels):\s|^[\s})\],;]*$",
    re.IGNORECASE,
)
_LOOK = re.compile(
    r"#[0-9a-fA-F]{3,8}\b|\b\d+px\b|\b(colou?r|padding|margin|radius|font|accent|surface|palette|border|shadow)\b", re.I
)
_CLOSERS = re.compile(r"^[\s})\],;]*$")


_ORDERLESS = re.compile(
    r"^(import|from|use|using|#include|require|package)\b|^[A-Z][A-Z0-9_]+\s*[:=]|^[\"']?[\w.\-/]+[\"']?\s*(:|=[^=])\s*[^()]*$"
)
"""Lines whose order says nothing: imports, constants, settings."""

LINES_READ = 1_500


@dataclass(frozen=True)
class DiffReading:
    """What a diff was found to do."""

    signs: tuple[Sign, ...]
    innocent: str | None
    """A key of INNOCENT when nothing in the diff can have an effect."""
    danger: float
    """0 to about 2.5, of all signs together."""
    leads_to: frozenset[str]
    """What its two strongest signs can lead to."""
    files_read: int
    lost_tests: tuple[LostTest, ...] = ()
    """Tests that go along with the change."""

    @property
    def strongest(self) -> Sign | None:
        """The sign that weighs most."""
        return self.signs[0] if self.signs else None


def weight(sign: Sign) -> float:
    """Return how much a sign weighs."""
    return KINDS[sign.kind].danger * sign.strength


def innocent_paths(paths: Sequence[str]) -> str | None:
    """Return why these paths alone cannot have an effect in production, or None."""
    if not paths:
        return None
    classes: set[PathClass] = {path_class(path) for path in paths}
    if classes <= INERT:
        for name in ("style", "ci", "docs", "test"):
            if name in classes:
                return name
    return "nowhere" if all(not_production(path) for path in paths) else None


def read_diff_kinds(files: Sequence[FileDiff]) -> DiffReading:
    """Read a parsed patch; bounded to its first 200 files and about `LINES_READ` lines that run in production."""
    signs: list[Sign] = []
    innocent: set[str] = set()
    effective = lines = 0
    has_migration = any(path_class(diff.path) == "migration" for diff in files)
    for diff in files[:200]:
        name = innocent_paths([diff.path]) if diff.path else None
        if name is None and diff.mode_only and not diff.hunks:
            name = "mode"
        if name is not None:
            innocent.add(name)
            continue
        if path_class(diff.path) == "lock":
            continue
        for hunk in diff.hunks:
            if lines > LINES_READ:
                break
            lines += len(hunk.lines)
            seen = view(diff, hunk)
            why = _innocent_hunk(seen)
            if why is not None:
                innocent.add(why)
            else:
                effective += 1
                share = GENERATED_SHARE if path_class(diff.path) == "generated" else 1.0
                signs += [replace(sign, strength=share * sign.strength) for sign in _signs(seen, has_migration)]
        if not diff.hunks and (diff.binary or diff.new or diff.deleted or diff.old_path not in ("", diff.path)):
            effective += 1
            signs.append(Sign("changed_code", f"{diff.path} is replaced, moved or removed", diff.path, None))
    signs = _discount_moves(signs, files)
    if not effective and innocent:
        order = [name for name in INNOCENT if name in innocent]
        return DiffReading((), order[0] if len(order) == 1 else _main(order), 0.0, frozenset(), len(files))
    return replace(_sum_up(signs, len(files)), lost_tests=lost_tests(files))


GENERATED_SHARE = 0.4
"""What a sign counts in a generated file: what it was made from tells more."""

_STANDS_WHEN_MOVED = frozenset(
    {
        "lowered_limit",
        "raised_limit",
        "changed_constant",
        "toggled",
        "query_in_loop",
        "changed_condition",
        "changed_lock",
    }
)
MOVED_SHARE = 0.7
_COMPARED = 300
"""Lines of each side that are compared to see what was only moved."""


def _discount_moves(signs: list[Sign], files: Sequence[FileDiff]) -> list[Sign]:
    """Where most removed lines come back elsewhere in the commit, what was "removed" was extracted or renamed."""
    if any(sign.kind in ("lowered_limit", "raised_limit", "bumped_dependency") for sign in signs):
        return signs
    removed: list[frozenset[str]] = []
    added: list[frozenset[str]] = []
    for diff in files[:50]:
        for hunk in diff.hunks[:50]:
            removed += [found for line in hunk.removed() if len(found := words(line)) > 1]
            added += [found for line in hunk.added() if len(found := words(line)) > 1]
    removed, added = removed[:_COMPARED], added[:_COMPARED]
    if len(removed) < 3 or len(added) < len(removed):
        return signs
    whole = set(added)

    def returns(old: frozenset[str]) -> bool:
        """Say whether an added line shares at least 0.6 of the words of both."""
        return old in whole or any(8 * len(old & new) >= 3 * (len(old) + len(new)) for new in added)

    stays = 0
    for old in removed:
        stays += not returns(old)
        if len(removed) - stays < MOVED_SHARE * len(removed):
            return signs
    kept = [
        sign
        if sign.kind in _STANDS_WHEN_MOVED or (sign.origin and not returns(words(sign.origin)))
        else replace(sign, strength=0.3 * sign.strength)
        for sign in signs
    ]
    return [*kept, Sign("moved_code", "most of what goes comes back elsewhere: code is moved", files[0].path, None)]


def _main(names: list[str]) -> str:
    return next(
        (n for n in ("logging", "metrics", "wording", "comments", "formatting", "look") if n in names), names[0]
    )


def _sum_up(signs: list[Sign], files_read: int) -> DiffReading:
    best: dict[str, Sign] = {}
    for sign in signs:
        if sign.kind not in best or weight(sign) > weight(best[sign.kind]):
            best[sign.kind] = sign
    ranked = sorted(best.values(), key=weight, reverse=True)
    danger = sum(weight(sign) * share for sign, share in zip(ranked, (1.0, 0.25, 0.1), strict=False))
    leads_to = frozenset().union(*(KINDS[sign.kind].leads_to for sign in ranked[:2])) if ranked else frozenset()
    return DiffReading(tuple(ranked[:6]), None, danger, leads_to, files_read)


RULES = Gates((*SETTINGS_SIGNS, *WIRING, *CODE_SIGNS, *EXCHANGES, *TAKEN_AWAY))


def _signs(seen: HunkView, has_migration: bool) -> list[Sign]:
    found = [sign for rule in RULES.open(seen) for sign in rule(seen)]
    tables = tables_used(seen.only_added) - tables_used([*seen.removed, *seen.context])
    if tables and not has_migration and path_class(seen.path) == "code":
        names = ", ".join(sorted(tables)[:3])
        found.append(
            Sign("unmigrated_table", f"SQL names {names}, and the commit holds no migration", seen.path, seen.place)
        )
    if seen.renamed:
        found.append(Sign("renamed", f"a name changes: {', '.join(seen.renamed[:3])}", seen.path, seen.place))
    if not any(KINDS[sign.kind].danger >= 0.5 for sign in found):
        if seen.reordered and not seen.removed and not seen.added:
            found.append(Sign("moved_code", f"lines change places: {quote(seen.reordered[0])}", seen.path, seen.place))
        elif seen.moved >= 2 and seen.moved >= len(seen.removed) + len(
            [x for x in seen.added if not _CLOSERS.match(x)]
        ):
            found.append(Sign("moved_code", "code is moved, hardly changed", seen.path, seen.place))
        elif seen.only_removed and not seen.added:
            gone = f"{counted(seen.raw_removed, 'line')} of code {verb(seen.raw_removed, 'go')}"
            found.append(Sign("removed_code", gone, seen.path, seen.place))
        elif seen.removed:
            found.append(Sign("changed_code", "code changes, no known risk in it", seen.path, seen.place))
        elif seen.added:
            found.append(Sign("added_code", "code is only added", seen.path, seen.place))
    return found


def _innocent_hunk(seen: HunkView) -> str | None:
    """Return why a hunk cannot have an effect, or None."""
    changed = [*seen.removed, *seen.added]
    if seen.renamed or (seen.reordered and not all(_ORDERLESS.search(line) for line in seen.reordered)):
        return None
    if not changed:
        return "comments" if seen.comments else "formatting"
    body = [line for line in changed if not _CLOSERS.match(line)]
    if not body or _same_but_for_layout(seen):
        return "formatting"
    if (told := _only_tells(seen, body)) is not None:
        return told
    if _is_wording(seen):
        return "wording"
    if all(_LOOK.search(line) for line in body):
        return "look"
    return None


def _only_tells(seen: HunkView, body: Sequence[str]) -> str | None:
    """Return "logging" or "metrics" where that is all that these lines do, or None."""
    logs = 0
    for line in body:
        if _LOG_LINE.search(line):
            logs += 1
            if asks(TEXT.sub("", _args(line))):
                return None
        elif seen.removed or not _METRIC_LINE.search(line):
            return None
    return "logging" if logs == len(body) else "metrics"


_LAYOUT = re.compile(r"\s+|,(?=\s*[)\]}])")


def _same_but_for_layout(seen: HunkView) -> bool:
    """Say whether the hunk holds the same code, wrapped or spaced otherwise."""
    old, new = (_LAYOUT.sub("", " ".join(lines)) for lines in (seen.raw_old, seen.raw_new))
    if seen.extension in ("py", "js", "jsx", "ts", "tsx"):
        old, new = old.replace("'", '"'), new.replace("'", '"')
    return bool(old) and (old == new or _wraps(old, new) or _wraps(new, old))


def _wraps(inner: str, outer: str) -> bool:
    """Say whether one is the other with a pair of brackets around all that is assigned or returned."""
    start = next((at for at, (a, b) in enumerate(zip(inner, outer, strict=False)) if a != b), 0)
    return (
        start > 0
        and outer[start] == "("
        and outer[-1] == ")"
        and outer[:start].endswith(("=", "return"))
        and outer[:start] + outer[start + 1 : -1] == inner
    )


def _args(line: str) -> str:
    return line.partition("(")[2]


_SPEAKS_TO_CODE = re.compile(r"SELECT|https?:|%[YmdH]|=|\{.*:.*\}|(?:^.|\s)-{1,2}[A-Za-z]")
"""A text that is no prose: a query, an address, a format, options of a command."""


_SPOKEN = re.compile(r"(?<![\w.])[^\W\d_]{2,}(?![\w.]*[\w=])")
"""A word as people write it."""


def _is_wording(seen: HunkView) -> bool:
    """Say whether only texts for people change: same code around strings that read like prose."""
    if not seen.pairs or seen.only_added or seen.only_removed:
        return False
    for pair in seen.pairs:
        if TEXT.sub("$", pair.old) != TEXT.sub("$", pair.new):
            return False
        for text in (*TEXT.findall(pair.old), *TEXT.findall(pair.new)):
            if text in pair.old and text in pair.new:
                continue
            bare = text.strip("\"'`").strip()
            if " " not in bare or len(_SPOKEN.findall(bare)) < 2 or _SPEAKS_TO_CODE.search(text):
                return False
    return True
