"""Merging masked keys into templates: which words are values, by what stands there in keys that are otherwise equal.

Each rule looks at all keys at once and costs time in proportion to their words; MOST_CELLS bounds the one that
looks at some of them again. The rules take turns until none finds anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from subagents.logs.levels import UNKNOWN, WARN, sound_bad, sounds_bad
from subagents.logs.numbering import Numbered, numbered
from subagents.logs.phrases import shown
from subagents.logs.shapes import LEAST_PLAIN, Shapes
from subagents.logs.varying import LEAST_WORDS, columns_of, commonest, is_one, may_hold_one, plain_words
from subagents.logs.vocabulary import (
    VALUE,
    Alike,
    Facts,
    Flags,
    Ints,
    Numbers,
    Rows,
    joined,
    mixed,
    of_places,
    row_hashes,
)

LEAST_TELLING = 20
"""So many for a place that says how something went."""
LEAST_ALONE = 50
"""So many for a place where all other words are values: what stands there is what the message says."""
LEAST_PATHS = 50
"""So many for the paths of an access log, which say where it goes wrong."""
LEAST_LENGTHS = 3
"""A list is seen in so many lengths."""
ROUNDS = 6
MOST_SHAPES = 32
MOST_COLUMNS = 16
"""Columns of a file are looked for in its first places."""
MOST_CELLS = 16_000_000


def merge(keys: Sequence[tuple[int, str]]) -> list[str]:
    """Return the template of each `(severity, masked text)`; only keys of one severity share a template."""
    texts, numbers = merged(numbered([text for _, text in keys], [level for level, _ in keys]))
    return [texts[number] for number in numbers.tolist()]


def merged(texts: Numbered) -> tuple[list[str], Ints]:
    """Return the different templates (of two severities, two) and the number of each masked text's."""
    facts, parts, _ = merged_rows(texts)
    found, of_key = list[str](), np.zeros(len(texts.sizes), np.int64)
    for rows in parts:
        of_key[rows.keys] = rows.row + len(found)
        found += [shown(" ".join([facts.words[word] for word in row])) for row in rows.words.tolist()]
    return found, of_key


def merged_rows(texts: Numbered) -> tuple[Facts, list[Rows], Numbers]:
    """Return what is known of the words of masked texts, their templates by severity and length, and usual words."""
    facts = Facts.of(texts.vocabulary)
    plain, access = _by_size(texts, facts)
    lists = np.zeros(len(texts.sizes), np.bool_)
    named = [_without_names(rows, facts) for rows in plain]
    short = _with_lists(named, facts, lists)
    usual = _usual(short)
    settled = [_settled(_without_names(rows, facts), facts, usual) for rows in short]
    messages = _joining_lists(_with_lists(settled, facts, lists), facts, lists)
    return facts, [*messages, *_with_paths(access, facts)], usual


def _by_size(texts: Numbered, facts: Facts) -> tuple[list[Rows], list[Rows]]:
    """Return keys by severity and number of words: those of messages, and those of access logs."""
    plain, access = list[Rows](), list[Rows]()
    for level, keys, words in by_size(texts):
        length = words.shape[1]
        rows = Rows(level, words, keys, np.arange(len(keys))).distinct(facts)
        if length == 3:
            is_access = facts.method[rows.words[:, 0]] & facts.status[rows.words[:, 2]]
            access.append(rows.some(is_access))
            rows = rows.some(~is_access)
        plain.append(rows)
    return plain, access


def by_size(texts: Numbered) -> Iterator[tuple[int, Ints, Numbers]]:
    """Yield a severity, the keys of it that have one number of words, ascending, and their words, a row each."""
    alike = Alike.by(texts.sizes * 16 + texts.levels)
    for keys in map(np.sort, np.split(alike.order, alike.starts[1:])):
        if len(keys):
            places = texts.starts[keys][:, None] + np.arange(texts.sizes[keys[0]])
            yield int(texts.levels[keys[0]]), keys, texts.words[places]


def _usual(parts: Sequence[Rows]) -> Numbers:
    """Return the word that most messages of many lengths have in a place, or `*`: the columns of a file."""
    usual = np.zeros(MOST_COLUMNS, np.int32)
    for place in range(MOST_COLUMNS):
        longer = [rows.words for rows in parts if len(rows.words) and rows.words.shape[1] > place + 1]
        if len(longer) < LEAST_WORDS:
            break
        words = np.concatenate([each[:, place] for each in longer])
        word = int(np.bincount(words).argmax())
        if (words == word).mean() > 0.5:
            lengths = {each.shape[1] for each in longer if (each[:, place] == word).any()}
            usual[place] = word if len(lengths) >= LEAST_WORDS else VALUE
    return usual


