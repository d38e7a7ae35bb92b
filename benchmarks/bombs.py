"""What a notification of Flix Cloud costs, and what it costs to refuse a bomb that comes in its place."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from xml.etree import ElementTree

from measure import Effort, Peer, compare
from table import Row, shown

from cloudreel.errors import DecodeError
from cloudreel.notifications import parse

FILE = "<url>ftp://files.example/in.mpg</url><width>1280</width><height>720</height><size>2500000</size>"
REAL = f"""<?xml version="1.0" encoding="UTF-8"?>
<job>
  <id type="integer">5012</id>
  <initialized-job-at type="datetime">2009-08-03T10:00:00Z</initialized-job-at>
  <finished-job-at type="datetime">2009-08-03T10:06:31Z</finished-job-at>
  <recipe-name>web-sd</recipe-name>
  <recipe-id type="integer">17</recipe-id>
  <state>successful_job</state>
  <input-media-file>{FILE}</input-media-file>
  <output-media-file>{FILE}</output-media-file>
</job>
""".encode()

LAUGHS = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(10))
BOMBS = {
    "billion laughs": f'<!DOCTYPE l [<!ENTITY a "lol">{LAUGHS}]><l>&k;</l>'.encode(),
    "quadratic blow-up": f'<!DOCTYPE l [<!ENTITY a "{"x" * 50_000}">]><l>{"&a;" * 20_000}</l>'.encode(),
    "external entity": b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>',
    "parameter entity": b'<!DOCTYPE l [<!ENTITY % a SYSTEM "http://127.0.0.1:1/a"> %a;]><l/>',
    "100 MB": b"<l>" + b"x" * 100_000_000 + b"</l>",
    "10,000 levels": b"<l>" * 10_000 + b"</l>" * 10_000,
    "1,000,000 siblings": b"<l>" + b"<a/>" * 1_000_000 + b"</l>",
    "260,000 siblings, 1 MiB": b"<l>" + b"<a/>" * 260_000 + b"</l>",
    "huge attribute": b"<l a='" + b"x" * 1_000_000 + b"'/>",
}


def rows(effort: Effort) -> Iterator[Row]:
    """Yield one row a document; a bomb's note says how much memory refusing it took at most."""
    stdlib = Peer("xml.etree of Python", lambda: partial(ElementTree.fromstring, REAL))
    yield compare("a notification of Flix Cloud", partial(parse, REAL), stdlib, effort)
    real = Peer("cloudreel", lambda: partial(parse, REAL), "on a real notification")
    for name, bomb in BOMBS.items():
        memory = f"{shown(peak(partial(refuse, bomb)) / 2**20)} MiB"
        yield compare(f"refused: {name}", partial(refuse, bomb), real, effort, note=memory)


def refuse(bomb: bytes) -> None:
    """Make sure that a bomb is refused."""
    try:
        parse(bomb)
    except DecodeError:
        return
    raise AssertionError("a bomb was read")


def peak(function: Callable[[], object]) -> int:
    """Return the bytes that a call takes at most, expat's among them."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
