"""What upload_film.py does, without async: the same names and arguments, line for line.

    python examples/upload_film_sync.py film.mp4

Credentials come from TELESTREAM_ACCESS_KEY, TELESTREAM_SECRET_KEY and, for a sandbox, TELESTREAM_BASE_URL.
"""

import sys

from cloudreel import Telestream, TransportError
from cloudreel.uploads import Progress


def show(progress: Progress) -> None:
    done = f"{progress.parts_done}/{progress.parts} parts"
    print(f"{done}, {progress.bytes_confirmed:,} of {progress.total:,} bytes")


def main(path: str) -> None:
    with Telestream.from_env() as client:
        factory = client.flip.factories.all()[0]
        session = factory.upload_session(path, threads=4, profiles="h264,mp3", progress=show)
        try:
            video = session.start()
        except TransportError as error:
            print(f"{error}; once more")
            video = session.resume()
        assert video is not None
        for event in video.watch():
            print(f"{event.video.status}, {event.percent:.0f} %")
        video.wait(timeout=60)
        for encoding in video.encodings.all():
            print(encoding.profile_name, encoding.files, encoding.file_size)


if __name__ == "__main__":
    main(sys.argv[1])
