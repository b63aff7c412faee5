"""What a session keeps of its services, with no secret of theirs; and what sources are called that join it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.compose import joining, with_stores
from orchestrator.hands import spare as spares
from orchestrator.journal.events import Note
from orchestrator.journal.home import StateHome
from orchestrator.session.beginning import stored_services
from orchestrator.session.settings import Settings, make_redactor
from subagents.contract import ServiceInfo, ServiceTests, SourceSpec
from tests.session.conftest import Room

ENV = {"DB_PASSWORD": "postgres", "SHOP_TOKEN": "test-token-of-shop", "RAILS_ENV": "test", "CI": "1"}


def test_values_of_secret_variables_are_not_kept_and_tests_that_need_them_are_not_run(tmp_path: Path) -> None:
    with_secret = ServiceInfo(name="shop", tests=ServiceTests(command=("make", "test"), env=ENV))
    without = ServiceInfo(name="web", tests=ServiceTests(command=("make", "test"), env={"CI": "1"}))
    settings = Settings(services=(with_secret, without))
    redactor = make_redactor(StateHome(tmp_path).ensure(), settings)
    raw = {"services": [service.model_dump(mode="json") for service in settings.services]}
    kept, _ = redactor.redact_json(raw)
    environment = kept["services"][0]["tests"]["env"]
    assert environment["RAILS_ENV"] == "test"
    assert environment["CI"] == "1"
    assert environment["DB_PASSWORD"].startswith("<redacted:")
    assert environment["SHOP_TOKEN"].startswith("<redacted:own:")
    assert redactor.redact("the tests printed test-token-of-shop").counts == {"own": 1}
    shop, web = stored_services(kept)
    assert shop.tests is None
    assert web == without
    assert os.environ.get("SHOP_TOKEN") is None


async def test_on_reopening_it_is_said_once_which_tests_are_not_run(room: Room) -> None:
    needs = ServiceInfo(name="shop", tests=ServiceTests(command=("make", "test"), env=ENV))
    plain = ServiceInfo(name="web", tests=ServiceTests(command=("make", "test"), env={"CI": "1"}))
    session = await room.create(services=(needs, plain))
    await session.close()
    for _ in range(2):
        session = await room.open(session.id)
        (note,) = (event.body for event in session.journal.events() if isinstance(event.body, Note))
        assert "Tests of shop are not run" in note.text
        assert "web" not in note.text
        await session.close()


async def test_nothing_is_said_where_no_tests_are_lost(room: Room) -> None:
    session = await room.create(services=(ServiceInfo(name="web", tests=ServiceTests(command=("make",))),))
    await session.close()
    session = await room.open(session.id)
    assert not [event for event in session.journal.events() if isinstance(event.body, Note)]


async def test_a_worker_is_started_ahead_where_a_session_goes_on_with_large_logs(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spares, "LARGE_BYTES", 10)
    path = tmp_path / "a.log"
    path.write_text("x" * 10)
    session = await room.create(specs=[SourceSpec(id="a.log", kind="logs", path=str(path))])
    await session.close()
    again = await room.open(session.id)
    asked: list[object] = []
    monkeypatch.setattr(spares, "prepared_for", lambda paths: asked.extend(paths))
    await again.run()
    assert asked == [path]


def test_what_joins_a_session_gets_names_and_stores_that_are_free(tmp_path: Path) -> None:
    shop = SourceSpec(id="shop", kind="repo", path="/a/shop")
    log = SourceSpec(id="app.log", kind="logs", path="/a/app.log")
    known = with_stores((shop, log), tmp_path)
    assert known[0].options["store"] == str(tmp_path / "fix.git")
    others = (shop.model_copy(update={"path": "/b/shop"}), log.model_copy(update={"path": "/b/app.log"}))
    joined = joining((*others, *others), known, tmp_path)
    assert [spec.id for spec in joined] == ["shop.2", "app.log.2", "shop.3", "app.log.3"]
    stores = [spec.options["store"] for spec in joined if spec.kind == "repo"]
    assert stores == [str(tmp_path / "fix-2.git"), str(tmp_path / "fix-3.git")]
    assert [spec.path for spec in joined[:2]] == ["/b/shop", "/b/app.log"]
