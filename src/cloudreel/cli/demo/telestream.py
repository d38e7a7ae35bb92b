"""Telestream: a film goes up over a line that breaks twice, and comes back encoded."""

from __future__ import annotations

import queue

import anyio

from cloudreel.cli.demo.listener import listener, next_of
from cloudreel.cli.demo.stage import Report, Stage
from cloudreel.errors import TransportError
from cloudreel.panda.waiting import percent_of
from cloudreel.telestream import AsyncTelestream, AsyncVideo, parse_notification

PATIENCE = 90.0  # seconds; the encodes take most of them
PROFILES = ("h264", "webm")
BREAKS = 2
BROKEN_LINE = [  # what becomes of the parts, in the order they are sent
    {"method": "PUT", "path": "/upload/*", "action": "delay", "seconds": 0.1, "times": 7},
    {"method": "PUT", "path": "/upload/*", "action": "drop", "after_bytes": 300_000},
    {"method": "PUT", "path": "/upload/*", "action": "delay", "seconds": 0.1, "times": 2},
    {"method": "PUT", "path": "/upload/*", "action": "drop", "after_bytes": 500_000},
]


async def act(stage: Stage) -> None:
    """Play the act and report."""
    with anyio.fail_after(PATIENCE), listener() as (hook, inbox):
        async with stage.sandbox.telestream() as client:
            factory = (await client.flip.factories.all())[0]
            await factory.update_notifications({"url": hook, "delay": 0, "events": {"video_encoded": True}})
            video = await _upload(stage, client)
            await _follow(stage, video)
            await _hear(stage.report, inbox, video)
            encoding = (await video.encodings.all(profile_name="h264"))[0]
            await stage.play("output", f"{factory.url}{encoding.files[0]}")


async def _upload(stage: Stage, client: AsyncTelestream) -> AsyncVideo:
    clip, report = stage.clip, stage.report
    # With the usual retries nobody would see the line break: they would repair it out of sight.
    factory = (await client.with_options(retries=0).flip.factories.all())[0]
    await stage.control("faults", BROKEN_LINE)
    with stage.bars() as bars:
        task = bars.add_task("uploading", total=clip.size)
        session = await factory.upload_session(
            clip.path,
            threads=4,
            profiles=PROFILES,
            progress=lambda p: bars.update(task, completed=p.bytes_confirmed),
        )
        video: AsyncVideo | None = None
        breaks = 0
        while video is None:
            try:
                video = await (session.resume() if breaks else session.start())
            except TransportError:
                breaks += 1
                done = session.progress
                stage.console.print(
                    f"The line broke with {done.parts_done} of {done.parts} parts stored; resuming"
                )
    state = await stage.control("state")
    stored = next(upload for upload in state["uploads"] if upload["id"] == session.ticket().session_id)
    report.add("upload", f"{session.progress.parts} parts, 4 at a time, {clip.size:,} bytes")
    report.add("broken and resumed", f"{breaks} times", breaks == BREAKS)
    report.add("parts sent twice", str(stored["repeated"]), stored["repeated"] == 0)
    same = stored["sha256"] == clip.sha256
    report.add("stored", f"sha256 {clip.sha256[:16]}..." if same else "something else than was sent", same)
    return video


async def _follow(stage: Stage, video: AsyncVideo) -> None:
    with stage.bars() as bars:
        tasks = {name: bars.add_task(name, total=100) for name in PROFILES}
        async for event in video.watch(poll=0.3):
            for encoding in event.encodings:
                bars.update(tasks[encoding.profile_name or ""], completed=percent_of(encoding))
    await video.wait(timeout=PATIENCE)
    for encoding in await video.encodings.all():
        shape = f"{encoding.width}x{encoding.height}, {encoding.file_size or 0:,} bytes"
        stage.report.add(f"encoding {encoding.profile_name}", f"{shape}, {encoding.encoding_time:.1f} s")


async def _hear(report: Report, inbox: queue.Queue[bytes], video: AsyncVideo) -> None:
    heard = parse_notification(await next_of(inbox))
    good = heard.event == "video-encoded" and heard.video_id == video.details["id"]
    report.add("notification", f"{heard.event} of Video {heard.video_id}", good)
