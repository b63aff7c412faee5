"""Merging masked keys into templates: which words are values, by what stands there in keys that are otherwise equal.

Each rule looks at all keys at once and costs time in proportion to their words; MOST_CELLS bounds the one that
looks at some of them again. The rules take turns until none finds anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from subagents.logs.levels import UNKNOWN, WARN, sounds_bad
from subagents.logs.phrases import ANY, METHODS, form, general, is_name, is_telling, phrased, shown
from subagents.logs.shapes import LEAST_PLAIN, Shapes

LEAST_WORDS = 5
"""At four, "VM Started", "VM Stopped" and "VM Paused" fall together; an on-call needs them apart."""
LEAST_TELLING = 20
"""So many for a place that says how something went."""
LEAST_PATHS = 50
"""So many for the paths of an access log, which say where it goes wrong."""
LEAST_LENGTHS = 3
"""A list is seen in so many lengths."""
ROUNDS = 6
MOST_SHAPES = 32
MOST_SHAPES_OF_REST = 6
MOST_CELLS = 2_000_000

Key = tuple[int, tuple[str, ...]]
"""Severity and words."""
Groups = dict[Key, list[int]]
"""The places of a key in what was asked for."""


def merge(keys: Sequence[tuple[int, str]], first: int | None = None) -> list[str]:
    """Return the template of each `(severity, masked text)`; only keys of one severity share a template.

    Where `first` is given, only so many are compared with each other; the rest join the templates found, or stay.
    """
    groups: Groups = {}
    access: Groups = {}
    for place, (level, text) in enumerate(keys[:first]):
        words = phrased(text)
        (access if _is_access(words) else groups).setdefault((level, words), []).append(place)
    groups = _with_lists(_renamed(groups, _names(groups)))
    sizes: dict[tuple[int, int], Groups] = {}
    for key, places in groups.items():
        sizes.setdefault((key[0], len(key[1])), {})[key] = places
    sizes = {size: _settled(part) for size, part in sizes.items()}
    result = [""] * len(keys)
    settled = {key: places for part in sizes.values() for key, places in part.items()}
    for part in (_with_lists(settled), _with_paths(access)):
        for (_, words), places in part.items():
            text = shown(" ".join(words))
            for place in places:
                result[place] = text
    if first is not None and first < len(keys):
        result[first:] = _fitted(keys[first:], sizes)
    return result


def _fitted(keys: Sequence[tuple[int, str]], sizes: dict[tuple[int, int], Groups]) -> list[str]:
    """Return the templates of further keys, by those found."""
    shapes = {
        size: Shapes.of({words: len(places) for (_, words), places in part.items()}, MOST_SHAPES_OF_REST)
        for size, part in sizes.items()
    }
    found = []
    for level, text in keys:
        words = phrased(text)
        of_size = shapes.get((level, len(words)))
        found.append(shown(" ".join((of_size.fit(words) if of_size is not None else None) or words)))
    return found


def _settled(groups: Groups) -> Groups:
    """Return keys of one severity and length, merged until no rule finds more."""
    for _ in range(ROUNDS):
        found = list(groups)
        variables = _one_place(found) or _instances(groups) or _many_places(found)
        if not variables:
            break
        groups = _renamed(groups, variables)
    return groups


def _renamed(groups: Groups, variables: dict[Key, set[int]]) -> Groups:
    """Return the groups with the words at these positions left out."""
    return _regrouped(
        groups,
        lambda key: (
            tuple(general(word) if spot in variables[key] else word for spot, word in enumerate(key[1]))
            if key in variables
            else key[1]
        ),
    )


def _regrouped(groups: Groups, words_of: Callable[[Key], tuple[str, ...]]) -> Groups:
    following: Groups = {}
    for key, places in groups.items():
        following.setdefault((key[0], words_of(key)), []).extend(places)
    return following


def _is_access(words: tuple[str, ...]) -> bool:
    return len(words) == 3 and words[0] in METHODS and words[2].startswith("status=")


def _with_paths(groups: Groups) -> Groups:
    """Return access log keys; a method and status with too many paths is one template."""
    paths = Counter((level, words[0], words[2]) for level, words in groups)
    return _regrouped(
        groups,
        lambda key: (key[1][0], ANY, key[1][2]) if paths[key[0], key[1][0], key[1][2]] >= LEAST_PATHS else key[1],
    )


def _with_lists(groups: Groups) -> Groups:
    """Return the keys with a run of values as one, where otherwise equal keys have it in several lengths."""
    short = {key: (key[0], _without_runs(key[1])) for key in groups}
    lengths: dict[Key, set[int]] = {}
    for key, general_key in short.items():
        lengths.setdefault(general_key, set()).add(len(key[1]))
    return _regrouped(groups, lambda key: short[key][1] if len(lengths[short[key]]) >= LEAST_LENGTHS else key[1])


def _without_runs(words: tuple[str, ...]) -> tuple[str, ...]:
    kept: list[str] = []
    in_run = False
    for word in words:
        goes_on = word.endswith(",")
        is_value = word == ANY or goes_on or is_name(word)
        if in_run and (is_value or kept[-1] == "\0"):
            kept[-1] = "\0" if goes_on else ANY
        else:
            kept.append("\0" if goes_on else word)
        in_run = is_value
    return tuple(ANY if word == "\0" else word for word in kept)


def _names(keys: Iterable[Key]) -> dict[Key, set[int]]:
    """Return the positions at which keys that are equal but for names hold different ones.

    Where something went wrong, few names are told apart: they say who is in trouble.
    """
    alike: dict[Key, list[Key]] = {}
    for key in keys:
        alike.setdefault((key[0], tuple(map(form, key[1]))), []).append(key)
    found: dict[Key, set[int]] = {}
    for (level, shape), members in alike.items():
        if len(members) < 2 or (len(members) < LEAST_WORDS and _is_trouble(level, members[0][1])):
            continue
        spots = [spot for spot, word in enumerate(shape) if word.endswith("\0")]
        varying = {spot for spot in spots if len({words[spot] for _, words in members}) > 1}
        found.update((member, varying) for member in members)
    return found


def _is_trouble(level: int, words: tuple[str, ...]) -> bool:
    return level >= WARN or (level == UNKNOWN and sounds_bad(" ".join(words)))


def _one_place(keys: list[Key]) -> dict[Key, set[int]]:
    """Return, for each key, the positions at which enough other words stand in otherwise equal keys."""
    groups: dict[tuple[int, int], list[Key]] = {}
    for key in keys:
        words = key[1]
        if len(words) < 2 or len(keys) < LEAST_WORDS:
            break
        hashes = [hash((spot, word)) for spot, word in enumerate(words)]
        total = sum(hashes)
        for spot, part in enumerate(hashes):
            if words[spot] != ANY:
                groups.setdefault((spot, total - part), []).append(key)
    found: dict[Key, set[int]] = {}
    for (spot, _), members in groups.items():
        if len(members) < LEAST_WORDS or (len(members) < LEAST_TELLING and is_telling(members[0][1][spot])):
            continue
        for key in members:
            found.setdefault(key, set()).add(spot)
    return found


def _instances(groups: Groups) -> dict[Key, set[int]]:
    """Return, for each key that fits a template already found, the template's values."""
    shapes = Shapes.of({words: len(places) for (_, words), places in groups.items()}, MOST_SHAPES)
    found: dict[Key, set[int]] = {}
    for key in groups:
        template = shapes.fit(key[1])
        if template is not None:
            found[key] = {spot for spot, word in enumerate(key[1]) if template[spot] != word}
    return found


