"""Signs of risk in values: numbers, switches, keys, addresses, versions, schemas and formats that change."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator

from subagents.deploys.comments import word_set
from subagents.deploys.gates import needs
from subagents.deploys.hunkview import NUMBER, HunkView, Pair, skeleton, words
from subagents.deploys.paths import path_class
from subagents.deploys.signs import Sign, quote

_CAPACITY = word_set("""
    pool max maximum limit limits size timeout timeouts deadline ttl expire expires expiry expiration lifetime
    retention after retries retry attempts backoff delay interval batch buffer concurrency workers worker threads
    thread connections conns conn replicas memory mem cpu quota rate threshold capacity window keepalive cache
    idle queue heap period burst entries shards partitions depth length count budget qps rps parallelism
    prefetch ulimit nofile fds sockets instances age grace poll sample sampling ratio weight percent rollout
    chunk page
""")
_UNITS = {
    **dict.fromkeys(("ns",), 1e-9),
    **dict.fromkeys(("us",), 1e-6),
    **dict.fromkeys(("ms", "millis", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **{"k": 1e3, "kb": 1e3, "ki": 2.0**10, "mb": 1e6, "mi": 2.0**20, "g": 1e9, "gb": 1e9, "gi": 2.0**30},
}
_QUANTITY = re.compile(
    r"(?<![\w.])(-?\d+(?:_\d+)*(?:\.\d+)?)\s*(?:[*,]\s*)?(?:time\.|Duration\.of|TimeUnit\.|datetime\.)?\s*([A-Za-z]{1,12})?\b"
)
_TRUE = re.compile(r"\b(true|on|yes|enabled?)\b", re.IGNORECASE)
_FALSE = re.compile(r"\b(false|off|no|disabled?)\b", re.IGNORECASE)
_ADDRESS = re.compile(
    r"\b(https?://|\w+://|[\w-]+\.(?:com|net|org|io|internal|local|svc|cluster)\b|localhost|\d+\.\d+\.\d+\.\d+)|:\d{2,5}\b"
)
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-+.][\w.]+)?")
_OWN_VERSION = re.compile(r"""^\s*["']?version["']?\s*[:=]""")
"""What a manifest says of the project itself, outside a section about a dependency."""
_DEPENDENCIES = re.compile(r"^\s*\[.*dependencies", re.IGNORECASE)
_KEYED = re.compile(r"""^\s*["']?([A-Za-z_][\w.\-/]*)["']?\s*(?::=|[:=])\s*(\S.*)$""")
_LOOKUP = re.compile(
    r"""(?:getenv|environ(?:\.get)?|Getenv|LookupEnv|env|config|settings|conf|viper|getProperty|Value)\w*[.(\[]+\s*["'$({]*([A-Za-z][\w.\-]+)"""
)
_SUBKEY = re.compile(r"""\[\s*["']([\w.\-]+)["']\s*\]""")
_SERIAL = re.compile(
    r"json:\"|xml:\"|yaml:\"|protobuf:\"|@JsonProperty|@SerializedName|\bserde\(|\b(marshal|unmarshal|serializ|deserializ|encode|decode"
    r"|to_json|from_json|dumps|loads|toJSON|parse(?!r)|stringify|strftime|strptime|delimiter|separator|quotechar|encoding|DateTimeFormat|Content-Type|charset|utf-?8|base64|avro"
    r"|msgpack|pickle|schema_?version)\w*", re.IGNORECASE,
)  # fmt: skip
_TRUST = re.compile(
    r"\b(tls|ssl|cert|certificate|verify|auth|token|secret|password|permission|role|policy|cors|acl|iam|scope)\w*", re.I
)
_TABLE = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+[\"'`]?([a-z_][\w.]*)", re.IGNORECASE)
_TABLE_STOP = frozenset({"select", "set", "where", "the", "a", "of", "values"})


_UNIT_FIRST = re.compile(
    r"\b(?:of)?(days|hours|minutes|seconds|millis|milliseconds)\s*(=|\()\s*(\d[\d_]*(?:\.\d+)?)", re.IGNORECASE
)
"""`timedelta(hours=2)`, `Duration.ofHours(2)`."""
_OF_PROCESSORS = re.compile(r"(?i)\bcpu")
"""Where `m` is a thousandth of a processor, and no minute."""
_ISO_SPAN = re.compile(r"\bPT(\d+)([HMS])\b")
_HEAP = re.compile(r"-X(mx|ms|ss|mn)(\d+)([kmg]?)\b", re.IGNORECASE)


_CAPACITY_LIKE = re.compile(r"max\w{2,}|\w{2,}(?:timeout|limit|conns?|connections|ttl|threads|workers)")


def _capacities(line: str) -> frozenset[str]:
    """Return the words of a line that name how much of something there may be."""
    found = words(_numbers_first(line))
    return frozenset(word for word in found if word in _CAPACITY or _CAPACITY_LIKE.fullmatch(word))


def _numbers_first(line: str) -> str:
    """Return a line with every unit behind its number."""
    line = _UNIT_FIRST.sub(lambda match: f"{match[2]} {match[3]} {match[1]}", line)
    line = _ISO_SPAN.sub(lambda match: f"{match[1]} {match[2].lower()}", line)
    return _HEAP.sub(lambda match: f"heap {match[1]} = {match[2]} {match[3]}b", line)


def quantities(line: str) -> list[tuple[float, str]]:
    """Return the numbers of a line with their units folded in, as (value, unit name or empty)."""
    found = []
    of_processors = _OF_PROCESSORS.search(line)
    for number, unit in _QUANTITY.findall(_numbers_first(line)):
        scale = 1e-3 if of_processors and unit == "m" else _UNITS.get(unit.lower(), 1.0)
        found.append((float(number.replace("_", "")) * scale, unit.lower() if unit.lower() in _UNITS else ""))
    return found


def _plain_skeleton(line: str) -> str:
    """Return a line without numbers and their units."""
    return re.sub(r"\s+", "", _QUANTITY.sub("#", _numbers_first(line)))


_KEYED_NUMBER = re.compile(
    r"""([A-Za-z_][\w.\-]*)["']?\s*(?::=|[:=])\s*(-?\d[\d_]*(?:\.\d+)?(?:\s*(?:[*]\s*)?[\w.]+)?)"""
)
PAIRS_READ = 40
"""Pairs of lines whose numbers are compared, of one hunk."""


def _numbers(view: HunkView) -> Iterator[Sign]:
    if view.extension in ("mod", "lock") or path_class(view.path) in ("manifest", "lock"):
        return
    for pair in view.pairs[:PAIRS_READ]:
        old, new = quantities(pair.old), quantities(pair.new)
        if len(old) != len(new):
            yield from _by_key(view, pair)
            continue
        same_shape = skeleton(pair.old) == skeleton(pair.new) or _plain_skeleton(pair.old) == _plain_skeleton(pair.new)
        changed = [(a[0], b[0]) for a, b in zip(old, new, strict=True) if a[0] != b[0]]
        if changed and (same_shape or _capacities(pair.old) & _capacities(pair.new)):
            yield _number_sign(view, pair, *changed[0])


def _by_key(view: HunkView, pair: Pair) -> Iterator[Sign]:
    """Compare the numbers that stand under one name on both sides, where others came or went."""
    old, new = dict(_KEYED_NUMBER.findall(pair.old)), dict(_KEYED_NUMBER.findall(pair.new))
    for name in (name for name in old if name in new):
        before, after = quantities(old[name])[:1], quantities(new[name])[:1]
        if before and after and before[0][0] != after[0][0]:
            yield _number_sign(view, pair, before[0][0], after[0][0], name)
            return


_IDLE = word_set("idle health healthcheck grace keepalive cooldown")
IDLE_SHARE = 0.5
"""What it counts that something idle is kept, or looked at, for longer: it takes nothing from what works."""


def _number_sign(view: HunkView, pair: Pair, old: float, new: float, name: str = "") -> Sign:
    keys = _capacities(name or pair.new)
    ratio = abs(math.log2(abs(new) / abs(old))) if old and new else 4.0
    strength = min(1.5, 0.45 + ratio / 3.0)
    shown = f"{_number(old)} -> {_number(new)} in {quote(pair.new)}"
    if not keys and {"port", "ports"} & words(name or pair.new):
        return Sign("changed_address", f"an address changes: {shown}", view.path, pair.line or view.place)
    if not keys:
        return Sign(
            "changed_constant", f"a value changes: {shown}", view.path, pair.line or view.place, min(1.0, strength)
        )
    if new < old:
        return Sign("lowered_limit", f"lowered: {shown}", view.path, pair.line or view.place, strength)
    share = IDLE_SHARE if keys & _IDLE else 1.0
    return Sign("raised_limit", f"raised: {shown}", view.path, pair.line or view.place, share * strength)


def _number(value: float) -> str:
    return f"{value:g}"


@needs(_TRUE)
def _switches(view: HunkView) -> Iterator[Sign]:
    for pair in view.pairs:
        turned_off = _TRUE.search(pair.old) and _FALSE.search(pair.new)
        turned_on = _FALSE.search(pair.old) and _TRUE.search(pair.new)
        if (turned_off or turned_on) and words(pair.old) & words(pair.new):
            what = "switched off" if turned_off else "switched on"
            yield Sign("toggled", f"{what}: {quote(pair.new)}", view.path, pair.line or view.place)
            return


@needs(_ADDRESS)
def _addresses(view: HunkView) -> Iterator[Sign]:
    for pair in view.pairs:
        old, new = _ADDRESS.findall(pair.old), _ADDRESS.findall(pair.new)
        if old and new and pair.old != pair.new and path_class(view.path) in ("config", "infra", "code"):
            if _plain_skeleton(pair.old) == _plain_skeleton(pair.new) and not re.search(
                r"https?:|port|host|addr|url", pair.new, re.I
            ):
                continue
            yield Sign("changed_address", f"an address changes: {quote(pair.new)}", view.path, pair.line or view.place)
            return
    gone = [line for line in view.only_removed if _ADDRESS.search(line)]
    if gone and path_class(view.path) in ("config", "infra") and not any(map(_ADDRESS.search, view.only_added)):
        yield Sign("changed_address", f"an address goes: {quote(gone[0])}", view.path, view.place, 0.8, gone[0])


_FOR_DEVELOPERS = re.compile(
    r"devDependencies|dev-dependencies|group(?:\.|\s+:)(?:dev\w*|test|lint)\b|\btest(?:Implementation|Compile|RuntimeOnly)\b|<scope>test",
    re.IGNORECASE,
)
_RUNS_WITH = re.compile(r"\"dependencies\"|^\s*\[(?:tool\.poetry\.)?dependencies\]")


def _for_developers(view: HunkView) -> bool:
    """Say whether the dependencies of a hunk are those of a workshop: none of them runs in production."""
    if re.search(
        r"(^|[/._-])(dev|test|tests|lint|docs?|ci)[._-]?requirements|requirements[._-]?(dev|test|lint|doc|ci)",
        view.path,
    ):
        return True
    lines = [*view.context, *view.added]
    return any(map(_FOR_DEVELOPERS.search, lines)) and not any(map(_RUNS_WITH.search, lines))


def _dependencies(view: HunkView) -> Iterator[Sign]:
    kind = path_class(view.path)
    if kind == "manifest" and _for_developers(view):
        return
    own = kind == "manifest" and not any(_DEPENDENCIES.match(line) for line in view.context)
    build = view.extension == "dockerfile"
    images = [p for p in view.pairs if re.search(r"^\s*(FROM)\b" if build else r"^\s*(image:|uses:)", p.new)]
    if kind == "manifest":
        for pair in view.pairs:
            old, new = _VERSION.search(pair.old), _VERSION.search(pair.new)
            if own and _OWN_VERSION.match(pair.new):
                continue
            if old and new and old[0] != new[0]:
                level = next((i for i in range(3) if (old[i + 1] or "0") != (new[i + 1] or "0")), 2)
                if old[1] == new[1] == "0":
                    level = max(0, level - 1)
                name = ("a major", "a minor", "a patch")[level]
                yield Sign("bumped_dependency", f"{name} version step: {quote(pair.new)}", view.path,
                           pair.line or view.place, (1.2, 1.0, 0.35)[level])  # fmt: skip
        for line in view.only_removed:
            if _VERSION.search(line):
                yield Sign("removed_dependency", f"a dependency goes: {quote(line)}", view.path, view.place)
                return
        if view.only_added and not view.pairs and any(_VERSION.search(line) for line in view.only_added):
            yield Sign(
                "bumped_dependency", f"a new dependency: {quote(view.only_added[0])}", view.path, view.place, 0.6
            )
    elif images:
        yield Sign("changed_image", f"another image: {quote(images[0].new)}", view.path, images[0].line or view.place)


def _keys(view: HunkView) -> Iterator[Sign]:
    for pair in view.pairs:
        old, new = _KEYED.match(pair.old), _KEYED.match(pair.new)
        settings = path_class(view.path) in ("config", "infra")  # in code, `key: value` is a field, not a setting
        renamed = settings and old and new and old[1] != new[1] and old[2].rstrip(",") == new[2].rstrip(",")
        looked, look = _LOOKUP.search(pair.old), _LOOKUP.search(pair.new)
        inside = look is not None and _SUBKEY.findall(pair.old) != _SUBKEY.findall(pair.new)
        if renamed or (looked and look and (looked[1] != look[1] or inside)):
            yield Sign("renamed_key", f"a key is renamed: {quote(pair.old)} -> {quote(pair.new)}", view.path,
                       pair.line or view.place)  # fmt: skip
            return
    if path_class(view.path) in ("config", "infra") and not view.pairs:
        gone = [match for line in view.only_removed if (match := _KEYED.match(line))]
        if gone and not view.only_added:
            yield Sign("removed_key", f"a setting goes: {quote(gone[0][0])}", view.path, view.place)


_SCHEMA = (
    (
        "schema_change",
        re.compile(
            r"\bALTER\s+TABLE\b.*\b(DROP|RENAME|ALTER|MODIFY|SET\s+NOT\s+NULL|NOT\s+NULL|TYPE)\b"
            r"|\b(remove_column|rename_column|drop_column|DropColumn|RenameField|RemoveField|AlterField|change_column)\b",
            re.IGNORECASE,
        ),
        "a column or table changes shape",
    ),
    (
        "removed_index",
        re.compile(r"\bDROP\s+INDEX\b|remove_index|drop_index|RemoveIndex", re.IGNORECASE),
        "an index goes",
    ),
    (
        "schema_change",
        re.compile(r"\b(DROP\s+TABLE|TRUNCATE|ADD\s+CONSTRAINT|FOREIGN\s+KEY)\b", re.IGNORECASE),
        "a table or a constraint changes",
    ),
    (
        "heavy_migration",
        re.compile(r"\bCREATE\s+(UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)|\bUPDATE\s+\w+\s+SET\b(?!.*WHERE)", re.IGNORECASE),
        "a migration that locks or rewrites",
    ),
    (
        "light_migration",
        re.compile(
            r"\bADD\s+COLUMN\b|\bCREATE\s+TABLE\b|CREATE\s+(UNIQUE\s+)?INDEX\s+CONCURRENTLY"
            r"|add_column|create_table|AddField|CreateModel",
            re.IGNORECASE,
        ),
        "a migration that adds",
    ),
)


_INDEX = re.compile(r"\bindex\s*=\s*True|@Index|db_index|(?:add|create)_index|\bINDEX\b")


@needs(*(pattern for _, pattern, _ in _SCHEMA), _INDEX)
def _schemas(view: HunkView) -> Iterator[Sign]:
    sql = path_class(view.path) == "migration" or view.extension == "sql"
    for kind, pattern, what in _SCHEMA:
        line = next((line for line in view.added if pattern.search(line)), None)
        if line is not None and (sql or kind != "light_migration"):
            yield Sign(kind, f"{what}: {quote(line)}", view.path, view.place)
            return
    gone = [line for line in view.only_removed if _INDEX.search(line)]
    if gone:
        yield Sign("removed_index", f"an index goes: {quote(gone[0])}", view.path, view.place)


def _formats(view: HunkView) -> Iterator[Sign]:
    for pair in view.pairs:
        if _SERIAL.search(pair.old) and _SERIAL.search(pair.new) and pair.old != pair.new:
            yield Sign("changed_format", f"how data is written or read changes: {quote(pair.new)}", view.path,
                       pair.line or view.place)  # fmt: skip
            return
    if view.extension in ("proto", "avsc", "thrift", "graphql", "fbs") and view.removed:
        yield Sign(
            "changed_format", f"a message loses or changes a field: {quote(view.removed[0])}", view.path, view.place
        )


def _same_value(pair: Pair) -> bool:
    """Say whether a pair gives the same value to a field, under whatever name."""
    old, new = _KEYED.match(pair.old), _KEYED.match(pair.new)
    return old is not None and new is not None and old[2].rstrip(",;") == new[2].rstrip(",;")


@needs(_TRUST)
def _trust(view: HunkView) -> Iterator[Sign]:
    code = path_class(view.path) == "code"  # there a name is a field; in settings it is what is asked for
    changed = [(line, line) for line in view.only_removed]
    changed += [(f"{pair.old} {pair.new}", pair.new) for pair in view.pairs if not (code and _same_value(pair))]
    for both, line in changed:
        if _TRUST.search(line) and (view.words_removed | view.words_added) & words(both):
            yield Sign("changed_trust", f"credentials or permissions change: {quote(line)}", view.path, view.place)
            return


def tables_used(lines: list[str]) -> set[str]:
    """Return the tables that SQL in these lines names."""
    found: set[str] = set()
    for line in lines:
        if re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|JOIN)\b", line, re.IGNORECASE):
            found.update(name.lower() for name in _TABLE.findall(line) if name.lower() not in _TABLE_STOP)
    return found


_SUBMODULE = re.compile(r"^Subproject commit (?P<sha>[0-9a-f]{7})")


@needs(_SUBMODULE)
def _submodules(view: HunkView) -> Iterator[Sign]:
    old, new = (next(filter(None, map(_SUBMODULE.match, lines)), None) for lines in (view.removed, view.added))
    if old or new:
        moves = f"from {old['sha'] if old else 'nothing'} to {new['sha'] if new else 'nothing'}"
        what = f"submodule {view.path} goes {moves}; what that brings is in its own repository"
        yield Sign("bumped_dependency", what, view.path, view.place, 0.6)


SETTINGS_SIGNS: tuple[Callable[[HunkView], Iterator[Sign]], ...] = (
    _numbers,
    _switches,
    _addresses,
    _submodules,
    _dependencies,
    _keys,
    _schemas,
    _formats,
    _trust,
)

__all__ = ["NUMBER", "SETTINGS_SIGNS", "quantities", "tables_used"]
