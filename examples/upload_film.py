"""Upload a film in concurrent parts, survive a broken connection, follow the encodings.

    python examples/upload_film.py film.mp4

Credentials come from TELESTREAM_ACCESS_KEY, TELESTREAM_SECRET_KEY and, for a sandbox, TELESTREAM_BASE_URL.
"""

import sys

import anyio

from cloudreel import AsyncTelestream, TransportError
from cloudreel.uploads import Progress


def show(progress: Progress) -> None:
    done = f"{progress.parts_done}/{progress.parts} parts"
    print(f"{done}, {progress.bytes_confirmed:,} of {progress.total:,} bytes")


async def main(path: str) -> None:
    async with AsyncTelestream.from_env() as client:
        factory = (await client.flip.factories.all())[0]
        session = await factory.upload_session(path, threads=4, profiles="h264,mp3", progress=show)
        try:
            video = await session.start()
        except TransportError as error:
            print(f"{error}; once more")
            video = await session.resume()
        assert video is not None
        async for event in video.watch():
            print(f"{event.video.status}, {event.percent:.0f} %")
        await video.wait(timeout=60)
        for encoding in await video.encodings.all():
            print(encoding.profile_name, encoding.files, encoding.file_size)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1])