def said_in(words: Numbers, usual: Numbers) -> Flags:
    """Return which words are no values and no columns."""
    said = words != VALUE
    said[:, : len(usual)] &= words[:, : len(usual)] != usual[: words.shape[1]]
    return np.asarray(said)


def _settled(rows: Rows, facts: Facts, usual: Numbers) -> Rows:
    """Return keys of one severity and length, merged until no rule finds more."""
    for _ in range(ROUNDS if len(rows.words) > 1 else 0):
        rows = _grown(rows, facts, usual)
        values = _many_places(rows, facts, usual)
        if not values.any():
            break
        rows = rows.without(values, facts)
    return rows


def _grown(rows: Rows, facts: Facts, usual: Numbers) -> Rows:
    """Return keys merged by one place at a time, and with what fits the templates that come of it."""
    for _ in range(ROUNDS):
        values = _one_place(rows, facts, usual)
        if not values.any():
            values = _instances(rows, facts, usual)
        if not values.any():
            break
        rows = rows.without(values, facts)
    return rows


def _with_paths(parts: Iterable[Rows], facts: Facts) -> Iterator[Rows]:
    """Return access log keys; a method and status with too many paths is one template."""
    for rows in parts:
        words = rows.words.copy()
        paths = Alike.by(words[:, 0].astype(np.int64) * len(facts.words) + words[:, 2])
        words[paths.spread(paths.sizes >= LEAST_PATHS), 1] = VALUE
        yield Rows(rows.level, words, rows.keys, rows.row).distinct(facts)


def _with_lists(parts: Sequence[Rows], facts: Facts, lists: Flags) -> list[Rows]:
    """Return the keys with a run of values as one, where otherwise equal keys have it in several lengths.

    Those keys are noted in `lists`.
    """
    shorter = [_without_runs(rows, facts) for rows in parts]
    asked = _are_lists(parts, shorter, facts)
    for rows, (kept, _), is_list in zip(parts, shorter, asked, strict=True):
        if is_list.any():
            lists[rows.keys[(is_list & ~kept.all(1))[rows.row]]] = True
    _keep_even_runs(parts, shorter, asked, facts)
    return _shortened(parts, shorter, asked, facts)


def _keep_even_runs(
    parts: Sequence[Rows], shorter: Sequence[tuple[Flags, Numbers]], asked: Sequence[Flags], facts: Facts
) -> None:
    """Leave the runs of lists as they are where they have one length in all keys: only the others are lists."""
    of_length: dict[int, list[tuple[Rows, Flags, Numbers, Ints]]] = {}
    for rows, (kept, words), is_list in zip(parts, shorter, asked, strict=True):
        lengths = np.where(is_list, kept.sum(1), 0) if is_list.any() else np.empty(0, np.int64)
        for length in np.unique(lengths[lengths > 0]).tolist():
            of_length.setdefault(length * 16 + rows.level, []).append(
                (rows, kept, words, np.flatnonzero(lengths == length))
            )
    for same in of_length.values():
        starts = [kept[some] for _, kept, _, some in same]
        places = [np.nonzero(each)[1].reshape(len(each), -1) for each in starts]
        sizes = np.concatenate(
            [np.diff(each, append=start.shape[1], axis=1) for each, start in zip(places, starts, strict=True)]
        )
        short = [words[some[:, None], each] for (_, _, words, some), each in zip(same, places, strict=True)]
        alike = Alike.by(row_hashes(np.concatenate(short), facts.hashes))
        ordered = sizes[alike.order]
        low, high = (each.reduceat(ordered, alike.starts) for each in (np.minimum, np.maximum))
        uneven = np.split(alike.spread(low != high), np.cumsum([len(each) for each in starts])[:-1])
        for (rows, kept, words, some), start, wanted in zip(same, starts, uneven, strict=True):
            even = ~np.take_along_axis(wanted, start.cumsum(1) - 1, 1)
            kept[some] |= even
            words[some] = np.where(even, rows.words[some], words[some])


