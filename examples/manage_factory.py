"""Look around in a factory, and change what it does: profiles, notifications, lists.

python examples/manage_factory.py
"""

import anyio

from cloudreel import AsyncTelestream, NotFoundError


async def main() -> None:
    async with AsyncTelestream.from_env() as client:
        for factory in await client.flip.factories.all():
            print(factory, factory.name, factory.url)
        factory = (await client.flip.factories.all())[0]

        profile = await factory.profiles.create(preset_name="h264", name="small", width=320, height=180)
        profile.video_bitrate = 250  # kbit/s
        profile.title = "Small H.264"
        await profile.save()  # sends the two fields that changed
        print(profile, profile.title, profile.video_bitrate, profile.updated_at)

        settings = await factory.update_notifications({"delay": 5, "events": {"encoding_completed": True}})
        print(settings["events"])

        async for video in factory.videos.iterate(status="success"):
            print(video, video.original_filename)

        await profile.delete()
        try:
            await factory.profiles.find("small")
        except NotFoundError as error:
            print(f"gone: {error}")


if __name__ == "__main__":
    anyio.run(main)
