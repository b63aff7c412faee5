"""`warroom sessions resume`: continue where a session stopped."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("session")
@click.option("--headless", is_flag=True, help="One JSON document on standard output, progress on standard error.")
@click.option("--json", "as_json", is_flag=True, help="The same as --headless.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Also write the result: .md for Markdown.")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Your own warroom.toml.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def resume(session: str, **given: object) -> int:
    """Continue SESSION: what was found is used, nothing that has happened happens again. Exit status as `run`."""
    from tui.commands.investigation import continue_session, presentation_from
    from tui.commands.opening import session_folder

    config = given["config"]
    shown = presentation_from(given)
    return continue_session(session_folder(session).name, shown, config if isinstance(config, Path) else None)
