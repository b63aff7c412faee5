"""How tests are run is found by the files there are, said in words, and never guessed where nothing says so."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from subagents.codefix.detect import NoTests, Project, TestCommand, TestConfig, find_command, instrument
from subagents.codefix.sandbox_mounts import RefusedPath, check_ro_path, search_path
from subagents.codefix.sandbox_toolchains import Toolchains

PROGRAMS = ("python3", "node", "npm", "pnpm", "yarn", "go", "mvn", "gradle", "make", "tox", "nox")


class Machine:
    """A machine with programs of its own, and nothing of this one's."""

    def __init__(self, tmp_path: Path, programs: tuple[str, ...] = PROGRAMS) -> None:
        self.home = tmp_path / "home"
        self.top = tmp_path / "opt" / "tools"
        for name in programs:
            self.program(self.top / "bin" / name)
        self.program(self.home / ".rustup" / "toolchains" / "stable-x" / "bin" / "cargo")

    def program(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)

    @property
    def tools(self) -> Toolchains:
        return Toolchains(home=self.home, path=str(self.top / "bin"), system=(str(self.top / "bin"),))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def _find(
    machine: Machine,
    files: Mapping[str, str],
    changed: tuple[str, ...] = (),
    worktree: Path | None = None,
    config: TestConfig | None = None,
) -> TestCommand:
    project = Project(files.keys(), lambda path: files.get(path, ""), changed, worktree)
    return find_command(project, config, machine.tools)


def _names(command: TestCommand) -> tuple[str, ...]:
    return (os.path.basename(command.argv[0]), *command.argv[1:])


@pytest.mark.parametrize(
    ("files", "sign"),
    [
        ({"pyproject.toml": "[tool.pytest.ini_options]\n", "tests/test_a.py": ""}, "pyproject.toml"),
        ({"pytest.ini": "", "test_a.py": ""}, "pytest.ini"),
        ({"setup.cfg": "[tool:pytest]\n", "setup.py": "", "t/test_a.py": ""}, "setup.cfg"),
        ({"tox.ini": "[testenv]\ndeps = pytest\ncommands = pytest\n", "setup.py": "", "a_test.py": ""}, "tox.ini"),
        ({"setup.py": "", "tests/conftest.py": "", "tests/test_a.py": ""}, "tests/conftest.py"),
        ({"setup.py": "", "requirements-dev.txt": "pytest>=8\n", "tests/test_a.py": ""}, "requirements-dev.txt"),
        ({"setup.py": "", "tests/test_a.py": "import pytest\n"}, "tests/test_a.py"),
        ({"setup.py": "", "tests/test_a.py": "def test_x():\n    pass\n"}, "tests/test_a.py"),
        ({"tests/test_a.py": "def test_x():\n    pass\n"}, "tests/test_a.py"),
    ],
)
def test_pytest(machine: Machine, files: dict[str, str], sign: str) -> None:
    command = _find(machine, files)
    assert command.argv[1:3] == ("-m", "pytest")
    assert {"-p", "no:cacheprovider", "--junitxml=/out/results.xml"} <= set(command.argv)
    assert command.found.startswith(f"pytest ({sign}), ")
    assert (command.form, command.report) == ("junit", "/out/results.xml")
    assert command.typed == ("python3", "-m", "pytest")


@pytest.mark.parametrize(
    ("files", "options"),
    [
        ({"setup.py": "", "tests/__init__.py": "", "tests/test_a.py": "import unittest"}, ("-s", "tests", "-t", ".")),
        ({"setup.py": "", "tests/test_a.py": "import unittest"}, ("-s", "tests")),
        ({"setup.py": "", "pkg/tests/test_a.py": "from unittest import TestCase"}, ()),
        ({"setup.py": "", "a_test.py": "import unittest"}, ("-p", "*_test.py")),
    ],
)
def test_unittest(machine: Machine, files: dict[str, str], options: tuple[str, ...]) -> None:
    command = _find(machine, files)
    assert command.argv[1:] == ("-m", "unittest", "discover", "-v", *options)
    assert command.found.startswith("unittest (")
    assert command.form == "unittest"


