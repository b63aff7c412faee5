"""Finds the runbooks that fit, and says why: observed signals against triggers, words by SQLite FTS5.

The index is in memory and built in milliseconds. What is searched for is data: no part of it is ever read as
query syntax. Where SQLite has no FTS5, whole words are compared instead.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from runbooks.model import SYMPTOMS, Runbook

QUERY_LIMIT = 4000
"""Characters of a query that are looked at."""
TERMS_LIMIT = 48

_TERM = re.compile(r"[^\W_]+(?:[_.:/-][^\W_]+)*")
_PART = re.compile(r"[^\W_]+")
_STOP_WORDS = frozenset(
    _PART.findall(
        "a an the and or of to in on at by for from with is are was were be been it its this that "
        "as not no we our us i you he she they my your do does did has have had can could will "
        "would should may might what when where why how which who there here into out up down over "
        "under after before since than then so if but about all any some more most very just only "
        "also too s t"
    )
)
_TITLE, _TRIGGERS, _SUMMARY, _STEPS, _BODY = 6.0, 8.0, 3.0, 2.0, 1.0
_CAUSE, _SYMPTOM, _SUPPORT = 1.0, 0.6, 0.3
_PHRASE = 0.35
_FRAGMENT = 0.5


@dataclass(frozen=True)
class Hit:
    """A runbook that fits."""

    slug: str
    title: str
    score: float
    """Above 0; comparable within one search only."""
    why: tuple[str, ...]
    """Which triggers and words matched, as a person reads it."""
    step: str
    """Id of the step to begin with: the one the words point at, else the first that contains."""

    @property
    def ref(self) -> str:
        """The citation of the step."""
        return f"runbook:{self.slug}#{self.step}"


@dataclass
class _Fit:
    score: float = 0.0
    why: list[str] = field(default_factory=list)
    words: dict[str, None] = field(default_factory=dict)


class Index:
    """An in-memory index over runbooks. Safe to share between threads."""

    def __init__(self, runbooks: Iterable[Runbook], *, fts: bool = True) -> None:
        self._runbooks = {runbook.slug: runbook for runbook in runbooks}
        self._lock = threading.Lock()
        self._texts = {slug: _haystack(runbook) for slug, runbook in self._runbooks.items()}
        self._words: sqlite3.Connection | None = None
        if fts:
            try:
                self._words = _build(self._runbooks.values(), self._texts)
            except sqlite3.Error:
                self._words = None

    def search(self, query: str = "", signals: Iterable[str] = (), limit: int = 5) -> list[Hit]:
        """Return at most `limit` hits, best first; ties by slug."""
        observed = tuple(dict.fromkeys(signals))
        query = query[:QUERY_LIMIT]
        terms = _terms(query)
        fits = {slug: _Fit() for slug in self._runbooks}
        self._fit_signals(fits, observed)
        if terms:
            self._fit_phrases(fits, query)
            self._fit_words(fits, terms)
        found = [(fit.score, slug) for slug, fit in fits.items() if fit.score > 0]
        found.sort(key=lambda pair: (-pair[0], pair[1]))
        return [self._hit(slug, fits[slug], terms) for _, slug in found[: max(0, limit)]]

    def _fit_signals(self, fits: dict[str, _Fit], observed: tuple[str, ...]) -> None:
        for slug, runbook in self._runbooks.items():
            main = [s for s in observed if s in runbook.triggers.signals]
            support = [s for s in observed if s in runbook.triggers.supporting]
            if not main:
                continue
            fits[slug].score += max(_SYMPTOM if s in SYMPTOMS else _CAUSE for s in main)
            fits[slug].score += _SUPPORT * (len(main) - 1 + len(support)) / max(1, len(observed))
            fits[slug].why += [f"signal {s}" for s in main] + [f"with {s}" for s in support]

    def _fit_phrases(self, fits: dict[str, _Fit], query: str) -> None:
        asked = f" {' '.join(_PART.findall(query.lower()))} "
        for slug, runbook in self._runbooks.items():
            for phrase in runbook.triggers.words:
                parts = _PART.findall(phrase.lower())
                if parts and f" {' '.join(parts)} " in asked:
                    fits[slug].score += _PHRASE * min(len(parts), 3)
                    fits[slug].why.append(f"trigger “{phrase}”")

    def _fit_words(self, fits: dict[str, _Fit], terms: list[str]) -> None:
        """Add up what each word is worth to each runbook; all words together weigh at most as much as a cause."""
        totals: dict[str, float] = dict.fromkeys(fits, 0.0)
        for term in terms:
            scores = self._word_scores(term)
            best = max(scores.values(), default=0.0)
            for slug, score in scores.items():
                totals[slug] += score
                if score >= best / 3:
                    fits[slug].words[term] = None
        highest = max(totals.values(), default=0.0)
        for slug, total in totals.items():
            if total > 0:
                fits[slug].score += total / highest
        for fit in fits.values():
            if fit.words:
                fit.why.append("words " + ", ".join(list(fit.words)[:6]))

    def _word_scores(self, term: str) -> dict[str, float]:
        if self._words is None:
            counts = {slug: len(re.findall(rf"\b{re.escape(term)}", text)) for slug, text in self._texts.items()}
            present = sum(count > 0 for count in counts.values())
            return {slug: min(count, 3) / present for slug, count in counts.items() if count}
        with self._lock:
            phrase = " ".join(_PART.findall(term))
            rows = self._words.execute(
                f"SELECT slug, -bm25(words, 0, {_TITLE}, {_TRIGGERS}, {_SUMMARY}, {_STEPS}, {_BODY}) FROM words"  # noqa: S608 - constants
                " WHERE words MATCH ?",
                (f'"{phrase}"',),
            ).fetchall()
            if rows or len(term) < 4:
                return {slug: score for slug, score in rows if score > 0}
            rows = self._words.execute("SELECT slug FROM fragments WHERE fragments MATCH ?", (f'"{term}"',)).fetchall()
        return {slug: _FRAGMENT for (slug,) in rows}

    def _hit(self, slug: str, fit: _Fit, terms: list[str]) -> Hit:
        runbook = self._runbooks[slug]
        return Hit(slug, runbook.title, round(fit.score, 4), tuple(fit.why), self._best_step(runbook, terms))

    def _best_step(self, runbook: Runbook, terms: list[str]) -> str:
        stems = [term.lower().rstrip("s") for term in terms if len(term) > 3]
        scored = [
            (sum((stem in step.title.lower()) * 3 + (stem in step.body.lower()) for stem in stems), -position, step.id)
            for position, step in enumerate(runbook.steps)
        ]
        best = max(scored)
        if best[0] >= 3:
            return best[2]
        contain = next((step.id for step in runbook.steps if step.kind == "contain"), None)
        return contain or runbook.steps[0].id


def _terms(query: str) -> list[str]:
    found = (match.group().lower() for match in _TERM.finditer(query))
    return [t for t in dict.fromkeys(found) if t not in _STOP_WORDS and len(t) < 64][:TERMS_LIMIT]


def _haystack(runbook: Runbook) -> str:
    steps = [f"{step.title} {step.body}" for step in runbook.steps]
    parts = [runbook.title, runbook.summary, *runbook.triggers.words, *runbook.applies_to, *steps]
    return "\n".join([*parts, *runbook.thresholds, *runbook.risks]).lower()


def _build(runbooks: Iterable[Runbook], texts: dict[str, str]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    connection.execute(
        "CREATE VIRTUAL TABLE words USING fts5"
        "(slug UNINDEXED, title, triggers, summary, steps, body, tokenize='porter unicode61')"
    )
    connection.execute("CREATE VIRTUAL TABLE fragments USING fts5(slug UNINDEXED, text, tokenize='trigram')")
    for runbook in runbooks:
        triggers = " ; ".join((*runbook.triggers.words, *(s.replace("_", " ") for s in runbook.triggers.signals)))
        titles = " ; ".join(step.title for step in runbook.steps)
        body = "\n".join([*(step.body for step in runbook.steps), *runbook.thresholds, *runbook.risks])
        row = (runbook.slug, f"{runbook.title} {runbook.slug}", triggers, runbook.summary, titles, body)
        connection.execute("INSERT INTO words VALUES (?, ?, ?, ?, ?, ?)", row)
        connection.execute("INSERT INTO fragments VALUES (?, ?)", (runbook.slug, texts[runbook.slug]))
    return connection
