"""Which commands there are, and where each one lives."""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = {
    "demo": "Show it all at work against a sandbox.",
    "sandbox": "Serve a local stand-in for the services.",
}
"""Every command by name: ``command`` in the module of that name, and the line that helps to choose it."""


class Commands(click.Group):
    """A group that imports a command's module when the command is run, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None if there is none of that name.

        Raises:
            click.ClickException: if the extra it stands on is not installed.
        """
        if cmd_name not in COMMANDS:
            return None
        try:
            command = import_module(f"cloudreel.cli.{cmd_name}").command
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith("cloudreel"):
                raise
            package = error.name.partition(".")[0]
            need = f'`cloudreel {cmd_name}` needs {package}: pip install "cloudreel[sandbox]"'
            raise click.ClickException(need) from error
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


@click.command(cls=Commands)
@click.version_option(package_name="cloudreel")
def cli() -> None:
    """Work with hosted video-encoding clouds: CloudKey, Telestream, Panda and Flix Cloud."""
