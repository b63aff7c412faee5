"""Every recorded case comes in: nothing crashes, every file is a source, the manifest, or named as not used."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.intake.folders import take

CASES = Path(__file__).resolve().parents[2] / ".." / "shared" / "cases"
FOUND = sorted(path for family in CASES.glob("*") if family.name != "labels" for path in family.glob("*"))


@pytest.mark.skipif(not FOUND, reason="the recorded cases are not beside this checkout")
async def test_every_case_comes_in(tmp_path: Path) -> None:
    for number, case in enumerate(FOUND):
        found = await take(case, spool=tmp_path / str(number))
        assert found.specs, case
        assert found.incident.title, case
        assert [name for name in found.unused if "evidence.json.gz: " not in name] == [], case
        if case.is_dir():
            used = {spec.id for spec in found.specs} | {
                spec.origin.split(": ")[0].rpartition("/")[2] for spec in found.specs
            }
            left = {path.name for path in case.iterdir()} - used
            assert left <= {"case.json"}, case
            assert found.incident.id == case.name
        assert not [p for p in found.problems if p.lost and "git" not in p.what], case
