"""The page a player is embedded from, and the empty film in place of the Flash player. PURE.

Programs of others read the page by ``<title>`` and ``var info = {...};`` (cloudkey-rpc.md 13.3).
"""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EMPTY_SWF", "player_page", "refusal_page"]

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
html, body {{ height: 100%; margin: 0; background: #000; color: #ddd; font: 16px sans-serif }}
video {{ display: block; width: 100%; height: 100% }}
p, pre {{ margin: 0; padding: 2em; white-space: pre-wrap; overflow-wrap: anywhere }}
</style>
</head>
<body>
{body}
</body>
</html>
"""

EMPTY_SWF = (
    b"FWS\x06"  # not compressed, version 6
    b"\x17\x00\x00\x00"  # bytes of the whole file
    b"\x08\x00"  # an empty rectangle
    b"\x00\x0c\x01\x00"  # 12 frames a second, one frame
    b"\x43\x02\x00\x00\x00"  # a black background
    b"\x40\x00"  # show it
    b"\x00\x00"  # the end
)
"""A Flash film of one black frame."""


def player_page(
    title: str, info: Mapping[str, object], sources: Mapping[str, str], poster: str | None
) -> str:
    """Return the page of a media.

    Args:
        info: what its script tells.
        sources: MIME types by URL; the browser takes the first that it can play.
        poster: the URL of a picture to show before.
    """
    facts = json.dumps(info).replace("<", "\\u003c")
    if sources:
        shown = f' poster="{escape(poster)}"' if poster else ""
        choices = "".join(f'<source src="{escape(url)}" type="{kind}">' for url, kind in sources.items())
        player = f"<video controls{shown}>{choices}</video>"
    else:
        player = "<p>There is nothing to play yet.</p>"
    return _PAGE.format(title=escape(title), body=f"<script>var info = {facts};</script>\n{player}")


def refusal_page(reason: str) -> str:
    """Return the page shown to a viewer who is not let in."""
    return _PAGE.format(title="Not available", body=f"<pre>{escape(reason)}</pre>")
