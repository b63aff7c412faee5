"""What is one template and what is not: values without a digit, and words that an on-call needs apart."""

from __future__ import annotations

from itertools import compress
from random import Random

import numpy as np
import polars as pl
import pytest

from subagents.logs import phrases
from subagents.logs.levels import ERROR, INFO, UNKNOWN, WARN
from subagents.logs.merge import LEAST_ALONE, LEAST_PATHS, LEAST_TELLING, MOST_CELLS, merge
from subagents.logs.patterns import MERGED_WORDS, templates
from subagents.logs.phrases import is_name, is_telling, labelled, phrased, shown
from subagents.logs.shapes import Shapes
from subagents.logs.varying import LEAST_FREE, Column, is_one, may_hold_one
from subagents.logs.vocabulary import VALUE, Facts, Vocabulary


def _merged(*texts: str) -> list[str]:
    """The distinct templates, in order."""
    return list(dict.fromkeys(merge([(INFO, text) for text in texts])))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("login at Sun Jul * * * from *", "login at * * * from *"),
        ("valid until * March *", "valid until * *"),
        ("took * ms, sent * KB", "took *, sent *"),
        ("freed * MB) of * bytes.", "freed *) of *."),
        ("sent * bytes * KB), in * s", "sent *, in *"),
        ("sent * bytes * KB) to *", "sent * to *"),
        ("sent * * KB) of * bytes, * KB)", "sent * *) of *, *)"),
        ("* seconds ago", "* ago"),
        ("* sessions ago", "* sessions ago"),
        ("he said * May I", "he said * I"),
    ],
)
def test_a_date_or_a_quantity_is_one_value(text: str, expected: str) -> None:
    assert shown(" ".join(phrased(text))) == expected


def test_parts_between_bars_are_columns_where_a_message_begins_and_elsewhere_one_value() -> None:
    assert phrased("Pump|*|started *|name|* id=*|name|*") == ("Pump|*|started", "*", "id=*")
    assert phrased("one|two in a|b=c|*|d or a|b") == ("one|two", "in", "a|b=*", "or", "a|b")


def test_quoted_text_is_one_word_unless_it_is_what_is_said() -> None:
    assert len(phrased('open of "my old file" failed')) == 4
    assert len(phrased("open of 'my old file' failed")) == 4
    assert len(phrased('msg="order was accepted"')) == 3
    assert len(phrased("it's not the user's fault")) == 5
    assert shown(" ".join(phrased('open of "my old file" failed'))) == 'open of "my old file" failed'


@pytest.mark.parametrize(
    "name", ["/var/log/app.log", "db.example.com", "com.acme.Stock", "a@b.org", "user_sessions", "s3://bucket/key"]
)
def test_names_are_told_from_words(name: str) -> None:
    assert is_name(name)
    assert is_name(f"({name}),")


@pytest.mark.parametrize(
    "word",
    [
        "word",
        "and/or",
        "N/A",
        "java.io.IOException",
        "KeyError",
        "com.acme.Stock:",
        "screen.ON_NOW",
        "half-open",
        "...",
        "",
    ],
)
def test_words_and_faults_and_loggers_are_no_names(word: str) -> None:
    assert not is_name(word)


def test_two_names_in_one_place_are_a_value_and_one_stays() -> None:
    assert _merged("lost peer db.example.com", "lost peer web.example.com") == ["lost peer *"]
    assert _merged("lost peer db.example.com") == ["lost peer db.example.com"]
    assert _merged("copy /a/b/c to db.corp.org", "copy /a/d to web.corp.org") == ["copy * to *"]
    faults = ("call failed java.io.IOException here", "call failed java.lang.NullPointerException here")
    assert _merged(*faults) == list(faults)


def test_a_word_after_what_it_names_is_a_name() -> None:
    assert _merged("session closed for user root", "session closed for user news") == ["session closed for user *"]
    states = ("the user left early", "the user stayed early")
    assert _merged(*states) == list(states)


def test_few_wordings_stay_apart_and_five_are_a_value() -> None:
    events = [f"[instance: *] VM {word} (Lifecycle Event)" for word in ("Started", "Stopped", "Paused", "Resumed")]
    assert _merged(*events) == events
    assert _merged(*events, "[instance: *] VM Crashed (Lifecycle Event)") == ["[instance: *] VM * (Lifecycle Event)"]


