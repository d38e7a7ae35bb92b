"""Lists of CloudKey: filters, orders, searches and pages (cloudkey-rpc.md sections 9 and 10.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cloudreel.sandbox.cloudkey.errors import invalid
from cloudreel.signing.shapes import is_mapping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cloudreel.core.call import JSON
    from cloudreel.sandbox.store import Document

__all__ = ["envelope", "filtered", "found", "lookup", "ordered", "page_of"]

_LARGEST_PAGE = 100

T = TypeVar("T")


def page_of(items: Sequence[T], *, page: int, per_page: int) -> Sequence[T]:
    """Return one page of a list; pages count from 1, and beyond the end they are empty.

    Raises:
        CallError: 630 for a page below 1, or one of less than 1 or more than 100 items.
    """
    if page < 1:
        raise invalid("page must be at least 1")
    if not 1 <= per_page <= _LARGEST_PAGE:
        raise invalid(f"A page has 1 to {_LARGEST_PAGE} items, not {per_page}")
    return items[(page - 1) * per_page : page * per_page]


def envelope(
    items: Sequence[Document], show: Callable[[Document], object], *, page: int, per_page: int
) -> Document:
    """Return one page of documents as they are shown, and what a client needs to ask for others (9.2)."""
    shown = [show(item) for item in page_of(items, page=page, per_page=per_page)]
    return {
        "list": shown,
        "page": page,
        "pages": max(1, -(-len(items) // per_page)),
        "per_page": per_page,
        "on_this_page": len(shown),
        "total": len(items),
    }


def filtered(views: Sequence[Document], wanted: Mapping[str, JSON]) -> list[Document]:
    """Return the media whose members, named by dotted paths, equal the wanted values.

    Raises:
        CallError: 630 for an operator (a name that begins with ``$``).
    """
    for path, value in wanted.items():
        inner = value if isinstance(value, dict) else {}
        if any(name.startswith("$") for name in (path, *inner)):
            raise invalid("filter takes values, no operators")
    return [view for view in views if all(lookup(view, path) == value for path, value in wanted.items())]


def ordered(views: Sequence[Document], orders: Sequence[JSON]) -> list[Document]:
    """Return media, oldest first as given, in the order of ``[path, 1 or -1]`` pairs; the first counts most.

    Raises:
        CallError: 630 for anything else.
    """
    numbered = list(enumerate(views))
    for order in reversed(orders):
        match order:
            case ["created", 1 | -1 as direction]:  # many are made in the same second
                numbered.sort(key=lambda item: (item[1]["created"], item[0]), reverse=direction == -1)
            case [str(path), 1 | -1 as direction]:
                numbered.sort(key=lambda item: _sort_key(lookup(item[1], path)), reverse=direction == -1)
            case _:
                raise invalid("sort is a list of pairs: a path, and 1 or -1")
    return [view for _, view in numbered]


def found(views: Sequence[Document], query: str) -> list[Document]:
    """Return the media a search finds, the newest first unless the query says ``SORT:`` otherwise.

    All terms must occur, in any case: ``meta.<key>:<text>`` in that value, any other in some value.
    """
    orders: list[JSON] = []
    matching: list[Document] = list(views)
    for term in query.split():
        name, colon, text = term.partition(":")
        if name == "SORT" and colon:
            orders.append([text.lstrip("-"), -1 if text.startswith("-") else 1])
        elif colon and name.startswith("meta."):
            matching = [view for view in matching if _holds([lookup(view, name)], text)]
        else:
            matching = [view for view in matching if _holds(view["meta"].values(), term)]
    return ordered(matching, orders or [["created", -1]])


def lookup(view: object, path: str) -> object:
    """Return the member a dotted path leads to, None if there is none; a key of meta may hold dots."""
    head, dot, rest = path.partition(".")
    if not is_mapping(view):
        return None
    if path in view:
        return view[path]
    return lookup(view.get(head), rest) if dot else None


def _holds(values: Iterable[object], text: str) -> bool:
    sought = text.casefold()
    return any(value is not None and sought in str(value).casefold() for value in values)


def _sort_key(value: object) -> tuple[int, float, str]:
    """Order what is not there before numbers, and numbers before texts."""
    if isinstance(value, (int, float)):
        return 1, float(value), ""
    return (0, 0.0, "") if value is None else (2, 0.0, str(value))
