"""Options that the tools in a person's hands have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def of_paths(command: Decorated) -> Decorated:
    """What is asked about, and in which form the answer is wanted."""
    command = click.option("--json", "as_json", is_flag=True, help="The whole answer as one JSON document.")(command)
    return click.argument("paths", nargs=-1, required=True, metavar="PATH...")(command)


def in_window(command: Decorated) -> Decorated:
    """The time that is looked at."""
    command = click.option("--until", metavar="TIME", help="End of the window, likewise.")(command)
    return click.option(
        "--since", metavar="TIME", help="Start of the window: ISO 8601 with a zone, or an age such as 90m."
    )(command)


def with_baseline(first: str) -> Callable[[Decorated], Decorated]:
    """The time that a window is compared with; `first` is what that begins with where nothing is said."""

    def decorated(command: Decorated) -> Decorated:
        command = click.option(
            "--baseline-until", metavar="TIME", help="End of the time to compare with; default: start of the window."
        )(command)
        return click.option(
            "--baseline-since", metavar="TIME", help=f"Start of the time to compare with; default: the first {first}."
        )(command)

    return decorated


def limited(usual: int, most: int) -> Callable[[Decorated], Decorated]:
    """How much is shown."""
    return click.option(
        "--limit", type=click.IntRange(1, most), default=usual, show_default=True, help="How many are shown."
    )
