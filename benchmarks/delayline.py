"""A long line on one machine: two network namespaces, joined by a program that holds each packet back.

``python benchmarks/delayline.py`` measures uploads over it: ours, and the way of telestream-cloud 1.1.2, that
makes a connection for each part. It has to be root on Linux, with ``ip`` and ``/dev/net/tun``.

The program below the line is this one: it reads packets from one TUN device and writes them to the other,
once they have been on the way for half the round trip. Its own pace, some 100 MB/s, is the line's.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import platform
import select
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

HERE = Path(__file__).parent
TUN = Path("/dev/net/tun")
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
PACKET = 65536
NAMES = ("reel-here", "reel-there")
ADDRESSES = ("10.99.0.1", "10.99.0.2")
QUEUE = 64 * 2**20  # bytes on the way in one direction; what comes on top is lost
MIB = 2**20


# -- the line --------------------------------------------------------------------------------------------


def missing() -> list[str]:
    """Return what this machine lacks for a line."""
    lacks = {
        "Linux": platform.system() == "Linux",
        "root": os.geteuid() == 0,
        "ip (iproute2)": shutil.which("ip") is not None,
        str(TUN): TUN.exists(),
    }
    return [name for name, there in lacks.items() if not there]


def device(name: str) -> int:
    """Make a TUN device and return its descriptor."""
    descriptor = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return descriptor


def carry(delay: float) -> None:
    """Carry packets between the two devices until killed.

    Args:
        delay: seconds that each is on the way.
    """
    ends = [device(name) for name in NAMES]
    print("ready", flush=True)
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    waiting: dict[int, deque[tuple[float, bytes]]] = {end: deque() for end in ends}
    held = dict.fromkeys(ends, 0)
    poll = select.poll()
    for end in ends:
        poll.register(end, select.POLLIN)
    while True:
        now = time.monotonic()
        for end, packets in waiting.items():
            while packets and packets[0][0] <= now:
                packet = packets.popleft()[1]
                held[end] -= len(packet)
                with suppress(OSError):  # a device that is not up yet loses what comes
                    os.write(end, packet)
        due = min((packets[0][0] for packets in waiting.values() if packets), default=None)
        # Below a millisecond poll does not wait: it looks again.
        for end, _ in poll.poll(None if due is None else max(due - time.monotonic(), 0.0) * 1000):
            arrives = time.monotonic() + delay
            for _ in range(64):
                try:
                    packet = os.read(end, PACKET)
                except BlockingIOError:
                    break
                target = other[end]
                if held[target] + len(packet) <= QUEUE:
                    held[target] += len(packet)
                    waiting[target].append((arrives, packet))


@contextmanager
def line(round_trip: float) -> Generator[None]:
    """Join two namespaces, named as the devices, by a line.

    Args:
        round_trip: seconds.
    """
    with ExitStack() as stack:
        for name in NAMES:
            run("ip", "netns", "add", name)
            stack.callback(run, "ip", "netns", "del", name)
        command = [sys.executable, __file__, "--carry", str(round_trip / 2)]
        carrier = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(carrier.kill)
        assert carrier.stdout is not None
        assert carrier.stdout.readline() == "ready\n"
        for name, address, peer in zip(NAMES, ADDRESSES, ADDRESSES[::-1], strict=True):
            run("ip", "link", "set", name, "netns", name)
            run("ip", "-n", name, "addr", "add", address, "peer", peer, "dev", name)
            run("ip", "-n", name, "link", "set", name, "up", "mtu", "9000", "txqueuelen", "10000")
            run("ip", "-n", name, "link", "set", "lo", "up")
            for limit in ("tcp_rmem", "tcp_wmem"):
                value = f"4096 131072 {64 * MIB}"
                run("ip", "netns", "exec", name, "sysctl", "-q", "-w", f"net.ipv4.{limit}={value}")
        yield


def run(*command: str) -> None:
    """Run a command that has to succeed."""
    subprocess.run(command, check=True)


def inside(name: str, *command: str) -> list[str]:
    """Return a command that runs in a namespace."""
    return ["ip", "netns", "exec", name, *command]


# -- what is measured ------------------------------------------------------------------------------------


def upload(client: str, threads: int, port: int, path: Path, part_size: int) -> float:
    """Upload once over the line; return the seconds it took."""
    job = {
        "client": client,
        "host": ADDRESSES[1],
        "port": port,
        "path": str(path),
        "part_size": part_size,
        "threads": threads,
        "certificate": None,
    }
    command = inside(NAMES[0], sys.executable, str(HERE / "upload_clients.py"))
    done = subprocess.run(command, input=json.dumps(job), stdout=subprocess.PIPE, text=True, check=True)
    return float(json.loads(done.stdout)["wall"])


def measured(
    *, rounds: int, size: int, threads: Sequence[int], part: int = 5, round_trip: float = 0.05
) -> dict[tuple[str, int], list[float]]:
    """Upload over a line in turn: ours with 8 parts at once, and the old way.

    Args:
        rounds: how often each.
        size: MiB of the file.
        threads: of the old way, each of which is measured.
        part: MiB of a part.
        round_trip: seconds.

    Returns:
        Seconds for each GiB, round by round, by client and threads.
    """
    ways = [("ours", 8), *(("requests", count) for count in threads)]
    walls: dict[tuple[str, int], list[float]] = {way: [] for way in ways}
    with ExitStack() as stack:
        path = Path(stack.enter_context(tempfile.TemporaryDirectory()), "film.mp4")
        path.write_bytes(os.urandom(size * MIB))
        stack.enter_context(line(round_trip))
        sink = [sys.executable, str(HERE / "sink.py"), "--host", ADDRESSES[1], "--part-size", str(part * MIB)]
        served = subprocess.Popen(inside(NAMES[1], *sink), stdout=subprocess.PIPE, text=True)
        stack.enter_context(served)
        stack.callback(served.kill)
        assert served.stdout is not None
        port = int(served.stdout.readline())
        for _ in range(rounds):
            for way in ways:
                walls[way].append(upload(*way, port, path, part * MIB) * 1024 / size)
    return walls


def main() -> None:
    """Measure over the line, or be the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--round-trip", type=float, default=0.05, metavar="SECONDS")
    parser.add_argument("--size", type=int, default=256, metavar="MIB", help="of the file")
    parser.add_argument("--part", type=int, default=5, metavar="MIB", help="of a part")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="*", default=[8, 1], help="of the old way")
    parser.add_argument("--carry", type=float, metavar="SECONDS", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if lacks := missing():
        print(f"There is no line here; it needs {', '.join(lacks)}")
        return
    if chosen.carry is not None:
        carry(chosen.carry)
    walls = measured(
        rounds=chosen.rounds,
        size=chosen.size,
        threads=chosen.threads,
        part=chosen.part,
        round_trip=chosen.round_trip,
    )
    print(f"{chosen.size} MiB, parts of {chosen.part} MiB, round trip {chosen.round_trip * 1000:g} ms")
    for (client, threads), taken in walls.items():
        ratio = statistics.median(a / b for a, b in zip(walls["ours", 8], taken, strict=True))
        each = statistics.median(taken)
        print(f"{client:<10}{threads:>2} at once {each:>8.1f} s/GiB   ours / this {ratio:.3f}")


if __name__ == "__main__":
    main()
