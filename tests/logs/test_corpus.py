"""Every layout of the corpus: found, each time exact, severity, service and host read, no line lost.

Events that are read again alone, as the checker of claims does, say the same.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.logs.corpus import Layout, layouts, seen
from tests.thinned import thinned

LAYOUTS = layouts()


@pytest.mark.parametrize("layout", thinned(LAYOUTS, 2, Layout.kind), ids=lambda layout: layout.name)
def test_a_layout_is_read_as_a_person_reads_it(tmp_path: Path, layout: Layout) -> None:
    source, _, events, messages = seen(layout.write(tmp_path))
    assert events == list(layout.events), source.layout()
    assert all(map(str.startswith, messages, layout.messages)), messages
    assert source.tally.lines == layout.text.count("\n")
    assert source.tally.lines == sum(int(event.rpartition("|")[2]) for event in events)


@pytest.mark.parametrize("layout", thinned(LAYOUTS, 12, Layout.kind), ids=lambda layout: layout.name)
def test_an_event_that_is_read_again_alone_says_the_same(tmp_path: Path, layout: Layout) -> None:
    source, frames, _, _ = seen(layout.write(tmp_path))
    for frame in frames:
        rows = list(frame.events.select("start", "lines", "text", "level", "service", "host").iter_rows(named=True))
        for row in (row for row in rows if row in (rows[0], rows[-1]) or row["lines"] > 1):
            again = source.reread(row["start"], row["lines"])
            assert {name: again.events[name].to_list() for name in row if name != "start"} == {
                name: [value] for name, value in row.items() if name != "start"
            }
