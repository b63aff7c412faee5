"""`warroom completion`: the script that a shell sources."""

from __future__ import annotations

import click

HOW = {
    "bash": 'eval "$(warroom completion bash)"   # in ~/.bashrc',
    "zsh": 'eval "$(warroom completion zsh)"   # in ~/.zshrc',
    "fish": "warroom completion fish | source   # in ~/.config/fish/config.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(tuple(HOW)))
def completion(shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    bash: eval "$(warroom completion bash)"   in ~/.bashrc
    zsh:  eval "$(warroom completion zsh)"    in ~/.zshrc
    fish: warroom completion fish | source    in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    from tui.cli import cli

    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"no completion for {shell}")
    script = made(cli, {}, "warroom", "_WARROOM_COMPLETE")
    click.echo(f"# {HOW[shell]}")
    click.echo(script.source_template % script.source_vars())
