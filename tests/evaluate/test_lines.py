"""The file of lines: durable, torn lines repaired, nobody's other file touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.evaluate.lines import EvalLine, LineFile, LinesError
from orchestrator.journal.verdict import Confidence, Verdict


def line(name: str, **more: object) -> EvalLine:
    base = EvalLine(id=name, family="outages", engine="offline", warroom="1", build="b")
    return base.model_copy(update=more)


FULL = line(
    "first",
    kind="inconclusive",
    verdict=Verdict(kind="inconclusive", headline="büro \u2028 down \x1b[31m", confidence=Confidence(value=0.5)),
)


def test_lines_are_read_as_they_were_written_in_harmless_ascii(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with LineFile(path) as out:
        out.append(FULL)
        out.append(line("second"))
    assert path.read_bytes().isascii()
    assert b"\x1b" not in path.read_bytes()
    assert [json.loads(raw)["id"] for raw in path.read_text().splitlines()] == ["first", "second"]
    with LineFile(path) as again:
        assert again.lines == [FULL, line("second")]
        assert (again.torn, again.unreadable) == (False, 0)


def test_a_last_line_cut_anywhere_is_removed_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with LineFile(path) as out:
        out.append(FULL)
        out.append(line("second"))
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in (*range(first, len(whole) - 1, 23), len(whole) - 2):
        path.write_bytes(whole[:cut])
        with LineFile(path) as out:
            assert [one.id for one in out.lines] == ["first"]
            assert out.torn is (cut > first)
            out.append(line("third"))
        assert path.read_bytes().startswith(whole[:first] + b'{"id"')
        with LineFile(path) as out:
            assert [one.id for one in out.lines] == ["first", "third"]


def test_a_whole_last_line_without_its_newline_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with LineFile(path) as out:
        out.append(FULL)
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    with LineFile(path) as out:
        assert (out.lines, out.torn) == ([FULL], False)
        out.append(line("second"))
    assert path.read_bytes().count(b"\n") == 2


def test_lines_of_another_form_stay_and_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b'{"id": "old", "family": "x"}\n\nnot json\n')
    with LineFile(path) as out:
        assert (out.lines, out.unreadable) == ([], 2)
        out.append(FULL)
    assert path.read_bytes().startswith(b'{"id": "old", "family": "x"}\n\nnot json\n')


def test_a_file_of_something_else_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary\nno newline at the end")
    with pytest.raises(LinesError, match="is not a file of eval lines"), LineFile(path):
        pass
    assert path.read_text() == "dear diary\nno newline at the end"


def test_one_run_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with LineFile(path), pytest.raises(LinesError, match="another run is writing"), LineFile(path):
        pass


def test_where_nothing_can_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(LinesError, match="cannot be written"), LineFile(tmp_path / "nowhere" / "out.jsonl"):
        pass
    with pytest.raises(LinesError, match="cannot be written"), LineFile(tmp_path):
        pass
    with pytest.raises(LinesError, match="is no regular file"), LineFile(Path("/dev/null")):
        pass
