"""The file of lines: durable, torn lines repaired, nobody's other file touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.evaluate.lines import NAMED, EvalLine, LineFile, LinesError
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
    path.write_bytes(b'{"id": "old", "family": "x", "engine": "offline"}\n\nnot json\n')
    with LineFile(path) as out:
        assert (out.lines, out.unreadable) == ([], 2)
        out.append(FULL)
    assert path.read_bytes().startswith(b'{"id": "old", "family": "x", "engine": "offline"}\n\nnot json\n')


@pytest.mark.parametrize(
    "text",
    [
        "dear diary\nno newline at the end",
        '{"name":"my-service","version":"1.2.3"}',
        '{\n  "name": "my-service"\n}',
        '{"id": "nab-00"}',
        '{"id":"nab-00","anomaly_windows":[]}\n',
    ],
    ids=["text", "object", "indented", "an id", "labels"],
)
def test_a_file_of_something_else_is_not_touched(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text)
    with pytest.raises(LinesError, match="is not a file of eval lines"), LineFile(path):
        pass
    assert path.read_text() == text


def test_what_stands_behind_the_lines_and_is_no_beginning_of_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with LineFile(path) as out:
        out.append(FULL)
    path.write_bytes(path.read_bytes() + b"# read until here")
    with LineFile(path) as out:
        assert ([one.id for one in out.lines], out.torn, out.unreadable) == (["first"], False, 1)
    assert path.read_bytes().endswith(b"# read until here\n")


@pytest.mark.parametrize("name", NAMED)
def test_a_line_that_lacks_what_every_line_carries_does_not_count(tmp_path: Path, name: str) -> None:
    path = tmp_path / "out.jsonl"
    with LineFile(path) as out:
        out.append(FULL)
        out.append(line("second"))
    first, second = path.read_text().splitlines()
    lacking = {key: value for key, value in json.loads(second).items() if key != name}
    path.write_text(f"{first}\n{json.dumps(lacking)}\n")
    with LineFile(path) as again:
        assert ([one.id for one in again.lines], again.unreadable) == (["first"], 1)
    assert name in EvalLine.model_json_schema()["required"]


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
