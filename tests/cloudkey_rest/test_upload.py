"""Files on their way to the upload node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from cloudreel import UploadError
from cloudreel.cloudkey_rest import ApiException, AuthenticationFailed, UnreadableAnswer, UploadFailed

if TYPE_CHECKING:
    from pathlib import Path

    from cloudreel.cloudkey_rest import AsyncCloudKeyRest
    from cloudreel.uploads import Progress
    from conftest import Wire

pytestmark = pytest.mark.anyio

NODE = "http://upload-01.dmcloud.net/upload?uuid=1234&seal=5678"
STORED = {"url": "http://upload-01.dmcloud.net/files/1234.3gp", "name": "video", "size": 5}


async def test_a_file_goes_to_the_node_without_the_login(
    wire: Wire, ck: AsyncCloudKeyRest, tmp_path: Path
) -> None:
    (tmp_path / "video.3gp").write_bytes(b"movie")
    wire.answers({"url": NODE}, STORED)
    assert await ck.file.upload_file(tmp_path / "video.3gp") == STORED
    asked, sent = wire.requests
    assert str(asked.url) == "https://api.dmcloud.net/json/file/upload"
    assert (sent.method, str(sent.url)) == ("POST", NODE)
    assert "authorization" not in sent.headers
    assert int(sent.headers["content-length"]) == len(wire.bodies[1])
    assert b'name="file"; filename="video.3gp"' in wire.bodies[1]
    assert b"\r\n\r\nmovie\r\n--" in wire.bodies[1]


async def test_whom_the_client_acts_as_is_told_the_service_and_not_the_node(
    wire: Wire, ck: AsyncCloudKeyRest
) -> None:
    wire.answers({"url": NODE}, STORED)
    await ck.act_as_user("bob").file.upload_file(b"movie")
    assert [params for _, params in wire.asked] == [{"__user__": "bob"}, {"uuid": "1234", "seal": "5678"}]


async def test_a_redirect_is_followed_with_the_file_and_without_the_login(
    wire: Wire, ck: AsyncCloudKeyRest
) -> None:
    there = "http://upload-02.dmcloud.net/upload?uuid=1234"
    wire.answers({"url": NODE}, httpx.Response(307, headers={"location": there}), STORED)
    assert await ck.file.upload_file(b"movie") == STORED
    assert str(wire.requests[2].url) == there
    assert "authorization" not in wire.requests[2].headers
    assert b"movie" in wire.bodies[2]


async def test_progress_ends_with_the_whole_file(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    seen: list[Progress] = []
    wire.answers({"url": NODE}, STORED)
    await ck.file.upload_file(b"movie", seen.append)
    assert (seen[-1].bytes_confirmed, seen[-1].total) == (5, 5)


async def test_a_missing_file_is_told_before_anything_is_sent(
    wire: Wire, ck: AsyncCloudKeyRest, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        await ck.file.upload_file(tmp_path / "none.3gp")
    with pytest.raises(UploadError):
        await ck.file.upload_file(b"")
    assert wire.requests == []


async def test_what_the_node_refuses_is_an_api_exception(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers({"url": NODE}, httpx.Response(403, text="bad seal"))
    with pytest.raises(AuthenticationFailed, match="bad seal") as caught:
        await ck.file.upload_file(b"movie")
    assert "5678" not in f"{caught.value} {vars(caught.value)}"


async def test_an_answer_without_an_address_is_not_believed(wire: Wire, ck: AsyncCloudKeyRest) -> None:
    wire.answers({"uri": NODE})
    with pytest.raises(UnreadableAnswer, match="url"):
        await ck.file.upload_file(b"movie")
    assert len(wire.requests) == 1


def test_an_upload_that_failed_is_an_api_exception() -> None:
    assert issubclass(UploadFailed, ApiException)
