"""The sandbox's own page in a real browser: what goes on, explained, live; and faults switched on."""

from __future__ import annotations

import re
from shutil import which
from typing import TYPE_CHECKING

import httpx
import pytest

from cloudreel.errors import AuthenticationError
from cloudreel.telestream import Telestream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from cloudreel.sandbox import Sandbox
    from conftest import Film

pytestmark = pytest.mark.skipif(not which("chromium"), reason="there is no chromium on the PATH to drive")

SIZES = {"a desk": (1400, 900), "a phone": (390, 844)}
WIDE = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture(autouse=True)
def clear(sandbox: Sandbox) -> Iterator[None]:
    """No test leaves faults, or another time, to the next."""
    yield
    sandbox.world.faults.clear()


@pytest.fixture
def console(page: Page, sandbox: Sandbox) -> Page:
    """The page, up to date; it loads nothing from elsewhere, and nothing that its policy forbids."""
    asked: list[str] = []
    refused: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: refused.append(message.text))
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto(sandbox.base_url)
    page.get_by_role("status").get_by_text("live").wait_for()
    assert all(url.startswith(f"{sandbox.base_url}/") for url in asked)
    assert refused == []
    return page


def card(console: Page, title: str) -> Locator:
    return console.locator("#films .card").filter(has_text=title).first


def test_a_film_stands_there_with_its_picture_and_plays(console: Page, film: Film) -> None:
    shown = card(console, "A short film")
    picture = shown.get_by_role("presentation")
    console.wait_for_function("() => document.querySelector('#films img').naturalWidth === 320")
    assert picture.evaluate("image => image.complete")
    outputs = shown.locator(".output").all_inner_texts()
    assert any(re.match(r"mp4_h264_aac\s+100 %\s+play", text) for text in outputs)
    shown.get_by_role("button", name="Play mp4_h264_aac").click()
    video = console.locator("#player video")
    video.wait_for()
    video.evaluate("video => { video.muted = true; return video.play(); }")
    console.wait_for_function("() => document.querySelector('#player video').currentTime > 0.2")
    console.get_by_role("button", name="Close").click()
    assert not video.is_visible()


def test_an_upload_fills_its_strip(console: Page, sandbox: Sandbox, tmp_path: Path) -> None:
    source = tmp_path / "<i>long.bin"
    source.write_bytes(bytes(3 * sandbox.world.part_size - 1))
    with sandbox.sync.telestream() as tc:
        factory = tc.flip.factories.all()[0]
        session = factory.upload_session(source, threads=1, profiles="none")
        row = console.locator("#uploads li").filter(has_text=source.name)
        row.get_by_text("0 %").wait_for()
        assert row.locator(".strip i").count() == 3
        session.start()
        row.get_by_text("uploaded").wait_for()
    assert "3 parts" in row.inner_text()
    assert card(console, source.name).count() == 1


def test_encodings_advance(console: Page, sandbox: Sandbox, clip: Path) -> None:
    with sandbox.sync.panda() as panda:
        video = panda.videos.create(file=clip, profiles="h264,webm")
        shown = card(console, clip.name)
        shown.get_by_text("panda").wait_for()
        video.wait(timeout=60, poll=0.1)
    console.wait_for_function(
        """() => [...document.querySelectorAll("#films .card")].some((card) =>
            card.innerText.includes("panda") && card.querySelectorAll("progress.good").length === 2)"""
    )
    picture = shown.get_by_role("presentation")
    picture.wait_for()
    assert "_3.jpg" in str(picture.get_attribute("src"))


def test_a_wrong_signature_is_explained(console: Page, sandbox: Sandbox, film: Film) -> None:
    keys = {**sandbox.config["telestream"], "secret_key": "another"}
    with Telestream(**keys) as stranger, pytest.raises(AuthenticationError):
        stranger.flip.factories.all()
    request = console.locator("#requests details").filter(has_text="signature: wrong").first
    request.locator("summary").click()
    text = request.locator("pre")
    text.get_by_text("verifier hashed: GET").wait_for()
    assert text.inner_text().startswith("refused: Signatures do not match")
    assert sandbox.config["telestream"]["secret_key"] not in text.inner_text()
    good = console.locator("#requests details").filter(has_text="signed").first
    good.locator("summary").click()
    good.locator("pre").get_by_text("accepted: the signature is valid").wait_for()
    console.wait_for_timeout(1500)
    assert request.locator("pre").is_visible(), "what was opened stays open while the page goes on"


