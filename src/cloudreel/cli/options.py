"""Options that several commands have."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from cloudreel.cli.services import SERVICES, Unclear, service_of

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def _chosen(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str:
    try:
        return service_of(value, os.environ)
    except Unclear as error:
        raise click.UsageError(str(error)) from error


def service_option(function: FunctionT) -> FunctionT:
    """Add ``--service``; the command is given the name of one whose credentials are there."""
    return click.option(
        "--service",
        "-s",
        type=click.Choice(SERVICES),
        envvar="CLOUDREEL_SERVICE",
        callback=_chosen,
        help="Needed where the environment has the credentials of several.  [env: CLOUDREEL_SERVICE]",
    )(function)


def json_option(function: FunctionT) -> FunctionT:
    """Add ``--json``, as ``as_json``."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object per result; errors, too."
    )(function)