@pytest.mark.parametrize(
    ("files", "argv", "found", "form"),
    [
        ({"go.mod": ""}, ("go", "test", "-json", "./..."), "go (go.mod)", "go"),
        ({"Cargo.toml": ""}, ("cargo", "test", "--offline", "--no-fail-fast"), "cargo (Cargo.toml)", "cargo"),
        ({"Makefile": "all:\n\ntest: all\n\t./t\n"}, ("make", "test"), "make test (Makefile)", "tap"),
        ({"GNUmakefile": "check:\n\t./t\n"}, ("make", "check"), "make check (GNUmakefile)", "tap"),
        (
            {"pom.xml": ""},
            ("mvn", "-o", "-B", "-Dstyle.color=never", "-fae", "test"),
            "Maven (pom.xml)",
            "reports",
        ),
        (
            {"build.gradle.kts": ""},
            ("gradle", "--offline", "--no-daemon", "--console=plain", "--continue", "test"),
            "Gradle (build.gradle.kts)",
            "reports",
        ),
        (
            {"package.json": '{"scripts":{"test":"mocha -R tap && x"}}'},
            ("npm", "test"),
            "npm test (package.json:",
            "tap",
        ),
        (
            {"package.json": '{"scripts":{"test":"a; b"}}', "pnpm-lock.yaml": ""},
            ("pnpm", "test"),
            "pnpm test (package.json:",
            "tap",
        ),
        ({"package.json": '{"scripts":{"test":"a; b"}}', "yarn.lock": ""}, ("yarn", "test"), "yarn test (", "tap"),
        (
            {"package.json": '{"scripts":{"test":"node --test t"}}'},
            ("node", "--test-reporter=tap", "--test", "t"),
            "npm test (package.json: node --test t)",
            "tap",
        ),
        (
            {"package.json": "{}", "a.test.js": ""},
            ("node", "--test-reporter=tap", "--test"),
            "node --test (package.json names no test script)",
            "tap",
        ),
        (
            {"tox.ini": "[testenv]\ncommands = x\n"},
            ("tox", "run", "--skip-pkg-install", "--no-provision"),
            "tox (",
            "tap",
        ),
        ({"noxfile.py": "import nox"}, ("nox", "--no-install", "--reuse-existing-virtualenvs"), "nox (", "tap"),
    ],
)
def test_other_kinds(machine: Machine, files: dict[str, str], argv: tuple[str, ...], found: str, form: str) -> None:
    command = _find(machine, files)
    assert _names(command) == argv
    assert command.found.startswith(found)
    assert command.form == form


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"README.md": ""},
        {"pyproject.toml": "[project]\n"},
        {"Makefile": "all:\n\t./x\ntest := 3\n"},
        {"package.json": '{"scripts":{"test":"echo \\"Error: no test specified\\" && exit 1"}}'},
    ],
)
def test_where_nothing_says_how_nothing_is_guessed(machine: Machine, files: dict[str, str]) -> None:
    with pytest.raises(NoTests, match=r"name the command in warroom\.toml"):
        _find(machine, files)


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        NoTests, match=r"go is not installed here, or not where a sandbox can be shown it \(go \(go.mod"
    ):
        _find(Machine(tmp_path, ("python3",)), {"go.mod": ""})
    with pytest.raises(NoTests, match=r"package\.json cannot be read"):
        _find(Machine(tmp_path / "x"), {"package.json": "{"})


def test_the_folder_of_what_changed_comes_first(machine: Machine) -> None:
    files = {
        "Makefile": "test:\n",
        "services/api/go.mod": "",
        "services/api/x/a.go": "",
        "services/web/package.json": '{"scripts":{"test":"a; b"}}',
        "services/web/a.ts": "",
    }
    found = {
        changed: (_find(machine, files, (changed,)).folder, _find(machine, files, (changed,)).form)
        for changed in ("services/api/x/a.go", "services/web/a.ts", "docs/x.md")
    }
    assert found == {
        "services/api/x/a.go": ("services/api", "go"),
        "services/web/a.ts": ("services/web", "tap"),
        "docs/x.md": ("", "tap"),
    }