def _shortened(
    parts: Sequence[Rows], shorter: Sequence[tuple[Flags, Numbers]], asked: Sequence[Flags], facts: Facts
) -> list[Rows]:
    """Return the keys, those asked for in their shorter words."""
    found: dict[tuple[int, int], list[Rows]] = {}
    for rows, (kept, words), wanted in zip(parts, shorter, asked, strict=True):
        others = found.setdefault((rows.level, rows.words.shape[1]), [])
        if not wanted.any():
            others.append(rows)
            continue
        others.append(rows.some(~wanted))
        some, kept, words = rows.some(wanted), kept[wanted], words[wanted]
        lengths = kept.sum(1)
        for length in np.unique(lengths).tolist():
            alike = lengths == length
            part = some.some(alike)
            short = words[alike][kept[alike]].reshape(-1, length)
            found.setdefault((rows.level, length), []).append(Rows(rows.level, short, part.keys, part.row))
    return [joined(each, facts) for each in found.values()]


def _joining_lists(parts: Sequence[Rows], facts: Facts, lists: Flags) -> list[Rows]:
    """Return the keys; those that are instances of a list's template once their runs are one word join it."""
    if not lists.any():
        return [*parts]
    known = {(rows.level, rows.words.shape[1]): _lists_of(rows, facts, lists) for rows in parts}
    shorter, asked = list[tuple[Flags, Numbers]](), list[Flags]()
    for rows in parts:
        kept, words = _without_runs(rows, facts)
        joins = np.zeros(len(words), np.bool_)
        lengths = np.where(kept.all(1), 0, kept.sum(1))
        for length in np.unique(lengths[lengths > 0]).tolist():
            shapes = known.get((rows.level, length))
            if shapes is not None:
                alike = np.flatnonzero(lengths == length)
                short, fits = shapes.filled(words[alike][kept[alike]].reshape(-1, length), facts)
                wanted = np.zeros(words.shape, np.bool_)
                wanted[alike] = kept[alike]
                words[wanted] = short.ravel()
                joins[alike] = fits
        shorter.append((kept, words))
        asked.append(joins)
    return _shortened(parts, shorter, asked, facts)


def _lists_of(rows: Rows, facts: Facts, lists: Flags) -> Shapes | None:
    """Return the templates among these that hold lists."""
    held = np.bincount(rows.row, lists[rows.keys], len(rows.words)) > 0
    words = rows.words[held]
    return Shapes.of(words, words != VALUE, rows.weights[held], facts, MOST_SHAPES) if held.any() else None


