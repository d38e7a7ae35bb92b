"""Files on their way to the upload node (cloudkey-rpc.md 11)."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import pickle
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from cloudreel import uploads
from cloudreel.cloudkey import (
    AsyncCloudKey,
    AuthenticationError,
    NotFound,
    ProcessorException,
    RPCException,
    SerializerError,
    TransportException,
)
from cloudreel.errors import UploadError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

USER = "0123456789abcdef01234567"
KEY = "00112233445566778899aabbccddeeff00112233"
NODE = "http://upload-02.dmcloud.net"
SEAL = "d41d8cd98f00b204e9800998ecf8427e"
CONTENT = bytes(range(256)) * 4096  # 1 MiB
REPLY = {"url": f"{NODE}/files/0.mp4", "name": "clip", "size": len(CONTENT), "hash": "h"}

Answer = httpx.Response | Exception


class Node(httpx.AsyncBaseTransport):
    """The service, which hands out addresses, and the node behind them, which answers by a script."""

    def __init__(self) -> None:
        self.addresses = 0
        self.answers: list[Answer] = []
        self.requests: list[httpx.Request] = []
        self.largest = 0  # piece of a body, in bytes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api":
            await request.aread()
            self.addresses += 1
            url = f"{NODE}/upload?uuid={self.addresses}&seal={SEAL}"
            return httpx.Response(200, json={"result": {"url": url}})
        body = bytearray()
        assert isinstance(request.stream, httpx.AsyncByteStream)
        async for piece in request.stream:
            self.largest = max(self.largest, len(piece))
            body += piece
        self.requests.append(
            httpx.Request(request.method, request.url, headers=request.headers, content=bytes(body))
        )
        answer = self.answers.pop(0) if self.answers else httpx.Response(200, json=REPLY)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def client(self, **options: Any) -> AsyncCloudKey:
        return AsyncCloudKey(USER, KEY, transport=self, **options)

    @property
    def paths(self) -> list[str]:
        return [f"{request.method} {request.url}" for request in self.requests]


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def clip_file(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(CONTENT)
    return path


def file_in(request: httpx.Request) -> tuple[str, bytes]:
    """Return head and content of the one file of a form."""
    boundary = request.headers["content-type"].partition('boundary="')[2].rstrip('"')
    head, _, rest = request.content.partition(b"\r\n\r\n")
    content, _, end = rest.rpartition(f"\r\n--{boundary}--\r\n".encode())
    assert end == b""
    return head.decode(), content


async def test_a_file_is_one_form_without_credentials(node: Node, clip_file: Path) -> None:
    async with node.client() as ck:
        assert await ck.file.upload_file(clip_file) == REPLY
    assert node.paths == [f"POST {NODE}/upload?uuid=1&seal={SEAL}"]
    (request,) = node.requests
    head, content = file_in(request)
    assert 'form-data; name="file"; filename="clip.mp4"' in head
    assert content == CONTENT
    assert int(request.headers["content-length"]) == len(request.content)
    assert {"authorization", "cookie", "expect"}.isdisjoint(request.headers)
    assert KEY.encode() not in head.encode()
    assert node.largest <= 256 * 1024


async def test_any_source_will_do(node: Node) -> None:
    async with node.client() as ck:
        await ck.file.upload_file(CONTENT)
        await ck.file.upload_file(io.BytesIO(CONTENT))
    digests = {hashlib.sha256(file_in(request)[1]).hexdigest() for request in node.requests}
    assert digests == {hashlib.sha256(CONTENT).hexdigest()}


async def test_a_missing_file_causes_no_traffic(node: Node, tmp_path: Path) -> None:
    async with node.client() as ck:
        with pytest.raises(FileNotFoundError):
            await ck.file.upload_file(tmp_path / "none.mp4")
        with pytest.raises(UploadError, match="empty"):
            await ck.file.upload_file(b"")
    assert node.addresses == len(node.requests) == 0


@pytest.mark.parametrize(
    ("status", "again"), [(301, False), (302, False), (303, False), (307, True), (308, True)]
)
async def test_redirects_are_followed(node: Node, clip_file: Path, status: int, again: bool) -> None:
    node.answers = [httpx.Response(status, headers={"Location": "/other?x=1"})]
    async with node.client() as ck:
        assert await ck.file.upload_file(clip_file) == REPLY
    first, second = node.requests
    assert f"{second.method} {second.url}" == f"{'POST' if again else 'GET'} {NODE}/other?x=1"
    assert second.content == (first.content if again else b"")
    assert node.addresses == 1


@pytest.mark.parametrize("location", [None, "", "ftp://a.example/x", "file:///etc/passwd", "//"])
async def test_a_redirect_leads_to_another_http_address(
    node: Node, clip_file: Path, location: str | None
) -> None:
    node.answers = [httpx.Response(307, headers={"Location": location} if location is not None else {})]
    async with node.client() as ck:
        with pytest.raises(SerializerError, match="redirects to no address"):
            await ck.file.upload_file(clip_file)
    assert len(node.requests) == 1


async def test_a_redirect_may_lead_up_to_https_but_never_down(node: Node, clip_file: Path) -> None:
    node.answers = [
        httpx.Response(307, headers={"Location": "https://safe.example/a"}),
        httpx.Response(307, headers={"Location": "http://safe.example/b"}),
    ]
    async with node.client() as ck:
        with pytest.raises(SerializerError, match="redirects to no address"):
            await ck.file.upload_file(clip_file)
    assert node.paths[1:] == ["POST https://safe.example/a"]


async def test_redirects_come_to_an_end(node: Node, clip_file: Path) -> None:
    node.answers = [httpx.Response(302, headers={"Location": f"/hop{n}"}) for n in range(9)]
    async with node.client() as ck:
        with pytest.raises(SerializerError, match="redirects and redirects"):
            await ck.file.upload_file(clip_file)
    assert len(node.requests) == 6


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.WriteError("reset"),
        httpx.ReadTimeout("late"),
        httpx.Response(503),
        httpx.Response(429, headers={"Retry-After": "2"}),
    ],
)
async def test_what_breaks_off_begins_again_at_a_fresh_address(
    node: Node, clip_file: Path, pauses: list[float], failure: Answer
) -> None:
    node.answers = [failure, failure]
    async with node.client() as ck:
        assert await ck.file.upload_file(clip_file) == REPLY
    assert node.addresses == 3
    assert [request.url.params["uuid"] for request in node.requests] == ["1", "2", "3"]
    assert file_in(node.requests[-1])[1] == CONTENT
    assert len(pauses) == 2
    if isinstance(failure, httpx.Response) and failure.status_code == 429:
        assert pauses == [2.0, 2.0]


@pytest.mark.parametrize(
    ("failure", "kind", "requests"),
    [
        (httpx.WriteError("reset"), TransportException, 2),
        (httpx.Response(500), ProcessorException, 2),
        (httpx.Response(403, text="bad seal"), AuthenticationError, 1),
        (httpx.Response(404), NotFound, 1),
        (httpx.Response(200, text="thanks"), SerializerError, 1),
        (httpx.Response(200, json={"name": "clip"}), SerializerError, 1),
    ],
)
async def test_what_fails_for_good(
    node: Node, clip_file: Path, pauses: list[float], failure: Answer, kind: type[RPCException], requests: int
) -> None:
    node.answers = [failure] * 9
    async with node.client(retries=1) as ck:
        with pytest.raises(kind) as caught:
            await ck.file.upload_file(clip_file)
    assert len(node.requests) == requests
    assert caught.value.url is not None
    assert caught.value.url.startswith(NODE)
    assert SEAL not in f"{caught.value}{caught.value.url}{caught.value.__dict__.get('__notes__')}"


async def test_an_address_is_shown_nowhere(
    node: Node, clip_file: Path, pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    node.answers = [httpx.WriteError(f"reset at {NODE}/upload?seal={SEAL}")] * 3
    async with node.client() as ck:
        with pytest.raises(TransportException) as caught:
            await ck.file.upload_file(clip_file)
    assert len(pauses) == 2
    assert SEAL not in caplog.text
    assert SEAL.encode() not in pickle.dumps(caught.value)


async def test_progress_tells_how_far_it_has_come(node: Node, clip_file: Path, pauses: list[float]) -> None:
    node.answers = [httpx.WriteError("reset")]
    seen: list[uploads.Progress] = []

    async def note(progress: uploads.Progress) -> None:
        await anyio.lowlevel.checkpoint()
        seen.append(progress)

    async with node.client() as ck:
        await ck.file.upload_file(clip_file, note)
        await ck.file.upload_file(clip_file, progress=seen.append)
    assert len(pauses) == 1
    last = seen[-1]
    assert (last.bytes_sent, last.bytes_confirmed, last.total) == (len(CONTENT),) * 3
    assert (last.parts_done, last.parts) == (1, 1)
    first_run = seen[: next(n for n, p in enumerate(seen) if p.parts_done) + 1]
    assert [p.bytes_sent for p in first_run] == sorted(p.bytes_sent for p in first_run)


async def test_failures_stay_bare_where_progress_is_told(node: Node, clip_file: Path) -> None:
    node.answers = [httpx.Response(403)]
    async with node.client() as ck:
        with pytest.raises(AuthenticationError) as caught:
            await ck.file.upload_file(clip_file, lambda progress: None)
    assert not isinstance(caught.value.__context__, BaseExceptionGroup)


async def test_a_callback_that_fails_ends_the_upload(node: Node, clip_file: Path) -> None:
    def refuse(progress: uploads.Progress) -> None:
        raise ZeroDivisionError

    async with node.client() as ck:
        with pytest.raises(ZeroDivisionError):
            await ck.file.upload_file(clip_file, refuse)


async def test_an_upload_may_be_cancelled(node: Node, clip_file: Path) -> None:
    async with node.client() as ck:
        with anyio.CancelScope() as scope:
            await ck.file.upload_file(clip_file, lambda progress: scope.cancel())
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (
            json.dumps({"state": "uploading", "received": 5, "size": 9}),
            {"state": "uploading", "received": 5, "size": 9},
        ),
        ('jQuery_1.cb({"state": "done"});', {"state": "done"}),
        (' ?({"state": "notfound"})\n', {"state": "notfound"}),
    ],
)
async def test_the_node_says_how_far_an_upload_has_come(node: Node, content: str, status: object) -> None:
    node.answers = [httpx.Response(200, text=content)]
    async with node.client() as ck:
        assert await ck.file.upload_status(f"{NODE}/status?uuid=1&seal={SEAL}") == status
    assert node.paths == [f"GET {NODE}/status?uuid=1&seal={SEAL}"]


@pytest.mark.parametrize("content", ["", "soon", "[]", '{"received": 1}', "cb(", "cb(1)"])
async def test_a_status_has_a_state(node: Node, content: str) -> None:
    node.answers = [httpx.Response(200, text=content)]
    async with node.client() as ck:
        with pytest.raises(SerializerError) as caught:
            await ck.file.upload_status(f"{NODE}/status?seal={SEAL}")
    assert SEAL not in f"{caught.value} {caught.value.url}"
