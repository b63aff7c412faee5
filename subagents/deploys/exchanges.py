"""Signs in what is exchanged for something of another nature: the bounded for the boundless, parts for the whole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from subagents.deploys.comments import TEXT
from subagents.deploys.gates import needs
from subagents.deploys.hunkview import HunkView, words
from subagents.deploys.paths import path_class
from subagents.deploys.signs import Sign, quote
from subagents.deploys.wiring import TOLD_TO_PEOPLE

_TRANSACTION = re.compile(
    r"@Transactional\b|\btransaction(?:al|s)?\b|\.atomic\b|\bBEGIN\b|\bCOMMIT\b|\b[Ss]avepoint\b|\b[Bb]egin(?:Tx|Transaction)?\("
    r"|\$transaction\b|\bwith_transaction\b|\bUnitOfWork\b"
)
_SHARED_SAFELY = re.compile(
    r"\b(?:Concurrent[A-Z]\w+|CopyOnWrite\w+|Atomic[A-Z]\w+|Collections\.synchronized\w+|sync\.(?:Map|Pool|Once)|atomic\.\w+"
    r"|ThreadLocal\b|threading\.local|queue\.Queue|multiprocessing\.Queue|Arc<|RwLock<|DashMap|volatile\b)"
)
_IN_PARTS = re.compile(
    r"\.read\(\s*\w[^)]*\)|\bfetchmany\(|\biter_(?:content|lines|chunks)\b|\.chunks?\(|\bchunk\w*\b|\bchunksize\b|\.iterator\(|\byield\b"
    r"|\bbufio\.|\bio\.Copy\b|\bcreateReadStream\b|\.pipe\(|\bfind_(?:each|in_batches)\b|\beach_slice\b|\bstream=True\b|\blines\(\)"
    r"|\bBufferedReader\b|\bStreamingResponse\w*|\bcursor\b"
)
_AT_ONCE = re.compile(
    r"\.read\(\s*\)|\.readlines\(\s*\)|\bfetchall\(|\bReadAll\(|\breadFile(?:Sync)?\(|\breadAllBytes\(|\bReadFile\(|\.toList\(|\blist\(|\.to_a\b"
    r"|\.collect\(|\.text\(\s*\)|\.content\b|\.all(?:\(\))?\.each\b|\.all\(\s*\)"
)
_BLOCKS = re.compile(
    r"\brequests\.\w+\(|\burllib\.request\b|\btime\.sleep\(|\bsubprocess\.(?:run|call|check_\w+)\(|\b\w+Sync\(|\.result\(\s*\)|\.block\(\s*\)"
    r"|\.GetAwaiter\(\)|\bThread\.sleep\(|\bpsycopg2?\.connect\(|\.Wait\(\s*\)|\brun_sync\("
)
_ASYNCHRONOUS = re.compile(r"\basync\b|\bawait\b|\bMono<|\bFlux<|\bsuspend fun\b|\bPromise<")
_MADE = re.compile(
    r"\b(?:new\s+)?((?:\w+\.)*\w*(?:[Cc]lient|[Ss]ession|[Cc]onnection|[Pp]ool|[Ee]ngine|[Cc]hannel|[Ee]xecutor|ObjectMapper|[Tt]ransport)\w*"
    r"|psycopg2?\.connect|redis\.Redis|Redis|sql\.Open|grpc\.(?:Dial|NewClient|insecure_channel)\w*|NewClient)\("
)
_PATTERN = re.compile(
    r"\bre\.(?:compile|match|search|fullmatch)\(|/(?:\\.|[^/\\\n])+/[gimsuy]*|\bRegExp?\b|\bPattern\.compile\(|\bregex\w*\b",
    re.I,
)
_NESTED_REPEAT = re.compile(
    r"\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*[+*](?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)[+*]|\((?:[^()\\]|\\.)*[+*]\)\{\d*,"
)
"""A repeated group that holds a repetition: text that nearly matches takes time that doubles with each letter."""


def _first(lines: Sequence[str], pattern: re.Pattern[str]) -> str:
    return next((line for line in lines if pattern.search(line)), "")


def _gone(view: HunkView, pattern: re.Pattern[str]) -> str:
    """Return a line whose pattern goes and comes back nowhere in the hunk, or empty."""
    if any(pattern.search(line) for line in view.added):
        return ""
    return _first(view.removed, pattern)


@needs(_TRANSACTION)
def _transactions(view: HunkView) -> Iterator[Sign]:
    line = _gone(view, _TRANSACTION)
    if line:
        what = f"what was done as one is no longer: {quote(line)}"
        yield Sign("removed_transaction", what, view.path, view.place, origin=line)


@needs(_SHARED_SAFELY)
def _shared(view: HunkView) -> Iterator[Sign]:
    line = _gone(view, _SHARED_SAFELY)
    if line:
        what = f"what several threads use is no longer made for that: {quote(line)}"
        yield Sign("removed_lock", what, view.path, view.place, origin=line)


@needs(_IN_PARTS)
def _at_once(view: HunkView) -> Iterator[Sign]:
    whole, parts = _first(view.added, _AT_ONCE), _gone(view, _IN_PARTS)
    if parts and whole:
        what = f"read whole, no longer in parts: {quote(parts)} becomes {quote(whole)}"
        yield Sign("removed_bound", what, view.path, view.place, origin=parts)


@needs(_BLOCKS)
def _blocking(view: HunkView) -> Iterator[Sign]:
    """A call that holds the thread, where others are to run meanwhile."""
    line = _first(view.only_added, _BLOCKS) or _first([p.new for p in view.pairs if not _BLOCKS.search(p.old)], _BLOCKS)
    around = [view.header, *view.context, *view.removed, *view.added]
    if line and not any(_BLOCKS.search(old) for old in view.removed) and any(map(_ASYNCHRONOUS.search, around)):
        yield Sign("blocking_call", f"holds what serves others meanwhile: {quote(line)}", view.path, view.place)


def _top_level(view: HunkView, text: str) -> bool:
    """Say whether a line of the hunk stands outside of any function, by its indentation."""
    return any(code == text and not line.text[:1].isspace() for line, code in view.lines)


@needs(_MADE)
def _made_anew(view: HunkView) -> Iterator[Sign]:
    """What was made once and shared is made for each call: by its name, the one goes and the other comes."""
    if path_class(view.path) != "code":
        return
    for old in view.removed:
        made = _MADE.search(old)
        if made is None or not (_top_level(view, old) or re.search(r"\bstatic\b|\bself\.|\bthis\.|@|\bfinal\b", old)):
            continue
        for new in view.added:
            if (again := _MADE.search(new)) and again[1] == made[1] and not _top_level(view, new) and not re.search(
                r"\bstatic\b|\b(?:self|this)\.\w+\s*=[^=]", new
            ):  # fmt: skip
                what = f"made anew for each call, no longer shared: {quote(new)}"
                yield Sign("made_anew", what, view.path, view.place, origin=old)
                return


@needs(_PATTERN)
def _patterns(view: HunkView) -> Iterator[Sign]:
    line = next((x for x in view.added if _PATTERN.search(x) and _NESTED_REPEAT.search(x)), "")
    if line and not any(_NESTED_REPEAT.search(old) for old in view.removed):
        yield Sign("costlier", f"a pattern that may take very long: {quote(line)}", view.path, view.place)


_TOKEN = re.compile(r"\w+|[^\w\s]+")
_ARITHMETIC = re.compile(r"\*\*|//|<<|>>|(?<![\w+*/-])-(?=\w)|[+\-*/%](?!=)")
_OPERATES = re.compile(r"[\w)\]]\s*(?:\*\*|//|<<|>>|[-+*/%])\s*[\w(]")


_OFFSET = re.compile(r"\s*[-+]\s*\d+\b(?!\s*[.\w(])")
"""A whole number more or less."""


@needs(_OPERATES)
def _arithmetic(view: HunkView) -> Iterator[Sign]:
    """The same names and numbers, reckoned otherwise."""
    if path_class(view.path) != "code":
        return
    for pair in view.pairs:
        old, new = TEXT.sub("$", pair.old), TEXT.sub("$", pair.new)
        one_more = _OFFSET.sub("", old) != old or _OFFSET.sub("", new) != new
        if one_more and old != new and _OFFSET.sub("", old) == _OFFSET.sub("", new):
            what = f"it is reckoned otherwise: {quote(pair.new)}"
            yield Sign("changed_arithmetic", what, view.path, pair.line or view.place)
            return
        if not (_OPERATES.search(old) and _OPERATES.search(new)) or re.findall(r"\w+", old) != re.findall(r"\w+", new):
            continue
        if Counter(_ARITHMETIC.findall(old)) != Counter(_ARITHMETIC.findall(new)):
            what = f"it is reckoned otherwise: {quote(pair.new)}"
            yield Sign("changed_arithmetic", what, view.path, pair.line or view.place)
            return


_NAMED_KEY = re.compile(
    r"\b\w*(?:key|topic|prefix|routing|partition|namespace|bucket|channel)\w*\s*(?::=|[:=])|\b(?:cache|redis)\w*\.\w+\(",
    re.I,
)
_PLACEHOLDER = re.compile(r"\$?\{([^{}:]*)[^{}]*\}|%[sdv]")


@needs(_NAMED_KEY)
def _identities(view: HunkView) -> Iterator[Sign]:
    """A key that is made of other parts than before: it finds something else, or nothing."""
    for pair in view.pairs:
        if not (_NAMED_KEY.search(pair.old) and _NAMED_KEY.search(pair.new)):
            continue
        old, new = _parts_of(pair.old), _parts_of(pair.new)
        named = all([*old, *new])
        if len(old) != len(new) or (named and Counter(old) != Counter(new)):
            what = f"a key is made of other parts: {quote(pair.new)}"
            yield Sign("changed_identity", what, view.path, pair.line or view.place)
            return


def _parts_of(line: str) -> list[str]:
    """Return what is put into the texts of a line; empty where that is not said within them."""
    return [part.strip() for part in _PLACEHOLDER.findall(" ".join(TEXT.findall(line)))]


_READ_FIELD = re.compile(r"""\[\s*["']([\w.\-]+)["']\s*\](?!\s*=[^=])|\.get\(\s*["']([\w.\-]+)["']""")


@needs(_READ_FIELD)
def _fields_read(view: HunkView) -> Iterator[Sign]:
    """Another field is read of the same thing."""
    for pair in view.pairs:
        old, new = _READ_FIELD.findall(pair.old), _READ_FIELD.findall(pair.new)
        if old and len(old) == len(new) and old != new:
            what = f"another field is read: {quote(pair.old)} -> {quote(pair.new)}"
            yield Sign("renamed_key", what, view.path, pair.line or view.place, 0.9)
            return


_SET_BY_CALL = re.compile(
    r"\.\s*(configure|enable\w*|disable\w*|option|set[A-Z_]\w*|with[A-Z_]\w*)\s*\([^()]*(?:\btrue\b|\bfalse\b|\d|\b[A-Z][A-Z_]{3,}\b)",
    re.IGNORECASE,
)


@needs(_SET_BY_CALL)
def _settings_by_call(view: HunkView) -> Iterator[Sign]:
    """A setting that is made by a call, and is made no more."""
    if path_class(view.path) != "code":
        return
    line = _first(view.only_removed, _SET_BY_CALL)
    called = {word for new in view.added for word in words(new)}
    if any(not words(call[1]) <= called for call in _SET_BY_CALL.finditer(line)):
        yield Sign("removed_key", f"a setting goes: {quote(line)}", view.path, view.place, origin=line)


_DATE_FORMAT = re.compile(
    r"[\"'][^\"']*(?:y{2,4}|Y{4}|%[YmdHMS]|\bM{2}\b|d{2}|[Hh]{2}:m{2}|2006-01-02|15:04)[^\"']*[\"']"
)


@needs(_DATE_FORMAT)
def _date_formats(view: HunkView) -> Iterator[Sign]:
    for pair in view.pairs:
        old, new = _DATE_FORMAT.findall(pair.old), _DATE_FORMAT.findall(pair.new)
        if old and new and old != new:
            what = f"how a time is written changes: {quote(pair.new)}"
            yield Sign("changed_format", what, view.path, pair.line or view.place)
            return


_WORD_VALUE = re.compile(
    r"""^\s*(?:(?:public|private|static|final|const|val|var|let|export)\s+|[A-Z]\w*\s+)*([A-Za-z_]\w*)\s*(?::\s*\w+\s*)?[:=]\s*["']([^"'\s]+)["']\s*[,;)]*$"""
)


@needs(_WORD_VALUE)
def _texts_compared(view: HunkView) -> Iterator[Sign]:
    """A word that stands for something in code, and is another word now: whoever compares with it may not know."""
    if path_class(view.path) != "code":
        return
    for pair in view.pairs:
        old, new = _WORD_VALUE.match(pair.old), _WORD_VALUE.match(pair.new)
        if old and new and old[1] == new[1] and old[2] != new[2] and not words(old[1]) & TOLD_TO_PEOPLE:
            what = f"a value changes: {quote(pair.new)}"
            yield Sign("changed_constant", what, view.path, pair.line or view.place, 1.05)
            return


_PREDICATE = re.compile(r"\b(?:WHERE|AND|OR|ON|JOIN|HAVING|LIKE|ILIKE|USING|ORDER BY|GROUP BY)\b")
_PREDICATE_IN_ANY_CASE = re.compile(_PREDICATE.pattern, re.IGNORECASE)
_SQL_FILE = frozenset({"sql", "ddl", "hql"})
_AWAY_FROM_INDEX = re.compile(
    r"\b(?:lower|upper|trim|coalesce|cast|date|to_char|substr\w*|concat|date_trunc)\s*\(\s*\w|LIKE\s+[^\w]{0,3}%|\brandom\s*\(",
    re.I,
)


def _predicate(text: str) -> str:
    """Return what a line of a query asks, without blanks, quotes and case."""
    begins = _PREDICATE_IN_ANY_CASE.search(text)
    return re.sub(r"[\s\"'`;]+", "", text[begins.start() :]).lower() if begins else ""


@needs(_PREDICATE)
def _queries(view: HunkView) -> Iterator[Sign]:
    """What a query asks for or joins on is said otherwise."""
    sql = view.extension in _SQL_FILE or any(re.search(r"\bSELECT\b|\bFROM\b", x) for x in [*view.context, *view.added])
    if not sql:
        return
    for pair in view.pairs:
        if not (_PREDICATE.search(pair.old) or _PREDICATE.search(pair.new)) or _predicate(pair.old) == _predicate(
            pair.new
        ):
            continue
        far = len(_AWAY_FROM_INDEX.findall(pair.new)) > len(_AWAY_FROM_INDEX.findall(pair.old))
        what = "no index may serve this any more" if far else "a query asks otherwise"
        yield Sign(
            "changed_query", f"{what}: {quote(pair.new)}", view.path, pair.line or view.place, 1.3 if far else 1.0
        )
        return


_BY_KEY = re.compile(
    r"\bnew (?:Map|Set|HashMap|HashSet)\b|\bMap<|\{[^{}]*:[^{}]*\bfor\b|\bset\(|\bdict\(|\bindex_by\b"
    r"|\bgroupingBy\b|\bmap\[\w+\]"
)
_BY_LOOKING = re.compile(
    r"\.(?:find|filter|indexOf|includes|detect|findFirst|some|any\?)\s*[({]|\bnext\(.*\bfor\b|\.filter\(.*\)\.findFirst"
)


@needs(_BY_LOOKING)
def _lookups(view: HunkView) -> Iterator[Sign]:
    """What was found by its key is looked for among all."""
    keyed, looked = _gone(view, _BY_KEY), _first(view.only_added, _BY_LOOKING)
    looked = looked or _first([pair.new for pair in view.pairs if not _BY_LOOKING.search(pair.old)], _BY_LOOKING)
    if keyed and looked:
        what = f"looked for among all, no longer found by its key: {quote(looked)}"
        yield Sign("costlier", what, view.path, view.place, origin=keyed)


_OPTION = re.compile(r"\b[A-Za-z]\w*\.([A-Z]\w+)\b(?!\s*[.(])")


@needs(_OPTION)
def _options(view: HunkView) -> Iterator[Sign]:
    """Another one of a set of options is chosen, all else being the same."""
    if path_class(view.path) != "code":
        return
    for pair in view.pairs:
        old, new = _OPTION.findall(pair.old), _OPTION.findall(pair.new)
        if old and len(old) == len(new) and old != new and _OPTION.sub("", pair.old) == _OPTION.sub("", pair.new):
            what = f"another option is chosen: {quote(pair.new)}"
            yield Sign("changed_constant", what, view.path, pair.line or view.place, 1.1)
            return


_WRAPPER = re.compile(
    r"^@(?!\s*(?:Override|Deprecated|Suppress\w*|Nullable|NonNull|NotNull|Generated|typing|overload|Test)\b)[A-Za-z_]"
)


@needs(_WRAPPER)
def _wrappers(view: HunkView) -> Iterator[Sign]:
    """What was put around a function is there no more; the function stays."""
    if path_class(view.path) != "code":
        return
    for line in view.only_removed:
        if _WRAPPER.search(line) and not any(x.startswith("@") for x in view.only_added) and _stays_below(view, line):
            what = f"what was put around a function goes: {quote(line)}"
            yield Sign("removed_code", what, view.path, view.place, 1.4, line)
            return


def _stays_below(view: HunkView, wrapper: str) -> bool:
    """Say whether the next line that is no annotation itself was there before and is there still."""
    texts = [(line.tag, text) for line, text in view.lines if text]
    at = next((number for number, (tag, text) in enumerate(texts) if tag == "-" and text == wrapper), len(texts))
    following = next((tag for tag, text in texts[at + 1 :] if not text.startswith("@")), "-")
    return following == " "


_TAKES = re.compile(r"\b(?:def|function)\s+(?!_)(\w+)\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)?")
_LATE_BOUND = frozenset({"py", "js", "jsx", "mjs", "rb", "php"})
"""Languages in which a caller of another form is found out when it runs."""


@needs(_TAKES)
def _signatures(view: HunkView) -> Iterator[Sign]:
    """A function that others call wants more than it did."""
    for pair in view.pairs if view.extension in _LATE_BOUND else ():
        old, new = _TAKES.search(pair.old), _TAKES.search(pair.new)
        if old and new and old[1] == new[1] and _wanted(new[2]) > _wanted(old[2]):
            what = f"callers have to give more: {quote(pair.new)}"
            yield Sign("changed_signature", what, view.path, pair.line or view.place)
            return


def _wanted(parameters: str) -> int:
    """Return how many of these parameters have no default."""
    plain = re.sub(r"\[[^\]]*\]", "", parameters)
    return sum(1 for each in plain.split(",") if re.match(r"\s*\w", each) and "=" not in each)


EXCHANGES: tuple[Callable[[HunkView], Iterator[Sign]], ...] = (
    _transactions,
    _shared,
    _at_once,
    _blocking,
    _made_anew,
    _patterns,
    _arithmetic,
    _identities,
    _fields_read,
    _settings_by_call,
    _date_formats,
    _texts_compared,
    _queries,
    _lookups,
    _options,
    _wrappers,
    _signatures,
)
