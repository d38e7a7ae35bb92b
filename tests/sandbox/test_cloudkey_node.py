"""CloudKey's upload node (cloudkey-rpc.md section 11; 41 to 43 of section 17)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import anyio
import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cloudreel.sandbox.state import World
    from conftest import Rpc

pytestmark = pytest.mark.anyio

TARGET = "http://www.example.com/done?form=1&x=é☃#top"


async def test_41_42_an_upload_url_holds_what_it_needs(rpc: Rpc) -> None:
    reply = await rpc("file.upload")
    assert reply.keys() == {"url"}
    assert dict(parse_qsl(urlsplit(reply["url"]).query)).keys() == {"uuid", "seal"}
    query = dict(parse_qsl(urlsplit((await rpc("file.upload", target=TARGET))["url"]).query))
    assert query.keys() == {"uuid", "seal", "target"}
    assert query["target"] == TARGET
    assert await rpc.code("file.upload", target=1) == 630


async def test_43_the_node_tells_what_it_received(rpc: Rpc) -> None:
    content = bytes(range(256)) * 500
    reply = await rpc("file.upload", status=True)
    response = await rpc.http.post(reply["url"], files={"file": (r"C:\films\my video.3gp", content)})
    assert response.headers["access-control-allow-origin"] == "*"
    told = response.json()
    assert told.keys() == {"url", "name", "size", "hash", "seal"}
    assert (told["name"], told["size"]) == ("my video", len(content))
    assert told["hash"] == hashlib.sha1(content).hexdigest()
    uuid = dict(parse_qsl(urlsplit(reply["url"]).query))["uuid"]
    assert told["url"] == f"http://sandbox.local/files/{uuid}.3gp"
    assert (await rpc.http.get(told["url"])).content == content
    part = await rpc.http.get(told["url"], headers={"range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, content[1:4])
    assert (await rpc.http.get(reply["status"])).json() == {
        "state": "done",
        "received": len(content),
        "size": len(content),
    }
    [upload] = rpc.world.snapshot()["uploads"]
    assert (upload["service"], upload["status"]) == ("cloudkey", "uploaded")
    assert (upload["size"], upload["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


async def test_a_target_gets_the_browser_and_the_facts(rpc: Rpc) -> None:
    url = (await rpc("file.upload", target=TARGET))["url"]
    response = await rpc.http.post(url, files={"file": ("a b.mp4", b"x")})
    assert response.status_code == 302
    location = urlsplit(response.headers["location"])
    query = dict(parse_qsl(location.query))
    assert (location.netloc, location.path, location.fragment) == ("www.example.com", "/done", "top")
    assert query.keys() == {"form", "x", "url", "name", "size", "hash", "seal"}
    assert (query["form"], query["x"], query["name"], query["size"]) == ("1", "é☃", "a b", "1")


async def test_an_upload_url_is_good_once_and_only_as_it_is(rpc: Rpc, world: World) -> None:
    url = (await rpc("file.upload"))["url"]
    files = {"file": ("a.mp4", b"x")}
    assert (await rpc.http.post(url[:-1], files=files)).status_code == 403
    assert (await rpc.http.post(url.partition("?")[0], files=files)).status_code == 403
    assert (await rpc.http.post(url, files={"other": ("a.mp4", b"x")})).status_code == 400
    assert (await rpc.http.post(url, content=b"x")).status_code == 400
    assert (await rpc.http.post(url, files=files)).status_code == 200
    again = await rpc.http.post(url, files=files)
    assert (again.status_code, again.headers["access-control-allow-origin"]) == (403, "*")
    assert (await rpc.http.get("/files/nothing.mp4")).status_code == 404
    assert not list(world.store.folder("incoming").iterdir())


async def test_the_status_grows_and_comes_as_a_script_if_asked(rpc: Rpc) -> None:
    reply = await rpc("file.upload", status=True, jsonp_cb="?")
    assert reply["status"].endswith("&jsonp_cb=?")
    status = reply["status"].removesuffix("?")
    assert (await rpc.http.get(status + "cb1")).text == 'cb1({"state": "notfound"});'
    assert (await rpc.http.get(status + "alert(1)//")).status_code == 400
    assert (await rpc.http.get(reply["status"].replace("seal=", "seal=0"))).status_code == 403

    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
    first, tail = b"x" * 1000, b"\r\n--b--\r\n"
    sent, go_on = anyio.Event(), anyio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield head + first
        sent.set()
        await go_on.wait()
        yield tail

    headers = {
        "content-type": "multipart/form-data; boundary=b",
        "content-length": str(len(head + first + tail)),
    }

    async def send() -> None:
        response = await rpc.http.post(reply["url"], content=body(), headers=headers)
        assert response.status_code == 200, response.text

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send)
            await sent.wait()
            growing = await rpc.http.get(status.removesuffix("&jsonp_cb="))
            total = len(head + first + tail)
            assert growing.json() == {"state": "uploading", "received": len(head + first), "size": total}
            busy = await rpc.http.post(reply["url"], files={"file": ("b.mp4", b"y")})
            assert busy.status_code == 409
            go_on.set()
    assert (await rpc.http.get(status + "cb2")).text.startswith('cb2({"state": "done"')


async def test_a_broken_upload_may_be_sent_again(rpc: Rpc) -> None:
    url = (await rpc("file.upload"))["url"]
    cut = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\nxxx'
    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert (await rpc.http.post(url, content=cut, headers=headers)).status_code == 400
    assert (await rpc.http.post(url, files={"file": ("a.mp4", b"x")})).status_code == 200
