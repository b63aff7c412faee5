"""Faults of a file: by line, with what to do, all of them at once."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config import ConfigError, check, settings_schema
from orchestrator.config.read import read_file
from tests.config.files import Place, said

FULL = """\
runbooks = ["runbooks"]
[services.search]
repo = "."
paths = ["services/search"]
rollback = "kubectl rollout undo deploy/{service} --to-revision={previous}"
depends_on = ["cache"]
[services.search.tests]
command = ["python", "-m", "pytest"]
ro_paths = ["/opt/venv"]
env = {A = "1"}
[[sources]]
kind = "logs"
path = "app.log"
service = "search"
[[policies]]
agent = "codefix"
tool = "codefix_*"
arguments = {path = "secrets/.*"}
decision = "deny"
[budgets]
seconds = 600
usd = 2.5
[engine]
choice = "messages"
model = "m"
base_url = "https://llm.example/v1"
key_env = "LLM_KEY"
header_env = {"X-Org" = "ORG"}
"""


def test_a_full_file_is_read(place: Place) -> None:
    place.write(place.own, FULL)
    settings = place.load().settings
    folder = place.own.parent
    assert settings.services["search"].repo == str(folder)
    assert settings.sources[0].path == str(folder / "app.log")
    assert settings.runbooks == (str(folder / "runbooks"),)
    assert settings.policies[0].origin == f"{place.own}:15"
    assert settings.engine.header_env == {"X-Org": "ORG"}


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("[services.a]\nrepo = \n", 2, "not TOML: invalid value"),
        ("a = 1\na = 2\n", 2, "not TOML: cannot overwrite a value"),
        ('x = """\nopen\n', 3, "not TOML"),
        ("[services.a]\nrollback = 'undo {serivce}'\n", 2, "names {serivce}; it may hold {service}, {version}"),
        ("[services.a]\nrollback = 'undo {service.__class__}'\n", 2, "names {service.__class__}"),
        ("[services.a]\nrollback = 'undo {service!r}'\n", 2, "names {service}"),
        ("[services.a]\nrollback = 'undo {'\n", 2, "has a stray brace"),
        ("[services.a]\nrollback = 'undo {}'\n", 2, "names {}"),
        ('[services.a]\nrollback = "a\\nb"\n', 2, "one line without control"),
        ("[services.a]\n\npaths = ['ok', '../up']\n", 3, "without `..`"),
        ("[services.a.tests]\ncommand = []\n", 2, "at least 1 item"),
        ("[[sources]]\npath = 'x'\n", 1, "`sources.1.kind` is missing"),
        ("[[sources]]\npath = 'x'\nkind = 'log'\n", 3, "`sources.1.kind`: must be"),
        ("[[policies]]\ndecision = 'allow'\n[[policies]]\ndecision = 'maybe'\n", 4, "'allow', 'ask' or 'deny'"),
        ("[[policies]]\ndecision = 'deny'\narguments = {p = '(?<=x)'}\n", 3, "RE2"),
        ("[[policies]]\ndecision = 'deny'\ntoool = 'x'\n", 3, "unknown key `policies.1.toool`"),
        ("[budgets]\nseconds = -1\n", 2, "greater than 0"),
        ("[budgets]\nusd = inf\n", 2, "finite"),
        ("[budgets]\nsecond = 5\n", 2, "unknown key `budgets.second`"),
        ("[engine]\nchoice = 'gpt'\n", 2, "'auto', 'offline', 'messages' or 'managed'"),
        ("[engine]\nbase_url = 'file:///etc/passwd'\n", 2, "http or https"),
        ("[engine]\nbase_url = 'https://me:pw@x.example'\n", 2, "no user name"),
        ("[engine]\nbase_url = 'http://[x'\n", 2, "http or https"),
        ("[engine]\nkey_env = 'sk-abc-123'\n", 2, "name of an environment variable"),
        ("services = 5\n", 1, "`services`"),
        ("a = " + "[" * 5000 + "]" * 5000, None, "nested too deep"),
    ],
)
def test_faults_by_line(place: Place, text: str, line: int | None, what: str) -> None:
    place.write(place.own, text)
    with pytest.raises(ConfigError) as caught:
        place.load()
    where = f"{place.own}:{line}" if line else str(place.own)
    first = caught.value.problems[0]
    assert what in first.what
    assert first.where == where
    assert str(caught.value).startswith(where)
    assert "\n" not in str(caught.value)
    assert check(place.own, place.env)[0] == first


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("engine = 5\n", "`engine`: must be a table"),
        ("[services]\npay = 3\n", "`services.pay`: must be a table"),
        ("[services.pay]\nrollback = 5\n", "`services.pay.rollback`: must be text in quotes"),
        ("[services.pay.tests]\ncommand = 'make'\n", "`services.pay.tests.command`: must be a list in brackets"),
        ("[budgets]\nturns = 'many'\n", "`budgets.turns`: must be a whole number"),
    ],
)
def test_a_value_of_another_kind_is_told_in_the_words_of_toml(place: Place, text: str, told: str) -> None:
    place.write(place.own, text)
    assert [problem.what for problem in check(place.own, place.env)] == [told]


