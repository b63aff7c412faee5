"""Signs of risk in a hunk of code, each read from its syntax: what was taken away, moved, or put in a loop."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from subagents.deploys.comments import TEXT
from subagents.deploys.gates import needs
from subagents.deploys.hunkview import HunkView, skeleton, words


@dataclass(frozen=True)
class Sign:
    """One thing that a hunk does. `kind` is a key of `diffkinds.KINDS`."""

    kind: str
    what: str
    """A few words with the line it was read from."""
    path: str
    line: int | None
    strength: float = 1.0
    """0 to 1.5: how large or how clear it is."""
    origin: str = ""
    """The removed line it was read from, where it says that something goes."""


def quote(text: str) -> str:
    """Return a line of a diff, short."""
    text = " ".join(text.split())
    return f"`{text[:80]}…`" if len(text) > 80 else f"`{text}`"


QUERY = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\w+\s+SET)\b"
    r"|\b\w*(db|dao|repo|repository|session|cursor|conn|connection|tx|client|api|store|storage|catalog|http|https|redis|cache"
    r"|stub|rpc|grpc|service|svc|requests|axios|queryset|objects|collection|bucket|s3|dynamo|mongo|elastic|index|remote"
    r"|backend|gateway|mapper|(?<![A-Za-z])es(?![A-Za-z]))\w*(?:\(\))?(?:\s*(?:\.|->|::)\s*[A-Za-z_]\w*){1,3}\s*\("
    r"|\.(where|find_by|find_one|find_each|filter_by|get_or_create|findMany|findUnique|findFirst|findByPk|executeQuery)\s*\("
    r"|\b(fetch|urlopen|curl_exec|query|execute|QueryRow|findOne|findById|findAll|getById|loadAll)\s*\(",
    re.IGNORECASE,
)
_MAY_ASK = re.compile(r"\(|\b(?:FROM|INTO|SET)\b", re.IGNORECASE)


@lru_cache(maxsize=1 << 13)
def asks(line: str) -> bool:
    """Say whether a line holds a query or a call to something remote."""
    return _MAY_ASK.search(line) is not None and QUERY.search(line) is not None


_QUERY_EACH = re.compile(
    rf"[\[({{]\s*[^\[({{]*(?:{QUERY.pattern}).*\bfor\b|(?:=>|->|\{{\s*\|?\w+\|?)\s*.*(?:{QUERY.pattern})", re.IGNORECASE
)
"""A call for each element: at the head of a comprehension, or in what is handed to `map` and its like."""
IN_MEMORY = re.compile(
    r"\.(append|push|add|info|debug|warn|error|Debugf|Infof|Printf|inc|Inc|observe|Observe|Set)\s*\("
)
BOUND = re.compile(
    r"\b(LIMIT\s+[\d?:$%]|timeouts?|\w*[Tt]imeout\w*|deadline|\w*[Dd]eadline|max_?\w+|[Mm]ax[A-Z]\w+|\w*_limit\b|\w*Limit(er|s)?\b"
    r"|limit|rate_?limit\w*|throttl\w+|paginat\w+|[Pp]ageable\w*|page_?size|PageSize|per_page|first\(|take\(|Semaphore|semaphore|bounded"
    r"|capacity|backpressure|[Cc]ircuit_?[Bb]reaker|maxsize|maxlen|evict\w*|expire\w*|ttl|TTL|sem|SetLimit|newFixedThreadPool"
    r"|ArrayBlockingQueue|Bounded[A-Z]\w*|LRU\w*)"
)
_GUARD = re.compile(
    r"\bif\b.*(\bnil\b|\bnull(?:ptr)?\b|\bNone\b|\bundefined\b|\bNULL\b|isEmpty\(|\.empty\(|is_empty|len\(.*\)\s*(==|>|<|!=)|\.length\b"
    r"|isset\(|is_?[Aa]rray\(|typeof\b|hasattr\(|isinstance\(|instanceof|hasOwnProperty|\bok\b|!ok\b|\berr\b|\bin\s+\w+|contains(Key)?\(|\.has\("
    r"|\.exists\(|\.Valid|isNaN|not\s+\w+\s*:|if\s*\(?\s*!\s*\w+)"
    r"|[!=]==?\s*(?:null|nil|None|undefined)\s*\?|\bis (?:not )?None else\b"
    r"|\s\?:\s|\bor\s+(?:[\"\x27]{2}|\[\]|\{\}|0|None)(?!\w)"
    r"|\bassert\b|requireNonNull|checkNotNull|Objects\.require|\?\.|\?\?|\.orElse|unwrap_or|\.get\(\s*['\"][^'\"]+['\"]\s*,"
    r"|\b(except|catch|rescue|recover)\b|\bsuppress\(|\bvalidate\w*\(|^validates?\b|\bsanitize\w*\("
)
_RAISE = re.compile(
    r"\b(panic\(|raise\s+\w+|throw\s+(new\s+)?\w+|abort\(|os\.Exit|System\.exit|sys\.exit|unwrap\(\)|\.expect\(|log\.Fatal)"
)
_RETRY = re.compile(r"\b\w*(retr(y|ies)|attempts?|backoff|back_off|jitter|resend|redeliver)\w*", re.IGNORECASE)
_SLEEP = re.compile(r"\b(time\.Sleep|Thread\.sleep|sleep|usleep|asyncio\.sleep|setTimeout|await\s+delay)\s*\(")
_LOCK = re.compile(
    r"\b(lock|unlock|mutex|synchronized|rwlock|RLock|Lock\(\)|Unlock\(\)|FOR\s+UPDATE|LOCK\s+TABLE|acquire|semaphore"
    r"|ReentrantLock|critical_section|spinlock|with_lock|\w+_mutex)\b|\.(Lock|Unlock|RLock|RUnlock)\(\)|@(external_)?lock\w*|with\s+\w*lock\w*",
    re.IGNORECASE,
)
_CACHE_USE = re.compile(r"\b\w*(cache|memo|lru|prefetch)\w*\s*[.(\[]|@\w*cache\w*|\bGetOrLoad\b", re.IGNORECASE)
_BATCH = re.compile(
    r"\b\w*(batch|bulk|prefetch_related|select_related|joinedload|preload|eager|multi_?get|mget|pipeline|dataloader)\w*",
    re.IGNORECASE,
)
_RELEASE = re.compile(
    r"\bdefer\b.*\b(Close|Release|Unlock|Done|cancel)\b|\.(close|release|dispose|shutdown|Close|Release|Stop|Dispose|free|disconnect)\("
    r"|\.(off|removeListener|removeEventListener|remove_listener|unregister|detach|unsubscribe)\("
    r"|\bfinally\b|\bwith\s+(open|closing|\w+\.connect|\w*session\w*|\w*pool\w*)\b|\btry\s*\(|\busing\s*\(|cancel\(\)|clearInterval|unsubscribe"
)
_ACQUIRE = re.compile(
    r"\b(connect|open|acquire|checkout|borrow|subscribe|setInterval|getConnection|spawn|create_task|Dial)\s*\(|\bnew\s+Thread\b|\bgo\s+func\b"
)
_SCOPE = re.compile(
    r"^\s*(?:async\s+)?with\b|\btry\s*\(|\busing\b|\bdefer\b|^\s*\}?\s*finally\b|\bensure\b\s*$", re.IGNORECASE
)
"""What gives back for sure, however a block is left."""
_LENT = re.compile(
    r"\b\w*(pool|conn|connection|client|session|lease|channel)\w*(?:\(\))?\s*\.\s*(acquire|release)\b", re.IGNORECASE
)
"""Something lent out of a pool: `acquire` here is no lock."""
_KEEPS = re.compile(
    r"\b\w*(cache|seen|history|registry|buffer|pending|listeners|handlers|entries|metrics_by|by_id|index)\w*(\[[^\]]+\]\s*=[^=]"
    r"|\.(append|push|add|put|set|extend|Store|insert)\()",
    re.IGNORECASE,
)
_ASYNC = re.compile(r"\b(await|async)\b")
_WAITED_FOR = re.compile(
    r"\.(?:Wait|join|awaitTermination|await)\(\s*\w*\s*\)|\bwait_for\w*\(|\bWaitGroup\b|\bwg\.(?:Add|Done)\("
)
_CONCURRENT = re.compile(
    r"\b(go\s+func|go\s+\w+\(|executor|submit|CompletableFuture|Promise\.all\w*|gather|errgroup|thread_?pool|parallel\w*|apply_async"
    r"|(?:perform|deliver)_later|enqueue\w*)\b|\.delay\(",
    re.IGNORECASE,
)
_OPERATOR = re.compile(r"(<=|>=|==|!=|<|>|&&|\|\||\band\b|\bor\b|\bnot\b|(?<![=!])!(?!=)|\bis not\b|\bin\b)")
_CONDITION = re.compile(
    r"^\s*\}?\s*(if|elif|else if|while|for|unless|when|case|return|assert|WHERE|AND|OR|ON)\b|\?.*:|[<>=!]=|&&|\|\|"
)


_INLINE_LOOP = re.compile(r"\.(?:forEach|map|flatMap|each|mapToObj|then_each)\s*[({]|\bfor\b[^:]+\bin\b")
"""A loop within a line: a call before or after it runs for each element."""
_WAITS = re.compile(r"\bawait\s+(?!Promise\.|asyncio\.(?:gather|sleep)|delay|sleep)[\w.]+\(")
"""In a loop, a wait for one call after the other."""


@needs(QUERY, _WAITS)
def _query_in_loop(view: HunkView) -> Iterator[Sign]:
    looped = [line for line in view.added if _INLINE_LOOP.search(line) and _QUERY_EACH.search(line)]
    known = sum(1 for line in view.removed if _INLINE_LOOP.search(line) and _QUERY_EACH.search(line))
    waits = [line for line in view.added_in_loop if _WAITS.search(line)]
    for line in [*view.added_in_loop, *looped[known:], *waits]:
        if line in waits or (asks(line) and not IN_MEMORY.search(line)):
            yield Sign("query_in_loop", f"a query or call inside a loop: {quote(line)}", view.path, view.place)
            return


@needs(QUERY)
def _new_query(view: HunkView) -> Iterator[Sign]:
    for line in view.only_added:
        if asks(line) and not IN_MEMORY.search(line) and not _RELEASE.search(line):
            asked = sum(1 for line in view.removed if asks(line))
            if asked >= sum(1 for line in view.added if asks(line) and not IN_MEMORY.search(line)):
                return
            yield Sign("new_query", f"a new query or remote call: {quote(line)}", view.path, view.place)
            return


@needs(BOUND)
def _removed_bound(view: HunkView) -> Iterator[Sign]:
    for line in [*view.only_removed, *(pair.old for pair in view.pairs)]:
        match = BOUND.search(line)
        if match and any(word in view.words_removed for word in _parts(match[0])):
            yield Sign("removed_bound", f"a bound or timeout goes: {quote(line)}", view.path, view.place, origin=line)
            return


_KEPT_VALUE = re.compile(r"[\w.\-]*\w[\"']?\s*(?::=|[:=])\s*(?P<value>[^,;)}]+)")
_BOUNDLESS = re.compile(
    r"(?i)^[\"']?(none|null|nil|undefined|(?:\w+\.)*(?:infinit\w*|unlimited\w*|never|forever|max_?value)|-1|0|false|off|float\(.inf.\)|math\.inf)\b"
)


@needs(BOUND)
def _bound_given_up(view: HunkView) -> Iterator[Sign]:
    """A bound that stays by name and is set to what bounds nothing."""
    for pair in view.pairs:
        for old, new in zip(_KEPT_VALUE.finditer(pair.old), _KEPT_VALUE.finditer(pair.new), strict=False):
            changed = old["value"] != new["value"] and BOUND.search(new[0])
            if changed and _BOUNDLESS.search(new["value"].strip()) and not _BOUNDLESS.search(old["value"].strip()):
                yield Sign("removed_bound", f"a bound is given up: {quote(pair.new)}", view.path,
                           pair.line or view.place, origin=pair.old)  # fmt: skip
                return


def _parts(text: str) -> frozenset[str]:
    return words(text) or frozenset({text.lower()})


@needs(_GUARD)
def _guards(view: HunkView) -> Iterator[Sign]:
    gone = [line for line in view.only_removed if _GUARD.search(line)]
    come = [line for line in view.only_added if _GUARD.search(line)]
    gone += [p.old for p in view.pairs if len(_GUARD.findall(p.old)) > len(_GUARD.findall(p.new))]
    come += [p.new for p in view.pairs if len(_GUARD.findall(p.new)) > len(_GUARD.findall(p.old))]
    if len(gone) > len(come):
        strength = 1.0 if not view.only_added else 0.8
        yield Sign(
            "dropped_guard", f"a check or a handler goes: {quote(gone[0])}", view.path, view.place, strength, gone[0]
        )
    elif come and not view.only_removed and len(come) > len(gone):
        yield Sign("added_guard", f"a check is added: {quote(come[0])}", view.path, view.place)


_HANDLER = re.compile(r"\b(?:except|catch|rescue)\b(?P<what>[^:{]*)")


@needs(_HANDLER)
def _narrowed_handler(view: HunkView) -> Iterator[Sign]:
    """A handler that takes fewer kinds of errors than it took."""
    for pair in view.pairs:
        old, new = _HANDLER.search(pair.old), _HANDLER.search(pair.new)
        if old and new and words(new["what"]) < words(old["what"]):
            yield Sign("dropped_guard", f"a handler takes fewer errors: {quote(pair.new)}", view.path,
                       pair.line or view.place, origin=pair.old)  # fmt: skip
            return


@needs(_RAISE)
def _new_raise(view: HunkView) -> Iterator[Sign]:
    before = sum(1 for line in view.removed if _RAISE.search(line))
    new = [line for line in view.added if _RAISE.search(line)]
    if len(new) > before:
        yield Sign("new_raise", f"a new way to fail: {quote(new[0])}", view.path, view.place)


def _retry_words(line: str) -> list[str]:
    """Return what a line says of retrying, whatever the names around it are."""
    return sorted(re.sub(r"[^a-z]", "", match[1].lower()) for match in _RETRY.finditer(line))


def _retries_otherwise(old: str, new: str) -> bool:
    """Say whether two lines differ in what they say of retrying, or the new one says less: not by names or types."""
    return _retry_words(old) != _retry_words(new) or words(new) < words(old)


@needs(_RETRY)
def _retries(view: HunkView) -> Iterator[Sign]:
    """Retrying that changes otherwise than by a number alone (numbers are judged by their size)."""
    numeric = {pair.new for pair in view.pairs if skeleton(pair.old) == skeleton(pair.new)}
    paired = [pair.new for pair in view.pairs if pair.new not in numeric and _retries_otherwise(pair.old, pair.new)]
    before = any(_RETRY.search(line) for line in view.removed)
    for line in [*view.only_removed, *view.only_added, *paired]:
        if _RETRY.search(line):
            strength = 1.0 if before else 0.7
            yield Sign(
                "changed_retry", f"retrying or backing off changes: {quote(line)}", view.path, view.place, strength
            )
            return


@needs(_SLEEP)
def _sleeps(view: HunkView) -> Iterator[Sign]:
    for line in view.only_added:
        if _SLEEP.search(line):
            yield Sign("added_wait", f"a wait is added: {quote(line)}", view.path, view.place)
            return


def _is_lock(line: str) -> bool:
    return _LOCK.search(line) is not None and _LENT.search(line) is None


@needs(_LOCK)
def _locks(view: HunkView) -> Iterator[Sign]:
    gone = [line for line in view.only_removed if _is_lock(line)]
    come = [line for line in view.only_added if _is_lock(line)]
    gone += [p.old for p in view.pairs if _is_lock(p.old) and not _is_lock(p.new)]
    come += [p.new for p in view.pairs if _is_lock(p.new) and not _is_lock(p.old)]
    swapped = [p for p in view.pairs if _is_lock(p.old) and _is_lock(p.new) and p.old != p.new]
    if swapped or (gone and come):
        line = swapped[0].new if swapped else come[0]
        yield Sign("changed_lock", f"what a lock covers changes: {quote(line)}", view.path, view.place)
    elif moved := [line for line in view.reordered if _is_lock(line)]:
        yield Sign("changed_lock", f"what a lock covers changes: {quote(moved[0])}", view.path, view.place)
    elif come:
        yield Sign("added_lock", f"a lock is added: {quote(come[0])}", view.path, view.place)
    elif gone:
        yield Sign("removed_lock", f"a lock goes: {quote(gone[0])}", view.path, view.place)


@needs(_CACHE_USE, _BATCH, _CONCURRENT, _ASYNC, _WAITED_FOR, _RELEASE)
def _removed_help(view: HunkView) -> Iterator[Sign]:
    """Caching, batching, concurrency or releasing that goes away."""
    rules = (
        ("removed_cache", _CACHE_USE, "a cache is no longer used"),
        ("removed_batch", _BATCH, "batching or eager loading goes"),
        ("removed_async", _CONCURRENT, "work is no longer done concurrently"),
        ("removed_async", _ASYNC, "what is started is no longer waited for"),
        ("removed_async", _WAITED_FOR, "what is started is no longer waited for"),
        ("removed_release", _RELEASE, "something is no longer released"),
    )
    for kind, pattern, what in rules:
        gone = [line for line in view.only_removed if pattern.search(line)]
        gone += [p.old for p in view.pairs if pattern.search(p.old) and not pattern.search(p.new)]
        if gone and not any(pattern.search(line) for line in view.added):
            yield Sign(kind, f"{what}: {quote(gone[0])}", view.path, view.place, origin=gone[0])


@needs(_KEEPS, _ACQUIRE, _RELEASE)
def _leaks(view: HunkView) -> Iterator[Sign]:
    kept = [line for line in view.only_added if _KEEPS.search(line)]
    if kept and not any(re.search(r"evict|ttl|expire|max|limit|delete|pop|clear", line, re.I) for line in view.added):
        yield Sign("unbounded_growth", f"keeps what it is given, no end seen: {quote(kept[0])}", view.path, view.place)
    opened = [line for line in view.added if _ACQUIRE.search(line) and not _SCOPE.search(line)]
    scopes = [line for line in view.removed if _SCOPE.search(line)]
    if opened and len(scopes) > sum(1 for line in view.added if _SCOPE.search(line)):
        what = f"no longer given back whichever way the block is left: {quote(scopes[0])} becomes {quote(opened[0])}"
        yield Sign("unscoped_release", what, view.path, view.place, 1.2, scopes[0])
    elif opened and not any(_RELEASE.search(line) or _SCOPE.search(line) for line in [*view.added, *view.context]):
        yield Sign("opened_unreleased", f"opened, no release seen: {quote(opened[0])}", view.path, view.place)
    closed = [line for line in view.only_added if _RELEASE.search(line)]
    if closed and not view.removed:
        yield Sign("added_release", f"releases what it holds: {quote(closed[0])}", view.path, view.place)


def _only_guarded(old: str, new: str) -> bool:
    """Say whether a line keeps all that it compared and asks for more before it goes on."""
    kept = not Counter(_OPERATOR.findall(old)) - Counter(_OPERATOR.findall(new))
    return kept and len(_GUARD.findall(new)) > len(_GUARD.findall(old))


_SAME_TEST = re.compile(r"\b(?:errors\.Is|equals|equal|Equal|isEqual|DeepEqual|compareTo|eql\?)\s*\(")
"""What compares as an operator does."""


def _one_of(old: str, new: str) -> bool:
    """Say whether a row of comparisons with one thing is said as one."""
    return set(_OPERATOR.findall(old)) <= {"==", "or", "||"} and set(_OPERATOR.findall(new)) == {"in"}


@needs(_CONDITION)
def _conditions(view: HunkView) -> Iterator[Sign]:
    for pair in view.pairs:
        old, new = TEXT.sub("$", pair.old), TEXT.sub("$", pair.new)
        if _only_guarded(pair.old, pair.new):
            continue
        if (_SAME_TEST.search(new) or _one_of(old, new)) and set(re.findall(r"\w+", old)) <= set(
            re.findall(r"\w+", new)
        ):
            continue
        if _CONDITION.search(old) and _OPERATOR.findall(old) != _OPERATOR.findall(new):
            yield Sign(
                "changed_condition", f"a condition changes: {quote(pair.new)}", view.path, pair.line or view.place
            )
            return


CODE_SIGNS: tuple[Callable[[HunkView], Iterator[Sign]], ...] = (
    _query_in_loop,
    _new_query,
    _removed_bound,
    _bound_given_up,
    _narrowed_handler,
    _guards,
    _new_raise,
    _retries,
    _sleeps,
    _locks,
    _removed_help,
    _leaks,
    _conditions,
)
