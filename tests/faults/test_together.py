"""Many uploads at once over one client, from files and from memory, and each arrives as it is."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from cloudreel.uploads import upload_many, upload_many_sync

if TYPE_CHECKING:
    from pathlib import Path

    from cloudreel.sandbox import Sandbox
    from cloudreel.uploads import SourceLike
    from conftest import Control

pytestmark = pytest.mark.anyio

PART = 16 * 1024


def films(count: int, folder: Path) -> list[bytes]:
    """Return contents, each of which also lies in a file ``0``, ``1`` and so on."""
    draw = random.Random(count)
    made = [draw.randbytes(draw.randint(1, 4) * PART + draw.randint(1, PART)) for _ in range(count)]
    for number, data in enumerate(made):
        (folder / str(number)).write_bytes(data)
    return made


def sources(made: list[bytes], folder: Path) -> list[SourceLike]:
    """Return every other content as a path, the rest as bytes."""
    return [data if number % 2 else folder / str(number) for number, data in enumerate(made)]


def check(control: Control, made: list[bytes], sessions: list[Any]) -> None:
    uploads = {upload["id"]: upload for upload in control.state()["uploads"]}
    for data, session in zip(made, sessions, strict=True):
        upload = uploads[session.ticket().session_id]
        assert upload["sha256"] == hashlib.sha256(data).hexdigest()
        assert (upload["video_id"], upload["repeated"]) == (session.video.id, 0)


async def upload_all(
    count: int, way: str, service: str, sandbox: Sandbox, control: Control, folder: Path
) -> None:
    made = films(count, folder)
    sandbox.world.part_size = PART
    async with getattr(sandbox, service)() as client:
        if service == "telestream":
            uploads = await client.flip.factories.find(str(client.factory_id))
            options = {"threads": 4}
        else:
            uploads, options = client, {"chunk_size": PART}
        sessions = [
            await uploads.upload_session(source, profiles="none", **options)
            for source in sources(made, folder)
        ]
        if way == "upload_many":
            videos = await upload_many(sessions, limit=count)
            assert [video.id for video in videos] == [session.video.id for session in sessions]
        else:
            async with anyio.create_task_group() as group:
                for session in sessions:
                    group.start_soon(session.start)
    check(control, made, sessions)


@pytest.mark.parametrize("service", ["telestream", "panda"])
@pytest.mark.parametrize("way", ["upload_many", "task group"])
async def test_sixteen_uploads_share_a_client(
    way: str, service: str, sandbox: Sandbox, control: Control, tmp_path: Path
) -> None:
    await upload_all(16, way, service, sandbox, control, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("count", [1, 4, 64])
@pytest.mark.parametrize("service", ["telestream", "panda"])
@pytest.mark.parametrize("way", ["upload_many", "task group"])
async def test_one_to_sixty_four_uploads_share_a_client(
    count: int, way: str, service: str, sandbox: Sandbox, control: Control, tmp_path: Path
) -> None:
    await upload_all(count, way, service, sandbox, control, tmp_path)


def test_sixteen_uploads_share_a_synchronous_client(
    sandbox: Sandbox, control: Control, tmp_path: Path
) -> None:
    made = films(16, tmp_path)
    sandbox.world.part_size = PART
    with sandbox.sync.telestream() as client:
        factory = client.flip.factories.find(str(client.factory_id))
        sessions = [factory.upload_session(each, profiles="none") for each in sources(made, tmp_path)]
        videos = upload_many_sync(sessions, limit=16)
    assert [video.id for video in videos] == [session.video and session.video.id for session in sessions]
    check(control, made, sessions)
