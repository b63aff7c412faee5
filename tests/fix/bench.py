"""A user's repository, warroom's store with one draft in it, and a journal: made with plain plumbing, by hand."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from orchestrator.hands.approvals import Approvals
from orchestrator.hands.fix_terms import FixTerms, digest_of_diff, terms_of
from orchestrator.hands.steps import Steps
from orchestrator.journal.events import Event, FixDrafted
from orchestrator.journal.store import Journal
from orchestrator.session.patient import PatientLog
from subagents.codefix.fixes import Draft
from subagents.gitstore.environment import closed_environment
from tests.fakes import FakeClock

WHO = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "@1760000000 +0000",
    "GIT_COMMITTER_DATE": "@1760000000 +0000",
    "GIT_ALLOW_PROTOCOL": "file",
}
BRANCH = "triage/inc-7-put-the-limit-back"


def git(place: Path, *arguments: str, stdin: str | None = None, **env: str) -> str:
    """Run git in a folder, as a person would, but with no configuration of this machine."""
    ran = subprocess.run(
        ["git", *arguments],
        cwd=place,
        env={**closed_environment(), **WHO, **env},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, f"git {' '.join(arguments)}: {ran.stderr}"
    return ran.stdout.strip()


def write_repo(repo: Path, object_format: str = "sha1") -> str:
    """Make a small repository with local changes, a stash and a tag; return its tip."""
    repo.mkdir(parents=True)
    git(repo, "init", "-q", "-b", "main", f"--object-format={object_format}", "--template=")
    (repo / "app").mkdir()
    (repo / "app" / "limits.py").write_text("LIMIT = 64\n")
    (repo / "README").write_text("limits\n")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "begin")
    (repo / "app" / "limits.py").write_text("LIMIT = 2\n")
    git(repo, "commit", "-qam", "trim the limit")
    git(repo, "tag", "v1")
    (repo / "README").write_text("limits, stashed\n")
    git(repo, "stash", "-q")
    (repo / "README").write_text("limits, staged\n")
    git(repo, "add", "README")
    (repo / "README").write_text("limits, not staged\n")
    (repo / "scratch.txt").write_text("untracked\n")
    return git(repo, "rev-parse", "HEAD")


def render(store: Path, base: str, commit: str) -> str:
    """The diff of a draft, as these tests show it."""
    ran = subprocess.run(
        ["git", f"--git-dir={store}", "diff-tree", "-p", "--no-renames", base, commit],
        env=closed_environment(),
        capture_output=True,
        check=False,
        timeout=60,
    )
    if ran.returncode != 0:
        raise ValueError(ran.stderr.decode().strip())
    return ran.stdout.decode("utf-8", "surrogateescape")


def write_store(store: Path, repo: Path, base: str, object_format: str = "sha1") -> None:
    """Make a private store that holds the base by itself, cut off from its history."""
    store.parent.mkdir(parents=True, exist_ok=True)
    git(repo, "init", "-q", "--bare", "--template=", f"--object-format={object_format}", str(store))
    (store / "warroom-store").write_text("drafts\n")
    packed = subprocess.run(
        ["git", "pack-objects", "-q", "--revs", str(store / "objects" / "pack" / "pack")],
        cwd=repo,
        env=closed_environment(),
        input=f"--shallow {base}\n{base}\n".encode(),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert packed.returncode == 0, packed.stderr
    (store / "shallow").write_text(f"{base}\n")
    git(store, "update-ref", f"refs/warroom/base/{base}", base)


def write_draft(store: Path, base: str, text: str = "LIMIT = 64\n", branch: str = BRANCH) -> Draft:
    """Draft a commit that changes the limit; return what is known of it."""
    index = {"GIT_INDEX_FILE": str(store / "index.test")}
    git(store, "read-tree", base, GIT_DIR=str(store), **index)
    blob = git(store, "hash-object", "-w", "--stdin", stdin=text, GIT_DIR=str(store))
    git(store, "update-index", "--cacheinfo", f"100644,{blob},app/limits.py", GIT_DIR=str(store), **index)
    tree = git(store, "write-tree", GIT_DIR=str(store), **index)
    (store / "index.test").unlink()
    message = f"Put the limit back\n\n{text}"
    commit = git(store, "commit-tree", tree, "-p", base, "-m", message, GIT_DIR=str(store))
    git(store, "update-ref", f"refs/heads/{branch}", commit, GIT_DIR=str(store))
    diff = render(store, base, commit)
    return Draft(
        id=f"d-{commit[:10]}",
        kind="edit",
        source="repo",
        store=str(store),
        commit=commit,
        tree=tree,
        base=base,
        base_is="tip of main",
        branch=branch,
        title="Put the limit back",
        message=message,
        diff=diff,
        diff_digest=digest_of_diff(diff),
    )


Snapshot = dict[str, tuple[object, ...]]


def snapshot(*roots: Path) -> Snapshot:
    """Return every path below the roots: kind, mode, inode, content, and the time of change of every file."""
    found: Snapshot = {}
    for root in roots:
        for place, folders, files in os.walk(root):
            for name in [*folders, *files]:
                path = Path(place) / name
                seen = path.lstat()
                kind = stat.S_IFMT(seen.st_mode)
                content: object = ""
                if stat.S_ISLNK(seen.st_mode):
                    content = os.readlink(path)
                elif stat.S_ISREG(seen.st_mode):
                    content = (path.read_bytes(), seen.st_mtime_ns)
                found[str(path)] = (kind, stat.S_IMODE(seen.st_mode), seen.st_ino, content)
    return found


def changed(before: Snapshot, after: Snapshot) -> set[str]:
    """Return the paths that appeared, went or changed."""
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def added(before: Snapshot, after: Snapshot) -> set[str]:
    """Return the files that appeared; fail where anything else is different."""
    different = changed(before, after)
    assert different <= after.keys() - before.keys(), sorted(different & before.keys())
    return {path for path in different if after[path][0] != stat.S_IFDIR}


@dataclass
class Bench:
    """One repository, one store, one draft, one journal."""

    repo: Path
    store: Path
    base: str
    draft: Draft
    journal: Journal
    steps: Steps
    approvals: Approvals
    clock: FakeClock

    @property
    def git_dir(self) -> Path:
        return self.repo / ".git" if (self.repo / ".git").is_dir() else self.repo

    async def drafted(self) -> None:
        body = FixDrafted(id=self.draft.id, detail=self.draft.model_dump(mode="json"))
        await self.steps.write(body, "codefix", f"drafted:{self.draft.id}")

    async def asked(self, name: str = "fix:1", terms: FixTerms | None = None) -> FixTerms:
        terms = terms or terms_of(self.draft, str(self.repo))
        await self.approvals.request("codefix", "fix", name, terms.model_dump(mode="json"))
        return terms

    async def approved(self, name: str = "fix:1", terms: FixTerms | None = None) -> FixTerms:
        """Ask for approval of the draft and give it."""
        terms = await self.asked(name, terms)
        request = next(one for one in self.approvals.pending() if one.id == name)
        await self.approvals.decide(name, "approve", request.digest, "person")
        return terms

    def ref(self, name: str = BRANCH) -> str:
        return git(self.repo, "for-each-ref", "--format=%(objectname)", f"refs/heads/{name}")


async def make_bench(place: Path, repo: Path | None = None, template: Path | None = None) -> Bench:
    """Make everything below `place`: for a repository that is there, or with a copy of the template's."""
    session = place / "session"
    store = session / "fix.git" / "drafts.git"
    if repo is None and template is not None:
        repo = copied(template / "user", place / "user")
        copied(template / "session", session)
        draft = Draft.model_validate_json((session / "draft.json").read_text())
        return await bench_of(session, repo, draft.model_copy(update={"store": str(store)}))
    if repo is None:
        repo = place / "user"
        write_repo(repo)
    object_format = git(repo, "rev-parse", "--show-object-format")
    base = git(repo, "rev-parse", "HEAD")
    write_store(store, repo, base, object_format)
    return await bench_of(session, repo, write_draft(store, base))


