"""Walking a folder: bounded, never out of it, nothing left in silence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from orchestrator.intake.folder import Walk
from orchestrator.intake.model import IntakeError, IntakeLimits, IntakeOptions, NamedInput
from tests.intake.folders import DIFF, JSON_LOG, LOG, METRICS, git_init, kinds, lines, real_paths, spec, take, write


async def test_a_folder_needs_no_manifest(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "search 5xx",
        {
            "alert.json": {"title": "search 5xx", "service": "search", "fired_at": "2026-03-01T12:00:00Z"},
            "logs.jsonl.gz": JSON_LOG,
            "deep/er/metrics.csv": METRICS,
            "change one.diff": DIFF,
            "runbooks/errors.md": "# errors\n",
            "runbooks/pools/full.md": "# pools\n",
            "NOTES.md": "x",
            "photo.png": b"\x89PNG\r\n\x1a\n" + bytes(200),
            ".hidden.log": LOG,
            "app.log~": LOG,
            ".git-backup/x.log": LOG,
            "node_modules/a/x.log": LOG,
            "warroom.toml": "",
        },
    )
    found = await take(folder, spool=tmp_path / "spool")
    assert kinds(found) == {
        "logs.jsonl.gz": "logs",
        "deep/er/metrics.csv": "metrics",
        "change-one.diff": "diff",
        "runbooks": "runbooks",
    }
    assert found.incident.title == "search 5xx"
    assert found.incident.id.startswith("search-5xx-")
    assert found.incident.service == "search"
    assert [name.rpartition("/")[2] for name in found.unused] == ["node_modules", "NOTES.md", "photo.png"]
    for name in ("NOTES.md", "photo.png", "node_modules"):
        assert name in lines(found)
    assert "no git repository" in lines(found)
    assert all(os.path.isabs(s.path) for s in found.specs)
    assert not (tmp_path / "spool").exists()


async def test_ids_are_stable_and_unique(tmp_path: Path) -> None:
    folder = write(tmp_path / "i", {"a b.log": LOG, "a-b.log": LOG, "a\u00f6b.log": LOG, "\U0001f525.log": LOG})
    first, second = [await take(folder, spool=tmp_path / "s") for _ in range(2)]
    assert kinds(first) == kinds(second)
    assert sorted(kinds(first)) == ["a-b.log", "a-b.log-2", "a-b.log-3", "log"]
    assert first.incident.id == second.incident.id


async def test_several_paths_at_once(tmp_path: Path) -> None:
    write(tmp_path / "one", {"app.log": LOG})
    write(tmp_path / "two", {"app.log": LOG})
    write(tmp_path, {"metrics.csv": METRICS})
    found = await take(tmp_path / "one", tmp_path / "two", tmp_path / "metrics.csv", spool=tmp_path / "s")
    assert sorted(kinds(found)) == ["metrics.csv", "one/app.log", "two/app.log"]


async def test_logs_of_several_services_know_whose_they_are(tmp_path: Path) -> None:
    folder = write(tmp_path / "i", {"cart.log": LOG, "web.log.gz": LOG, "app.log": LOG, "sub/only.log": LOG})
    found = await take(folder, spool=tmp_path / "s", options=IntakeOptions(services=("only",)))
    services = {s.id: s.options.get("service") for s in found.specs}
    assert services == {"cart.log": "cart", "web.log.gz": "web", "app.log": None, "sub/only.log": "only"}


async def test_links_stay_inside(tmp_path: Path) -> None:
    secret = write(tmp_path / "elsewhere", {"secret.log": LOG, "more/secret.log": LOG})
    folder = write(tmp_path / "i", {"real.log": LOG})
    (folder / "good.log").symlink_to("real.log")
    (folder / "out.log").symlink_to(secret / "secret.log")
    (folder / "outdir").symlink_to(secret / "more")
    (folder / "nowhere.log").symlink_to("missing.log")
    (folder / "loop").symlink_to(".")
    (folder / "a.log").symlink_to("b.log")
    (folder / "b.log").symlink_to("a.log")
    found = await take(folder, spool=tmp_path / "s")
    assert sorted(kinds(found)) == ["real.log"]
    assert not any(path.startswith(str(secret)) for path in real_paths(found))
    text = lines(found)
    assert "i/good.log: not used: it says the same as" in text
    assert "i/out.log: a link that leads out of the folder: not followed" in text
    assert "i/outdir: a link that leads out" in text
    assert "i/nowhere.log: a link that leads nowhere" in text
    assert "i/a.log: a link that leads nowhere" in text


async def test_ten_thousand_files_are_bounded_and_said(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(10_000):
        (folder / f"{number:05}.log").touch()
    (folder / "00000.log").write_bytes(LOG)
    (folder / "zz.log").write_bytes(LOG)
    found = await take(folder, spool=tmp_path / "s")
    assert sorted(kinds(found)) == ["00000.log", "zz.log"]
    assert len(found.unused) == 9_999
    assert len(found.problems) < 60
    assert "9959 more files: empty" in lines(found)


async def test_the_bounds_of_a_folder_are_said(tmp_path: Path) -> None:
    folder = write(tmp_path / "i", {f"{number:05}.log": LOG for number in range(30)})
    part = await take(folder, spool=tmp_path / "s", options=IntakeOptions(limits=IntakeLimits(entries=10)))
    assert len(part.specs) == 10
    assert "more than 10 names; lost: all after that; give a smaller folder" in lines(part)
    capped = await take(folder, spool=tmp_path / "s", options=IntakeOptions(limits=IntakeLimits(sources=3)))
    assert len(capped.specs) == 3
    assert "more than 3 sources" in lines(capped)


def test_depth_is_bounded(tmp_path: Path) -> None:
    write(tmp_path / "i", {"a/b/c/d.log": LOG, "a/x.log": LOG})
    found = Walk(tmp_path / "i", IntakeLimits(depth=2)).run()
    assert found.files == ["a/x.log"]
    assert found.refused == ["a/b/c"]
    assert "deeper than 2" in found.problems[0].what


async def test_a_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "i", {"closed/a.log": LOG, "b.log": LOG})
    really = os.scandir

    def scandir(path: Path) -> Any:  # also where root runs the tests, whom no mode stops
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return really(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = await take(folder, spool=tmp_path / "s")
    assert kinds(found) == {"b.log": "logs"}
    assert "i/closed: cannot be opened (Permission denied); lost: all that is in it" in lines(found)


async def test_repositories(tmp_path: Path) -> None:
    folder = write(tmp_path / "i", {"app.log": LOG})
    git_init(folder / "repo")
    git_init(folder / "mirror.git", "--bare")
    write(folder / "repo", {"inside.log": LOG})
    found = await take(folder, spool=tmp_path / "s")
    assert kinds(found) == {"mirror.git": "repo", "repo": "repo", "app.log": "logs"}
    assert spec(found, "repo").path == str(folder / "repo")
    assert "no git repository" not in lines(found)


async def test_a_repository_that_is_given(tmp_path: Path) -> None:
    repo = write(tmp_path / "shop", {"app.log": LOG, "src/fixtures/x.log": LOG, "runbooks/a.md": "# a\n"})
    git_init(repo)
    found = await take(repo, spool=tmp_path / "s")
    assert sorted(kinds(found).values()) == ["logs", "repo", "runbooks"]
    assert "of its files only those at its top" in lines(found)
    beside = write(tmp_path / "i", {"app.log": LOG})
    named = await take(beside, spool=tmp_path / "s", repo=str(repo / "src"))
    assert spec(named, "shop").path == str(repo)
    for wrong, said in (
        (str(beside), "not a git repository"),
        (str(tmp_path / "gone"), "no such folder"),
        ("https://example.org/shop.git", "a remote repository"),
        ("a\0b", "no such folder"),
    ):
        other = await take(beside, spool=tmp_path / "s", repo=wrong)
        assert said in lines(other)
        assert kinds(other) == {"app.log": "logs"}


async def test_a_repository_alone_is_enough(tmp_path: Path) -> None:
    git_init(tmp_path / "shop")
    found = await take(spool=tmp_path / "s", repo=str(tmp_path / "shop"))
    assert found.incident.title == "shop"
    with pytest.raises(IntakeError, match="nothing was given"):
        await take(spool=tmp_path / "s")


async def test_what_the_settings_name(tmp_path: Path) -> None:
    git_init(write(tmp_path / "shop", {"src/a.py": ""}))
    write(tmp_path, {"extra.weird": LOG, "i/app.log": LOG})
    named = (
        NamedInput(path=str(tmp_path / "extra.weird"), kind="logs", id="extra", options={"service": "cart"}),
        NamedInput(path=str(tmp_path / "shop" / "src"), kind="repo"),
        NamedInput(path=str(tmp_path / "shop"), kind="repo"),
        NamedInput(path=str(tmp_path / "i"), kind="repo"),
        NamedInput(path=str(tmp_path / "gone"), kind="metrics"),
    )
    found = await take(tmp_path / "i", spool=tmp_path / "s", options=IntakeOptions(named=named))
    assert kinds(found) == {"app.log": "logs", "extra": "logs", "shop": "repo"}
    assert spec(found, "extra").options == {"service": "cart"}
    text = lines(found)
    assert "i: the settings name it, and it is no git repository" in text
    assert "gone: the settings name it, and it is not there" in text


async def test_what_the_person_says_counts_first(tmp_path: Path) -> None:
    write(tmp_path / "i", {"app.log": LOG, "alert.json": {"title": "t", "service": "web"}})
    said = IntakeOptions(title="search is slow", service="search")
    found = await take(tmp_path / "i", spool=tmp_path / "s", options=said)
    assert (found.incident.title, found.incident.service) == ("search is slow", "search")
    assert found.incident.alert is not None
    assert found.incident.alert.service == "web"


async def test_pods_of_one_deployment_and_streams_of_one_program_are_one_service(tmp_path: Path) -> None:
    names = ("shop-7d9f8b6c5-m9qwz.log", "shop-7d9f8b6c5-x2k4p.log", "nginx-access.log", "nginx-error.log")
    found = await take(write(tmp_path / "i", dict.fromkeys(names, LOG)), spool=tmp_path / "s")
    services = {s.id: s.options.get("service") for s in found.specs}
    assert services == dict(zip(names, ("shop", "shop", "nginx", "nginx"), strict=True))
