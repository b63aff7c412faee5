"""Finds how tests are run by the files that a project has, nearest to what changed first."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from subagents.codefix.detect_kinds import TOP, NoTests, Project, TestCommand, instrument
from subagents.codefix.sandbox_toolchains import Place, Toolchains

_LANGUAGES = {
    "python": (".py", ".pyi", ".toml", ".cfg", ".ini"),
    "go": (".go",),
    "cargo": (".rs",),
    "node": (".js", ".ts", ".mjs", ".cjs", ".jsx", ".tsx", ".json"),
    "maven": (".java", ".kt", ".scala", ".xml"),
    "gradle": (".java", ".kt", ".scala", ".groovy", ".kts"),
    "make": (".c", ".h", ".cc", ".cpp", ".hpp"),
}
_PYTHON_FILES = (
    *("pyproject.toml", "pytest.ini", ".pytest.ini", "setup.cfg", "tox.ini", "setup.py", "noxfile.py", "conftest.py"),
    *("Pipfile", "requirements.txt", "requirements-dev.txt", "requirements-test.txt", "dev-requirements.txt"),
    *("test-requirements.txt", "requirements_dev.txt", "requirements/dev.txt", "requirements/test.txt"),
)
_MARKS: Mapping[str, tuple[str, ...]] = {
    "python": ("pyproject.toml", "setup.py", "setup.cfg", "pytest.ini", "tox.ini", "noxfile.py", "requirements.txt"),
    "go": ("go.mod",),
    "cargo": ("Cargo.toml",),
    "node": ("package.json",),
    "maven": ("pom.xml",),
    "gradle": ("settings.gradle", "settings.gradle.kts", "build.gradle", "build.gradle.kts"),
    "make": ("GNUmakefile", "makefile", "Makefile"),
}
_PYTHON_TEST = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test|tests)\.py\Z")
_NODE_TEST = re.compile(r"(?:\.test|\.spec|-test|_test)\.[cm]?[jt]sx?\Z|(?:^|/)tests?/[^/]*\.[cm]?js\Z")


def by_files(project: Project, tools: Toolchains) -> TestCommand:
    """Return how the tests are run, by the files there are; raises NoTests with the reason."""
    missing: list[str] = []
    for folder in _folders(project):
        for kind in _kinds(project, folder):
            try:
                found = _FINDERS[kind](project, folder, tools)
            except NoTests as error:
                missing.append(str(error))
                continue
            if found is not None:
                return replace(found, folder=folder)
    if missing:
        raise NoTests("; ".join(dict.fromkeys(missing)))
    raise NoTests(
        "no tests that are known by their files (pytest, unittest, tox, nox, go, cargo, npm, make, Maven, Gradle): "
        "name the command in warroom.toml, [services.NAME.tests]"
    )


def _folders(project: Project) -> list[str]:
    """Return where to look: the folders of what changed and those above them, nearest first, then the top."""
    found: list[str] = []
    for path in project.changed[:200]:
        found += ["" if str(parent) == "." else str(parent) for parent in PurePosixPath(path).parents]
    return sorted(dict.fromkeys([*found, ""]), key=lambda folder: -len(PurePosixPath(folder).parts))


def _kinds(project: Project, folder: str) -> list[str]:
    suffixes = {PurePosixPath(path).suffix for path in project.changed}
    there = [kind for kind, names in _MARKS.items() if any(project.has(folder, name) for name in names)]
    if folder == "" and "python" not in there and any(map(_PYTHON_TEST.search, project.paths)):
        there.append("python")
    return sorted(there, key=lambda kind: not suffixes.intersection(_LANGUAGES[kind]))


def _python(project: Project, folder: str, tools: Toolchains) -> TestCommand | None:
    below = project.below(folder)
    tests = sorted(path for path in below if _PYTHON_TEST.search(path))
    sign = _pytest_sign(project, folder, below, tests)
    if sign and (tests or "ini" in sign):
        return _pytest(project, folder, tools, sign)
    if tests:
        return _unittest(project, folder, tools, tests)
    if "[testenv" in project.text(folder, "tox.ini"):
        return _runner(tools, ("tox", "run", "--skip-pkg-install", "--no-provision"), "tox (tox.ini)")
    if project.has(folder, "noxfile.py"):
        return _runner(tools, ("nox", "--no-install", "--reuse-existing-virtualenvs"), "nox (noxfile.py)")
    return None


def _runner(tools: Toolchains, argv: tuple[str, ...], found: str) -> TestCommand:
    place = tools.find(argv[0])
    if place is None:
        raise NoTests(f"{argv[0]} is not installed here")
    note = "it makes environments of its own, which need packages from the network: there is none in the sandbox"
    return TestCommand(
        (place.program, *argv[1:]), found, "tap", ro_paths=place.ro_paths, typed=argv, warnings=(f"{found}: {note}",)
    )


def _pytest_sign(project: Project, folder: str, below: Sequence[str], tests: Sequence[str]) -> str:
    """Return the file that says that pytest is used here; nothing where none does."""
    for name in _PYTHON_FILES:
        if project.has(folder, name) and (
            name.endswith(("pytest.ini", "conftest.py")) or "pytest" in project.text(folder, name)
        ):
            return name
    conftest = next((path for path in below if path.endswith("/conftest.py")), "")
    if conftest:
        return conftest
    for path in tests[:20]:
        text = project.text(folder, path)
        if re.search(r"^\s*(?:import|from) pytest\b", text, re.MULTILINE):
            return path
        if "unittest" not in text and re.search(r"^(?:async )?def test_", text, re.MULTILINE):
            return path
    return ""


def _sources(project: Project, folder: str) -> dict[str, str]:
    """Return where the project's own packages are, so that the export is tested and not an installed copy."""
    below = project.below(folder)
    if any(re.match(r"src/(?:[^/]+/__init__|[^/]+)\.py\Z", path) for path in below):
        return {"PYTHONPATH": f"{_join_at(folder)}/src"}
    return {}


