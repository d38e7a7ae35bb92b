"""Secrets for the commands that sign: from the environment, or typed without being shown."""

from __future__ import annotations

import os
import sys

import click


def secret(variable: str, what: str) -> str:
    """Return a secret from a variable of the environment, or ask for it.

    Args:
        variable: its name.
        what: the secret is, for people.

    Raises:
        click.UsageError: the variable is not set, and nobody is there to ask.
    """
    if value := os.environ.get(variable):
        return value
    if not sys.stdin.isatty():
        raise click.UsageError(f"The {what} is missing: set {variable}")
    value = click.prompt(f"{what} (not shown)", hide_input=True, err=True)
    assert isinstance(value, str)
    return value


def known(variable: str) -> str:
    """Return a variable of the environment that is no secret.

    Raises:
        click.UsageError: it is not set.
    """
    if value := os.environ.get(variable):
        return value
    raise click.UsageError(f"Set {variable}")