@pytest.mark.parametrize("key", ["status", "error", "reason", "exit_state", "healthy"])
def test_how_it_went_is_told_apart_for_longer(key: str) -> None:
    words = [f"job cleanup ended {key}=w{chr(97 + n)}" for n in range(LEAST_TELLING)]
    assert is_telling(words[0].split()[-1])
    assert _merged(*words[:-1]) == words[:-1]
    assert len(_merged(*words)) == 1
    other = [word.replace(f"{key}=", "queue=") for word in words[:5]]
    assert _merged(*other) == ["job cleanup ended queue=*"]


def test_truth_is_a_value_but_not_of_what_went_well() -> None:
    assert _merged("draw visible=true now", "draw visible=false now") == ["draw visible=* now"]
    assert len(_merged("probe ok=true now", "probe ok=false now")) == 2


def test_a_list_is_a_value_where_it_is_seen_in_three_lengths() -> None:
    lists = ["ask * to drop *", "ask * to drop * *", "ask * to drop * * *"]
    assert _merged(*lists) == ["ask * to drop *"]
    assert _merged(*lists[:2]) == lists[:2]
    words = ["views of: ann, bob", "views of: ann, bob, cy", "views of: bob, ann, cy, dan"]
    assert _merged(*words) == ["views of: *"]


def test_what_has_one_length_in_all_keys_is_no_list() -> None:
    seen = ("bob, cy", "dan, ed, bob", "fay, ann, cy, ed")
    lists = [f"order of a.b, c.d incomplete, missing: {some}" for some in seen]
    assert _merged(*lists) == ["order of a.b, c.d incomplete, missing: *"]
    assert len(_merged(*lists, "order of e.f, g.h incomplete, missing: ann")) == 2


def test_what_is_an_instance_of_a_list_once_its_runs_are_one_joins_it() -> None:
    seen = ("ann, bob;", "bob, cy, dan;", "ann, bob, cy, ed;")
    lists = [f"may see: {some} may change: *" for some in seen]
    assert _merged(*lists, "may see: cy; may change: Set(dan, ed, fay);") == ["may see: * may change: *"]
    assert len(_merged(*lists[:2], "may see: cy; may change: Set(dan, ed, fay);")) == 3
    assert len(_merged("from * to", "from * * to")) == 2, "two lengths are no list"


def test_a_thread_says_little_where_something_went_wrong() -> None:
    keys = [f"ERROR [{thread}] acme.Orders: order lost" for thread in ("main", "event handler")]
    assert {each.text for each in templates(keys, [UNKNOWN] * 2, [1] * 2)} == {"* acme.Orders: order lost"}


def test_a_key_that_fits_a_template_joins_it() -> None:
    texts = [f"from {word} port *" for word in ("a", "b", "c", "d", "e")]
    assert _merged(*texts, "from * port *") == ["from * port *"]
    known, asked = ["from * port *"], ["from x port y", "to x port y", "from * port *"]
    assert _values(known, asked) == [["x", "y"], [], []]
    assert _values(["ended with *"], ["ended with status=bad", "ended with grace"]) == [[], ["grace"]]


def _values(known: list[str], asked: list[str]) -> list[list[str]]:
    """The words that are values in each text, by the templates that are known."""
    vocabulary = Vocabulary()
    numbers = np.array([[vocabulary[word] for word in text.split()] for text in known + asked], np.int32)
    facts = Facts.of(vocabulary)
    shapes = Shapes.of(numbers[: len(known)], numbers[: len(known)] != VALUE, np.array([5] * len(known)), facts, 8)
    found = shapes.values(numbers[len(known) :], facts)
    return [list(compress(text.split(), row)) for text, row in zip(asked, found.tolist(), strict=True)]


