"""Receive what the service posts, and fetch the object before believing it: nothing in it is signed.

python examples/receive_notifications.py film.mp4
"""

import queue
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from cloudreel import DecodeError, Telestream
from cloudreel.telestream import VideoNotification, parse_notification

heard: queue.Queue[VideoNotification] = queue.Queue()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 2**20))
        try:
            heard.put(parse_notification(body))
            self.send_response(200)
        except DecodeError:
            self.send_response(400)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the program tells what came."""


def main(path: str) -> None:
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Telestream.from_env() as client:
        factory = client.flip.factories.all()[0]
        factory.update_notifications(
            {"url": f"http://127.0.0.1:{server.server_port}/", "delay": 0, "events": {"video_encoded": True}}
        )
        factory.videos.create(file=path, profiles="mp3")
        notification = heard.get(timeout=60)
        assert notification.video_id is not None
        video = factory.videos.find(notification.video_id)
        print(notification.event, video, video.status, [e.status for e in video.encodings.all()])
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    main(sys.argv[1])
