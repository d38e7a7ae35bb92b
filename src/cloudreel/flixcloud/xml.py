"""XML as Flix Cloud uses it: elements, text and a few attributes, read with no trust in who wrote it. PURE.

Nothing that a document declares is acted on: a DOCTYPE, and with it every entity of its own, is refused.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from typing import Final
from xml.parsers import expat

from attrs import define, field, frozen

from cloudreel.errors import DecodeError

LARGEST_BODY: Final = 2**20  # bytes; a real document has about 2,000
MOST_ELEMENTS: Final = 20_000
MOST_ATTRIBUTES: Final = 100  # of one element
DEEPEST: Final = 32  # levels; a real document has 5
LONGEST_TAG: Final = 2**16  # bytes, comments likewise; expat keeps a whole one before it tells of it
_PIECE: Final = 2**14  # bytes given to expat at once

NO_ATTRIBUTES: Mapping[str, str] = {}

# Those that expat knows by itself; for any other it would ask Python's codecs, strange ones among them.
_ENCODINGS: Final = frozenset({"UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "ISO-8859-1", "US-ASCII"})
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A carriage return as it is would be read as a line feed, white space in an attribute as a blank.
_IN_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_ATTRIBUTE: Final = {**_IN_TEXT, **str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})}


@frozen(repr=False)
class Element:
    """One element of a document.

    Args:
        name: as it is written, a namespace's prefix included.
        text: all text directly inside, white space included.
        children: the elements directly inside, in their order.
        attributes: values by name.
    """

    name: str
    text: str = ""
    children: tuple[Element, ...] = ()
    attributes: Mapping[str, str] = field(default=NO_ATTRIBUTES, hash=False)

    def child(self, name: str) -> Element | None:
        """Return the first element of this name directly inside, None where there is none."""
        return next((child for child in self.children if child.name == name), None)

    def all(self, name: str) -> list[Element]:
        """Return the elements of this name directly inside."""
        return [child for child in self.children if child.name == name]

    def value(self, name: str) -> str | None:
        """Return the text of the first element of this name directly inside, stripped; None without one."""
        child = self.child(name)
        return None if child is None else child.text.strip()

    def __repr__(self) -> str:
        # Its texts may be keys and passwords.
        return f"<Element {self.name}, {len(self.children)} children>"


def read_xml(body: bytes | str, *, largest: int = LARGEST_BODY) -> Element:
    """Return the root of a document.

    Args:
        body: the document; white space before it is passed over. What text says of its encoding does not
            count.
        largest: bytes or characters that it may have.

    Raises:
        DecodeError: it is not well-formed, declares a DOCTYPE, or is larger, deeper or more manifold than
            any document of the service.
    """
    if len(body) > largest:
        raise DecodeError(f"An XML document of {len(body)} bytes is larger than the {largest} allowed")
    encoded = isinstance(body, bytes)
    try:
        # Text may hold half a surrogate pair, which no encoding has.
        content = body.removeprefix(BOM_UTF8) if isinstance(body, bytes) else body.encode("utf-8")
        return _Reader(None if encoded else "UTF-8").read(content.lstrip())
    except (expat.ExpatError, ValueError) as error:
        raise DecodeError(f"This is no well-formed XML: {str(error)[:120]}") from None


def forbidden(text: str) -> str | None:
    """Return the first character of a text that no XML 1.0 document can hold, as ``U+0000``, else None."""
    found = _FORBIDDEN.search(text)
    return None if found is None else f"U+{ord(found[0]):04X}"


def write_xml(root: Element) -> bytes:
    """Return a document with this root, in UTF-8 and without white space between elements.

    Raises:
        ValueError: a name is none, or a text has a character that XML 1.0 cannot hold.
    """
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    _write(root, parts)
    return "".join(parts).encode("utf-8")


def _write(element: Element, parts: list[str]) -> None:
    for name in (element.name, *element.attributes):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for an element or an attribute")
    for text in (element.text, *element.attributes.values()):
        if (character := forbidden(text)) is not None:
            raise ValueError(f"<{element.name}> has {character}, a character that XML cannot hold")
    attributes = "".join(
        f' {name}="{value.translate(_IN_ATTRIBUTE)}"' for name, value in element.attributes.items()
    )
    parts.append(f"<{element.name}{attributes}>{element.text.translate(_IN_TEXT)}")
    for child in element.children:
        _write(child, parts)
    parts.append(f"</{element.name}>")


@define
class _Open:
    """An element whose end has not come yet."""

    name: str
    attributes: Mapping[str, str]
    texts: list[str] = field(factory=list[str])
    children: list[Element] = field(factory=list[Element])

    def closed(self) -> Element:
        return Element(self.name, "".join(self.texts), tuple(self.children), self.attributes)


class _Reader:
    """Builds elements of what expat finds; an error in a handler stops expat at once."""

    def __init__(self, encoding: str | None) -> None:
        self._parser = parser = expat.ParserCreate(encoding)
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.ExternalEntityRefHandler = self._external
        if encoding is None:
            parser.XmlDeclHandler = self._declaration
        self._document = _Open("", NO_ATTRIBUTES)
        self._open = [self._document]
        self._count = 0

    def read(self, content: bytes) -> Element:
        parser = self._parser
        for start in range(0, len(content), _PIECE):
            piece = content[start : start + _PIECE]
            parser.Parse(piece, False)
            if start + len(piece) - parser.CurrentByteIndex > LONGEST_TAG:
                raise DecodeError(f"An XML document has a tag longer than the {LONGEST_TAG} bytes allowed")
        parser.Parse(b"", True)
        return self._document.children[0]

    def _start(self, name: str, attributes: list[str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS:
            raise DecodeError(f"An XML document has more than the {MOST_ELEMENTS} elements allowed")
        if len(self._open) > DEEPEST:
            raise DecodeError(f"An XML document is nested more than the {DEEPEST} levels allowed")
        if len(attributes) > 2 * MOST_ATTRIBUTES:
            raise DecodeError(f"An XML element has more than the {MOST_ATTRIBUTES} attributes allowed")
        pairs = dict(zip(attributes[::2], attributes[1::2], strict=True)) if attributes else NO_ATTRIBUTES
        self._open.append(_Open(name, pairs))

    def _end(self, name: str) -> None:
        closed = self._open.pop().closed()
        self._open[-1].children.append(closed)

    def _text(self, text: str) -> None:
        self._open[-1].texts.append(text)

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.upper() not in _ENCODINGS:
            raise DecodeError(f"An XML document says that it is in {encoding[:40]!r}; UTF-8 was expected")

    def _doctype(self, name: str, system: str | None, public: str | None, internal: bool) -> None:
        raise DecodeError("An XML document has a DOCTYPE, which the service never sends")

    def _entity(self, name: str, *declared: object) -> None:
        raise DecodeError("An XML document declares an entity, which the service never does")

    def _external(self, context: str | None, *declared: object) -> int:
        raise DecodeError("An XML document refers to another one, which the service's never do")