def test_places_that_vary_together_are_found() -> None:
    rng = Random(3)
    words = [f"w{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(60)]
    texts = [f"moved shard {rng.choice(words)} from {rng.choice(words)} to {rng.choice(words)} now" for _ in range(40)]
    assert _merged(*texts) == ["moved shard * from * to * now"]
    steps = zip(
        ("NEW", "NEW", "RUN", "RUN", "HALT", "LOST"), ("RUN", "DONE", "DONE", "LOST", "NEW", "NEW"), strict=True
    )
    states = [f"* attempt changed from {a} to {b}" for a, b in steps]
    assert len(_merged(*states)) == 6, "four states are wordings"
    assert _merged(*states, "* attempt changed from WAIT to KILL") == ["* attempt changed from * to *"]
    unlike = [" ".join(rng.choice(words) for _ in range(5)) for _ in range(40)]
    assert len(_merged(*unlike)) == len(set(unlike))


def test_free_text_is_a_value_where_each_place_has_very_many_words() -> None:
    rng = Random(3)
    words = ["".join(rng.choices("abcdefgh", k=6)) for _ in range(5 * LEAST_FREE)]
    texts = [f"document title {' '.join(rng.sample(words, 4))}" for _ in range(6 * LEAST_FREE)]
    assert _merged(*texts) == ["document title * * * *"]
    few = texts[: LEAST_FREE - 1]
    assert len(_merged(*few)) == len(few), "so many wordings a program may have"
    assert len(_merged(*(f"document {text.split(' ', 2)[2]}" for text in texts))) > 5 * LEAST_FREE, "of one word"


def test_free_text_that_sounds_bad_and_says_no_severity_stays(words: list[str]) -> None:
    rng = Random(4)
    texts = [f"document title {' '.join(rng.sample(words, 6))}" for _ in range(6 * LEAST_FREE)]
    bad = "document title the connection was refused by peer"
    assert set(merge([(UNKNOWN, text) for text in (*texts, bad)])) == {"document title * * * * * *", bad}
    assert set(merge([(ERROR, text) for text in (*texts, bad)])) == {"document title * * * * * *"}


def test_where_most_of_what_varies_is_one_word_it_is_no_free_text() -> None:
    many = Column(LEAST_FREE, 100)
    assert is_one(2, 500, {2: many, 3: many, 4: many})
    assert not is_one(2, 499, {2: many, 3: many, 4: many}), "one word in five"
    assert not is_one(2, 500, {2: many, 3: many, 4: Column(LEAST_FREE - 1, 100)})
    assert not is_one(1, 500, {2: many, 3: many})


@pytest.fixture
def words() -> list[str]:
    rng = Random(3)
    return ["".join(rng.choices("abcdefgh", k=6)) for _ in range(5 * LEAST_FREE)]


def test_a_few_messages_with_lists_are_merged_whatever_else_there_is() -> None:
    lists = [f"got {', '.join('abcdefghijk'[:n])} from x" for n in range(2, 7)]
    assert _merged("server started", *lists) == ["server started", "got * from x"]


def test_severities_stay_apart() -> None:
    texts = [(INFO, "lost peer a.b.example"), (ERROR, "lost peer c.d.example")]
    assert merge(texts) == [text for _, text in texts]


@pytest.mark.parametrize(("level", "verb"), [(ERROR, "lost"), (WARN, "lost"), (UNKNOWN, "failed for")])
def test_where_something_went_wrong_few_names_are_told_apart(level: int, verb: str) -> None:
    texts = [f"{verb} peer {name}.example.com" for name in ("db", "web", "mail", "ns", "auth")]
    assert merge([(level, text) for text in texts[:4]]) == texts[:4]
    assert set(merge([(level, text) for text in texts])) == {f"{verb} peer *"}
    assert set(merge([(INFO, text) for text in texts[:2]])) == {f"{verb} peer *"}


def test_paths_of_an_access_log_stay_apart_until_they_are_too_many() -> None:
    some = [f"GET /api/{'abcdefghij'[n // 10]}{'abcdefghij'[n % 10]}/list status=200" for n in range(LEAST_PATHS)]
    assert _merged(*some[:-1]) == some[:-1]
    assert _merged(*some, "GET /api/aa/list status=503") == ["GET * status=200", "GET /api/aa/list status=503"]


def test_threads_beside_the_severity_are_one_value() -> None:
    keys = [f"INFO [{thread}] acme.Orders: order placed" for thread in ("main", "event handler", "IO *")]
    found = templates(keys, [UNKNOWN] * 3, [1] * 3)
    assert {template.text for template in found} == {"* acme.Orders: order placed"}
    alone = templates(keys[1:2], [UNKNOWN], [1])
    assert alone[0].text == "[event handler] acme.Orders: order placed"
    assert alone[0].level == INFO
    tags = [f"[{tag}] service is gone" for tag in ("auth", "pay")]
    assert len({template.text for template in templates(tags, [UNKNOWN] * 2, [1] * 2)}) == 2


def test_merging_is_bounded_by_words_and_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [f"worker {word} took" for word in "abcdefg"]
    counts = [1, 9, 9, 9, 9, 9, 1]
    monkeypatch.setattr("subagents.logs.patterns.MERGED_WORDS", 12)
    found = templates(keys, [INFO] * 7, counts)
    assert [template.text for template in found] == keys, "four keys of three words are compared, and four are too few"
    monkeypatch.setattr("subagents.logs.patterns.MERGED_WORDS", 15)
    found = templates(keys, [INFO] * 7, counts)
    assert [template.text for template in found] == [keys[0], *["worker * took"] * 5, keys[6]], "the most frequent"
    monkeypatch.setattr("subagents.logs.merge.MOST_CELLS", 0)
    pairs = [f"moved shard {a} from {b} now" for a, b in zip("abcdefgh", "ijklmnop", strict=True)]
    assert _merged(*pairs) == pairs
    assert (MERGED_WORDS, MOST_CELLS) > (0, 0)


def test_labels_are_told_from_values() -> None:
    assert labelled("rows=*") == ("rows=", "*")
    assert labelled('open("/etc/fstab")') == ('open("', '/etc/fstab")')
    assert labelled("plain") == ("", "plain")
    assert labelled("label:") == ("", "label:")


def test_what_a_message_says_is_no_value_where_else_it_holds_only_values() -> None:
    verbs = [f"on{chr(65 + each // 26)}{chr(65 + each % 26)}Changed" for each in range(LEAST_ALONE)]
    assert _merged(*[f"{verb} *" for verb in verbs[:-1]]) == [f"{verb} *" for verb in verbs[:-1]]
    assert len(_merged(*[f"{verb} *" for verb in verbs])) == 1
    assert _merged(*[f"{verb} was *" for verb in verbs[:5]]) == ["* was *"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("error: no route to *", "no route to *"),
        ("- WARN - [pool, main] - no route", "[pool, main] - no route"),
        ("|ERROR|Store.Orders|no route", "Store.Orders|no route"),
        ("ERROR ::* -v", "::* -v"),
    ],
)
def test_what_separates_the_severity_goes_with_it(text: str, expected: str) -> None:
    (found,) = templates([text], [UNKNOWN], [1])
    assert (found.level > INFO, found.text) == (True, expected)