def test_the_language_of_what_changed_decides_within_a_folder(machine: Machine) -> None:
    files = {"go.mod": "", "Cargo.toml": "", "a.go": "", "src/a.rs": ""}
    assert _find(machine, files, ("a.go",)).form == "go"
    assert _find(machine, files, ("src/a.rs",)).form == "cargo"


# -- environments ------------------------------------------------------------------------------------------------------


def _environment(machine: Machine, place: Path, *modules: str) -> None:
    machine.program(place / "bin" / "python")
    (place / "pyvenv.cfg").write_text("home = x\n")
    for module in modules:
        (place / "lib" / "python3.11" / "site-packages" / module).mkdir(parents=True)


PY = {"pyproject.toml": "pytest", "src/pkg/__init__.py": "", "tests/test_a.py": ""}


def test_the_environment_beside_the_work_tree_is_used_at_its_own_place(machine: Machine, tmp_path: Path) -> None:
    tree = tmp_path / "project"
    _environment(machine, tree / ".venv", "pytest")
    command = _find(machine, PY, worktree=tree)
    assert command.argv[0] == str(tree / ".venv" / "bin" / "python")
    assert command.ro_paths[0] == str(tree / ".venv")
    assert command.work_at == str(tree)
    assert command.env["PYTHONPATH"] == f"{tree}/src"
    assert command.env["VIRTUAL_ENV"] == str(tree / ".venv")
    assert command.found == "pytest (pyproject.toml), .venv of the work tree"
    assert command.warnings == ()


def test_an_environment_without_the_runner_is_passed_over(machine: Machine, tmp_path: Path) -> None:
    tree = tmp_path / "project"
    _environment(machine, tree / ".venv")
    _environment(machine, tree / "venv", "pytest")
    assert _find(machine, PY, worktree=tree).argv[0] == str(tree / "venv" / "bin" / "python")


def test_warroom_s_own_python_is_the_last_resort_and_said(machine: Machine) -> None:
    tools = Toolchains(home=machine.home, path="", system=())
    project = Project(PY.keys(), lambda path: PY.get(path, ""))
    command = find_command(project, None, tools)
    assert command.argv[0] == sys.executable
    assert command.argv[3:5] == ("-o", "addopts=")
    assert command.env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] == "1"
    assert "warroom's own Python and packages" in command.found
    assert "environment was not found" in command.warnings[0]
    assert command.env["PYTHONPATH"].endswith("/src")


def test_node_modules_of_the_work_tree_are_shown_in_their_place(machine: Machine, tmp_path: Path) -> None:
    tree = tmp_path / "project"
    (tree / "web" / "node_modules").mkdir(parents=True)
    files = {"web/package.json": '{"scripts":{"test":"jest"},"devDependencies":{"jest":"1"}}', "web/a.js": ""}
    command = _find(machine, files, ("web/a.js",), tree)
    assert command.ro_binds == {f"{tree}/web/node_modules": f"{tree}/web/node_modules"}
    assert command.argv[1:] == ("node_modules/.bin/jest", "--json", "--outputFile=/out/results.json")
    assert (command.form, command.folder, command.work_at) == ("jest", "web", str(tree))
    without = _find(machine, files, ("web/a.js",))
    assert without.ro_binds == {}
    assert "node_modules was not found" in without.warnings[0]


def test_every_tool_is_told_that_there_is_no_network(machine: Machine) -> None:
    env = _find(machine, {"go.mod": ""}).env
    told = {"GOPROXY": "off", "GOFLAGS": "-mod=mod", "CARGO_NET_OFFLINE": "true", "PIP_NO_INDEX": "1"}
    assert told.items() <= env.items()
    assert env["npm_config_offline"] == "true"
    assert _find(machine, {"go.mod": "", "vendor/modules.txt": ""}).env["GOFLAGS"] == "-mod=vendor"


def test_caches_are_shown_and_credentials_are_not(machine: Machine) -> None:
    for place in (".cargo/registry", ".m2/repository", "go/pkg/mod", ".gradle/caches"):
        (machine.home / place).mkdir(parents=True)
    (machine.home / ".cargo" / "credentials.toml").write_text("token")
    (machine.home / ".m2" / "settings.xml").write_text("password")
    for files, name in (
        ({"Cargo.toml": ""}, ".cargo/registry"),
        ({"pom.xml": ""}, ".m2/repository"),
        ({"go.mod": ""}, "go/pkg/mod"),
        ({"build.gradle": ""}, ".gradle/caches"),
    ):
        shown = [path for path in _find(machine, files).ro_paths if path.startswith(str(machine.home))]
        assert str(machine.home / name) in shown
        assert not any(
            (Path(path) / secret).exists() for path in shown for secret in ("credentials.toml", "settings.xml")
        )


