"""Where the demo hears notifications: a small web server of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from anyio import to_thread

PATIENCE = 20.0  # seconds


async def next_of(inbox: queue.Queue[bytes]) -> bytes:
    """Return the body of the next notification.

    Raises:
        TimeoutError: none came.
    """
    return await to_thread.run_sync(_next, inbox)


def _next(inbox: queue.Queue[bytes]) -> bytes:
    try:
        return inbox.get(timeout=PATIENCE)
    except queue.Empty:
        raise TimeoutError("no notification came") from None


@contextmanager
def listener() -> Generator[tuple[str, queue.Queue[bytes]]]:
    """Serve an address that takes notifications; yields its URL and the bodies that come."""
    inbox: queue.Queue[bytes] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            inbox.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the demo tells what came."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook", inbox
        finally:
            server.shutdown()
            thread.join()