def _many_places(keys: list[Key]) -> dict[Key, set[int]]:
    """Return the positions that vary together in keys whose other words, most of them, are the same."""
    told: dict[tuple[str, ...], list[Key]] = {}
    if len(keys) >= LEAST_WORDS and len(keys[0][1]) > LEAST_PLAIN:
        for key in keys:
            told.setdefault(tuple(filter(is_telling, key[1])), []).append(key)
    found: dict[Key, set[int]] = {}
    waiting, cells = list(told.values()), 0
    while waiting and cells < MOST_CELLS:
        part = waiting.pop()
        if len(part) < LEAST_WORDS:
            continue
        cells += len(part) * len(part[0][1])
        columns = _columns(part)
        if _is_one(part[0][1], columns):
            found.update((key, set(columns)) for key in part)
        elif columns:
            spot, word = _commonest(columns)
            waiting.append([key for key in part if key[1][spot] == word])
            waiting.append([key for key in part if key[1][spot] != word])
    return found


def _columns(part: list[Key]) -> dict[int, Counter[str]]:
    """Return the words of the positions that vary, counted."""
    counted = ((spot, Counter(column)) for spot, column in enumerate(zip(*(words for _, words in part), strict=True)))
    return {spot: counts for spot, counts in counted if len(counts) > 1}


def _commonest(columns: dict[int, Counter[str]]) -> tuple[int, str]:
    """Return the position and the word that most keys have."""
    tops = {spot: counts.most_common(1)[0] for spot, counts in columns.items()}
    spot = max(tops, key=lambda each: tops[each][1])
    return spot, tops[spot][0]


def _is_one(words: tuple[str, ...], columns: dict[int, Counter[str]]) -> bool:
    """Say whether keys that vary in these positions are one template.

    Enough words are the same in all, and no position has few words: those are wordings. Where most words are the
    same, a word may be common in its position.
    """
    plain = sum(word != ANY for spot, word in enumerate(words) if spot not in columns)
    if not columns or plain < max(LEAST_PLAIN, len(columns)):
        return False
    if plain >= 2 * len(columns):
        return all(len(counts) >= LEAST_WORDS for counts in columns.values())
    return all(counts.most_common(1)[0][1] * LEAST_WORDS <= counts.total() for counts in columns.values())
