"""Histories of any shape, written in one go: each commit by a name, its parents' names, its files and its minute."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from subagents.contract import SourceSpec
from tests.deploys.builders import NOON
from tests.gitstore.repos import ENVIRONMENT, git


@dataclass(frozen=True)
class Made:
    """A commit to be made. `minute` is relative to noon; files with None go."""

    name: str
    parents: tuple[str, ...] = ()
    files: Mapping[str, bytes | None] = field(default_factory=dict)
    minute: float = 0.0
    message: bytes = b""


def line(*names: str, path: str = "orders/{}.py", start: float = -600.0) -> list[Made]:
    """Return commits one after the other, ten minutes apart, each with a file of its own."""
    return [
        Made(name, names[max(0, at - 1) : at], {path.format(name): b"x = 1\n"}, start + 10 * at)
        for at, name in enumerate(names)
    ]


def make(repo: Path, commits: list[Made], branches: Mapping[str, str], *options: str) -> dict[str, str]:
    """Write a bare repository; `branches` maps full ref names to commits. Returns name to id; HEAD is main."""
    repo.mkdir(parents=True)
    git(repo, "init", "-q", "--bare", "-b", "main", *options)
    numbers = {each.name: number for number, each in enumerate(commits, 1)}
    feed: list[bytes] = []
    for each in commits:
        at = int(NOON.timestamp() + each.minute * 60)
        message = each.message or each.name.encode()
        feed.append(b"commit refs/heads/made-%d\nmark :%d\n" % (numbers[each.name], numbers[each.name]))
        feed.append(b"committer Ada <ada@example.org> %d +0000\ndata %d\n%s\n" % (at, len(message), message))
        for place, parent in enumerate(each.parents):
            feed.append(b"%s :%d\n" % (b"from" if place == 0 else b"merge", numbers[parent]))
        for path, content in each.files.items():
            quoted = b'"' + path.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
            if content is None:
                feed.append(b"D %s\n" % quoted)
            else:
                feed.append(b"M 100644 inline %s\ndata %d\n%s\n" % (quoted, len(content), content))
        feed.append(b"\n")
    for ref, name in branches.items():
        feed.append(b"reset %s\nfrom :%d\n\n" % (ref.encode(), numbers[name]))
    marks = repo / "marks"
    subprocess.run(
        ["git", f"--git-dir={repo}", "fast-import", "--quiet", f"--export-marks={marks}"],
        env=ENVIRONMENT, input=b"".join(feed), check=True, capture_output=True,
    )  # fmt: skip
    ids = dict(row.split(" ") for row in marks.read_text().split("\n") if row)
    gone = "".join(f"delete refs/heads/made-{number}\n" for number in numbers.values())
    git(repo, "update-ref", "--stdin", stdin=gone.encode())
    return {name: ids[f":{number}"] for name, number in numbers.items()}


def spec(repo: Path, name: str = "repo") -> SourceSpec:
    """Return the repository as a source, its private store beside it."""
    store = repo.parent / f"{repo.name}.store"
    return SourceSpec(id=name, kind="repo", path=str(repo), origin=repo.name, options={"store": str(store)})
