"""Which cases a tree holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from orchestrator.evaluate.cases import Case, CasesError, Choice, Half, find_cases, half_of
from tests.evaluate.trees import write_complaint, write_outage, write_tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "cases")


def test_a_tree_is_read_by_shape_and_what_no_adapter_reads_is_listed(tree: Path) -> None:
    found = find_cases(tree)
    assert [(case.family, case.id, case.shape) for case in found.cases] == [
        ("complaints", "com-1", "symptom"),
        ("outages", "out-1", "folder"),
        ("readings", "read-1", "series"),
    ]
    assert found.labels == tree / "labels"
    assert [name for name, _ in found.skipped] == ["gadgets"]
    assert "no adapter" in dict(found.skipped)["gadgets"]


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ("outages", ["out-1"]),
        ("outages/out-1", ["out-1"]),
        ("complaints/com-1.json.gz", ["com-1"]),
        ("readings", ["read-1"]),
    ],
)
def test_a_family_or_one_case_may_be_given(tree: Path, given: str, ids: list[str]) -> None:
    found = find_cases(tree / given)
    assert [case.id for case in found.cases] == ids
    assert found.cases[0].family == given.partition("/")[0]
    assert found.labels == tree / "labels"


def test_files_about_cases_are_none(tree: Path) -> None:
    for place in (tree, tree / "complaints"):
        (place / "INDEX.json").write_text("{}")
    (tree / "complaints" / "plots").mkdir()
    (tree / "stray.csv").write_text("ts,value\n")
    found = find_cases(tree)
    assert [case.id for case in found.cases] == ["com-1", "out-1", "read-1"]
    assert dict(found.skipped)["complaints"] == ("no case of a known shape: 2 of 3 entries (INDEX.json, plots)")
    assert [case.id for case in find_cases(tree / "complaints").cases] == ["com-1"]


def test_another_level_of_the_tree_is_told_by_what_is_in_it(tmp_path: Path) -> None:
    # A family with its labels in it, a manifest, and a tree without labels beside whose families a stray file lies.
    tree = write_tree(tmp_path / "cases", labels=False)
    (tree / "outages" / "labels").mkdir()
    for given in (tree / "outages", tree / "outages" / "out-1" / "case.json"):
        found = find_cases(given)
        assert [(case.family, case.id, case.shape) for case in found.cases] == [("outages", "out-1", "folder")]
        assert found.labels == tree / "outages" / "labels"
    (tree / "stats.json").write_text("{}")
    write_outage(tree / "example")
    (tree / "outages" / "plots").mkdir()
    (tree / "outages" / "plots" / "one.csv").write_text("ts,value\n")
    found = find_cases(tree)
    assert [case.id for case in found.cases] == ["com-1", "out-1", "read-1"]
    assert ("cases", "beside the families: example, stats.json") in found.skipped
    assert [case.id for case in find_cases(tree / "outages").cases] == ["out-1"]


def test_of_two_cases_with_one_id_the_second_is_skipped(tree: Path) -> None:
    write_complaint(tree / "complaints" / "com-1.json")
    found = find_cases(tree)
    assert [case.path.name for case in found.cases if case.family == "complaints"] == ["com-1.json"]
    assert ("complaints", "com-1.json.gz: another case has its id, com-1") in found.skipped


def test_a_family_that_cannot_be_read_costs_no_other(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.iterdir

    def refusing(folder: Path) -> Iterator[Path]:
        if folder.name == "outages":
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(Path, "iterdir", refusing)
    found = find_cases(tree)
    assert [case.id for case in found.cases] == ["com-1", "read-1"]
    assert ("outages", "cannot be read (Permission denied)") in found.skipped


def test_a_name_that_is_not_utf_8_is_shown_by_its_bytes(tree: Path) -> None:
    (tree / "readings" / "read-1.csv").rename(tree / "readings" / os.fsdecode(b"r\xff.csv"))
    assert [case.id for case in find_cases(tree / "readings").cases] == [r"r\xff"]


def test_what_is_skipped_is_said_of_the_families_that_are_wanted(tree: Path) -> None:
    assert not find_cases(tree, Choice(families=("outages",))).skipped
    with pytest.raises(CasesError, match=r"skipped gadgets: no adapter: no case of a known shape \(thing\)"):
        find_cases(tree, Choice(families=("gadgets",)))


def test_a_tree_without_labels(tmp_path: Path) -> None:
    assert find_cases(write_tree(tmp_path / "cases", labels=False)).labels is None


@pytest.mark.parametrize(
    ("choice", "ids"),
    [
        (Choice(families=("read*",)), ["read-1"]),
        (Choice(ids=("out-1",)), ["out-1"]),
        (Choice(globs=("*-1",), families=("complaints", "outages")), ["com-1", "out-1"]),
    ],
)
def test_choices(tree: Path, choice: Choice, ids: list[str]) -> None:
    assert [case.id for case in find_cases(tree, choice).cases] == ids


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (
            Choice(families=("outage",)),
            "--family 'outage' is not here; families with cases: complaints, outages, readings",
        ),
        (Choice(ids=("out-9",)), "case 'out-9' is not here"),
        (Choice(globs=("nothing*",)), "none of its 3 cases is wanted"),
    ],
)
def test_a_misspelt_name_is_refused(tree: Path, choice: Choice, said: str) -> None:
    with pytest.raises(CasesError, match=said.replace("*", ".")):
        find_cases(tree, choice)


def test_nothing_to_run_is_said(tmp_path: Path, tree: Path) -> None:
    with pytest.raises(CasesError, match="no such file or folder"):
        find_cases(tmp_path / "nowhere")
    with pytest.raises(CasesError, match="not a case"):
        find_cases(tree / "gadgets" / "thing" / "blob.bin")
    with pytest.raises(CasesError, match="no cases here"):
        find_cases(tree / "gadgets")


def test_the_halves_part_every_set_and_depend_on_the_id_alone(tree: Path) -> None:
    # Frozen: a half that moves would let what was chosen on be confirmed on.
    ids = [f"case-{number}" for number in range(12)]
    assert "".join(half_of(one)[1] for one in ids) == HALVES
    sides = {half_of(f"x-{number}") for number in range(50)}
    assert sides == {"choose", "confirm"}
    both = [case.id for half in get_args(Half) for case in _half(tree, half)]
    assert sorted(both) == ["com-1", "out-1", "read-1"]


HALVES = "oohhoohohooo"


def _half(tree: Path, half: Half) -> tuple[Case, ...]:
    try:
        return find_cases(tree, Choice(half=half)).cases
    except CasesError:
        return ()
