"""Begin an upload in one process, finish it in another: a ticket is all that has to travel.

python examples/resume_elsewhere.py film.mp4
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import anyio

from cloudreel import AsyncTelestream
from cloudreel.uploads import Progress, Ticket


async def begin(film: str, ticket: Path) -> None:
    """Keep the ticket, then stop dead in the middle, as a crashing worker would."""
    with anyio.CancelScope() as crash:

        def stop_early(progress: Progress) -> None:
            if progress.bytes_sent:
                crash.cancel()

        async with AsyncTelestream.from_env() as client:
            factory = (await client.flip.factories.all())[0]
            session = await factory.upload_session(film, profiles="none", progress=stop_early)
            await anyio.Path(ticket).write_text(session.ticket().to_json())
            await session.start()


async def finish(film: str, ticket: Path) -> None:
    """Continue from the ticket; the service is asked what it misses."""
    async with AsyncTelestream.from_env() as client:
        factory = (await client.flip.factories.all())[0]
        kept = Ticket.from_json(await anyio.Path(ticket).read_text())
        session = await factory.resume_upload(kept, film)
        print(f"{session.status}: {kept.file_name}, {kept.size:,} bytes")
        print(f"{await session.resume()}, {session.progress.parts_done} parts")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        anyio.run(finish, sys.argv[1], Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "ticket.json"
            path.touch(mode=0o600)  # the upload location in it is a secret
            anyio.run(begin, sys.argv[1], path)
            subprocess.run([sys.executable, __file__, sys.argv[1], str(path)], check=True)
