"""Names that a package has without loading them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from importlib import import_module

NO_ALIASES: Mapping[str, str] = {}


def on_first_use(
    package: str, names: Collection[str], home: str, aliases: Mapping[str, str] = NO_ALIASES
) -> Callable[[str], object]:
    """Return a package's ``__getattr__``, which takes names that the package lacks from another module.

    Args:
        package: whose it is.
        names: all that the package is to have.
        home: the module that has those that are missing.
        aliases: what some of them are called there.
    """

    def load(name: str) -> object:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(home), aliases.get(name, name))
        setattr(sys.modules[package], name, value)
        return value

    return load