def test_a_url_that_was_refused_is_explained(console: Page, film: Film) -> None:
    url = film.ck.media.get_stream_url(film.id, "mp4_h264_aac", expires=1)
    assert httpx.get(url).status_code == 403
    request = console.locator("#requests details").filter(has_text="signature: expired").first
    request.locator("summary").click()
    request.locator("pre").get_by_text("<secret>").wait_for()


def test_faults_are_switched_on_and_off(console: Page, sandbox: Sandbox) -> None:
    console.get_by_role("button", name="503 three times").click()
    console.locator("#faults li").filter(has_text="status").get_by_text("3 more").wait_for()
    with sandbox.sync.telestream() as tc:
        assert tc.with_options(retries=3).flip.factories.all()
    console.get_by_text("None is on").wait_for()
    assert console.locator("#requests li").filter(has_text="fault: status").count() == 3

    form = console.locator("#fault")
    form.get_by_label("Action").select_option("delay")
    form.get_by_label("Path").fill("/v2/*")
    form.get_by_role("button", name="Switch on").click()
    console.get_by_role("alert").get_by_text("delay needs seconds").wait_for()
    form.get_by_label("Seconds").fill("1.5")
    form.get_by_role("button", name="Switch on").click()
    console.locator("#faults li").filter(has_text="delay").wait_for()
    assert [(fault.path, fault.seconds) for fault in sandbox.world.faults] == [("/v2/*", 1.5)]
    console.get_by_role("button", name="Switch all off").click()
    console.get_by_text("None is on").wait_for()
    assert list(sandbox.world.faults) == []


def test_the_clock_is_moved(console: Page) -> None:
    console.get_by_role("button", name="+1 h").click()
    console.locator("#clock").get_by_text(re.compile("60 min 0 s ahead|59 min")).wait_for()
    console.get_by_role("button", name="Set right").click()
    console.wait_for_function("() => !document.querySelector('#clock').textContent.includes('ahead')")


def test_secrets_are_shown_when_they_are_asked_for(console: Page, sandbox: Sandbox) -> None:
    place = console.locator("#credentials pre")
    secret = sandbox.config["telestream"]["secret_key"]
    assert secret not in place.inner_text()
    assert f"TELESTREAM_ACCESS_KEY={sandbox.config['telestream']['access_key']}" in place.inner_text()
    console.get_by_role("button", name="Show secrets").click()
    assert f"export TELESTREAM_SECRET_KEY={secret}" in place.inner_text().splitlines()
    console.get_by_role("button", name="Hide secrets").click()
    assert secret not in place.inner_text()


def test_a_sandbox_that_has_gone_is_told(page: Page) -> None:
    from cloudreel.sandbox import Sandbox

    with Sandbox() as short:
        page.goto(short.base_url)
        page.get_by_text("live").wait_for()
    page.get_by_text("The sandbox does not answer").wait_for()


@pytest.mark.parametrize(
    ("size", "scheme"),
    [
        ("a desk", "light"),
        ("a phone", "dark"),
        pytest.param("a desk", "dark", marks=pytest.mark.soak),
        pytest.param("a phone", "light", marks=pytest.mark.soak),
    ],
)
def test_it_fits(console: Page, film: Film, tmp_path: Path, size: str, scheme: str) -> None:
    width, height = SIZES[size]
    console.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    console.set_viewport_size({"width": width, "height": height})
    assert console.evaluate(WIDE)
    colours = console.evaluate(
        "(({color, backgroundColor}) => [color, backgroundColor])(getComputedStyle(document.body))"
    )
    text, ground = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours)
    assert (text > ground) == (scheme == "dark")
    assert abs(text - ground) > 400
    picture = tmp_path / "console.png"
    console.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 20_000
