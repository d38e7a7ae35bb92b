"""The sandbox's pages in a real browser."""

from __future__ import annotations

from shutil import which
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from conftest import Film

pytestmark = pytest.mark.skipif(not which("chromium"), reason="there is no chromium on the PATH to drive")

FITS = """() => {
    const {scrollWidth, scrollHeight} = document.documentElement;
    return scrollWidth <= innerWidth && scrollHeight <= innerHeight;
}"""


def test_a_film_plays(page: Page, film: Film) -> None:
    reply = page.goto(film.ck.media.get_embed_url(film.id))
    assert reply is not None
    assert reply.status == 200
    assert page.title() == "A short film"
    video = page.locator("video")
    video.evaluate("video => video.play()")
    page.wait_for_function("document.querySelector('video').currentTime > 0.5")
    shown = video.evaluate("({videoWidth, videoHeight, duration}) => [videoWidth, videoHeight, duration]")
    assert shown == pytest.approx([320, 180, 2], abs=0.2)
    assert page.evaluate(FITS)


@pytest.mark.parametrize(
    ("expires", "old", "new", "reason"),
    [
        (1, "", "", "refused (expired)"),
        (2**31 - 1, "auth=2147483647", "auth=4294967295", "refused (signature)"),
    ],
    ids=["expired", "prolonged by the viewer"],
)
def test_a_viewer_who_is_not_let_in_is_told_why(
    page: Page, film: Film, expires: int, old: str, new: str, reason: str
) -> None:
    url = film.ck.media.get_embed_url(film.id, expires=expires)
    assert old in url
    reply = page.goto(url.replace(old, new))
    assert reply is not None
    assert reply.status == 403
    assert reason in page.locator("body").inner_text()
    assert page.locator("video").count() == 0
    assert page.evaluate(FITS)
