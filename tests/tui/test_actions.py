"""The registry of actions: one key, one meaning; help, footer, palette and docs are views of it."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from textual.dom import DOMNode

from tui import actions, offering
from tui.actions import ACTIONS, FORBIDDEN, LAYERS, NOT_NOW, QUESTIONS, Context, live
from tui.app import WarRoomApp
from tui.bindings import bindings_of
from tui.screens.evidence import EvidenceScreen
from tui.screens.help import HelpScreen, key_rows
from tui.screens.logs import LogsScreen
from tui.screens.report import ReportScreen
from tui.screens.review import ReviewScreen
from tui.screens.sessions import SessionsScreen
from tui.screens.warroom import WarRoomScreen
from tui.screens.why import WhyScreen
from tui.start import Start
from tui.views.footer import footer
from tui.views.paint import text_of
from tui.widgets.line_view import LineView
from tui.widgets.page_view import PageView

OWNERS: dict[Context, type[DOMNode]] = {
    "everywhere": WarRoomApp,
    "list": LineView,
    "warroom": WarRoomScreen,
    "sessions": SessionsScreen,
    "help": HelpScreen,
    "page": PageView,
    "evidence": EvidenceScreen,
    "review": ReviewScreen,
    "report": ReportScreen,
    "why": WhyScreen,
    "logs": LogsScreen,
}


@pytest.mark.parametrize("context", list(LAYERS))
def test_no_key_means_two_things_where_both_are_live(context: Context) -> None:
    keys = [key for action in live(context) for key in action.keys]
    assert len(keys) == len(set(keys))


def test_no_key_is_one_that_terminals_confuse_or_take() -> None:
    used = {key for action in ACTIONS for key in action.keys}
    assert not used & FORBIDDEN
    assert not {key for key in used if key.startswith(("alt+", "f1", "f2"))}


def test_ids_are_unique_and_every_action_says_what_it_does() -> None:
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
    for action in ACTIONS:
        assert action.help[0].isupper()
        assert action.help.endswith(".")
        assert action.word


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_every_action_is_there(action: actions.Action) -> None:
    name = action.run.partition("(")[0]
    assert hasattr(OWNERS[action.context], f"action_{name}")


def test_no_binding_has_priority() -> None:
    for context in OWNERS:
        assert not any(binding.priority for binding in bindings_of(context))  # type: ignore[union-attr]
    assert not any(binding.priority for _, binding in WarRoomApp(Start())._bindings if binding.id)


def test_a_question_is_never_answered_by_the_key_that_asked() -> None:
    asked = {"interrupt": "interrupt", "delete": "session.delete", "quit": "quit", "unseen": "review.override"}
    asked |= {"budget": "budget"}
    for question, keys in QUESTIONS.items():
        action = next(one for one in ACTIONS if one.id == asked[question])
        assert not set(keys) & set(action.keys)


def test_the_docs_page_is_in_step() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "keys.md"
    assert page.read_text(encoding="utf-8") == actions.page()


def test_help_shows_every_live_action_and_where_the_person_is_first() -> None:
    keys = [row.key for row in key_rows("warroom")]
    assert {action.id for action in live("warroom")} <= set(keys)
    assert keys.index("message") < keys.index("quit")


def test_what_is_said_of_a_key_that_can_do_nothing_now_names_an_action_that_may_be_refused() -> None:
    source = inspect.getsource(offering) + "".join(inspect.getsource(owner) for owner in OWNERS.values())
    assert set(NOT_NOW) <= {action.id for action in ACTIONS}
    assert {name for name in NOT_NOW if f'"{name}"' not in source} == set()


@pytest.mark.parametrize("context", LAYERS)
def test_help_has_every_group_once_and_keys_stand_apart_from_words(context: Context) -> None:
    rows = list(key_rows(context))
    groups = [row.key for row in rows if row.key.startswith("group ")]
    assert len(groups) == len(set(groups))
    assert all(
        row.line[0].text.endswith(" ") for row in rows if not row.key.startswith(("group", "after", "questions"))
    )
    assert len({row.key for row in rows}) == len(rows)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_footer_fits_and_always_names_help(width: int) -> None:
    words = text_of(footer("warroom", lambda action: True, width, "0-4 pane"))
    assert len(words) <= width
    assert "? keys" in words


def test_no_name_of_ours_hides_a_private_one_of_the_framework() -> None:
    allowed = {"_fatal_error"}
    generated = set(vars(type("Fresh", (LineView,), {})))
    for owner in OWNERS.values():
        for cls in owner.__mro__:
            if not cls.__module__.startswith("tui."):
                continue
            ours = {name for name in vars(cls) if name.startswith("_") and not name.startswith("__")} - generated
            for base in cls.__mro__[1:]:
                if base.__module__.startswith("textual"):
                    assert not (ours & set(vars(base))) - allowed
