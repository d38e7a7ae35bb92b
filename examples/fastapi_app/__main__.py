"""A page to drop films on: they go straight to the cloud, are encoded, and played by a signed URL.

    python examples/fastapi_app                 # then open the address that it prints
    python examples/fastapi_app film.mp4        # send one film as the page would, and end

Without TELESTREAM_ACCESS_KEY it brings a sandbox of its own. Otherwise credentials come from TELESTREAM_...
(with TELESTREAM_FACTORY_ID) and CLOUDKEY_..., and APP_URL says where the service reaches this application.
"""

import argparse
import os
import secrets
import socket
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import uvicorn
from app import create_app
from check import send

from cloudreel.sandbox import Sandbox


def main() -> None:
    parser = argparse.ArgumentParser(prog="fastapi_app")
    parser.add_argument("film", nargs="?", help="send this film as the page would, and end")
    parser.add_argument("--port", type=int, default=8000, help="0 picks one")
    options = parser.parse_args()
    with ExitStack() as stack:
        if "TELESTREAM_ACCESS_KEY" not in os.environ:
            os.environ.update(credentials(stack.enter_context(Sandbox())))
        listener = stack.enter_context(
            socket.create_server(("127.0.0.1", 0 if options.film else options.port))
        )
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = create_app(os.environ.get("APP_URL", address), secrets.token_urlsafe())
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        if options.film:
            with in_background(server, listener):
                send(options.film, address)
        else:
            print(f"Drop films at {address}", flush=True)
            server.run(sockets=[listener])


def credentials(sandbox: Sandbox) -> dict[str, str]:
    """Return what ``from_env()`` reads, of a sandbox."""
    return {
        f"{service}_{name}".upper(): str(value)
        for service in ("telestream", "cloudkey")
        for name, value in sandbox.config[service].items()
    }


@contextmanager
def in_background(server: uvicorn.Server, listener: socket.socket) -> Generator[None]:
    """Serve in a thread."""
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    main()
