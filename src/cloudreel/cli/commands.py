"""Which commands there are, where each one lives, and how each of them ends."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from cloudreel.cli.failures import exit_code
from cloudreel.cli.output import Output
from cloudreel.errors import CloudReelError

COMMANDS = {
    "backup": "Copy the whole account to a folder; again, only what is missing.",
    "completion": "Print what makes a shell complete commands and options.",
    "demo": "Show it all at work against a sandbox.",
    "get": "Download the files of a video.",
    "ls": "List videos, or the files of one.",
    "rm": "Delete videos.",
    "sandbox": "Serve a local stand-in for the services.",
    "sign": "Sign URLs and requests.",
    "upload": "Upload files; what breaks off can be resumed.",
    "verify": "Say whether a signature is good, and why not.",
    "watch": "Follow encodings until they are done.",
}
"""Every command by name: ``command`` in the module of that name, and the line that helps to choose it."""

EXTRAS = {"demo": "sandbox", "sandbox": "sandbox"}
"""The extras that commands stand on besides ``cli``."""

CODES = {
    0: "done",
    1: "failed: refused, an encoding failed, a signature is not good",
    2: "the command line or the environment makes no sense",
    3: "the service does not accept the credentials",
    4: "there is no such video or file",
    5: "no usable answer; the same command may succeed later",
    130: "stopped with Ctrl-C",
    143: "stopped with SIGTERM",
}


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
            package, extra = error.name.partition(".")[0], EXTRAS.get(cmd_name, "cli")
            need = f'`cloudreel {cmd_name}` needs {package}: pip install "cloudreel[{extra}]"'
            raise click.ClickException(need) from error
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the exit codes."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in CODES.items()])


@click.command(cls=Commands)
@click.version_option(package_name="cloudreel")
def cli() -> None:
    """Work with hosted video-encoding clouds: CloudKey, Telestream, Panda and Flix Cloud.

    Credentials come from the environment, by the names that from_env() reads.
    """


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code; errors are told on stderr, as JSON after ``--json``."""
    as_json = "--json" in arguments
    try:
        code: object = cli.main(list(arguments), prog_name="cloudreel", standalone_mode=False)
    except click.ClickException as error:
        if as_json:
            told = {"type": type(error).__name__, "message": error.format_message()}
            click.echo(json.dumps({"error": {**told, "exit_code": error.exit_code}}), err=True)
        else:
            error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:  # whoever read the results has gone, and so has the place to say so
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (CloudReelError, OSError) as error:
        Output(as_json).failed(error)
        return exit_code(error)
    return code if isinstance(code, int) else 0
