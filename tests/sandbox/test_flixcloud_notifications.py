"""What Flix Cloud tells at the end of a job: statements 17 to 22 of flixcloud.md section 9."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import anyio
import pytest
from anyio import lowlevel

from cloudreel.sandbox.net import Undelivered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from conftest import Flix, Outside

pytestmark = pytest.mark.anyio

SOUND = "<recipe-name>mp3</recipe-name>"  # what is made fastest
FILES = ("input-media-file", "output-media-file")


def hook(outside: Outside) -> str:
    return f"<notification-url>{outside.url}/hook</notification-url>"


def read(outside: Outside) -> ElementTree.Element:
    """Return the only notification that came."""
    ((_, _, body),) = outside.told
    assert body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    return ElementTree.fromstring(body)


def texts(element: ElementTree.Element | None) -> dict[str, str | None]:
    assert element is not None
    return {child.tag: child.text for child in element}


async def test_17_one_notification_comes_at_the_end_in_the_raw_body(flix: Flix, outside: Outside) -> None:
    job = await flix.settled(await flix.create(recipe=SOUND, more=hook(outside)))
    ((verb, content_type, _),) = outside.told
    assert verb == "POST"
    assert content_type is not None
    assert content_type.partition(";")[0] == "application/xml"
    told = read(outside)
    assert told.tag == "job"
    assert [child.tag for child in told] == [
        *("id", "initialized-job-at", "pass-through", "recipe-name", "recipe-id", "state"),
        *("error-message", "finished-job-at", *FILES),
    ]
    types = {child.tag: child.get("type") for child in told if child.get("type")}
    assert types == {
        "id": "integer",
        "recipe-id": "integer",
        "initialized-job-at": "datetime",
        "finished-job-at": "datetime",
    }
    said = texts(told)
    assert (said["id"], said["recipe-id"], said["recipe-name"]) == (str(job["id"]), "23", "mp3")
    assert (said["state"], said["error-message"]) == ("successful_job", None)
    # 22: dates are in UTC, and say so with a Z.
    for name in ("initialized-job-at", "finished-job-at"):
        date = said[name] or ""
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", date)
        assert datetime.fromisoformat(date)
    (entry,) = flix.world.snapshot()["notifications"]
    assert (entry["url"], entry["attempts"], entry["delivered"]) == (f"{outside.url}/hook", [200], True)
    assert (entry["body"]["id"], entry["body"]["state"]) == (job["id"], "successful_job")


async def test_17_the_media_files_are_told_of(flix: Flix, outside: Outside, clip: Path) -> None:
    job = await flix.settled(await flix.create(more=hook(outside)))
    told = read(outside)
    assert texts(told.find("input-media-file")) == {
        "url": "http://media.example/clip.mp4",
        "width": "320",
        "height": "180",
        "size": str(clip.stat().st_size),
        "duration": "2000",
        "cost": "10",
    }
    output = texts(told.find("output-media-file"))
    assert output == {name: str(job["output"][name]) for name in output}
    assert output.keys() == {"url", "width", "height", "size", "duration", "cost"}
    assert output["cost"] == "1010"


async def test_18_the_verb_may_be_put(flix: Flix, outside: Outside) -> None:
    answer = await flix.control("/flixcloud", {"notify_with": "PUT"})
    assert (answer.status_code, answer.json()["notify_with"]) == (200, "PUT")
    await flix.settled(await flix.create(recipe=SOUND, more=hook(outside)))
    assert [verb for verb, _, _ in outside.told] == ["PUT"]


async def test_the_account_is_told_of_jobs_that_name_no_address(flix: Flix, outside: Outside) -> None:
    await flix.control("/flixcloud", {"notification_url": f"{outside.url}/account"})
    own = await flix.settled(await flix.create(recipe=SOUND, more=hook(outside)))
    accounts = await flix.settled(await flix.create(recipe=SOUND))
    urls = {entry["body"]["id"]: entry["url"] for entry in flix.world.snapshot()["notifications"]}
    assert urls == {own["id"]: f"{outside.url}/hook", accounts["id"]: f"{outside.url}/account"}


@pytest.mark.parametrize(
    ("given", "text", "nil"),
    [
        (
            "<pass-through>order-77 &lt;b&gt; &amp;amp; \N{SNOWMAN}</pass-through>",
            "order-77 <b> &amp; \N{SNOWMAN}",
            None,
        ),
        ("<pass-through>  two\n lines </pass-through>", "  two\n lines ", None),
        (f"<pass-through>{'x' * 65_000}</pass-through>", "x" * 65_000, None),
        ("<pass-through></pass-through>", None, None),
        ("", None, "true"),
    ],
    ids=["escaped", "white space", "long", "empty", "unset"],
)
async def test_19_pass_through_comes_back_unchanged(
    flix: Flix, outside: Outside, given: str, text: str | None, nil: str | None
) -> None:
    await flix.settled(await flix.create(input="http://gone.example/a", more=given + hook(outside)))
    element = read(outside).find("pass-through")
    assert element is not None
    assert (element.text, element.get("nil")) == (text, nil)


@pytest.mark.parametrize(
    "files",
    [
        "",
        (
            "<watermark><url>http://gone.example/w.png</url></watermark>"
            "<thumbnails><url>s3://bucket/t/</url><prefix>t_</prefix></thumbnails>"
        ),
    ],
)
async def test_20_a_failed_job_has_empty_numbers_and_costs_nothing(
    flix: Flix, outside: Outside, files: str
) -> None:
    await flix.settled(await flix.create(input="http://gone.example/a", files=files, more=hook(outside)))
    told = read(outside)
    assert told.findtext("state") == "failed_job"
    assert "could not be downloaded" in told.findtext("error-message", "")
    urls = {"input-media-file": "http://gone.example/a", "output-media-file": "ftp://files.example/out.avi"}
    for name, url in urls.items():
        unknown = dict.fromkeys(("width", "height", "size", "duration"))
        assert texts(told.find(name)) == {"url": url, **unknown, "cost": "0"}
    if files:
        assert texts(told.find("watermark-file")) == {
            "url": "http://gone.example/w.png",
            "size": None,
            "cost": "0",
        }
        assert texts(told.find("thumbnail-media-file")) == {
            "url": "s3://bucket/t/",
            "total-size": None,
            "cost": "0",
            "number_of_thumbnails": None,
        }
    else:
        # 21: only when used
        assert told.find("watermark-file") is None
        assert told.find("thumbnail-media-file") is None


async def test_a_cancelled_job_is_told_of(flix: Flix, outside: Outside) -> None:
    outside.may_answer.clear()
    id = await flix.create(input=f"{outside.url}/in.mp4", more=hook(outside))
    await outside.until(lambda: flix.world.store.list("job", task_state="downloading_input_files"))
    await flix.control(f"/jobs/{id}/cancel")
    await flix.settled(id)
    assert read(outside).findtext("state") == "cancelled_job"


@pytest.mark.parametrize(
    ("statuses", "attempts", "delivered"),
    [
        ([], [200], True),
        ([500, 404], [500, 404, 200], True),
        ([500, 302, 201], [500, 302, 201], False),
    ],
)
async def test_a_notification_is_tried_three_times(
    flix: Flix, outside: Outside, statuses: list[int], attempts: list[int], delivered: bool
) -> None:
    outside.statuses = list(statuses)
    job = await flix.settled(await flix.create(input="http://gone.example/a", more=hook(outside)))
    assert job["task_state"] == "failed_job"
    (entry,) = flix.world.snapshot()["notifications"]
    assert (entry["attempts"], entry["delivered"]) == (attempts, delivered)
    assert len({body for _, _, body in outside.told}) == 1


async def test_the_gaps_between_tries_grow(
    flix: Flix,
    monkeypatch: pytest.MonkeyPatch,
    replace_sleep: Callable[[Callable[[float], Awaitable[None]]], None],
) -> None:
    gaps: list[float] = []

    async def sleep(seconds: float) -> None:
        gaps.append(seconds)

    async def unreachable(method: str, url: str, document: bytes) -> int:
        raise Undelivered("nobody is there")

    monkeypatch.setattr(flix.world.net, "send_xml", unreachable)
    replace_sleep(sleep)
    url = "<notification-url>http://app.example/</notification-url>"
    id = await flix.create(input="http://gone.example/a", more=url)
    with anyio.fail_after(60):
        while await flix.state(id) != "failed_job":
            await lowlevel.checkpoint()
    assert gaps == [0, 0.05, 0.1]
    (entry,) = flix.world.snapshot()["notifications"]
    assert (entry["attempts"], entry["delivered"]) == (["nobody is there"] * 3, False)
