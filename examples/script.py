"""The same SDK without async, for scripts, threads and notebooks.

python examples/script.py film.mp4
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from cloudreel import JobFailed, Telestream
from cloudreel.telestream import Encoding


def title_of(encoding: Encoding) -> str | None:
    return encoding.profile().title


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
            titles = [threads.submit(title_of, encoding) for encoding in video.encodings.all()]
            print([title.result() for title in titles])
        for one in factory.videos.iterate():
            print(one, one.status, one.payload)


if __name__ == "__main__":
    main(sys.argv[1])
