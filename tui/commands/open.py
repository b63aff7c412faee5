"""`warroom open`: a session's war room."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("open")
@click.argument("session")
@click.option("--go-on", is_flag=True, help="Let it work again at once.")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Your own warroom.toml.")
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal, for its own selection.")
@click.option("--slow", is_flag=True, help="A slow line: five frames a second at most.")
def open_session(session: str, go_on: bool, config: Path | None, no_mouse: bool, slow: bool) -> int:
    """Open SESSION in the war room, where it was left. The start of an id is enough where it is unique."""
    from tui.commands.faults import Fault
    from tui.commands.opening import session_folder
    from tui.launch import fits_terminal

    if not fits_terminal():
        raise Fault("the war room needs a terminal; `warroom report SESSION` prints what was found")
    name = session_folder(session).name
    from tui.launch import launch
    from tui.start import Start

    return launch(
        Start(session=name, go_on=go_on, config=config, words=f"opening {name} …", slow=slow), mouse=not no_mouse
    )
