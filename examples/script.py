"""The same SDK without async, for scripts, threads and notebooks.

python examples/script.py film.mp4
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from cloudreel import JobFailed, Telestream


def main(path: str) -> None:
    with Telestream.from_env() as client:
        factory = client.flip.factories.all()[0]
        try:
            video = factory.videos.create(file=path, profiles="h264", payload="from a script").wait(
                timeout=60
            )
        except JobFailed as error:
            sys.exit(f"{error.job}: {error}")
        print(video, f"{video.width}x{video.height}", video.created_at)
        with ThreadPoolExecutor(4) as threads:  # one client serves all threads
            print(list(threads.map(lambda encoding: encoding.profile().title, video.encodings.all())))
        for one in factory.videos.iterate():
            print(one, one.status, one.payload)


if __name__ == "__main__":
    main(sys.argv[1])
