"""Panda: a film goes up chunk by chunk, breaks off in the middle of one, and goes on at that byte."""

from __future__ import annotations

import json

from cloudreel.cli.demo.stage import Stage
from cloudreel.errors import TransportError
from cloudreel.panda import AsyncPanda, AsyncVideo

PATIENCE = 60.0  # seconds for the encode
CHUNK_SIZE = 2**20
BROKEN_LINE = [  # what becomes of the chunks, in the order they are sent
    {"method": "PUT", "path": "/upload/*", "action": "delay", "seconds": 0.1, "times": 4},
    {"method": "PUT", "path": "/upload/*", "action": "drop", "after_bytes": 700_000},
]


async def act(stage: Stage) -> None:
    """Play the act and report."""
    async with stage.sandbox.panda() as client:
        video = await _upload(stage, client)
        await video.wait(timeout=PATIENCE)
        encoding = (await video.encodings(status="success"))[0]
        shape = f"{encoding['width']}x{encoding['height']}, {encoding['file_size']:,} bytes"
        stage.report.add(f"encoding {encoding['profile_name']}", shape)
        found = json.loads(await client.get(f"/videos/{video['id']}.json"))
        stage.report.add("REST", f"{found['original_filename']}: {found['status']}", found == video.details)
        cloud = await client.cloud_details()
        await stage.play("output", f"{cloud.url}{encoding.files[0]}")


async def _upload(stage: Stage, client: AsyncPanda) -> AsyncVideo:
    clip, report = stage.clip, stage.report
    await stage.control("faults", BROKEN_LINE)
    with stage.bars() as bars:
        task = bars.add_task("uploading", total=clip.size)
        # With the usual retries nobody would see the line break: they would repair it out of sight.
        session = await client.with_options(retries=0).upload_session(
            clip.path,
            profiles="h264",
            chunk_size=CHUNK_SIZE,
            progress=lambda p: bars.update(task, completed=p.bytes_confirmed),
        )
        try:
            video = await session.start()
            report.add("broken and resumed", "the line did not break", False)
        except TransportError:
            stage.console.print(
                f"The line broke: {session.progress.bytes_confirmed:,} bytes confirmed; resuming"
            )
            video = await session.resume()
            report.add("broken and resumed", "once, in the middle of a chunk")
    state = await stage.control("state")
    stored = next(upload for upload in state["uploads"] if upload["id"] == session.ticket().session_id)
    same = stored["sha256"] == clip.sha256
    report.add("chunks sent twice", str(stored["repeated"]), stored["repeated"] == 0)
    report.add("stored", f"sha256 {clip.sha256[:16]}..." if same else "something else than was sent", same)
    return video
