"""CloudKey: a film goes up, is encoded, and plays from a signed URL that nobody can change."""

from __future__ import annotations

import time

import httpx

from cloudreel.cli.demo.stage import Stage
from cloudreel.cloudkey import AsyncCloudKey
from cloudreel.signing import SecLevel

PATIENCE = 60.0  # seconds for the encodes
ASSETS = ("mp4_h264_aac", "jpeg_thumbnail_medium")
VIEWER = "127.0.0.1"


async def act(stage: Stage) -> None:
    """Play the act and report."""
    async with stage.sandbox.cloudkey() as client:
        media_id = await _publish(stage, client)
        url = client.media.get_stream_url(media_id, ASSETS[0], seclevel=SecLevel.IP, ip=VIEWER)
        await stage.play("signed URL", url)
        late = client.media.get_stream_url(
            media_id, ASSETS[0], seclevel=SecLevel.IP, ip=VIEWER, expires=int(time.time()) - 60
        )
        foreign = client.media.get_stream_url(media_id, ASSETS[0], seclevel=SecLevel.IP, ip="203.0.113.9")
        await _refused(stage, "expired URL", late)
        await _refused(stage, "tampered URL", url.replace(ASSETS[0], "mp4_h264_aac_hq"))
        await _refused(stage, "somebody else's URL", foreign)


async def _publish(stage: Stage, client: AsyncCloudKey) -> str:
    with stage.bars() as bars:
        task = bars.add_task("uploading", total=stage.clip.size)
        uploaded = await client.file.upload_file(
            stage.clip.path, progress=lambda p: bars.update(task, completed=p.bytes_confirmed)
        )
    created = await client.media.create(
        url=uploaded["url"], assets_names=ASSETS, meta={"title": "A film of the demo"}
    )
    media_id = created["id"]
    with stage.bars() as bars:
        tasks = {name: bars.add_task(name, total=100) for name in ASSETS}
        async for assets in client.media.watch_assets(media_id, ASSETS, poll=0.3):
            for name, asset in assets.items():
                done = 100 if asset.get("status") == "ready" else asset.get("progress", 0)
                bars.update(tasks[name], completed=done)
    assets = await client.media.wait_for_assets(media_id, ASSETS, timeout=PATIENCE)
    for name, asset in assets.items():
        shape = f"{asset.get('video_width')}x{asset.get('video_height')}"
        stage.report.add(f"asset {name}", f"{shape}, {asset.get('file_size', 0):,} bytes")
    return media_id


async def _refused(stage: Stage, what: str, url: str) -> None:
    async with httpx.AsyncClient() as web:
        answer = await web.get(url)
    reason = next((line for line in answer.text.splitlines() if line.strip()), "")
    stage.report.add(what, f"{answer.status_code}: {reason}", answer.status_code == 403)
