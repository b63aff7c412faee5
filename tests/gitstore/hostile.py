"""A repository whose every hook, setting and attribute runs something: each vector leaves a marker file of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.gitstore.repos import commit, git, init

HOOKS = (
    "applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg",
    "commit-msg", "post-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push", "pre-receive", "update",
    "post-receive", "post-update", "reference-transaction", "push-to-checkout", "pre-auto-gc", "post-rewrite",
    "sendemail-validate", "fsmonitor-watchman", "post-index-change",
)  # fmt: skip
SETTINGS = (
    "core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "core.gitProxy",
    "core.alternateRefsCommand", "diff.external", "diff.evil.textconv", "diff.evil.command", "filter.evil.clean",
    "filter.evil.smudge", "filter.evil.process", "merge.evil.driver", "interactive.diffFilter", "pager.log",
    "pager.diff", "pager.blame", "pager.show", "gpg.program", "gpg.ssh.program", "gpg.x509.program",
    "credential.helper",
    "sequence.editor", "uploadpack.packObjectsHook", "remote.origin.uploadpack", "remote.origin.receivepack",
    "remote.origin.vcs", "trailer.evil.command", "difftool.evil.cmd", "mergetool.evil.cmd", "browser.evil.cmd",
    "man.evil.cmd", "submodule.evil.update", "tar.evil.command", "guitool.evil.cmd", "sendemail.toCmd", "help.browser",
)  # fmt: skip
ALIASES = (
    "log",
    "cat-file",
    "diff-tree",
    "rev-parse",
    "ls-tree",
    "blame",
    "grep",
    "merge-tree",
    "for-each-ref",
    "commit-tree",
)


@dataclass
class Hostile:
    path: Path
    markers: Path
    head: str
    signed: str
    vectors: int

    def fired(self) -> set[str]:
        return {marker.name for marker in self.markers.iterdir()}


def make(place: Path) -> Hostile:
    """Build the repository first, then arm it, so that making it fires nothing."""
    markers = place / "markers"
    markers.mkdir(parents=True)
    tools = place / "tools"
    tools.mkdir()
    repo = init(place / "hostile")
    commit(repo, {"app.py": "a\nb\n", "x.evil": "1\n", "y.evil": "1\n"}, "first", 1_700_000_000)
    attributes = "*.evil diff=evil filter=evil merge=evil\n* diff=evil\n"
    commit(repo, {".gitattributes": attributes, "x.evil": "2\n"}, "second", 1_700_000_100)
    (repo / ".git" / "info").mkdir(exist_ok=True)
    (repo / ".git" / "info" / "attributes").write_text(attributes)
    tree = git(repo, "rev-parse", "HEAD^{tree}")
    parent = git(repo, "rev-parse", "HEAD")
    raw = (
        f"tree {tree}\nparent {parent}\nauthor E <e@e> 1700000200 +0000\ncommitter E <e@e> 1700000200 +0000\n"
        "gpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----\n\nsigned\n"
    )
    signed = git(repo, "hash-object", "-t", "commit", "-w", "--stdin", stdin=raw.encode())
    git(repo, "update-ref", "refs/heads/main", signed)
    git(repo, "update-ref", f"refs/replace/{parent}", git(repo, "rev-parse", f"{parent}^"))
    _arm(repo, markers, tools)
    return Hostile(repo, markers, signed, signed, len(HOOKS) + len(SETTINGS) + len(ALIASES) + 6)


def script(tools: Path, markers: Path, name: str) -> Path:
    """Write a program that leaves a marker and fails."""
    path = tools / name.replace("/", "_")
    path.write_text(f"#!/bin/sh\n: > '{markers}/{path.name}'\nexit 1\n")
    path.chmod(0o755)
    return path


def _arm(repo: Path, markers: Path, tools: Path) -> None:
    hooks = repo / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in HOOKS:
        script(hooks, markers, name)
    lines = ["[core]", f"\thooksPath = {hooks}", f"\tattributesFile = {repo}/.git/info/attributes"]
    for name in SETTINGS:
        section, _, key = name.rpartition(".")
        head, _, sub = section.partition(".")
        heading = f'[{head} "{sub}"]' if sub else f"[{head}]"
        lines += [heading, f"\t{key} = {script(tools, markers, name)}"]
    for name in ALIASES:
        lines += ["[alias]", f"\t{name} = !{script(tools, markers, 'alias.' + name)}"]
    included = repo / ".git" / "more"
    included.write_text(f"[core]\n\tfsmonitor = {script(tools, markers, 'include.fsmonitor')}\n")
    lines += ["[include]", f"\tpath = {included}", '[includeIf "gitdir:/**"]', f"\tpath = {included}"]
    lines += [
        "[log]",
        "\tshowSignature = true",
        "[protocol]",
        "\tallow = always",
        '[protocol "ext"]',
        "\tallow = always",
    ]
    lines += ['[remote "origin"]', f"\turl = ext::{script(tools, markers, 'remote.ext')} %S", "\tpromisor = true"]
    lines += ["[extensions]", "\tpartialClone = origin", '[filter "evil"]', "\trequired = true"]
    lines += [f'[url "ext::{script(tools, markers, "insteadOf")} "]', "\tinsteadOf = https://"]
    with (repo / ".git" / "config").open("a") as config:
        config.write("\n".join(lines) + "\n")
    text = (repo / ".git" / "config").read_text().replace("repositoryformatversion = 0", "repositoryformatversion = 1")
    (repo / ".git" / "config").write_text(text)
    (repo / "x.evil").write_text("3\n")


def environment(place: Path, markers: Path) -> dict[str, str]:
    """Return inherited variables that make any careless git run something or write somewhere."""
    tools = place / "env"
    tools.mkdir()
    names = (
        "GIT_EXTERNAL_DIFF",
        "GIT_PAGER",
        "PAGER",
        "GIT_EDITOR",
        "GIT_SSH_COMMAND",
        "GIT_SSH",
        "GIT_ASKPASS",
        "SSH_ASKPASS",
    )
    found = {name: str(script(tools, markers, "env." + name)) for name in names}
    script(tools, markers, "git")
    return found | {
        "PATH": f"{tools}:/usr/bin:/bin",
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": str(script(tools, markers, "env.fsmonitor")),
        "GIT_CONFIG_KEY_1": "diff.external",
        "GIT_CONFIG_VALUE_1": str(script(tools, markers, "env.diff")),
        "GIT_CONFIG_PARAMETERS": f"'core.pager={script(tools, markers, 'env.parameters')}'",
        "GIT_TRACE": str(markers / "env.GIT_TRACE"),
        "GIT_TRACE2": str(markers / "env.GIT_TRACE2"),
        "GIT_EXEC_PATH": str(tools),
        "GIT_TEMPLATE_DIR": str(tools),
        "GIT_DIR": "/nonexistent",
        "GIT_WORK_TREE": "/nonexistent",
        "GIT_INDEX_FILE": str(markers / "env.GIT_INDEX_FILE"),
        "GIT_OBJECT_DIRECTORY": "/nonexistent",
        "GIT_NAMESPACE": "x",
    }
