"""From the older cloudkey (namespaces, Basic auth) to cloudreel.cloudkey_rest: old lines above new ones.

    python examples/migrate_cloudkey_rest.py film.mp4

=============================================  =====================================================
cloudkey, of the REST era                      cloudreel.cloudkey_rest
=============================================  =====================================================
``CloudKey(login, password)``                  ``CloudKeyRest(...)``, ``AsyncCloudKeyRest(...)``
``cloudkey.media.publish(url=..., ...)``       the same; every documented method is written down and typed
``cloudkey.media.list(filter={...})``          the same
``media.get_stream_url(...)``                  the same; in async code it is awaited: it may ask who you are
polling ``media.get_asset`` by hand            as below, or go over to ``cloudreel.cloudkey``, which waits
``NotFound``, ``InvalidArgument``, ...         the same names, each with a category: ``NotFoundError``, ...
=============================================  =====================================================
"""

import sys
import time

# from cloudkey import CloudKey, NotFound
from cloudreel.cloudkey_rest import CloudKeyRest, NotFound

PRESET = "mp4_h264_aac"


def main(path: str) -> None:
    # cloudkey = CloudKey(login, password)
    with CloudKeyRest.from_env() as cloudkey:
        # print cloudkey.user.whoami()["id"]
        print(cloudkey.user.whoami()["id"])

        # media_url = cloudkey.file.upload_file(path)["url"]
        media_url = cloudkey.file.upload_file(path)["url"]

        # media = cloudkey.media.publish(url=media_url, presets=[PRESET], meta={"title": "A film"})
        media = cloudkey.media.publish(url=media_url, presets=[PRESET], meta={"title": "A film"})

        # while cloudkey.media.get_asset(id=media["id"], preset=PRESET)["status"] != "ready": ...
        while cloudkey.media.get_asset(id=media["id"], preset=PRESET)["status"] != "ready":
            time.sleep(0.1)

        # print cloudkey.media.get_asset_url(id=media["id"], preset=PRESET)
        print(cloudkey.media.get_asset_url(id=media["id"], preset=PRESET))

        # for media in cloudkey.media.list(filter={"assets.source.status": "ready"}): ...
        for each in cloudkey.media.list(filter={"assets.source.status": "ready"}):
            print(each["id"])
            cloudkey.media.delete(id=each["id"])

        try:
            cloudkey.media.info(id=media["id"])
        # except NotFound: print "gone"
        except NotFound as error:
            print(f"gone: {error}")


if __name__ == "__main__":
    main(sys.argv[1])
