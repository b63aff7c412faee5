"""How much of what the symptom names is also named by a change: identifiers first, rare words next."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from subagents.contract import Finding
from subagents.deploys.comments import PARTS, word_set
from subagents.deploys.reach import service_key
from subagents.deploys.sources.records import Commit

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[./:-][A-Za-z0-9_]+)*")
_URL = re.compile(r"\bhttps?://\S+")
_TRAILER = re.compile(r"^[A-Z][\w-]{2,40}: .*$", re.MULTILINE)
_SCALE = 2.2
_MOST = {False: 0.8, True: 1.5}
"""What one shared term gives at most: a word, an identifier."""
_SECOND_FIELD = 0.3
"""What a second field that names the same term adds."""
_STOP = word_set("""
    return func def class import const string int bool struct public private static void self async await err
    ctx nil len var function package interface type types true false none null elif else try catch except
    finally float double byte object param params arg args option options item items key keys list map dict
    array name names id ids a about above after again all also am an and any are as at be because been before
    being below between both but by can could did do does doing down during each few for from further had has
    have having he her here him his how i if in into is it its itself just like may me might more most must my
    no nor not now of off on once only or other our out over own per same she should so some such than that the
    their them then there these they this those through to too under until up us use used using very via was we
    were what when where which while who whom why will with within without would you your yet see seen seems one
    two three first last new old get got set let make makes made take takes need needs want way etc eg ie re vs
    service services error errors failed fail fails failing failure failures request requests response responses
    call calls info warn warning debug level log logs logger message messages msg time timestamp status code
    codes value values data count rate total seconds second minute minutes hour hours ms day days today ago
    since started start starts began begin cause causes caused causing issue issues problem problems bug bugs
    break breaks broke broken breaking revert reverts reverted reverting commit commits change changes changed
    changing introduce introduces introduced add adds added remove removes removed update updates updated fix
    fixes fixed http https www com org io net alert alerts incident monitor threshold p50 p90 p95 p99 median
    baseline peak factor onset utc pod pods prod production src lib main index test tests file files follow
    following line lines output outputs work works working command create creates created inform information
    tries trying place places example thing things correct correctly instead properly seem
""")
_CHANGED_LIMIT = 60_000
"""Characters of a patch that are searched for the symptom's terms."""


