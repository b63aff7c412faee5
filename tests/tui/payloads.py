"""What text from outside may try: control payloads (T1) and markup (T2)."""

from __future__ import annotations

CONTROL = {
    "csi": "\x1b[2J\x1b[H",
    "csi cut": "\x1b[31",
    "osc title": "\x1b]0;owned\x07",
    "osc link": "\x1b]8;;http://evil\x1b\\x\x1b]8;;\x1b\\",
    "osc clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "osc cut": "\x1b]52;c;ZXZpbA==",
    "dcs": "\x1bP+q544e\x1b\\",
    "apc": "\x1b_Gf=24;AAAA\x1b\\",
    "pm": "\x1b^secret\x1b\\",
    "sos": "\x1bXsecret\x1b\\",
    "c1 csi": "\x9b2J",
    "c1 osc": "\x9d0;owned\x9c",
    "reset": "\x1bc",
    "backspace": "ok\x08\x08no",
    "return": "approve\rreject",
    "shift": "\x0e\x0f",
    "nul": "a\x00b",
    "del": "a\x7fb",
    "bidi": "\u202eevil\u202c",
    "isolates": "\u2066x\u2069",
    "zero width": "pay\u200bpal\u200d\ufeff",
    "tags": "a\U000e0041\U000e007fb",
    "surrogate": "a\ud800b",
    "separators": "a\u2028b\u2029c\x85d",
    "combining": "a" + "\u0301" * 200,
    "selectors": "a\ufe00\ufe0f\U000e0100b",
    "soft hyphen": "pass\xadword",
}
MARKUP = {
    "closing": "[/b] text",
    "path": "[/some/dir]",
    "todo": "[TODO]",
    "action": "[@click=app.quit]x[/]",
    "link": "[link=http://evil]x[/link]",
    "colour": "[red]x[/red]",
    "bracket": "[",
    "escaped": r"\[b]x",
    "cut": "[b",
    "emoji": ":warning: :x:",
    "variable": "$error [$error]x",
    "nested": "[[b]]x[/b]",
}


def forbidden(char: str) -> bool:
    """Say whether a terminal would obey a character, or not draw it, so that it has no place on a screen."""
    from unicodedata import category

    return category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
