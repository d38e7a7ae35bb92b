"""What this project does: publish films, and hand out links to them."""

from __future__ import annotations

from cloudreel import AsyncCloudKey, AsyncTelestream, Telestream, TransportError


async def publish(client: AsyncTelestream, film: bytes, title: str) -> str:
    """Upload a film, in spite of a line that breaks, and return the video's id."""
    factory = (await client.flip.factories.all())[0]
    session = await factory.upload_session(film, profiles="none", payload=title)
    try:
        video = await session.start()
    except TransportError:
        video = await session.resume()
    assert video is not None
    return str(video.id)


def published(client: Telestream) -> list[str | None]:
    """Return the titles of all films."""
    factory = client.flip.factories.all()[0]
    return [video.payload for video in factory.videos.all()]


async def link(client: AsyncCloudKey, url: str) -> str:
    """Have a film fetched from a URL and return a link to its source, good for an hour."""
    media = await client.media.create(url=url)
    return str(client.media.get_stream_url(media["id"], "source"))
