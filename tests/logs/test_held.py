"""What a window holds of each template: the same however the table is cut; of two events at once the first written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from subagents.contract import Window
from subagents.logs import held
from subagents.logs.answers import at_no_time
from subagents.logs.compare import timeline
from subagents.logs.held import MOST_KEYS, Held, by_service, by_template
from subagents.logs.index import LogIndex
from subagents.logs.sources.log_source import LogSource
from subagents.logs.windows import UNTIMED
from tests.logs.builders import at, incident_log, iso, write

HOUR = Window(start=at(0), end=at(3600))


def _index(folder: Path, *files: list[str]) -> LogIndex:
    return LogIndex.build([LogSource(write(folder, f"{n}.log", lines)) for n, lines in enumerate(files)])


def _of(found: dict[int, Held], index: LogIndex, words: str) -> Held:
    return next(each for number, each in found.items() if words in index.different[number].text)


def test_each_template_has_its_events_times_files_and_keys(tmp_path: Path) -> None:
    index = _index(tmp_path, incident_log(), incident_log()[:10])
    (found,) = by_template(index, [HOUR])
    refused = _of(found, index, "connection refused")
    assert (refused.count, refused.first, refused.sources) == (120, int(at(2400).timestamp() * 1e6), (0,))
    assert sum(each.count for each in found.values()) == index.events
    mail = _of(found, index, "mail sent")
    assert mail.sources == (0, 1)
    assert (mail.source, mail.byte) == (0, index.examples[mail.keys[0]].byte)
    (late,) = by_template(index, [Window(start=at(2400), end=at(3600))])
    assert "mail sent" not in {index.different[number].text for number in late}
    assert by_template(index, [None]) == by_template(index, [HOUR], "no such service") == [{}]


def test_windows_side_by_side_hold_what_each_holds_alone(tmp_path: Path) -> None:
    index = _index(tmp_path, incident_log(), incident_log()[:10])
    late, early = Window(start=at(2400), end=at(3600)), Window(start=at(0), end=at(2400))
    both = by_template(index, [late, None, early])
    assert both == [*by_template(index, [late]), {}, *by_template(index, [early])]
    assert both[0].keys() & both[2].keys()
    assert both[0].keys() != both[2].keys()


def test_cuts_and_codes_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = _index(tmp_path, incident_log(), incident_log())
    whole = by_template(index, [HOUR])
    monkeypatch.setattr(held, "ROWS_AT_ONCE", 37)
    monkeypatch.setattr(held, "MOST_CODES", 0)
    assert by_template(index, [HOUR]) == whole


def test_services_one_by_one_hold_what_each_holds_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [
        json.dumps({"ts": iso(n), "level": "info", "service": f"shop-{'abc'[n % 3]}", "msg": f"{'xy'[n % 2]} went on"})
        for n in range(0, 3600, 20)
    ]
    index = _index(tmp_path, said, said[:10], incident_log())
    windows = [Window(start=at(2400), end=at(3600)), Window(start=at(0), end=at(2400))]
    services = [*index.names.services, "no such service"]
    alone = {service: by_template(index, windows, service) for service in services}
    assert len(services) > 2
    assert dict(by_service(index, windows, services)) == alone
    monkeypatch.setattr(held, "ROWS_AT_ONCE", 7)
    assert dict(by_service(index, [windows[0], None], services[1:])) == {
        service: [alone[service][0], {}] for service in services[1:]
    }


def test_events_without_times_have_none(tmp_path: Path) -> None:
    index = at_no_time(_index(tmp_path, ["job one is done", "job two is done"]))
    (found,) = by_template(index, [UNTIMED])
    assert {(each.count, each.first, each.last) for each in found.values()} == {(1, None, None)}


def test_a_timeline_counts_all_of_a_template(tmp_path: Path) -> None:
    names = [f"{chr(97 + n // 26)}{chr(97 + n % 26)}x" for n in range(MOST_KEYS * 3)]
    index = _index(tmp_path, [f"{iso(n)} INFO worker {name} took the job" for n, name in enumerate(names)])
    (only,) = by_template(index, [HOUR])[0].values()
    assert (only.count, len(only.keys)) == (MOST_KEYS * 3, MOST_KEYS)
    assert sum(timeline(index, HOUR, only.keys).counts) == only.count
