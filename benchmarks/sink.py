"""A service that throws away what it is sent: uploads are measured against it.

It opens upload sessions as Telestream does, and answers every part with a video. Over plain HTTP the bytes of
a body are not even copied out of the kernel. It serves until it is killed; the first line on stdout is its
port.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import ssl
import sys
import threading

LARGEST = 4 * 2**20  # bytes thrown away at once
MOST = 64  # parts at once


class Sink:
    """Serves one connection after the other, each from a thread of its own."""

    def __init__(self, server: socket.socket, context: ssl.SSLContext | None, part_size: int) -> None:
        self._server = server
        self._context = context
        self._part_size = part_size
        scheme = "http" if context is None else "https"
        host, self.port = server.getsockname()[:2]
        self._base = f"{scheme}://{host}:{self.port}"

    def serve(self) -> None:
        """Serve for ever."""
        while True:
            accepted, _ = self._server.accept()
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._connection, args=(accepted,), daemon=True).start()

    def _connection(self, accepted: socket.socket) -> None:
        try:
            if self._context is not None:
                accepted = self._context.wrap_socket(accepted, server_side=True)
            with accepted:
                self._requests(accepted)
        except OSError:
            return  # whoever is measured may leave as it likes

    def _requests(self, accepted: socket.socket) -> None:
        # Over TLS everything has to be read in order to be decrypted.
        flags = socket.MSG_TRUNC if self._context is None else 0
        waste = bytearray(LARGEST)
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                more = accepted.recv(2**16)
                if not more:
                    return
                data += more
            head, _, data = data.partition(b"\r\n\r\n")
            if b"100-continue" in head:
                accepted.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            found = re.search(rb"(?i)content-length: *(\d+)", head)
            left = int(found[1]) if found else 0
            if head.startswith(b"POST"):  # small, and of interest
                while len(data) < left:
                    data += accepted.recv(2**16)
                answer = self._answer(head + data)
            else:
                left -= len(data)
                while left > 0:
                    count = accepted.recv_into(waste, min(left, LARGEST), flags)
                    if not count:
                        return
                    left -= count
                answer = self._answer(head)
            data = b""
            text = json.dumps(answer).encode()
            start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
            accepted.sendall(start + b"%d\r\n\r\n" % len(text) + text)

    def _answer(self, request: bytes) -> dict[str, object]:
        size = re.search(rb"file_size=(\d+)", request)
        if not request.startswith(b"POST") or size is None:
            return {"id": "1", "name": "one", "missing_parts": []}
        return {
            "id": "u1",
            "location": f"{self._base}/upload/session?id=u1",
            "parts": -(-int(size[1]) // self._part_size),
            "part_size": self._part_size,
            "max_connections": MOST,
        }


def main() -> None:
    """Serve what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--part-size", type=int, default=5 * 2**20, metavar="BYTES")
    parser.add_argument("--certificate", metavar="FILE", help="serve https with this certificate and key")
    chosen = parser.parse_args()
    context = None
    if chosen.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chosen.certificate)
    sink = Sink(socket.create_server((chosen.host, 0), backlog=128), context, chosen.part_size)
    print(sink.port)
    sys.stdout.flush()
    sink.serve()


if __name__ == "__main__":
    main()
