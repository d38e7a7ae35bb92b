"""``cloudreel ls``: what is in an account."""

from __future__ import annotations

import anyio
import click
from attrs import asdict

from cloudreel.cli.accounts import Item, StoredFile, open_account
from cloudreel.cli.options import json_option, service_option
from cloudreel.cli.output import Output


@click.command("ls")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@service_option
@json_option
def command(ids: tuple[str, ...], service: str, as_json: bool) -> None:
    """List the videos of an account, or the files of those named.

    Lines in a pipe are separated by tabs: id, status, bytes, date of creation and title; or id, bytes and
    name of each file.
    """
    anyio.run(_list, ids, service, Output(as_json))


async def _list(ids: tuple[str, ...], service: str, output: Output) -> None:
    async with open_account(service) as account:
        if not ids:
            items = [item async for item in account.items()]
            head = ("id", "status", "bytes", "created", "title")
            output.table(head, [(asdict(item), _cells(item)) for item in items])
            return
        files = [(id, file) for id in ids for file in await account.files(id)]
        output.table(
            ("id", "bytes", "file"), [(_record(id, file), (id, file.size, file.name)) for id, file in files]
        )


def _cells(item: Item) -> tuple[object, ...]:
    return item.id, item.status, item.size, item.created, item.title


def _record(id: str, file: StoredFile) -> dict[str, object]:
    return {"id": id, "name": file.name, "size": file.size}
