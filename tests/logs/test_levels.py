"""Where a severity is looked for: of many texts only in those that may have one, and in all that do."""

from __future__ import annotations

from random import Random

import pytest

from subagents.logs import levels
from subagents.logs.levels import ERROR, INFO, MANY, UNKNOWN, from_name, may_say, split_head, split_heads

PARTS = (
    *(
        "INFO",
        "error",
        "Error",
        "NOTICE",
        "Normal",
        "panic",
        "alert",
        "level=",
        "lvl: ",
        "(II)",
        "%LINK-3-UP:",
        "LOG:  ",
    ),
    *(
        "LOG,5,",
        "=ERROR REPORT",
        "PHP Warning",
        "TRAC[",
        "at=info ",
        "info,",
        "/DEBUG]",
        "debug 5",
        "12:3:4.5 ",
        "fail: ",
    ),
    *(
        "shop.INFO",
        "CRASH REPORT",
        "] e ABC x :",
        "D] x",
        "E",
        "W ",
        "* ",
        "*",
        "foo",
        "log",
        "# ",
        "- ",
        " - ",
        "|",
        " | ",
    ),
    *(" ", " ", " ", "  ", "\t", "[", "]", ":", ": ", '"', "<", ">", ",", ".", "é", "²", "\x1c", "\x85", "\n"),
    *("at=warn", "PHP Fatal", "severıty=w", "\u0301", "\u200d", "ⓐ"),
)


@pytest.mark.parametrize("many", [MANY, 1 << 30], ids=["many", "few"])
def test_no_text_with_a_severity_is_passed_over(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "MANY", many)
    rng = Random(2)
    texts = ["".join(rng.choices(PARTS, k=rng.randrange(1, 9))) for _ in range(20_000)]
    found = {place for place, text in enumerate(texts) if levels._mark(text) is not None}
    assert found <= set(levels._may_be_marked(texts))
    assert len(found) > 5_000


def test_many_texts_that_only_speak_of_errors_are_passed_over() -> None:
    texts = [f"call {n} for shop ended with an error after * ms" for n in range(MANY)]
    assert all(may_say(texts)), "so each would be searched"
    assert levels._may_be_marked(texts) == []
    assert levels._may_be_marked(texts[1:]) == list(range(MANY - 1)), "of few it is not worth it"


@pytest.mark.parametrize("count", [1, 2 * MANY])
def test_texts_together_say_what_each_says(count: int) -> None:
    rng = Random(count)
    texts = ["".join(rng.choices(PARTS, k=rng.randrange(1, 12))) for _ in range(count)]
    texts += [
        "ALERTCONTEXT:  ",
        "user@dbSTATEMENT:  x",
        " INFO level=info service=a",
        "level=error user=b went",
        "[ERROR] ended",
        "[x] ended",
    ]
    assert split_heads(texts) == list(map(split_head, texts))
    assert [level for level, _ in split_heads(texts)][-4:] == [INFO, ERROR, ERROR, UNKNOWN]


def test_a_figure_that_is_no_decimal_is_no_severity() -> None:
    assert from_name("²") == UNKNOWN
