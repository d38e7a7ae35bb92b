"""What a command says: JSON lines for machines, plain lines in a pipe, tables and bars in a terminal.

Results go to stdout, everything else to stderr. Without a terminal nothing moves and nothing has a colour.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, TextIO

from cloudreel.cli import failures

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


class Output:
    """Where results go, and how they look.

    Args:
        as_json: one JSON object per result.
    """

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    @property
    def for_people(self) -> bool:
        """Whether somebody looks at the results."""
        return not self.as_json and sys.stdout.isatty()

    def result(self, record: Mapping[str, object], *cells: object) -> None:
        """Print one result: the record as JSON, or else the cells as a line with tabs."""
        line = json.dumps(record, default=json_value) if self.as_json else "\t".join(map(cell, cells))
        _print(line)

    def text(self, record: Mapping[str, object], text: str) -> None:
        """Print one result: the record as JSON, or else a text of one or more lines."""
        _print(json.dumps(record, default=json_value) if self.as_json else text)

    def table(
        self, head: Sequence[str], rows: Iterable[tuple[Mapping[str, object], Sequence[object]]]
    ) -> None:
        """Print results, each a record and its cells: a table in a terminal, a line each elsewhere."""
        if not self.for_people:
            for record, cells in rows:
                self.result(record, *cells)
            return
        from rich.table import Column, Table
        from rich.text import Text

        # The last column gives way where there is little room; ids stay whole, to be copied.
        columns = [Column(name, no_wrap=True) for name in head[:-1]]
        table = Table(*columns, head[-1], box=None, header_style="dim", pad_edge=False)
        for _, cells in rows:
            *first, last = map(cell, cells)
            table.add_row(*first, Text(last, no_wrap=True, overflow="ellipsis"))
        if table.row_count:
            console(stderr=False).print(table)
        else:
            self.note("Nothing there")

    def failed(self, error: BaseException, about: Mapping[str, object] | None = None) -> None:
        """Tell that one of several things failed, on stderr.

        Args:
            about: what it was, for machines; its values stand before the message for people.
        """
        about = about or {}
        if self.as_json:
            told = failures.record(error, failures.exit_code(error))
            _print(json.dumps({**about, "error": told}, default=json_value), to=sys.stderr)
        else:
            text = failures.sentence(error)
            known = [str(value) for value in about.values() if str(value) not in text]
            _print(": ".join(["Error", *known, text]), to=sys.stderr)

    def note(self, text: str) -> None:
        """Say something to people, on stderr."""
        if not self.as_json:
            _print(text, to=sys.stderr)

    def tell(self, record: Mapping[str, object], text: str) -> None:
        """Say something beside the results on stderr: the record as JSON, or else the text."""
        _print(json.dumps(record, default=json_value) if self.as_json else text, to=sys.stderr)

    def bars(self) -> Progress:
        """Return progress bars on stderr, which are seen in a terminal only."""
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        return Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
            console=console(stderr=True),
            expand=True,
            redirect_stdout=sys.stdout.isatty(),  # results stand above the bars; in a pipe they stay there
            disable=self.as_json or not sys.stderr.isatty(),
        )


def console(*, stderr: bool) -> Console:
    """Return rich's console on one of the standard streams."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False)


def cell(value: object) -> str:
    """Return a value as it stands in a table or between tabs; control characters are left out."""
    if value is None:
        return "-"
    if isinstance(value, date):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return "".join(char if char.isprintable() else "?" for char in str(value))


def shortened(name: str, width: int = 28) -> str:
    """Return a name that takes no more than a bar's share of the line: its beginning and its end."""
    if len(name) <= width:
        return name
    head = (width - 1) // 2
    return f"{name[:head]}…{name[-(width - 1 - head) :]}"


def _print(text: str, to: TextIO | None = None) -> None:
    print(text, file=to, flush=True)  # click's echo would write through the bars


def json_value(value: object) -> str:
    """Return what JSON has no value for as text: times as ISO 8601.

    Raises:
        TypeError: there is no such text.
    """
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON value")