# -- configured --------------------------------------------------------------------------------------------------------


def test_the_configured_command_wins(machine: Machine) -> None:
    config = TestConfig("shop", ("make", "unit"), env={"MODE": "test"})
    command = _find(machine, {**PY, "go.mod": ""}, config=config)
    assert _names(command) == ("make", "unit")
    assert command.found == "configured for shop"
    assert command.env["MODE"] == "test"
    assert command.typed == ("make", "unit")


def test_a_configured_pytest_says_single_results(machine: Machine, tmp_path: Path) -> None:
    _environment(machine, tmp_path / "project" / ".venv", "pytest")
    config = TestConfig("shop", ("pytest", "-x", "tests/unit"))
    command = _find(machine, {}, worktree=tmp_path / "project", config=config)
    assert command.argv[:5] == (str(tmp_path / "project/.venv/bin/python"), "-m", "pytest", "-x", "tests/unit")
    assert command.form == "junit"


def test_configured_paths_are_shown_and_their_programs_found(machine: Machine, tmp_path: Path) -> None:
    place = tmp_path / "prepared"
    machine.program(place / "bin" / "runner")
    config = TestConfig("shop", ("runner", "all"), ro_paths=(str(place),))
    command = _find(machine, {}, config=config)
    assert command.argv == ("runner", "all")
    assert command.ro_paths == (str(place),)
    assert search_path(command.ro_paths).split(":")[0] == str(place / "bin")


def test_a_configured_program_that_is_not_there_is_named(machine: Machine) -> None:
    with pytest.raises(NoTests, match=r"nowhere, which \[services.shop.tests\] names, is not installed here"):
        _find(machine, {}, config=TestConfig("shop", ("nowhere",)))


@pytest.mark.parametrize(
    "path", ["/", "/etc", "/proc/1", "/home", "/var/run", "/dev/shm", "relative", "/nonexistent/x", "~"]
)
def test_paths_that_hold_too_much_are_refused(machine: Machine, path: str) -> None:
    given = os.path.expanduser(path)
    with pytest.raises(RefusedPath):
        check_ro_path(given)
    with pytest.raises(NoTests, match=r"\[services.shop.tests\] ro_paths"):
        _find(machine, {}, config=TestConfig("shop", ("make",), ro_paths=(given,)))


def test_secrets_the_state_directory_and_links_to_them_are_refused(tmp_path: Path) -> None:
    keys = tmp_path / ".ssh"
    keys.mkdir()
    link = tmp_path / "link"
    link.symlink_to("/etc")
    state = tmp_path / "state"
    state.mkdir()
    for path in (keys, link):
        with pytest.raises(RefusedPath, match="more than they need"):
            check_ro_path(str(path))
    for path in (state, tmp_path):
        with pytest.raises(RefusedPath, match="more than they need"):
            check_ro_path(str(path), str(state))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RefusedPath, match="neither a directory nor a file"):
        check_ro_path(str(tmp_path / "pipe"))


@pytest.mark.parametrize(
    ("given", "argv", "form"),
    [
        (("python3", "-m", "unittest", "tests.x"), ("python3", "-m", "unittest", "-v", "tests.x"), "unittest"),
        (("python", "-m", "unittest", "-v"), ("python", "-m", "unittest", "-v"), "unittest"),
        (("go", "test", "./x"), ("go", "test", "-json", "./x"), "go"),
        (("node", "--test-reporter=spec", "--test"), ("node", "--test-reporter=spec", "--test"), "tap"),
        (("./run-tests", "all"), ("./run-tests", "all"), "tap"),
    ],
)
def test_commands_are_made_to_say_more(given: tuple[str, ...], argv: tuple[str, ...], form: str) -> None:
    command = instrument(given)
    assert (command.argv, command.form, command.typed) == (argv, form, given)
