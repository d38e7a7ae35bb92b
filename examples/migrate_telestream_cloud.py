"""From telestream-cloud 1.1.x (TelestreamCloud) to cloudreel.telestream: each old line above its new one.

    python examples/migrate_telestream_cloud.py film.mp4

=============================================  =====================================================
telestream_cloud                               cloudreel.telestream
=============================================  =====================================================
``TelestreamCloud(key, secret, factory_id)``   ``Telestream(...)``, ``AsyncTelestream(...)``: the same
``tc.get_resource("flip")``                    the same, or ``tc.flip``
``factories.all()`` of the first page          all pages; ``iterate()`` page by page
``video.details["width"]``                     the same, or ``video.width``; dates are aware datetimes
``upload_session(file, ...)``, ``start()``     the same; ``start()`` returns the video
``UploadSession.resume()`` in this process     also in another: ``session.ticket()``, ``resume_upload()``
polling ``reload()`` until ``success``         ``video.wait(timeout=...)``, ``video.watch()``
``TelestreamCloudException``                   the same, with a category: ``NotFoundError``, ...
=============================================  =====================================================
"""

import sys

# from telestream_cloud import TelestreamCloud, TelestreamCloudException
from cloudreel.telestream import Telestream, TelestreamCloudException


def main(path: str) -> None:
    # tc = TelestreamCloud(access_key, secret_key, factory_id, api_host, api_port)
    with Telestream.from_env() as tc:
        # flip = tc.get_resource("flip")
        flip = tc.get_resource("flip")
        # factory = flip.factories.find(factory_id)
        factory = flip.factories.find(str(tc.factory_id))
        print(factory, factory.name)

        # us = factory.upload_session(path, profiles="h264")
        # us.start()
        # video = us.video
        us = factory.upload_session(path, profiles="h264")
        video = us.start()
        assert video is not None

        # while video.reload()["status"] == "processing": time.sleep(1)
        video.wait(timeout=60)

        # for encoding in video.encodings.all(): print encoding.details["files"]
        for encoding in video.encodings.all():
            print(encoding, encoding.details["files"])

        try:
            factory.videos.find("0" * 32)
        # except TelestreamCloudException as e: print e
        except TelestreamCloudException as error:
            print(error.response.status_code if error.response else error)


if __name__ == "__main__":
    main(sys.argv[1])
