"""From panda 0.3.x (Panda) to cloudreel.panda: each old line above its new one.

    python examples/migrate_panda.py film.mp4

=============================================  =====================================================
panda                                          cloudreel.panda
=============================================  =====================================================
``Panda(access_key, secret_key, cloud_id)``    the same, or ``AsyncPanda(...)``
``Panda(api_host=..., api_port=...)``          the same; ``PANDASTREAM_URL`` by ``Panda.from_env()``
``panda.videos.all()``, of the first page      all pages; ``iterate()`` page by page
``video["width"]``                             the same, or ``video.width``; dates are aware datetimes
``video.encodings()``, ``profile.save()``      the same
``upload_session``, ``start()``, ``resume()``  the same; ``start()`` returns the video
``panda.get("/videos.json")``                  the same: JSON text
``PandaError``                                 the same, with a category: ``NotFoundError``, ...
=============================================  =====================================================
"""

import json
import sys

# from panda import Panda
# from panda.models import PandaError
from cloudreel.panda import Panda, PandaError


def main(path: str) -> None:
    # panda = Panda(access_key, secret_key, cloud_id)
    with Panda.from_env() as panda:
        # video = panda.videos.create(file=path, profiles="h264")
        video = panda.videos.create(file=path, profiles="h264")

        # while video.reload()["status"] == "processing": time.sleep(1)
        video.wait(timeout=60)
        print(video["original_filename"], video["width"], video["height"])

        # for encoding in video.encodings(): print encoding.to_json()
        for encoding in video.encodings():
            print(encoding.to_json(indent=2))

        # profile = panda.profiles.create(preset_name="h264", name="small")
        # profile["title"] = "Small"; profile.save()
        profile = panda.profiles.create(preset_name="h264", name="small")
        profile["title"] = "Small"
        profile.save()

        # print json.loads(panda.get("/profiles/%s.json" % profile["id"]))["title"]
        print(json.loads(panda.get(f"/profiles/{profile['id']}.json"))["title"])

        try:
            panda.videos.find("0" * 32)
        # except PandaError as e: print e
        except PandaError as error:
            print(error)


if __name__ == "__main__":
    main(sys.argv[1])
