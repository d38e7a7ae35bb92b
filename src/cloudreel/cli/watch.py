"""``cloudreel watch``: encodings until they are done."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Self

import anyio
import click
from attrs import asdict
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from cloudreel.cli import failures
from cloudreel.cli.accounts import Account, Work, open_account
from cloudreel.cli.options import json_option, service_option
from cloudreel.cli.output import Output, cell, console
from cloudreel.core.groups import first_failure

STYLES = {True: "green", False: "red", None: ""}


@click.command("watch")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--poll",
    type=click.FloatRange(min=0.05),
    metavar="SECONDS",
    help="Between looks.  [default: 0.25, growing to 10]",
)
@service_option
@json_option
def command(ids: tuple[str, ...], poll: float | None, service: str, as_json: bool) -> None:
    """Follow the encodings of videos until all are done; of none named, all that are under way.

    In a pipe every change is a line: id, encoding, status, per cent and the reason of a failure, separated
    by tabs. Ends with exit code 1 if one has failed.
    """
    sys.exit(anyio.run(_watch, ids, poll, service, Output(as_json)))


async def _watch(ids: tuple[str, ...], poll: float | None, service: str, output: Output) -> int:
    async with open_account(service) as account:
        watched = list(dict.fromkeys(ids)) or await account.busy()
        if not watched:
            output.note("Nothing is being encoded")
            return failures.DONE
        board: Board = LiveBoard() if output.for_people else LineBoard(output)
        failure: BaseException | None = None
        with board:
            try:
                async with anyio.create_task_group() as group:
                    for id in watched:
                        group.start_soon(_follow, account, id, poll, board)
            except BaseExceptionGroup as errors:
                failure = first_failure(errors)
        if failure is not None:
            raise failure
    return failures.FAILED if board.failed else failures.DONE


async def _follow(account: Account, id: str, poll: float | None, board: Board) -> None:
    async for works in account.watch(id, poll):
        board.show(works)


class Board:
    """What is seen of encodings."""

    def __init__(self) -> None:
        self._works: dict[tuple[str, str], Work] = {}

    @property
    def failed(self) -> bool:
        """Whether one of them has failed."""
        return any(work.good is False for work in self._works.values())

    def show(self, works: Iterable[Work]) -> None:
        """Show how encodings are now."""
        for work in works:
            key = work.item, work.name
            if self._works.get(key) != work:
                self._works[key] = work
                self._changed(work)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave what is seen as it is."""

    def _changed(self, work: Work) -> None:
        """Show a change."""


class LineBoard(Board):
    """A line for every change."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output

    def _changed(self, work: Work) -> None:
        percent = f"{work.percent:.0f}"
        self._output.result(asdict(work), work.item, work.name, work.status, percent, work.error or "")


class LiveBoard(Board):
    """A table in a terminal, drawn anew with every change."""

    def __init__(self) -> None:
        super().__init__()
        self._live = Live(console=console(stderr=False), get_renderable=self._table)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the table as it is."""
        self._live.stop()

    def _changed(self, work: Work) -> None:
        self._live.refresh()

    def _table(self) -> Table:
        columns = [Column(name, no_wrap=True) for name in ("video", "encoding", "", "")]
        table = Table(*columns, "status", box=None, header_style="dim", pad_edge=False)
        for work in self._works.values():
            style = STYLES[work.good]
            bar = ProgressBar(total=100, completed=work.percent, width=24, finished_style=style or "none")
            status = f"{work.status}: {work.error}" if work.error else work.status
            percent = f"{work.percent:3.0f} %"
            table.add_row(cell(work.item), cell(work.name), bar, percent, Text(cell(status), style=style))
        return table
