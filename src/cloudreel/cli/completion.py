"""``cloudreel completion``: what a shell reads to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

FILES = {
    "bash": '~/.bashrc:  eval "$(cloudreel completion bash)"',
    "zsh": '~/.zshrc:   eval "$(cloudreel completion zsh)"',
    "fish": "~/.config/fish/completions/cloudreel.fish:  cloudreel completion fish | source",
}


@click.command(
    "completion",
    epilog="\b\n" + "\n".join(["Add one of these lines:", *(f"  {line}" for line in FILES.values())]),
)
@click.argument("shell", type=click.Choice(tuple(FILES)))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands and options."""
    kind = get_completion_class(shell)
    root = ctx.find_root()
    assert kind is not None
    click.echo(kind(root.command, {}, "cloudreel", "_CLOUDREEL_COMPLETE").source())
