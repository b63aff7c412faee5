"""What reaches a real terminal: of hostile text, nothing that acts. The bytes are read from the pty itself."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from fcntl import ioctl
from pathlib import Path

import pytest

WARROOM = Path(sys.executable).parent / "warroom"
PAYLOADS = (
    "\x1b]52;c;ZXZpbA==\x07", "\x1b]0;owned\x07", "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1b[2J\x1b[1;1Hgone",
    "\x1bP+q544e\x1b\\", "\x1b_apc\x1b\\", "\x9b2J", "\x9d0;c1\x9c", "\x07\x08\x0b\x0c\x0e\x0f", "abc\rxyz", "\x7f",
    "\u202etxt.exe", "\u2066iso\u2069", "zero\u200bwidth", "\ufeffbom", "tag\U000e0041", "line\u2028sep\u2029",
    "a" + "\u0301" * 200, "[/b][@click=app.quit]z[/]", "[link=http://evil.example]x[/link]", "\x1b[?1049l", "\x1b[5n",
)  # fmt: skip
OURS = re.compile(
    rb"\x1b\[[0-9;:]*m"  # colours
    rb"|\x1b\[[0-9;]*[HJK]"  # cursor and erasing, by the framework
    rb"|\x1b\[[?>=<]?[0-9;]*[hlunqtc]"  # modes and keyboard protocol
    rb"|\x1b\[\?[0-9;]*\$p"  # asking for a mode
    rb"|\x1b[=>78]|\x1b\(B"
    rb"|\x1b\]22;[a-z-]*\x07"  # the shape of the mouse pointer
)
ACTING = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f"
    "\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff\\U000e0000-\\U000e007f]"
)


@pytest.fixture
def incident(tmp_path: Path) -> Path:
    """An incident in which every text that a person is shown is hostile."""
    folder = tmp_path / "incident"
    folder.mkdir()
    lines = []
    for minute in range(60):
        for number, payload in enumerate(PAYLOADS):
            level = "ERROR" if minute >= 40 else "INFO"
            said = f"handler failed {payload} at step" if minute >= 40 else f"served {payload} fine"
            stamp = f"2026-03-01T10:{minute:02}:{number:02}Z"
            lines.append(json.dumps({"ts": stamp, "service": "web\x1b]0;s\x07", "level": level, "message": said}))
    (folder / "app.jsonl").write_text("\n".join(lines) + "\n")
    title = "web is down " + "".join(PAYLOADS)
    (folder / "alert.json").write_text(json.dumps({"title": title, "service": "web", "summary": title}))
    return folder


def capture(command: list[str], home: Path, keys: list[tuple[str, str]]) -> bytes:
    """Run a command on a pty; send each key once its text was printed; return all that was printed."""
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm-256color", "WARROOM_HOME": str(home / "state")}
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True)
    os.close(slave)
    printed, waiting, ends = b"", list(keys), time.monotonic() + 90
    try:
        while process.poll() is None and time.monotonic() < ends:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    printed += os.read(master, 1 << 16)
                except OSError:
                    break
            if waiting and waiting[0][0].encode() in printed:
                os.write(master, waiting.pop(0)[1].encode())
        assert process.wait(10) == 0, printed[-2000:]
        assert not waiting, f"never printed: {waiting[0][0]!r}"
    finally:
        process.kill()
        os.close(master)
    return printed


def test_of_hostile_text_nothing_acts_on_the_terminal(incident: Path, tmp_path: Path) -> None:
    printed = capture([str(WARROOM), "run", str(incident)], tmp_path, [("NEXT", "1"), (" go on ", "q")])
    assert b"handler failed" in printed
    rest = OURS.sub(b"", printed).decode("utf-8", "replace")
    assert not (found := set(ACTING.findall(rest))), [hex(ord(one)) for one in sorted(found)]
    assert "\\u{202e}" in rest or "\\u{2066}" in rest, "what is hidden is shown, not dropped"


def test_the_look_out_sees_what_a_plain_program_lets_through(tmp_path: Path) -> None:
    """Teeth: the same bytes printed as they are would be found."""
    script = tmp_path / "plain.py"
    script.write_text(f"print({''.join(PAYLOADS)!r})")
    printed = capture([sys.executable, "-X", "utf8", str(script)], tmp_path, [])
    assert b"\x1b]" in printed
    assert ACTING.search(OURS.sub(b"", printed).decode("utf-8", "replace"))
