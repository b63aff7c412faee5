"""X6: what a test plants is never run, and a report that lies is believed no further than its bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from subagents.codefix.checks import Checker
from subagents.codefix.detect import instrument
from subagents.codefix.results import Raw, judge
from subagents.codefix.results_files import read_reports
from subagents.codefix.sandbox import SandboxRun
from tests.gitstore.repos import fingerprint, git
from tests.sandbox.checked import APP_BAD, APP_GOOD, TEST, Bench, shown

PLANT = {
    "a .git with hooks": """
os.makedirs(".git/hooks"); os.makedirs(".git/objects"); os.makedirs(".git/refs")
open(".git/HEAD", "w").write("ref: refs/heads/main\\n")
for hook in ("post-checkout", "pre-commit", "post-index-change", "reference-transaction"):
    open(".git/hooks/" + hook, "w").write(SCRIPT); os.chmod(".git/hooks/" + hook, 0o755)
""",
    "a .git with a config": """
os.makedirs(".git/objects"); os.makedirs(".git/refs")
open(".git/HEAD", "w").write("ref: refs/heads/main\\n")
open(".git/config", "w").write("[core]\\nfsmonitor = " + RUN + "\\n[filter \\"x\\"]\\nsmudge = " + RUN + "\\n")
""",
    "a .git file that leads away": """
open(".git", "w").write("gitdir: /tmp/elsewhere\\n")
""",
    "attributes": """
open(".gitattributes", "w").write("* filter=x diff=x\\n")
open(".gitmodules", "w").write("[submodule \\"x\\"]\\npath = x\\nurl = ext::" + RUN + "\\n")
""",
    "a look-alike of a bare repository": """
os.makedirs("objects"); os.makedirs("refs"); os.makedirs("hooks")
open("HEAD", "w").write("ref: refs/heads/main\\n")
open("config", "w").write("[core]\\nbare = true\\nfsmonitor = " + RUN + "\\n")
""",
    "a report that is a link": """
os.path.lexists("/out/results.xml") and os.unlink("/out/results.xml")
os.symlink("/etc/passwd", "/out/results.xml")
""",
    "a report that is a pipe": """
os.mkfifo("/out/results.xml") if not os.path.lexists("/out/results.xml") else None
""",
    "links out of the export": """
os.symlink("/", "root"); os.symlink("../../../..", "up"); os.symlink("/etc/passwd", "passwd")
""",
    "programs of common names": """
for name in ("git", "python3", "bwrap", "sh", "conftest.py", "sitecustomize.py"):
    open(name, "w").write(SCRIPT); os.chmod(name, 0o755)
""",
    "names that are hard to remove": """
os.makedirs("closed/inner"); open("closed/inner/x", "w").close(); os.chmod("closed", 0)
for number in range(200):
    os.mkdir("deep"); os.chdir("deep")
""",
}


TOGETHER = (
    ("a .git with hooks", "attributes", "links out of the export", "programs of common names"),
    ("a .git with a config", "a look-alike of a bare repository", "a report that is a pipe"),
    ("a .git file that leads away", "a report that is a link", "names that are hard to remove"),
)


def test_everything_is_planted() -> None:
    assert sorted(name for names in TOGETHER for name in names) == sorted(PLANT)


@pytest.mark.needs("bwrap")
@pytest.mark.parametrize("names", TOGETHER)
def test_what_a_test_plants_is_never_run_and_changes_nothing(
    bench: Bench, tmp_path: Path, names: tuple[str, ...]
) -> None:
    plant = "".join(PLANT[name] for name in names)
    marker = tmp_path / "ran-on-the-host"
    head = f"import os\nRUN = 'touch {marker}'\nSCRIPT = '#!/bin/sh\\ntouch {marker}\\n'\n"
    test = (
        TEST + "\n    def test_plants(self):\n" + "".join(f"        {line}\n" for line in (head + plant).splitlines())
    )
    job = bench.job({"app.py": APP_BAD, "test_app.py": test}, {"app.py": APP_GOOD}, worktree=bench.repo)
    before = fingerprint(bench.repo)
    check = Checker().check(job)
    assert shown(check) == ("red to green", ["failed", "failed", "passed"], ("test_app.TestApp.test_adds",), ())
    assert not marker.exists()
    assert list(bench.runs.iterdir()) == []
    assert fingerprint(bench.repo) == before
    assert git(bench.repo, "status", "--porcelain") == ""


WRITES = (
    'os.truncate(os.open("results.xml", os.O_RDWR | os.O_CREAT), 90 << 20)',
    'os.symlink("/etc/hostname", "results.xml")',
    'os.mkfifo("results.xml")',
    'os.mkdir("results.xml")',
    'os.symlink("results.xml", "results.xml")',
    "pass",
)


@pytest.mark.parametrize("write", WRITES)
def test_a_report_that_is_none_is_not_read(tmp_path: Path, write: str) -> None:
    subprocess.run([sys.executable, "-c", f"import os\n{write}"], cwd=tmp_path, check=True)
    reports, _ = read_reports(instrument(("pytest",)), tmp_path, tmp_path, 0)
    judged = judge("fix", Raw(SandboxRun("exited", 0), "junit", reports))
    assert judged.cases == {}
    assert judged.suite.outcome == "could not start"


def test_reports_of_a_build_are_those_that_the_run_wrote(tmp_path: Path) -> None:
    """Not what the tree held before, not what a link leads to, and not what is no report."""
    reports = tmp_path / "module" / "target" / "surefire-reports"
    reports.mkdir(parents=True)
    (reports / "TEST-old.xml").write_text("<t><testcase name='old'/></t>")
    os.utime(reports / "TEST-old.xml", ns=(1, 1))
    (reports / "TEST-new.xml").write_text("<t><testcase name='new'/></t>")
    (reports / "TEST-link.xml").symlink_to("/etc/hostname")
    (reports / "notes.txt").write_text("<t><testcase name='text'/></t>")
    (tmp_path / "elsewhere.xml").write_text("<t><testcase name='elsewhere'/></t>")
    (tmp_path / "loop").symlink_to(tmp_path)
    found, note = read_reports(instrument(("mvn", "test")), tmp_path, tmp_path, 2)
    assert (found, note) == ([b"<t><testcase name='new'/></t>"], "")


@pytest.mark.needs("bwrap")
def test_a_suite_that_forges_its_report_is_believed_no_further_than_its_bytes(bench: Bench) -> None:
    """The suite writes the report itself and ends before its runner could: a bomb, which is refused."""
    bomb = '<!DOCTYPE x [<!ENTITY a "b">]><t><testcase name="forged"/></t>'
    conftest = f"import os\nopen('/out/results.xml', 'w').write({bomb!r})\nos._exit(0)\n"
    files: dict[str, str | bytes | None] = {"conftest.py": conftest, "test_a.py": "def test_x(): pass\n"}
    check = Checker().check(bench.job({"app.py": APP_BAD, **files}, {"app.py": APP_GOOD}))
    assert shown(check) == ("untested", ["could not start"] * 3, (), ())
    assert all(run.cases == () and "declares a document type" in run.reason for run in check.runs[::2])
