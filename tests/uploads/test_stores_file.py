"""Tickets as files: who may read them, and what else may lie in the folder."""

from __future__ import annotations

import fcntl
import json
import stat
import threading

import anyio
import pytest

from cloudreel.errors import DecodeError
from cloudreel.uploads import FileTicketStore, Fingerprint, Ticket

pytestmark = pytest.mark.anyio

TICKET = Ticket(
    service="telestream",
    endpoint="https://api.example:443/v3.0",
    scope="5c1d7e90",
    session_id="9f2c41",
    location="http://vm-abc.upload.example/upload/session?id=s3cret",
    dialect="parts",
    size=5,
    part_size=5,
    parts=1,
    max_connections=16,
    file_name="clip.mp4",
    fingerprint=Fingerprint(5, None, "ab" * 32),
    created=1_480_000_000.0,
)
KEY = TICKET.key


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state" / "tickets"


@pytest.fixture
def store(folder):
    return FileTicketStore(folder)


async def test_nothing_happens_before_the_first_change(store, folder):
    assert await store.tickets() == []
    assert not folder.exists()


async def test_folder_and_files_are_for_their_owner_only(store, folder):
    await store.save(TICKET)
    await store.claim(KEY, "a", 60)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert files == {f"{KEY}.json": 0o600, f"{KEY}.lease": 0o600, ".lock": 0o600}


async def test_the_folder_of_somebody_else_keeps_its_mode(store, folder):
    folder.mkdir(parents=True)
    folder.chmod(0o750)
    await store.save(TICKET)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


async def test_nothing_is_left_of_a_removed_ticket(store, folder):
    await store.save(TICKET)
    await store.claim(KEY, "a", 60)
    (folder / f".{KEY}.json").write_text("half a tick")
    await store.remove(KEY)
    assert [path.name for path in folder.iterdir()] == [".lock"]


async def test_what_a_killed_process_left_is_no_obstacle(store, folder):
    folder.mkdir(parents=True)
    (folder / f".{KEY}.json").write_text("half a tick")
    assert await store.keys() == []
    await store.save(TICKET)
    assert await store.tickets() == [TICKET]
    assert sorted(path.name for path in folder.iterdir()) == [".lock", f"{KEY}.json"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no JSON"),
        (b'{"location": "http://up.example/?id=s3cret', "no JSON"),
        (b"[]", "JSON object"),
        (b"{}", "lacks"),
        (b" " * 70_000, "more than"),
        (b"\xff\xfe", "no JSON"),
    ],
)
async def test_a_broken_ticket_is_named_and_kept(store, folder, content, reason):
    await store.save(TICKET)
    other = "0" * 32
    path = folder / f"{other}.json"
    path.write_bytes(content)
    for read in (lambda: store.load(other), store.tickets):
        with pytest.raises(DecodeError, match=reason) as caught:
            await read()
        assert str(path) in str(caught.value)
        assert "s3cret" not in str(caught.value)
        assert caught.value.cause is None
    assert path.read_bytes() == content
    assert set(await store.keys()) == {KEY, other}
    assert await store.load(KEY) == TICKET


async def test_the_ticket_of_another_upload_is_refused(store, folder):
    await store.save(TICKET)
    (folder / f"{'0' * 32}.json").write_bytes((folder / f"{KEY}.json").read_bytes())
    with pytest.raises(DecodeError, match="another upload"):
        await store.load("0" * 32)


@pytest.mark.parametrize("name", ["notes.txt", "clip.json", f"{'0' * 31}.json", f"{'G' * 32}.json"])
async def test_a_foreign_file_is_named_and_kept(store, folder, name):
    await store.save(TICKET)
    (folder / name).write_text("mine")
    with pytest.raises(DecodeError, match="is no ticket") as caught:
        await store.tickets()
    assert name in str(caught.value)
    assert (folder / name).read_text() == "mine"
    assert await store.load(KEY) == TICKET


@pytest.mark.parametrize("text", ["", "{", "[]", '{"holder": 5, "until": 1.0}', '{"holder": "a"}', '"a"'])
async def test_a_broken_lease_is_named_and_kept(store, folder, text):
    await store.save(TICKET)
    path = folder / f"{KEY}.lease"
    path.write_text(text)
    with pytest.raises(DecodeError, match="is no lease") as caught:
        await store.claim(KEY, "a", 60)
    assert str(path) in str(caught.value)
    assert path.read_text() == text


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "a" * 31, "A" * 32, f"{'a' * 32}\n", f"{'a' * 31}/"])
async def test_a_key_leads_nowhere_else(store, folder, key):
    for use in (store.load(key), store.remove(key), store.claim(key, "a", 60)):
        with pytest.raises(ValueError, match="no key"):
            await use
    assert [path.name for path in folder.parents[1].rglob("*") if path.is_file()] == [".lock"]


async def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(OSError, match=str(path)):
        await FileTicketStore(path).save(TICKET)


async def test_who_waits_for_the_folder_can_be_cancelled(store, folder):
    await store.save(TICKET)
    with (folder / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with anyio.move_on_after(0.05) as scope:
            await store.claim(KEY, "a", 60)
        assert scope.cancelled_caught
        threading.Timer(0.05, fcntl.flock, (lock, fcntl.LOCK_UN)).start()
        assert (await store.claim(KEY, "a", 60)).holder == "a"


async def test_a_lease_is_readable(folder):
    store = FileTicketStore(folder, clock=lambda: 1000)
    await store.save(TICKET)
    await store.claim(KEY, "worker 7", 60)
    assert json.loads((folder / f"{KEY}.lease").read_text()) == {"holder": "worker 7", "until": 1060.0}


@pytest.mark.parametrize(("now", "holder"), [(1059.9, "a"), (1060.0, "b"), (1060.1, "b"), (900.0, "a")])
async def test_a_lease_ends_at_its_moment(folder, now, holder):
    before = FileTicketStore(folder, clock=lambda: 1000.0)
    await before.save(TICKET)
    await before.claim(KEY, "a", 60)
    then = FileTicketStore(folder, clock=lambda: now)
    assert (await then.claim(KEY, "b", 60)).holder == holder
    assert await then.renew(KEY, "a", 60) is (holder == "a")


async def test_repr_names_the_folder(store, folder):
    assert repr(store) == f"FileTicketStore({str(folder)!r})"