def test_all_faults_at_once(place: Place) -> None:
    place.write(place.own, "[budgets]\nseconds = 0\nturns = 'x'\n[engine]\nkey_env = '1'\n")
    with pytest.raises(ConfigError, match=r"\(and 2 more: warroom config check\)") as caught:
        place.load()
    assert [problem.where.rpartition(":")[2] for problem in caught.value.problems] == ["2", "3", "5"]


def test_no_value_is_shown_in_a_fault(place: Place) -> None:
    place.write(place.own, "[engine]\nkey_env = 'sk-SECRET-1'\nmodel = 5\napi_key = 'sk-SECRET-2'\n")
    with pytest.raises(ConfigError) as caught:
        place.load()
    told = " ".join(problem.line() for problem in caught.value.problems)
    assert "SECRET" not in told
    assert "secrets come from the environment: name the variable with `engine.key_env`" in told


def test_unknown_keys_say_what_was_meant_and_lose_only_themselves(place: Place) -> None:
    place.write(place.own, "[service.a]\nrepo='.'\n[services.b]\nrepo='.'\nrolback='x'\nwat=1\n")
    loaded = place.load()
    assert list(loaded.settings.services) == ["b"]
    text = said(loaded)
    assert f"{place.own}:1: unknown key `service`; lost: this key; did you mean `services`?" in text
    assert f"{place.own}:5: unknown key `services.b.rolback`; lost: this key; did you mean `rollback`?" in text
    assert "known here: depends_on, paths, repo, rollback, runbooks, tests" in text


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"a = 1\nb = '\xff'\n", "line 2 is not UTF-8"),
        (b"\xff\xfea\x00", "line 1 is not UTF-8"),
        (b"#" * ((1 << 20) + 1), "larger than 1 MiB"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, raw: bytes, what: str) -> None:
    (tmp_path / "warroom.toml").write_bytes(raw)
    assert what in read_file(tmp_path / "warroom.toml").faults[0].line()


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name, what in (("fifo", "not a regular file"), (".", "not a regular file"), ("gone", "No such file")):
        assert what in read_file(tmp_path / name).faults[0].what


def test_check_finds_what_is_not_there(place: Place) -> None:
    place.write(
        place.own,
        "runbooks = ['gone']\n[services.a]\nrepo='nope'\ndepends_on = ['a']\n[[sources]]\nkind='logs'\npath='x'\n",
    )
    told = [problem.line() for problem in check(place.own, place.env)]
    assert [re.sub(r".*:(\d+): ", r"\1 ", line).partition(";")[0] for line in told] == [
        "1 gone is not there",
        "7 x is not there",
        "3 nope is not there",
        "4 a depends on itself",
    ]
    assert check(place.write(place.project, ""), place.env) == []


def test_the_schema_describes_the_file() -> None:
    schema = settings_schema()
    assert set(schema["properties"]) == {"services", "sources", "policies", "budgets", "engine", "runbooks"}
    assert schema["additionalProperties"] is False
    assert "origin" not in schema["$defs"]["PolicyRule"]["properties"]


@given(st.text(alphabet="[]{}\"'=.,#\\\n ab1services", max_size=120))
def test_any_text_gives_a_file_or_a_line(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warroom.toml"
        path.write_text(text, encoding="utf-8")
        found = read_file(path)
        assert (found.content is None) == bool(found.faults)
        assert all(problem.where.startswith(str(path)) for problem in (*found.faults, *found.notes))