def stem(word: str) -> str:
    """Return a word without the commonest English endings; identifiers stay whole."""
    for ending in ("ations", "ation", "ings", "ing", "ies", "ers", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word


@lru_cache(maxsize=1 << 16)
def _terms_of(word: str) -> tuple[str, ...]:
    """Return the terms of one word as it stands in a text."""
    word = word.strip("._-/:")
    parts = [part.lower() for part in PARTS.findall(word)]
    found = []
    if len(parts) > 1 and 5 <= len(word) <= 120:
        found.append("=" + word.lower())
        if "/" in word or "." in word:
            pieces = [piece for piece in re.split(r"[/.:]", word) if len(piece) >= 5]
            found += ["=" + piece.lower() for piece in pieces if len(PARTS.findall(piece)) > 1]
    found += [stem(part) for part in parts if len(part) >= 3 and part not in _STOP and not part.isdigit()]
    return tuple(found)


def tokens(text: str) -> dict[str, None]:
    """Return the terms of a text, each once: compound identifiers whole (marked `=`), and every part, stemmed."""
    return dict.fromkeys(chain.from_iterable(map(_terms_of, _WORD.findall(text))))


@lru_cache(maxsize=1 << 16)
def _terms_within(piece: str) -> tuple[str, ...]:
    """Return the terms of what stands between two blanks."""
    return tuple(chain.from_iterable(map(_terms_of, _WORD.findall(piece))))


def _term_set(text: str) -> set[str]:
    """Return what `tokens` finds, in no order: no word reaches over a blank, and most pieces come again."""
    return set(chain.from_iterable(map(_terms_within, set(text.split()))))


def counted(text: str, whole: Container[str] = ()) -> Counter[str]:
    """Return the terms of a text, as `tokens` finds them, with how often each is named.

    Where a compound is among `whole`, only it is counted there, not its parts.
    """
    found: Counter[str] = Counter()
    for word in _WORD.findall(text):
        terms = _terms_of(word)
        compounds = [term for term in terms if term.startswith("=") and term in whole]
        found.update(compounds or terms)
    return found


def without_links(text: str) -> str:
    """Return a text without its URLs: what they point at is not what they name."""
    return _URL.sub(" ", text) if "://" in text else text


def without_trailers(body: str) -> str:
    """Return a commit's message without lines such as `Reviewed-by: …`."""
    return _TRAILER.sub("", body) if ": " in body else body


@dataclass
class SymptomTerms:
    """What the symptom names, each with how much it counts."""

    weights: dict[str, float] = field(default_factory=dict)
    _said: dict[str, str] = field(default_factory=dict)
    """A stem to the word as it was first said."""

    def add(self, text: str, weight: float) -> None:
        """Take in a text; a term counts by its best mention, a little more when it comes again. URLs are left out."""
        text = _URL.sub(" ", text)
        for word in map(str.lower, PARTS.findall(text)):
            self._said.setdefault(stem(word), word)
        for term in tokens(text):
            known = self.weights.get(term, 0.0)
            self.weights[term] = min(1.5, max(known, weight) + (0.1 * weight if known else 0.0))

    def words(self, terms: Iterable[str]) -> str:
        """Return terms as people read them: words whole, not their stems."""
        return ", ".join(dict.fromkeys(self._said.get(term, term) for term in terms))

    def discount(self, names: Iterable[str]) -> None:
        """Let names of services count for little: whether a change reaches them is judged elsewhere."""
        for name in names:
            for term in {*tokens(name), stem(service_key(name))}:
                if term in self.weights:
                    self.weights[term] = min(self.weights[term], 0.12)


_PLACE = re.compile(r"\S+\.\w{1,8}:\d+$")
"""A line of a file: which change it is of is judged by its number."""


def symptom_terms(findings: Iterable[Finding], text: str, services: Iterable[str] = ()) -> SymptomTerms:
    """Gather terms from findings of others and from what the alert or the person said."""
    terms = SymptomTerms()
    terms.add(text, 0.6)
    for finding in findings:
        for term in finding.terms[:60]:
            if not _PLACE.match(term):
                terms.add(term, 1.0)
        terms.add(finding.claim, 0.5)
    terms.discount(services)
    return terms


class Overlap(NamedTuple):
    """How strongly a change names what the symptom names, 0 to 1, and by which terms."""

    strength: float
    shared: tuple[str, ...]
    """Shared terms, the most telling first."""
    in_diff: tuple[str, ...]
    """Of these, the ones in changed lines."""


_FIELDS: Mapping[str, float] = {"changed": 1.0, "path": 0.85, "subject": 0.75, "body": 0.5, "around": 0.35}
_INTENT = frozenset({"subject", "body"})
INTENT_SHARE = 0.4
"""What a message counts where the diff was read: it tells what was meant, the diff what is done."""


@lru_cache(maxsize=1 << 15)
def _path_tokens(path: str) -> tuple[str, ...]:
    return tuple(tokens(path))


_NONE: frozenset[str] = frozenset()


def _body_tokens(body: str) -> set[str] | frozenset[str]:
    return _term_set(without_trailers(without_links(body))) if body else _NONE


class _Sketch(NamedTuple):
    """What one change's own words share with the symptom, and how many words it has."""

    fields: Mapping[str, frozenset[str]]
    length: int


class OverlapIndex:
    """Document frequencies of the symptom's terms over the candidate changes; each change's text is read once."""

    def __init__(self, terms: SymptomTerms, commits: Sequence[Commit] = ()) -> None:
        self._terms = terms
        self._wanted = frozenset(terms.weights)
        self._sketches: dict[tuple[str, str], _Sketch] = {}
        self._of_word: dict[str, tuple[str, ...]] = {}
        """Which of the symptom's terms a word names."""
        self.hold(commits)

    def take(self, commit: Commit) -> None:
        """Read a change's own words ahead of `hold`, where changes come one by one."""
        self._sketches[commit.source, commit.sha] = self._sketch(commit)

    def hold(self, commits: Sequence[Commit]) -> None:
        """Make these all the changes there are: terms are rare or common among them."""
        for commit in commits:
            if (commit.source, commit.sha) not in self._sketches:
                self.take(commit)
        held = [self._sketches[commit.source, commit.sha] for commit in commits]
        self._size = max(1, len(held))
        self._frequency: Counter[str] = Counter()
        for sketch in held:
            if sketch.fields:
                self._frequency.update(frozenset().union(*sketch.fields.values()))
        self._mean_length = max(1.0, sum(sketch.length for sketch in held) / self._size)

    def _sketch(self, commit: Commit) -> _Sketch:
        paths = set(chain.from_iterable([_path_tokens(touched.path) for touched in commit.files[:100]]))
        subject, body = _term_set(commit.subject), _body_tokens(commit.body)
        shared = {}
        for name, found in (("path", paths), ("subject", subject), ("body", body)):
            if not found.isdisjoint(self._wanted):
                shared[name] = self._wanted & found
        return _Sketch(shared, len(paths) + len(subject) + len(body))

    def _named(self, lines: Sequence[str]) -> frozenset[str]:
        """Return which of the symptom's terms some lines name."""
        of_word, found = self._of_word, set[str]()
        for word in set(_WORD.findall("\n".join(lines))):
            named = of_word.get(word)
            if named is None:
                named = of_word[word] = tuple(term for term in _terms_of(word) if term in self._wanted)
            found.update(named)
        return frozenset(found)

    def rarity(self, term: str) -> float:
        """Return how telling a term is, 0 (in every change) to 1 (in one of many)."""
        top = math.log(self._size + 1.0)
        return max(0.0, math.log((self._size + 1.0) / (self._frequency[term] + 0.5)) / top) if top > 0 else 0.5

    def strength(self, commit: Commit) -> float:
        """Return how strongly a change names what the symptom names, 0 to 1."""
        return self.score(commit).strength if commit.patch or self._sketches[commit.source, commit.sha].fields else 0.0

    def score(self, commit: Commit) -> Overlap:
        """Compare one change with the symptom; `commit` is one of those that the index was made of."""
        sketch = self._sketches[commit.source, commit.sha]
        parts = dict(sketch.fields)
        if commit.patch:
            changed, around = _split_patch(commit.patch[:_CHANGED_LIMIT])
            parts["changed"], parts["around"] = self._named(changed), self._named(around)
        if not parts:
            return Overlap(0.0, (), ())
        damp = 1.0 / (0.7 + 0.3 * sketch.length / self._mean_length) ** 0.6
        gains: dict[str, float] = {}
        for name, share in _FIELDS.items():
            if commit.patch and name in _INTENT:
                share = INTENT_SHARE * share
            for term in parts.get(name, ()):
                whole = 1.7 if term.startswith("=") else 1.0
                width = 1.0 if name == "changed" else min(1.3, damp)
                gain = min(_MOST[whole > 1.0], self._terms.weights[term] * self.rarity(term) * share * whole * width)
                gains[term] = max(gains.get(term, 0.0), gain) + _SECOND_FIELD * min(gains.get(term, 0.0), gain)
        total = sum(sorted(gains.values(), reverse=True)[:10])
        ranked = sorted(gains, key=lambda term: (-gains[term], term))
        in_diff = parts.get("changed", frozenset())
        return Overlap(
            strength=1.0 - math.exp(-total / _SCALE),
            shared=tuple(term.lstrip("=") for term in ranked[:8]),
            in_diff=tuple(term.lstrip("=") for term in ranked[:8] if term in in_diff),
        )


def _split_patch(patch: str) -> tuple[list[str], list[str]]:
    """Return (lines that really change, lines around them); code that is only moved is around."""
    by_sign: dict[str, list[tuple[str, str]]] = {"+": [], "-": []}
    around: list[str] = []
    for line in patch.split("\n"):
        side = by_sign.get(line[:1])
        if side is None:
            if not line.startswith(("diff ", "index ")):
                around.append(line[1:500])
        elif not line.startswith(("+++", "---")):
            side.append(("".join(line[:500].split())[1:], line[1:500]))
    moved = {squeezed for squeezed, _ in by_sign["+"]}.intersection([squeezed for squeezed, _ in by_sign["-"]])
    changed: list[str] = []
    for squeezed, line in (*by_sign["+"], *by_sign["-"]):
        (around if squeezed in moved else changed).append(line)
    return changed, around


_SIGNS_OF: Mapping[str, tuple[str, ...]] = {
    "latency": (r"latenc|slow|p9[059]|duration|timed? ?out|timeout|deadline|hang|stuck|response time",),
    "load": (r"\bcpu|quer(y|ies)|\bqps|\brps|throughput|load\b|scan|n\+1|stampede|saturat|hit.?ratio",),
    "errors": (r"\b5\d\d\b|exception|traceback|error|fail|refused|invalid|unexpected|5xx",),
    "crash": (
        r"crash|panic|segfault|sigsegv|nil pointer|null ?pointer|restart|oomkill|abort|exit code",
        r"attributeerror|typeerror",
    ),
    "memory": (r"memory|\boom|heap|rss|leak|\bgc\b|out of memory",),
    "saturation": (
        r"pool|exhaust|too many|connections?\b|queue|backlog|lag\b|saturat|file descriptors|threads?\b|429|rejected",
    ),
    "schema": (
        r"relation .* does not exist|no such (table|column)|unknown column|undefined ?(table|column)",
        r"schema|migration|constraint",
    ),
    "format": (
        r"parse|decod|encod|unmarshal|deserial|serial|malformed|protobuf|proto:|json|checksum|version mismatch",
        r"invalid (format|character)",
    ),
    "dependency": (
        r"version conflict|incompatible|no such method|nosuchmethod|importerror|modulenotfound|cannot find module",
        r"undefined symbol|duplicate registration|classnotfound|noclassdef|abi",
    ),
    "cache": (r"cache|hit.?ratio|evict|stale|ttl|miss(es)?\b",),
    "config": (r"config|missing (key|setting|env)|not set|environment variable|unknown (key|option|flag)|keyerror",),
    "data": (r"wrong|incorrect|mismatch|duplicate|missing (row|record|data)|corrupt|negative|inconsisten|lost\b",),
    "trust": (r"\b40[13]\b|unauthori[sz]ed|forbidden|permission|access denied|certificate|x509|tls|handshake|expired",),
    "availability": (r"unavailable|unreachable|refused|no route|dns|\b50[234]\b|no healthy|not ready|down\b",),
}
_FAMILIES = {name: re.compile("|".join(patterns), re.IGNORECASE) for name, patterns in _SIGNS_OF.items()}


def symptom_families(findings: Iterable[Finding], text: str) -> frozenset[str]:
    """Return what the symptom looks like, in the words of `diffkinds.Kind.leads_to`."""
    whole = " \n".join([text, *(f"{f.claim} {' '.join(f.terms)}" for f in findings)])[:200_000]
    return frozenset(name for name, pattern in _FAMILIES.items() if pattern.search(whole))