def _join_at(folder: str) -> str:
    return f"{TOP}/{folder}".rstrip("/")


def _pytest(project: Project, folder: str, tools: Toolchains, sign: str) -> TestCommand:
    place = tools.python(project.worktree, folder, "pytest")
    if place is None:
        raise NoTests(
            f"pytest ({sign}) is installed neither in .venv of the work tree nor for the system: make an environment "
            "there, or name one in warroom.toml, [services.NAME.tests] ro_paths"
        )
    # Options of plugins that only the project's environment has; plugins that only warroom's has.
    extra = () if place.own else ("-o", "addopts=")
    borrowed = {} if place.own else {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = instrument((place.program, "-m", "pytest", *extra))
    warnings = () if place.own else (_BORROWED,)
    return replace(
        command,
        found=f"pytest ({sign}), {place.note}",
        ro_paths=place.ro_paths,
        env={**place.env, **borrowed, **_sources(project, folder)},
        typed=("python3", "-m", "pytest"),
        warnings=warnings,
    )


_BORROWED = (
    "the project's own environment was not found beside its work tree, so its tests ran with warroom's Python and "
    "pytest, without the project's addopts: what needs other packages could not start"
)


def _unittest(project: Project, folder: str, tools: Toolchains, tests: Sequence[str]) -> TestCommand:
    place = tools.python(project.worktree, folder, "")
    if place is None:
        raise NoTests("Python is not installed here")
    tops = {path.partition("/")[0] for path in tests if "/" in path}
    start = next((top for top in ("tests", "test") if top in tops), "")
    options: tuple[str, ...] = ("-s", start) if start else ()
    if start and project.has(folder, f"{start}/__init__.py"):
        options += ("-t", ".")
    if not any(PurePosixPath(path).name.startswith("test") for path in tests):
        options += ("-p", "*_test.py")
    argv = ("-m", "unittest", "discover", *options)
    command = instrument((place.program, *argv))
    return replace(
        command,
        found=f"unittest ({tests[0]}), {place.note}",
        ro_paths=place.ro_paths,
        env={**place.env, **_sources(project, folder)},
        typed=("python3", *argv),
    )


def _need(tools: Toolchains, name: str, sign: str) -> Place:
    place = tools.find(name)
    if place is None:
        raise NoTests(f"{name} is not installed here, or not where a sandbox can be shown it ({sign})")
    return place


def _placed(tools: Toolchains, words: tuple[str, ...], found: str, env: Mapping[str, str] | None = None) -> TestCommand:
    place = _need(tools, words[0], found)
    command = instrument(words)
    return replace(
        command,
        argv=(place.program, *command.argv[1:]),
        found=found,
        ro_paths=place.ro_paths,
        env={**place.env, **(env or {})},
        typed=words,
    )


def _go(project: Project, folder: str, tools: Toolchains) -> TestCommand:
    cache = tools.home / "go" / "pkg" / "mod"
    vendored = any(path.startswith("vendor/") for path in project.below(folder))
    env = {"GOFLAGS": "-mod=vendor" if vendored else "-mod=mod", "GOPATH": "/tmp/go"}  # noqa: S108
    shown: tuple[str, ...] = ()
    if cache.is_dir():
        env["GOMODCACHE"], shown = str(cache), (str(cache),)
    command = _placed(tools, ("go", "test", "./..."), "go (go.mod)", env)
    return replace(command, ro_paths=(*command.ro_paths, *shown))


def _cargo(project: Project, folder: str, tools: Toolchains) -> TestCommand:
    command = _placed(tools, ("cargo", "test", "--offline", "--no-fail-fast"), "cargo (Cargo.toml)")
    return replace(command, typed=("cargo", "test"))


def _maven(project: Project, folder: str, tools: Toolchains) -> TestCommand:
    repository = tools.home / ".m2" / "repository"
    local = (f"-Dmaven.repo.local={repository}",) if repository.is_dir() else ()
    words = ("mvn", "-o", "-B", "-Dstyle.color=never", "-fae", *local, "test")
    command = _placed(tools, words, "Maven (pom.xml)")
    shown = (str(repository),) if local else ()
    return replace(command, ro_paths=(*command.ro_paths, *shown), typed=("mvn", "test"))


def _gradle(project: Project, folder: str, tools: Toolchains) -> TestCommand:
    caches = tools.home / ".gradle" / "caches"
    env = {"GRADLE_USER_HOME": "/tmp/gradle"}  # noqa: S108  inside the sandbox
    shown = (str(caches),) if caches.is_dir() else ()
    if shown:
        env["GRADLE_RO_DEP_CACHE"] = str(caches)
    sign = next(name for name in _MARKS["gradle"] if project.has(folder, name))
    words = ("gradle", "--offline", "--no-daemon", "--console=plain", "--continue", "test")
    command = _placed(tools, words, f"Gradle ({sign})", env)
    return replace(command, ro_paths=(*command.ro_paths, *shown), typed=("gradle", "test"))


def _make(project: Project, folder: str, tools: Toolchains) -> TestCommand | None:
    for name in _MARKS["make"]:
        text = project.text(folder, name)
        for target in ("test", "check", "tests"):
            if re.search(rf"^{target}\s*:(?!=)", text, re.MULTILINE):
                return _placed(tools, ("make", target), f"make {target} ({name})")
    return None


def _node(project: Project, folder: str, tools: Toolchains) -> TestCommand | None:
    try:
        package = json.loads(project.text(folder, "package.json"))
        scripts = package.get("scripts") or {}
        script = str(scripts.get("test") or "")
    except (ValueError, AttributeError, RecursionError) as error:
        raise NoTests(f"package.json cannot be read ({str(error)[:80]})") from error
    modules = project.worktree / folder / "node_modules" if project.worktree is not None else None
    there = modules is not None and modules.is_dir()
    if not script or "no test specified" in script:
        if not any(map(_NODE_TEST.search, project.below(folder))):
            return None
        command = _placed(tools, ("node", "--test"), "node --test (package.json names no test script)")
    else:
        command = _script(project, folder, tools, script)
    if there:
        binds = {_join_at(folder) + "/node_modules": str(modules)}
        return replace(command, ro_binds=binds, found=f"{command.found}, node_modules of the work tree")
    if package.get("dependencies") or package.get("devDependencies"):
        lost = "node_modules was not found in the work tree, so what the tests import from it is missing"
        return replace(command, warnings=(*command.warnings, lost))
    return command


def _script(project: Project, folder: str, tools: Toolchains, script: str) -> TestCommand:
    """Return the test script of a package, run directly where it is one plain command of a known runner."""
    manager = "npm"
    for name, lock in (("pnpm", "pnpm-lock.yaml"), ("yarn", "yarn.lock")):
        if project.has(folder, lock) and tools.find(name) is not None:
            manager = name
    found = f"{manager} test (package.json: {script[:80]})"
    try:
        words = tuple(shlex.split(script))
    except ValueError:
        words = ()
    if words and not re.search(r"[;&|<>$`*?(){}\n]", script):
        if words[0] == "node" and "--test" in words:
            return _placed(tools, words, found)
        if words[0] in ("jest", "vitest") and project.worktree is not None:
            command = instrument((words[0], *(("run",) if words == ("vitest",) else words[1:])))
            place = _need(tools, "node", found)
            runner = f"node_modules/.bin/{words[0]}"
            return replace(
                command,
                argv=(place.program, runner, *command.argv[1:]),
                found=found,
                ro_paths=place.ro_paths,
                typed=words,
            )
    return _placed(tools, (manager, "test"), found)


_FINDERS: Mapping[str, Callable[[Project, str, Toolchains], TestCommand | None]] = {
    "python": _python,
    "go": _go,
    "cargo": _cargo,
    "node": _node,
    "maven": _maven,
    "gradle": _gradle,
    "make": _make,
}
