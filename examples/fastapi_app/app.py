"""The application: hands out permissions to upload, follows encodings, signs what is played.

Telestream encodes, and tells of it by a webhook; CloudKey delivers, by URLs that are signed and expire.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import anyio
from fastapi import Depends, FastAPI
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.requests import Request

from cloudreel import AsyncCloudKey, AsyncTelestream, CloudReelError, NotFoundError, web
from cloudreel.panda.waiting import JobProgress, percent_of
from cloudreel.telestream import AsyncEncoding, AsyncFactory, AsyncVideo, VideoNotification

HERE = Path(__file__).parent
PROFILES = ("h264", "webm")
PLAYED = "mp4_h264_aac"  # CloudKey's name for what Telestream's profile h264 makes
LARGEST = 20 * 2**30  # bytes


class Library:
    """The films that can be played: their media at CloudKey, each made once."""

    def __init__(self) -> None:
        self._media: dict[str, str] = {}
        self._publishing = anyio.Lock()

    async def play_url(self, client: AsyncCloudKey, factory: AsyncFactory, video: AsyncVideo) -> str:
        """Return a signed URL of an encoded video, good for an hour."""
        async with self._publishing:
            if video.id not in self._media:
                self._media[str(video.id)] = await self._publish(client, factory, video)
        media = self._media[str(video.id)]
        return client.media.get_stream_url(media, PLAYED, expires=timedelta(hours=1))

    async def _publish(self, client: AsyncCloudKey, factory: AsyncFactory, video: AsyncVideo) -> str:
        encoding = (await video.encodings.all(profile_name="h264"))[0]
        media = await client.media.create(meta={"title": str(video.original_filename)})
        url = f"{factory.url}{encoding.files[0]}"
        await client.media.set_assets(id=media["id"], assets=[{"name": PLAYED, "url": url}])
        await client.media.wait_for_assets(media["id"], [PLAYED], timeout=600)
        return media["id"]


async def the_factory(client: Annotated[AsyncTelestream, Depends(web.telestream)]) -> AsyncFactory:
    """Return the factory that everything goes to."""
    return await client.flip.factories.find(client.factory_id or "")


def create_app(address: str, secret: str) -> FastAPI:
    """Return the application.

    Args:
        address: where the service reaches this application, such as ``https://films.example``.
        secret: keeps webhooks and uploads safe; the same in all processes of the application.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, Any]]:
        async with web.lifespan(AsyncTelestream.from_env, AsyncCloudKey.from_env)(app) as state:
            factory = await the_factory(state["cloudreel"].get(AsyncTelestream))
            events = {"video_encoded": True, "encoding_completed": True, "encoding_progress": True}
            hook = f"{address}/hooks/telestream/{secret}"
            await factory.update_notifications({"url": hook, "delay": 0, "events": events})
            yield {**state, "library": Library()}

    async def uploaded(request: Request, video: AsyncVideo) -> None:
        """Say so; an application of yours notes here whose video it is."""
        print(f"{video} is up")

    async def happened(event: web.Event) -> None:
        """Say so; whoever follows the video was woken already."""
        match event.notification, event.subject:
            case VideoNotification(event="encoding-complete"), AsyncEncoding() as encoding:
                print(f"{encoding} of profile {encoding.profile_name}: {encoding.status}")
            case _:
                pass

    app = FastAPI(title="Films", lifespan=lifespan)
    uploads = web.browser_uploads(uploaded, secret=secret, largest=LARGEST, profiles=PROFILES)
    app.mount("/uploads", uploads)
    app.mount("/hooks", web.webhooks(happened, secret=secret))
    app.mount("/static", StaticFiles(directory=HERE / "static"))

    @app.get("/")
    async def page() -> FileResponse:
        return FileResponse(HERE / "static" / "index.html")

    @app.get("/films/{video_id}/events")
    async def follow(
        request: Request,
        video_id: str,
        factory: Annotated[AsyncFactory, Depends(the_factory)],
        cloudkey: Annotated[AsyncCloudKey, Depends(web.cloudkey)],
        inbox: Annotated[web.Inbox, Depends(web.inbox)],
    ) -> StreamingResponse:
        """Tell how the encodings of a video get on, as server-sent events, and at last how it is played."""
        library: Library = request.state.library

        async def events() -> AsyncIterator[str]:
            try:
                video = await factory.videos.find(video_id)
                async for progress in video.watch(notified=inbox):
                    yield event("progress", **described(progress))
                    if (failed := progress.failed) is not None:
                        yield event("failed", reason=failed.error_message or "It could not be encoded")
                        return
                yield event("ready", url=await library.play_url(cloudkey, factory, video))
            except NotFoundError:
                yield event("failed", reason="There is no such film")
            except CloudReelError as error:
                print(error)  # the page asks again

        return StreamingResponse(events(), media_type="text/event-stream")

    return app


def event(name: str, **data: object) -> str:
    """Return a server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def described(progress: JobProgress) -> dict[str, object]:
    """Return what the page shows of the encodings of a video."""
    return {
        "percent": progress.percent,
        "encodings": [
            {"name": encoding.profile_name, "status": encoding.status, "percent": percent_of(encoding)}
            for encoding in progress.encodings
        ],
    }
