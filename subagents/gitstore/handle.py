"""GitPython behind one wrapper: it opens our own store only, and every process it starts is a closed one."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from subagents.gitstore.environment import WORKING_DIRECTORY, closed_environment, git_program
from subagents.gitstore.process import Bounds, GitFailed, first_line, run

if TYPE_CHECKING:
    import git

_HIDING = threading.Lock()


@contextmanager
def _nothing_inherited() -> Iterator[None]:
    """Hide GIT_* from GitPython, which reads them as it is imported and as it opens a directory."""
    with _HIDING:
        held = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("GIT_")}
        try:
            os.environ["GIT_PYTHON_REFRESH"] = "quiet"  # its import must not fail where git is absent
            os.environ["GIT_PYTHON_GIT_EXECUTABLE"] = git_program() or "git"
            yield
        finally:
            for name in ("GIT_PYTHON_REFRESH", "GIT_PYTHON_GIT_EXECUTABLE"):
                os.environ.pop(name, None)
            os.environ.update(held)


def _closed_class() -> type[git.Git]:
    import git

    class ClosedGit(git.Git):
        """Runs git in the closed environment, at `/`, with a deadline; the inherited environment is not seen."""

        def execute(self, command: Any, istream: Any = None, **options: Any) -> Any:  # type: ignore[override]  # narrowed on purpose
            git_dir = str(self._environment["GIT_DIR"])
            arguments = [f"--git-dir={git_dir}", *(str(part) for part in command[1:])]
            if options.get("as_process"):
                program = git_program()
                if program is None:
                    raise GitFailed("git is not installed")
                process = subprocess.Popen(  # noqa: S603  arguments are ours
                    [program, *arguments],
                    stdin=istream,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=closed_environment(),
                    cwd=WORKING_DIRECTORY,
                )
                return self.AutoInterrupt(process, command)
            given = istream.read() if istream is not None and hasattr(istream, "read") else b""
            output = run(arguments, given, Bounds(timeout_s=options.get("kill_after_timeout") or 60.0))
            if output.status != 0 and options.get("with_exceptions", True):
                raise git.GitCommandError(list(command), output.status, first_line(output.stderr).encode())
            data: bytes | str = output.stdout
            if options.get("stdout_as_string", True):
                data = output.stdout.decode("utf-8", "surrogateescape")
                data = data.removesuffix("\n") if options.get("strip_newline_in_stdout", True) else data
            return (output.status, data, output.stderr) if options.get("with_extended_output") else data

    return ClosedGit


def open_handle(git_dir: Path) -> git.Repo:
    """Open our own store with GitPython; raises ValueError for any directory that is not one of ours."""
    if not (git_dir / "warroom-store").is_file():
        raise ValueError(f"{git_dir} is not a store of ours")
    with _nothing_inherited():
        closed = _closed_class()
        import git

        class StoreRepo(git.Repo):
            """A bare repository of ours."""

            GitCommandWrapperType = closed

        repo = StoreRepo(str(git_dir), expand_vars=False)
    repo.git.update_environment(GIT_DIR=str(git_dir))
    return repo