def _are_lists(parts: Sequence[Rows], shorter: Sequence[tuple[Flags, Numbers]], facts: Facts) -> list[Flags]:
    """Say of each key whether, but for its runs of values, it is seen in enough lengths."""
    hashes = np.concatenate([row_hashes(words, facts.hashes, kept) for kept, words in shorter])
    short = np.concatenate([kept.sum(1) * 16 + rows.level for rows, (kept, _) in zip(parts, shorter, strict=True)])
    counts = [len(rows.words) for rows in parts]
    lengths = np.repeat([rows.words.shape[1] for rows in parts], counts)
    alike = Alike.by(hashes + mixed(short.astype(np.uint64)))
    group = alike.spread(np.arange(len(alike.starts)))
    width = int(lengths.max(initial=0)) + 1
    seen = np.bincount(np.unique(group * width + lengths) // width, minlength=len(alike.starts))
    return np.split(seen[group] >= LEAST_LENGTHS, np.cumsum(counts)[:-1])


def _without_runs(rows: Rows, facts: Facts) -> tuple[Flags, Numbers]:
    """Return which words stay where a run of values is one, and the words: `*` for a run."""
    return without_runs(rows.words, facts.value.take(rows.words), facts.goes_on.take(rows.words))


def without_runs(words: Numbers, value: Flags, goes_on: Flags) -> tuple[Flags, Numbers]:
    """Return it of words of which these are values, or end in a comma."""
    kept = np.ones(words.shape, np.bool_)
    kept[:, 1:] = ~(value[:, :-1] & value[:, 1:] | goes_on[:, :-1])
    is_run = goes_on.copy()
    is_run[:, :-1] |= ~kept[:, 1:]
    return kept, np.where(is_run, np.int32(VALUE), words)


def _without_names(rows: Rows, facts: Facts) -> Rows:
    """Return the keys without the different names in keys that are otherwise equal.

    Where something went wrong, few names are told apart: they say who is in trouble. What stands aside does not.
    """
    words = rows.words
    if len(words) == 1:
        return rows
    alike = Alike.by(row_hashes(words, facts.form))
    if len(alike.starts) == len(words):
        return rows
    differs = np.zeros(words.shape, np.bool_)
    ranked = words[alike.order]
    differs[1:] = ranked[1:] != ranked[:-1]
    differs[alike.starts] = False
    varying = np.logical_or.reduceat(differs, alike.starts, axis=0) & facts.has_value[words[alike.first]]
    if rows.level >= WARN or rows.level == UNKNOWN:
        few = np.flatnonzero((alike.sizes < LEAST_WORDS) & varying.any(1))
        for group, row in zip(few.tolist(), words[alike.first[few]], strict=True):
            if rows.level != UNKNOWN or sounds_bad(" ".join([facts.words[word] for word in row.tolist()])):
                varying[group] &= facts.aside[row]
    return rows.without(alike.spread(varying), facts)


def _one_place(rows: Rows, facts: Facts, usual: Numbers) -> Flags:
    """Return, for each key, the places at which enough other words stand in otherwise equal keys."""
    words, found = rows.words, np.zeros(rows.words.shape, np.bool_)
    if words.shape[1] < 2 or len(words) < LEAST_WORDS:
        return found
    hashes = facts.hashes.take(words) * of_places(words.shape[1])
    asked = np.flatnonzero(words != VALUE)
    alike = Alike.by((row_hashes(words, facts.hashes)[:, None] - hashes).ravel()[asked])
    many = np.flatnonzero(alike.sizes >= LEAST_WORDS)
    if not len(many):
        return found
    first = asked[alike.first[many]]
    least = np.where(facts.telling[words.ravel()[first]], LEAST_TELLING, LEAST_WORDS)
    is_alone = said_in(words[first // words.shape[1]], usual).sum(1) <= 1
    is_one = np.zeros(len(alike.starts), np.bool_)
    is_one[many] = alike.sizes[many] >= np.where(is_alone, LEAST_ALONE, least)
    found.ravel()[asked] = alike.spread(is_one)
    return found


def _instances(rows: Rows, facts: Facts, usual: Numbers) -> Flags:
    """Return, for each key that fits a template already found, the template's values.

    What says no severity but sounds bad fits none that does not.
    """
    words = rows.words
    values = Shapes.of(words, said_in(words, usual), rows.weights, facts, MOST_SHAPES).values(words, facts)
    if rows.level == UNKNOWN and len(some := np.flatnonzero(values.any(1))):
        filled = np.where(values[some], facts.general[words[some]], words[some])
        values[some[_sound_bad(words[some], facts) & ~_sound_bad(filled, facts)]] = False
    return values


def _sound_bad(words: Numbers, facts: Facts) -> Flags:
    return np.array(sound_bad([" ".join([facts.words[word] for word in row]) for row in words.tolist()]), np.bool_)


def _many_places(rows: Rows, facts: Facts, usual: Numbers) -> Flags:
    """Return the places that vary together in keys whose other words, most of them, are the same."""
    words, found = rows.words, np.zeros(rows.words.shape, np.bool_)
    waiting, cells = list[Ints](), 0
    if len(words) >= LEAST_WORDS and words.shape[1] > LEAST_PLAIN:
        alike = Alike.by(row_hashes(words, facts.hashes, facts.telling[words]))
        waiting = np.split(alike.order, alike.starts[1:])
    while waiting and cells < MOST_CELLS:
        part = waiting.pop()
        if len(part) < LEAST_WORDS:
            continue
        here = words[part]
        cells += here.size
        columns = columns_of(here, len(facts.words))
        plain = plain_words(said_in(here[:1], usual)[0], columns)
        if is_one(plain, len(here), columns):
            if plain < len(columns) and rows.level == UNKNOWN:
                part = part[~_sound_bad(here, facts)]  # what says that something is wrong is no free text
            found[part[:, None], list(columns)] = True
        elif columns and may_hold_one(words.shape[1], columns):
            place = max(columns, key=lambda each: columns[each].most)
            common = here[:, place] == commonest(here[:, place], len(facts.words))
            waiting += [part[common], part[~common]]
    return found
