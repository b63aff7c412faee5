"""Export the README's pictures from the real screens: `make screens`. Investigates the bundled incident, then looks."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from orchestrator.compose import Surroundings
from orchestrator.journal.home import StateHome
from subagents.clock import SystemClock
from tui.app import WarRoomApp
from tui.start import Start

SIZE = (160, 44)
ROOT = Path(__file__).resolve().parents[2]
TO = ROOT / "docs" / "screens"
_FONTS = re.compile(r"@font-face \{[^}]*\}\s*")


async def _until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    for _ in range(400):
        if holds():
            return
        await pilot.pause(0.05)
    raise SystemExit("a screen did not come; nothing more is exported")


def _shown(app: WarRoomApp, name: str) -> Callable[[], bool]:
    return lambda: type(app.screen).__name__ == name


async def _look(home: Path, session: str) -> None:
    around = Surroundings(StateHome(home), home, {}, None, SystemClock(), attended=True)
    app = WarRoomApp(Start(session=session), around)
    async with app.run_test(size=SIZE) as pilot:
        await _until(pilot, lambda: bool(app.opened))
        await pilot.pause(1.0)
        app.save_screenshot("warroom.svg", str(TO))
        await pilot.press("a")
        await _until(pilot, _shown(app, "ReviewScreen"))
        await pilot.pause(1.0)
        app.save_screenshot("review.svg", str(TO))
        await pilot.press("escape")
        await _until(pilot, _shown(app, "WarRoomScreen"))
        await pilot.press("b", "j", "enter")
        await _until(pilot, _shown(app, "EvidenceScreen"))
        await pilot.pause(1.0)
        app.save_screenshot("evidence.svg", str(TO))
        for one in app.opened.values():
            await one.close()


def main() -> None:
    TO.mkdir(parents=True, exist_ok=True)
    # A short path that is nobody's: the pictures show it.
    home = Path(tempfile.gettempdir()) / "warroom"
    home.mkdir(mode=0o700)
    try:
        command = [sys.executable, "-P", "-m", "tui.cli", "demo", "--headless"]
        subprocess.run(command, env={**os.environ, "WARROOM_HOME": str(home)}, stdout=subprocess.DEVNULL, check=True)
        (session,) = (one.name for one in (home / "sessions").iterdir())
        asyncio.run(_look(home, session))
    finally:
        shutil.rmtree(home)
    for picture in sorted(TO.glob("*.svg")):
        text = _FONTS.sub("", picture.read_text())  # a picture that fetches nothing
        picture.write_text(text.replace(f"{ROOT}/", ""))
        print(picture)


if __name__ == "__main__":
    main()
