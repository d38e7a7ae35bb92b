"""Tickets in Redis: connections, clients, time to live, and what goes wrong."""

from __future__ import annotations

import builtins
import time
import uuid

import anyio
import pytest

from cloudreel.core import redis_server
from cloudreel.errors import DecodeError, UploadError, WrongEventLoopError
from cloudreel.uploads import Fingerprint, RedisTicketStore, Ticket

pytestmark = pytest.mark.anyio

TICKET = Ticket(
    service="panda",
    endpoint="https://api.example:443/v2",
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
def anyio_backend():
    return "asyncio"


@pytest.fixture
def prefix():
    return uuid.uuid4().hex


@pytest.fixture
async def client(redis_url):
    from redis.asyncio import from_url

    async with from_url(redis_url) as client:
        yield client


async def test_a_client_is_used_and_left_open(client, prefix):
    store = RedisTicketStore(client, prefix=prefix)
    await store.save(TICKET)
    assert await store.tickets() == [TICKET]
    assert (await store.claim(KEY, "a", 60)).holder == "a"
    assert await client.ping()


async def test_a_client_may_decode_answers(redis_url, prefix):
    from redis.asyncio import from_url

    async with from_url(redis_url, decode_responses=True) as client:
        store = RedisTicketStore(client, prefix=prefix)
        await store.save(TICKET)
        assert await store.tickets() == [TICKET]
        assert (await store.claim(KEY, "Zoë", 60)).holder == "Zoë"
        assert (await store.claim(KEY, "b", 60)).holder == "Zoë"


def test_a_synchronous_client_is_refused(redis_url):
    from redis import from_url

    with from_url(redis_url) as client, pytest.raises(TypeError, match=r"redis\.asyncio"):
        RedisTicketStore(client)


async def test_every_key_has_the_prefix_and_lies_on_one_node(redis_url, client, prefix):
    before = set(await client.keys("*"))
    store = RedisTicketStore(redis_url, prefix=prefix)
    await store.save(TICKET)
    await store.claim(KEY, "a", 60)
    made = {key.decode() for key in set(await client.keys("*")) - before}
    assert made == {f"{{{prefix}}}:{rest}" for rest in ("tickets", f"ticket:{KEY}", f"lease:{KEY}")}
    await store.remove(KEY)
    assert set(await client.keys("*")) == before


async def test_prefixes_keep_stores_apart(redis_url, prefix):
    await RedisTicketStore(redis_url, prefix=prefix).save(TICKET)
    assert await RedisTicketStore(redis_url, prefix=f"{prefix}-2").tickets() == []


async def test_a_ticket_that_nobody_works_on_is_forgotten(redis_url, client, prefix):
    store = RedisTicketStore(redis_url, prefix=prefix, ttl=0.05)
    await store.save(TICKET)
    while await store.load(KEY) is not None:
        await anyio.sleep(0.01)
    assert await client.smembers(f"{{{prefix}}}:tickets")
    assert await store.tickets() == []
    assert not await client.smembers(f"{{{prefix}}}:tickets")


async def test_work_keeps_a_ticket_alive(redis_url, client, prefix):
    name = f"{{{prefix}}}:ticket:{KEY}"
    store = RedisTicketStore(redis_url, prefix=prefix, ttl=1000)
    await store.save(TICKET)
    for work in (lambda: store.claim(KEY, "a", 60), lambda: store.renew(KEY, "a", 60)):
        await client.expire(name, 10)
        await work()
        assert await client.ttl(name) > 900


async def test_without_a_time_to_live_a_ticket_stays(redis_url, client, prefix):
    store = RedisTicketStore(redis_url, prefix=prefix)
    await store.save(TICKET)
    await store.claim(KEY, "a", 60)
    assert await client.ttl(f"{{{prefix}}}:ticket:{KEY}") == -1


@pytest.mark.parametrize("text", ['{"location": "http://up.example/?id=s3cret', "5"])
async def test_a_broken_ticket_is_named_and_kept(redis_url, client, prefix, text):
    store = RedisTicketStore(redis_url, prefix=prefix)
    await store.save(TICKET)
    name = f"{{{prefix}}}:ticket:{KEY}"
    await client.set(name, text)
    for read in (lambda: store.load(KEY), store.tickets):
        with pytest.raises(DecodeError, match="no upload ticket") as caught:
            await read()
        assert name in str(caught.value)
        assert "s3cret" not in str(caught.value)
    assert await client.get(name) == text.encode()
    assert await store.keys() == [KEY]


async def test_the_ticket_of_another_upload_is_refused(redis_url, client, prefix):
    store = RedisTicketStore(redis_url, prefix=prefix)
    await client.set(f"{{{prefix}}}:ticket:{'0' * 32}", TICKET.to_json())
    with pytest.raises(DecodeError, match="another upload"):
        await store.load("0" * 32)


async def test_a_foreign_value_in_place_of_a_ticket_is_told(redis_url, client, prefix):
    await client.set(f"{{{prefix}}}:tickets", "mine")
    with pytest.raises(UploadError, match=r"does not work: .*wrong kind"):
        await RedisTicketStore(redis_url, prefix=prefix).tickets()


async def test_a_redis_that_is_not_there_is_told_without_the_password(tmp_path):
    store = RedisTicketStore(f"unix://user:pa55word@{tmp_path}/no.sock")
    assert "pa55word" not in repr(store)
    with pytest.raises(UploadError, match="does not work") as caught:
        await store.save(TICKET)
    assert "pa55word" not in str(caught.value)
    assert "no.sock" in str(caught.value)


async def test_what_redis_does_not_understand_is_not_shown(client, prefix):
    from redis.exceptions import ResponseError

    class Renamed:
        async def execute_command(self, *args):
            raise ResponseError(f"unknown command 'EVAL', with args beginning with: {args[-3]}")

    with pytest.raises(UploadError, match=r"unknown command 'EVAL'$") as caught:
        await RedisTicketStore(Renamed(), prefix=prefix).save(TICKET)
    assert caught.value.__cause__ is None


async def test_a_strange_answer_is_told(prefix):
    class Strange:
        async def execute_command(self, *args):
            return 5

    with pytest.raises(DecodeError, match="int"):
        await RedisTicketStore(Strange(), prefix=prefix).keys()


def test_one_store_serves_several_event_loops(redis_url, prefix):
    store = RedisTicketStore(redis_url, prefix=prefix)
    anyio.run(store.save, TICKET)
    assert anyio.run(store.tickets) == [TICKET]


def test_trio_is_refused_clearly(redis_url):
    with pytest.raises(WrongEventLoopError, match="asyncio only"):
        anyio.run(RedisTicketStore(redis_url).tickets, backend="trio")


def test_without_redis_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(redis_server, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"cloudreel\[redis\]"):
        RedisTicketStore("redis://localhost")


def test_a_store_is_made_without_redis_being_loaded_or_reached(monkeypatch):
    real = builtins.__import__

    def watched(name, *args, **kwargs):
        assert not name.startswith("redis")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", watched)
    assert "example" in repr(RedisTicketStore("redis://redis.example:1/0"))


async def test_the_end_of_a_lease_is_told_by_the_clock_given(redis_url, prefix):
    store = RedisTicketStore(redis_url, prefix=prefix, clock=lambda: 1000.0)
    await store.save(TICKET)
    assert (await store.claim(KEY, "a", 60)).until == 1060.0
    begun = time.monotonic()
    until = (await store.claim(KEY, "b", 60)).until
    assert 1060.0 - (time.monotonic() - begun) - 5 < until <= 1060.0