def test_columns_of_a_file_say_nothing_of_a_message() -> None:
    others = ["pump", "valve is shut", "tank is full now", "belt has been worn thin", "oil runs low in both tanks"]
    said = ["pressure", "flow", "heat", "noise", "speed", "level"]
    lines = [f"- * UNIT A{each} *" for each in said]
    assert _merged(*lines) == ["- * UNIT * *"]
    columns = [f"- * UNIT {each}" for each in (*others, *said)]
    assert set(_merged(*lines, *columns)) == {*lines, *columns}
    read = [f"- * UNIT {each}" for each in ("* * * *", "* belts are slow", "* of * tanks")]
    assert set(_merged(*read, *columns)) == {*read, *columns}
    assert set(_merged(*read)) == {read[0]}


def test_what_is_not_looked_at_again_would_have_been_no_template(monkeypatch: pytest.MonkeyPatch) -> None:
    random, words = Random(3), [chr(97 + each) * 3 for each in range(20)]
    keys, refused = list[tuple[int, str]](), list[bool]()
    for _ in range(30):
        said = random.sample(words, 9)
        varies = random.sample(range(9), random.randint(1, 7))
        for _ in range(random.randint(5, 30)):
            keys.append(
                (INFO, " ".join(random.choice(words) if place in varies else said[place] for place in range(9)))
            )
    found = merge(keys)
    look = may_hold_one

    def noted(places: int, columns: dict[int, Column]) -> bool:
        refused.append(not look(places, columns))
        return True

    monkeypatch.setattr("subagents.logs.merge.may_hold_one", noted)
    assert merge(keys) == found
    assert any(refused)
    assert len(set(found)) < len({text for _, text in keys})


def test_of_many_words_the_same_is_found_at_once_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [*"/\\.@_:=([{*\"',;)]}-+$<>|#é\u2028\x01\x02", "com", "Cart", "status", "err", "true", "None", "Exception"]
    parts += ["FOO", "C:", "//", "ok", "\x02", "*", "=*", "java.io."]
    rng = Random(4)
    words = sorted({"".join(rng.choices(parts, k=rng.randrange(1, 7))) for _ in range(6000)})
    expected = [phrases.facts_of(word) for word in words]
    monkeypatch.setattr(phrases, "MANY", 0)
    found = phrases.facts_of_all(pl.Series(words)).rows()
    assert [*zip(words, found, strict=True)] == [*zip(words, expected, strict=True)]
    assert len({(form == word, name, telling) for word, (form, name, telling) in zip(words, found, strict=True)}) > 4
