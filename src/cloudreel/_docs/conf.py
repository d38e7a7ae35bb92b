"""How Sphinx builds the reference from the docstrings: every object once, on the page of its room."""

from __future__ import annotations

import importlib.metadata
import sys
from typing import TYPE_CHECKING

from sphinx.util.logging import getLogger

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "cloudreel"
author = "The cloudreel authors"
release = importlib.metadata.version("cloudreel")

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]
default_role = "py:obj"
html_theme = "furo"
html_title = f"cloudreel {release}"
python_maximum_signature_line_length = 100
suppress_warnings = ["ref.python"]  # an error's old name may be a category's, too

# Up to these bases, methods are shown where they are inherited.
FOREIGN_BASES = "object,BaseException,Generic,IntFlag,int,Mapping,MutableMapping,dict,str,tuple"
autodoc_default_options = {"members": True, "inherited-members": FOREIGN_BASES, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_use_ivar = True

CLIENTS = "clients"
"""The page of what all clients share. It lives in ``core``, which nobody imports from."""

linked = set[str]()


def page_of(thing: object) -> str | None:
    """Return the page that an object stands on, by its module; None for what has none, as a union has."""
    package, _, inner = str(getattr(thing, "__module__", "")).partition(".")
    room = inner.partition(".")[0]
    return {"cloudreel": CLIENTS if room == "core" else room}.get(package)


def skip_what_stands_elsewhere(
    app: Sphinx, what: str, name: str, thing: object, skip: bool, options: object
) -> bool | None:
    """Leave out of a module's page what another page shows; None leaves it to Sphinx."""
    page = app.env.current_document.docname
    return True if what == "module" and page_of(thing) not in {None, page} else None


def tell_what_stands_elsewhere(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """End a module's text with links to the names that it shares with others."""
    page = app.env.current_document.docname
    links: list[str] = []
    for each in getattr(thing, "__all__", []) if what == "module" else []:
        value = getattr(sys.modules[name], each)
        home = page_of(value)
        if home not in {None, page}:
            target = f"{value.__module__ if home == CLIENTS else f'cloudreel.{home}'}.{value.__qualname__}"
            linked.add(target)
            links.append(f":py:obj:`{each} <{target}>`")
    if links:
        lines += ["", f"Also importable from here: {', '.join(links)}."]


def miss_what_stands_nowhere(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of public names that no page shows."""
    for name in sorted(linked - env.domains.python_domain.objects.keys()):
        getLogger(__name__).warning("%s is public and stands on no page", name)


def setup(app: Sphinx) -> None:
    """Connect the functions above."""
    app.connect("autodoc-skip-member", skip_what_stands_elsewhere)
    app.connect("autodoc-process-docstring", tell_what_stands_elsewhere)
    app.connect("env-check-consistency", miss_what_stands_nowhere)
