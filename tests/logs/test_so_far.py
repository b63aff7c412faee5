"""What a pass and a search tell while they run: how far, what was found, and what is ahead at a large file's end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from subagents.contract import Params, Progress, SourceSpec, ToolContext
from subagents.logs import so_far
from subagents.logs.agent import build
from subagents.logs.log_set import LogSet
from subagents.logs.params import CoverageParams, DistinctParams, SearchParams
from subagents.logs.search import EARLY, EARLY_CHARS, Filters, search
from subagents.logs.so_far import events_in_words, index_for
from subagents.logs.sources import reader
from tests.fakes import FakeClock
from tests.logs.builders import iso, write

SMALL = 1 << 13
"""Size of blocks: some of them make a file large."""


def log(count: int, level: str = "INFO", said: str = "order {n} of user={n} settled", after: float = 0.0) -> str:
    return "".join(f"{iso(after + n * 0.01)} {level} {said.format(n=n)}\n" for n in range(count))


def listening(told: list[Progress]) -> ToolContext:
    def progress(made: Callable[[], Progress]) -> None:
        told.append(made())

    return ToolContext(key="t", clock=FakeClock(), progress=progress)


def told_by(specs: list[SourceSpec], tool: str, params: Params) -> list[Progress]:
    told: list[Progress] = []
    found = next(one for one in build(specs).tools if one.name == tool)
    found.run(params, listening(told))
    return told


def test_the_first_pass_tells_events_and_errors_and_the_second_has_nothing_to_tell(tmp_path: Path) -> None:
    specs = [
        write(tmp_path, "a.log.gz", log(300)),
        write(tmp_path, "b.log", log(40, "ERROR", "payment {n} was refused") + log(5, "FATAL", "out of memory")),
    ]
    logs, told = LogSet(specs), list[Progress]()
    index_for(logs, listening(told))
    assert [each.text.partition(",")[0] for each in told] == ["300 events", "345 events"]
    assert told[0].text == "300 events, no error yet"
    assert told[-1].text == '345 events, errors: 40 of "payment * was refused", 5 of "out of memory"'
    assert 0 < told[0].done < told[0].total == told[-1].done
    assert told[-1].total == sum(Path(spec.path).stat().st_size for spec in specs)
    index_for(logs, listening(told))
    assert len(told) == 2


def test_what_marks_a_name_in_a_template_is_not_told(tmp_path: Path) -> None:
    logs, told = (
        LogSet([write(tmp_path, "a.log", log(9, "ERROR", "[stock] reservation {n} is lost"))]),
        list[Progress](),
    )
    index_for(logs, listening(told))
    assert told[-1].text.isprintable()
    assert '9 of "[stock] reservation * is lost"' in told[-1].text


@pytest.mark.parametrize(
    ("tool", "params"),
    [
        ("logs_search", SearchParams(text="order 7")),
        ("logs_distinct", DistinctParams(field="user", text="order 7")),
    ],
)
def test_a_search_tells_what_matched(tmp_path: Path, tool: str, params: Params) -> None:
    told = told_by([write(tmp_path, "a.log", log(100)), write(tmp_path, "b.log", log(100))], tool, params)
    assert [each.text for each in told] == ["11 of 100 events match", "22 of 200 events match"]
    assert [each.done * 2 for each in told] == [told[0].total, told[0].total * 2]


def test_a_search_shows_what_matched_first_while_it_reads_on(tmp_path: Path) -> None:
    specs = [write(tmp_path, "b.log", log(100, after=50)), write(tmp_path, "a.log", log(100))]
    told = told_by(specs, "logs_search", SearchParams(text="order 7"))
    shown = [each.found for each in told]
    assert [len(found) for found in shown] == [11, 22]
    assert shown[1][:11] == shown[0], "in the order in which they are met"
    citation, text = shown[0][0]
    logs = LogSet(specs)
    assert text.endswith("INFO order 7 of user=7 settled")
    assert logs.around(citation, 0, 0)[2].decode().rstrip() == text
    assert told_by(specs, "logs_distinct", DistinctParams(field="user", text="order 7"))[0].found == ()


def test_the_last_matches_of_a_large_file_are_shown_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(so_far, "LARGE_BYTES", 10_000)
    monkeypatch.setattr(so_far, "END_BYTES", 2_000)
    monkeypatch.setattr(reader, "LEAST_BYTES", SMALL)
    spec = write(tmp_path, "a.log", log(1) + log(1_500, said="order {n}") + log(40, "ERROR", "order {n} lost", 60))

    def shown(text: str, level: str | None = None) -> list[tuple[tuple[str, str], ...]]:
        logs, told = LogSet([spec]), list[Progress]()
        logs.sources[0].block_bytes = SMALL
        search(logs, Filters(text, level=level), 0, 50, listening(told))
        assert len(told) > 3
        return [each.found for each in told]

    first, *others = shown("order")
    assert first[0][1].endswith("order 0 of user=0 settled")
    assert first[-1][1].endswith("order 39 lost"), "the last line of the file"
    assert len(first) == EARLY
    assert all(found == first for found in others), "what is shown does not jump about"
    early, *_, last = shown("lost")
    assert [text.rpartition(" ERROR ")[2] for _, text in early] == [f"order {n} lost" for n in range(25, 40)]
    assert len({ref for ref, _ in last}) == len(last) == EARLY, "each once"
    assert shown("lost", "fatal")[-1] == ()


def test_of_very_many_matches_few_are_shown_early_and_short(tmp_path: Path) -> None:
    (told,) = told_by([write(tmp_path, "a.log", log(100, said="x" * 2_000))], "logs_search", SearchParams(text="xx"))
    assert len(told.found) == EARLY
    assert {len(text) for _, text in told.found} == {EARLY_CHARS}


def test_a_search_of_one_file_measures_by_that_file(tmp_path: Path) -> None:
    specs = [write(tmp_path, "a.log", log(100)), write(tmp_path, "b.log", log(400))]
    (told,) = told_by(specs, "logs_search", SearchParams(text="order 7", source="a.log"))
    assert told.done == told.total == Path(specs[0].path).stat().st_size


@pytest.mark.parametrize(
    ("name", "large", "ahead"), [("a.log", True, True), ("a.log.gz", True, False), ("a.log", False, False)]
)
def test_what_is_severe_at_the_end_of_a_large_file_is_told_at_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, large: bool, ahead: bool
) -> None:
    if large:
        monkeypatch.setattr(so_far, "LARGE_BYTES", 10_000)
    monkeypatch.setattr(so_far, "END_BYTES", 4_000)
    monkeypatch.setattr(reader, "LEAST_BYTES", SMALL)
    early = log(3, "ERROR", "payment {n} was refused") + log(1000)
    spec = write(
        tmp_path,
        name,
        early + log(50, "ERROR", "stock {n} is lost", 60) + log(9, "ERROR", "payment {n} was refused", 70),
    )
    logs, told = LogSet([spec]), list[Progress]()
    logs.sources[0].block_bytes = SMALL
    index_for(logs, listening(told))
    assert len(told) > 2
    assert 'errors: 3 of "payment * was refused"' in told[0].text
    assert "ahead" not in told[0].text, "the first words do not wait for it"
    assert ('ahead, at the end of a.log: 50 of "stock * is lost"' in told[1].text) is ahead
    assert "ahead" not in told[-1].text, "by then it was read, and is among the errors"
    assert '50 of "stock * is lost"' in told[-1].text


def test_a_file_that_goes_away_while_it_is_read_takes_nothing_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(so_far, "LARGE_BYTES", 0)
    monkeypatch.setattr(so_far, "END_BYTES", 1 << 40)
    told = told_by([write(tmp_path, "a.log", log(100))], "logs_coverage", CoverageParams())
    assert [each.text for each in told] == ["100 events, no error yet"]


def test_counts_are_words() -> None:
    said = [events_in_words(count) for count in (0, 940, 1_200, 96_400, 1_230_000, 12_300_000)]
    assert said == ["0 events", "940 events", "1.2 k events", "96 k events", "1.2 M events", "12 M events"]
