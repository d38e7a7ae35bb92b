"""Upload a film to Panda in chunks, go on where the line broke, look at the encodings.

    python examples/panda_upload.py film.mp4

Credentials come from PANDASTREAM_URL, or from PANDA_ACCESS_KEY, PANDA_SECRET_KEY and PANDA_CLOUD_ID; a
sandbox is found by PANDA_BASE_URL.
"""

import sys

import anyio

from cloudreel import AsyncPanda, TransportError


async def main(path: str) -> None:
    async with AsyncPanda.from_env() as panda:
        cloud = await panda.cloud_details()
        print(cloud.to_json(indent=2))

        session = await panda.upload_session(path, profiles="h264,mp3")
        try:
            video = await session.start()
        except TransportError as error:
            print(f"{error}; once more")
            video = await session.resume()

        await video.wait(timeout=60)
        print(video["original_filename"], video["width"], video["height"], video.created_at)
        for encoding in await video.encodings(status="success"):
            print(encoding["profile_name"], encoding["files"], f"{encoding.file_size:,} bytes")

        settings = await panda.notifications.get()
        settings["events"] = {"encoding_completed": True}  # the others stay as they are
        await settings.save()
        print(settings.events)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1])
