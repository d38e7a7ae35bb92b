"""``cloudreel rm``: deleting videos."""

from __future__ import annotations

import sys

import anyio
import click

from cloudreel.cli import failures
from cloudreel.cli.accounts import open_account
from cloudreel.cli.options import json_option, service_option
from cloudreel.cli.output import Output
from cloudreel.errors import CloudReelError


@click.command("rm")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@service_option
@json_option
def command(ids: tuple[str, ...], yes: bool, service: str, as_json: bool) -> None:
    """Delete videos and all their encodings, for good."""
    output = Output(as_json)
    if not yes:
        if as_json or not sys.stdin.isatty():
            raise click.UsageError("Nobody is there to ask: say --yes")
        what = ids[0] if len(ids) == 1 else f"{len(ids)} videos"
        if not click.confirm(f"Delete {what} of {service} and all encodings?", err=True):
            output.note("Nothing was deleted")
            sys.exit(failures.FAILED)
    sys.exit(anyio.run(_remove, ids, service, output))


async def _remove(ids: tuple[str, ...], service: str, output: Output) -> int:
    failed: list[CloudReelError] = []
    async with open_account(service) as account:
        for id in ids:
            try:
                await account.remove(id)
            except CloudReelError as error:
                failed.append(error)
                output.failed(error, {"id": id})
            else:
                output.result({"id": id, "deleted": True}, id)
    return failures.worst(failed)
