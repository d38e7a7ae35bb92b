"""Uploads over a real socket: connections that break, many at once, and a form larger than any buffer."""

from __future__ import annotations

import hashlib
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from cloudreel.signing import signed_params

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloudreel.sandbox import Sandbox

PART = 64 * 1024


def post(sandbox: Sandbox, path: str, params: dict[str, Any], **sent: Any) -> Any:
    config = sandbox.config["telestream"]
    signed = signed_params(
        "POST",
        path,
        params,
        access_key=config["access_key"],
        secret_key=config["secret_key"],
        factory_id=config["factory_id"],
        host=config["api_host"],
        timestamp=datetime.now(UTC).isoformat(),
    )
    reply = httpx.post(f"{sandbox.base_url}/v3.0{path}", params=signed, timeout=60, **sent)
    assert reply.is_success, reply.text
    return reply.json()


def session(sandbox: Sandbox, size: int, **params: str) -> str:
    asked = {"file_size": size, "file_name": "a.mp4", **params}
    location: str = post(sandbox, "/videos/upload.json", asked)["location"]
    return location


def send_half(location: str, header: str, length: int, body: bytes) -> None:
    """Announce a body, send the beginning of it, break the connection."""
    parts = urlsplit(location)
    head = (
        f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{header}\r\n\r\n"
    )
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(head.encode() + body)


def test_a_part_cut_short_by_its_connection_is_not_stored(sandbox: Sandbox) -> None:
    location = session(sandbox, 2 * PART, multi_chunk="true")
    send_half(location, "X-Part: 1", PART, b"x" * (PART - 1))
    time.sleep(0.3)
    assert httpx.get(location).json() == {"missing_parts": [0, 1]}


def test_a_stream_cut_short_keeps_what_arrived(sandbox: Sandbox) -> None:
    body = Random(3).randbytes(2 * PART)
    location = session(sandbox, len(body))
    send_half(location, f"Content-Range: bytes 0-{len(body) - 1}/{len(body)}", len(body), body[:PART])
    deadline = time.monotonic() + 30
    held: httpx.Response | None = None
    while held is None or "range" not in held.headers:
        assert time.monotonic() < deadline
        held = httpx.put(location, headers={"Content-Range": f"bytes */{len(body)}"})
    assert held.headers["range"] == f"0-{PART - 1}"
    rest = {"Content-Range": f"bytes {PART}-{len(body) - 1}/{len(body)}"}
    assert httpx.put(location, content=body[PART:], headers=rest).status_code == 200
    [upload] = sandbox.world.snapshot()["uploads"]
    assert upload["sha256"] == hashlib.sha256(body).hexdigest()


def test_parts_arrive_side_by_side(sandbox: Sandbox) -> None:
    body = Random(4).randbytes(100 * PART + 1)
    location = session(sandbox, len(body), multi_chunk="true")
    with httpx.Client(timeout=60) as http, ThreadPoolExecutor(8) as pool:

        def send(part: int) -> bytes:
            content = body[part * PART :][:PART]
            return http.put(location, content=content, headers={"X-Part": str(part)}).content

        replies = list(pool.map(send, range(101)))
    assert sum(map(bool, replies)) == 1
    [upload] = sandbox.world.snapshot()["uploads"]
    assert (upload["sha256"], upload["repeated"]) == (hashlib.sha256(body).hexdigest(), 0)


def test_a_form_goes_straight_to_disk(sandbox: Sandbox, tmp_path: Path) -> None:
    block, count = Random(5).randbytes(2**20), 24
    file = tmp_path / "large.bin"
    with file.open("wb") as stream:
        for _ in range(count):
            stream.write(block)
    with file.open("rb") as stream:
        video = post(sandbox, "/videos.json", {"profiles": "none"}, files={"file": ("large.bin", stream)})
    assert video["file_size"] == count * len(block)
    [entry] = sandbox.world.snapshot()["videos"]
    assert entry["sha256"] == hashlib.sha256(block * count).hexdigest()


def test_a_form_cut_short_leaves_nothing(sandbox: Sandbox) -> None:
    def broken() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf'

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    reply = httpx.post(f"{sandbox.base_url}/v3.0/videos.json", content=broken(), headers=headers)
    assert (reply.status_code, reply.json()["error"]) == (400, "BadRequest")
    assert list(sandbox.world.store.folder("incoming").iterdir()) == []