def write_template(place: Path) -> Path:
    """Make a repository, a store and a draft, to be copied."""
    write_repo(place / "user")
    base = git(place / "user", "rev-parse", "HEAD")
    store = place / "session" / "fix.git" / "drafts.git"
    write_store(store, place / "user", base)
    (place / "session" / "draft.json").write_text(write_draft(store, base).model_dump_json())
    return place


async def bench_of(session: Path, repo: Path, draft: Draft) -> Bench:
    """Start a journal beside a draft that is there."""
    clock = FakeClock()
    journal = Journal.create(session, clock)

    def learn(event: Event) -> None:
        approvals.learn(event)

    steps = Steps(PatientLog(journal, clock, learn))
    approvals = Approvals(steps, attended=True)
    return Bench(repo, Path(draft.store), draft.base, draft, journal, steps, approvals, clock)


def copied(template: Path, place: Path) -> Path:
    """Copy a folder, links and times and all."""
    shutil.copytree(template, place, symlinks=True)
    return place


def assert_only_ref(before: Snapshot, bench: Bench, common: Path, log: bool = True) -> None:
    """Check that what appeared is the ref, its log where one is kept, and objects that the commit reaches."""
    new = added(before, snapshot(bench.repo, common))
    ref, logged = str(common / "refs" / "heads" / BRANCH), str(common / "logs" / "refs" / "heads" / BRANCH)
    assert ref in new
    assert (logged in new) is log
    objects = {path for path in new - {ref, logged}}
    reached = set(git(common, "rev-list", "--objects", "--no-object-names", bench.draft.commit).split())
    for path in objects:
        assert Path(path).parent.parent == common / "objects"
        assert Path(path).parent.name + Path(path).name in reached
