"""Have Flix Cloud transcode a film that this machine offers, and hear from it when the job has ended.

    python examples/flix_job.py film.mp4

The key comes from FLIXCLOUD_API_KEY and, for a sandbox, the address from FLIXCLOUD_BASE_URL.
"""

import queue
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import anyio

from cloudreel import AsyncFlixCloud, DecodeError
from cloudreel.flixcloud import JobNotification

heard: queue.Queue[JobNotification] = queue.Queue()


class Desk(SimpleHTTPRequestHandler):
    """Gives the film away and takes notifications, which come by POST or PUT."""

    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 2**20))
        try:
            heard.put(JobNotification(body))
            self.send_response(200)
        except DecodeError:
            self.send_response(400)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_PUT(self) -> None:
        self.do_POST()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the program tells what came."""


async def transcode(film: Path, here: str) -> None:
    async with AsyncFlixCloud.from_env() as client:
        print([recipe.name for recipe in await client.recipes() if recipe.active])
        job = await client.create_job(
            recipe_name="mpg2avi",
            input_url=f"{here}/{film.name}",
            output_url="ftp://files.example/film.avi",
            output_user="bob",
            output_password="secret",
            thumbnails_url="ftp://files.example/thumbnails",
            thumbnails_prefix="film_",
            notification_url=f"{here}/done",
            pass_through="from an example",
        )
        print(f"job {job.id}, accepted at {job.initialized_job_at}")
        status = await client.wait(job.id, timeout=120)
        print(status.task_state, {name: task.percent for name, task in status.tasks.items()})


def main(path: str) -> None:
    film = Path(path).absolute()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Desk, directory=film.parent))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    anyio.run(transcode, film, f"http://127.0.0.1:{server.server_port}")
    job = heard.get(timeout=60)
    assert job.output_media_file is not None
    print(job.state, job.pass_through, job.output_media_file, job.thumbnail_media_file)
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    main(sys.argv[1])
