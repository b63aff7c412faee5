"""Which cases a tree holds."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from orchestrator.evaluate.cases import Case, CasesError, Choice, Half, find_cases, half_of
from tests.evaluate.trees import write_tree


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
    assert dict(found.skipped)["complaints"] == "2 entries of 3 are no case of a known shape"
    assert [case.id for case in find_cases(tree / "complaints").cases] == ["com-1"]


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
