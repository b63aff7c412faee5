"""The digest of a case: what makes it another one, and what does not."""

from __future__ import annotations

from pathlib import Path

from orchestrator.evaluate.cases import Case
from orchestrator.evaluate.digests import digest_of
from tests.evaluate.trees import write_outage


def test_names_content_and_links_make_a_case_another(tmp_path: Path) -> None:
    folder = write_outage(tmp_path / "f" / "one")
    (tmp_path / "outside.log").write_text("as it was")
    seen = [digest_of(Case("one", "f", folder, "folder"))]

    def is_another() -> bool:
        seen.append(digest_of(Case("one", "f", folder, "folder")))
        return seen[-1] not in seen[:-1]

    assert not is_another(), "nothing has changed"
    (folder / "more.log").write_text("more")
    assert is_another()
    (folder / "more.log").rename(folder / "most.log")
    assert is_another()
    (folder / "most.log").write_text("most")
    assert is_another()
    (folder / "link.log").symlink_to(tmp_path / "outside.log")
    assert is_another()
    (tmp_path / "outside.log").write_text("as it is")
    assert not is_another(), "what a link leads to is not of the case"


def test_a_case_of_one_file_is_known_by_its_content(tmp_path: Path) -> None:
    made = []
    for name, text in (("a.csv", "1"), ("b.csv", "1"), ("c.csv", "2")):
        (tmp_path / name).write_text(text)
        made.append(digest_of(Case("a", "f", tmp_path / name, "series")))
    assert made[0] == made[1] != made[2]
    assert digest_of(Case("a", "f", tmp_path / "gone.csv", "series")) not in made
