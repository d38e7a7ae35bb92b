"""From cloudkey 1.2.x (CloudKey, JSON-RPC) to cloudreel.cloudkey: each old line above its new one.

    python examples/migrate_cloudkey.py film.mp4

=============================================  =====================================================
cloudkey                                       cloudreel.cloudkey
=============================================  =====================================================
``CloudKey(user_id, api_key)``                 the same, or ``AsyncCloudKey(...)``
``CloudKey(..., base_url=..., cdn_url=...)``   the same; calls go over https unless ``base_url`` is given
``cloudkey.media.info(id=..., fields=[...])``  the same; every documented method is written down and typed
``SecLevel``, ``get_stream_url(...)``          the same, without a call
``cloudkey.act_as_user(user)``                 the same, or ``as_user(user)``, a copy
polling ``media.get_assets`` by hand           ``media.wait_for_assets(id, names, timeout=...)``
``sign_url(url, key, seclevel, expires=...)``  ``cloudreel.signing.sign_url``: pure, and ``sign_urls``
``RPCException`` and its tree                  the same names, each with a category: ``NotFoundError``, ...
=============================================  =====================================================
"""

import sys
from time import time

# from cloudkey import CloudKey, NotFound, SecLevel
from cloudreel.cloudkey import CloudKey, NotFound, SecLevel

ASSET = "mp4_h264_aac"


def main(path: str) -> None:
    # cloudkey = CloudKey(user_id, api_key)
    with CloudKey.from_env() as cloudkey:
        # media_url = cloudkey.file.upload_file(path)["url"]
        media_url = cloudkey.file.upload_file(path)["url"]

        # media = cloudkey.media.create(url=media_url, assets_names=[ASSET], meta={"title": "A film"})
        media = cloudkey.media.create(url=media_url, assets_names=[ASSET], meta={"title": "A film"})

        # while cloudkey.media.get_assets(id=media["id"])[ASSET]["status"] != "ready": time.sleep(1)
        cloudkey.media.wait_for_assets(media["id"], [ASSET], timeout=60)

        # print cloudkey.media.info(id=media["id"], fields=["meta.title"])
        print(cloudkey.media.info(id=media["id"], fields=["meta.title"]))

        # print cloudkey.media.get_stream_url(id=media["id"], asset_name=ASSET,
        #                                     seclevel=SecLevel.USERAGENT, useragent="Kino/1.0",
        #                                     expires=time() + 3600)
        print(
            cloudkey.media.get_stream_url(
                id=media["id"],
                asset_name=ASSET,
                seclevel=SecLevel.USERAGENT,
                useragent="Kino/1.0",
                expires=time() + 3600,
            )
        )

        cloudkey.media.delete(id=media["id"])
        try:
            cloudkey.media.info(id=media["id"], fields=["id"])
        # except NotFound, e: print e.code, e.message
        except NotFound as error:
            print(error.code, error.message)


if __name__ == "__main__":
    main(sys.argv[1])
