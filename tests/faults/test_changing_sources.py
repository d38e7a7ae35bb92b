"""Sources that shrink, grow or are written over while they are sent, or between two attempts.

Whatever holds the source and whoever moves its bytes, the service is not told that the upload is complete.
"""

from __future__ import annotations

import io
import os
import random
from typing import TYPE_CHECKING, Any

import pytest

from cloudreel.errors import CloudReelError, UploadError
from cloudreel.uploads import Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cloudreel.sandbox import Sandbox
    from cloudreel.uploads import Fingerprint, Progress, SourceLike
    from conftest import Control

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_patience", "every_step")]

PART = 16 * 1024
DATA = random.Random(0).randbytes(5 * PART - 5)
CHANGED = {"shrinks": DATA[:-PART], "grows": DATA + b"more", "is written over": DATA[::-1]}
HOLDERS = ["file, by the kernel", "file, piece by piece", "file object"]


class Film:
    """A source of some kind, and the way to change it."""

    def __init__(self, holder: str, folder: Path) -> None:
        self.is_file = holder != "file object"
        self.options: dict[str, Any] = {"fast_path": holder == HOLDERS[0]}
        self._path = folder / "film.mp4"
        self._path.write_bytes(DATA)
        self._object = Own(DATA)
        self.source: SourceLike = self._path if self.is_file else self._object

    def become(self, content: bytes) -> None:
        if self.is_file:
            self._path.write_bytes(content)
            os.utime(self._path, ns=(1, 1))  # a clock that is coarse would not tell two writes apart
        else:
            self._object.become(content)


class Own(io.BytesIO):
    """A file object of the caller's own kind."""

    def become(self, content: bytes) -> None:
        position = self.tell()
        self.seek(0)
        self.write(content)
        self.truncate()
        self.seek(position)


@pytest.fixture(params=HOLDERS)
def film(request: pytest.FixtureRequest, tmp_path: Path) -> Film:
    return Film(request.param, tmp_path)


@pytest.fixture(params=list(CHANGED))
def content(request: pytest.FixtureRequest) -> bytes:
    return CHANGED[request.param]


@pytest.fixture
def anyio_backend(content: bytes) -> str:
    return "trio" if content == CHANGED["grows"] else "asyncio"


async def open_session(service: str, client: Any, film: Film, progress: Callable[[Progress], None]) -> Any:
    """Open a session that sends one request after the other."""
    if service == "panda":
        return await client.upload_session(film.source, chunk_size=PART, profiles="none", progress=progress)
    factory = await client.flip.factories.find(str(client.factory_id))
    return await factory.upload_session(film.source, threads=1, profiles="none", progress=progress)


def incomplete(control: Control, session_id: str) -> bool:
    return bool(control.upload(session_id)["status"] != "uploaded")


@pytest.mark.parametrize("service", ["telestream", "panda"])
async def test_a_source_that_changes_on_the_way_completes_nothing(
    sandbox: Sandbox, control: Control, service: str, film: Film, content: bytes
) -> None:
    def change(progress: Progress) -> None:
        if progress.parts_done == 1:
            film.become(content)

    sandbox.world.part_size = PART
    async with getattr(sandbox, service)(**film.options) as client:
        session = await open_session(service, client, film, change)
        with pytest.raises(UploadError, match="changed since the upload began"):
            await session.start()
        assert session.status == "error"
        assert incomplete(control, session.ticket().session_id)
        with pytest.raises(UploadError, match="changed since the upload began") as refused:
            await session.resume()
        assert refused.value.ticket == session.ticket()
        assert incomplete(control, session.ticket().session_id)


@pytest.mark.parametrize("service", ["telestream", "panda"])
async def test_a_source_that_changed_between_two_attempts_is_not_sent(
    sandbox: Sandbox, control: Control, service: str, film: Film, content: bytes
) -> None:
    sandbox.world.part_size = PART
    async with getattr(sandbox, service)(**film.options) as client:
        session = await open_session(service, client, film, lambda progress: None)
        control.faults({"path": "/upload/*", "method": "PUT", "action": "status", "status": 400})
        with pytest.raises(CloudReelError):
            await session.start()
        uploads = client if service == "panda" else await client.flip.factories.find(client.factory_id)
        film.become(content)
        sandbox.world.requests.clear()
        with pytest.raises(UploadError, match="changed since the upload began"):
            await session.resume()
        with pytest.raises(UploadError, match="changed since the upload began"):
            await uploads.resume_upload(session.ticket(), film.source)
    assert list(sandbox.world.requests) == []


async def test_a_form_of_a_source_that_changes_on_the_way_is_not_completed(
    sandbox: Sandbox, control: Control, film: Film, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change comes with the first bytes of the only request."""
    changing = changing_once(film, content)
    verify = Source.verify

    async def verify_then_change(source: Source, expected: Fingerprint) -> None:
        await verify(source, expected)
        for name in ("pread", "preadv", "sendfile"):
            monkeypatch.setattr(os, name, changing(getattr(os, name)))
        monkeypatch.setattr(Own, "read", changing(Own.read))

    async with sandbox.cloudkey(**film.options) as ck:
        stored = len(control.state()["uploads"])
        monkeypatch.setattr(Source, "verify", verify_then_change)
        with pytest.raises(UploadError, match="changed since the upload began"):
            await ck.file.upload_file(film.source)
        opened = control.state()["uploads"][stored:]
        assert {"uploaded"}.isdisjoint(each["status"] for each in opened)
        assert len(opened) == 1


def changing_once(film: Film, content: bytes) -> Any:
    """Return what wraps a function that reads, so that the first of them to be called changes the film."""
    left = [content]

    def wrap(read: Any) -> Any:
        def reading(*arguments: Any) -> Any:
            got = read(*arguments)
            while left:
                film.become(left.pop())
            return got

        return reading

    return wrap
