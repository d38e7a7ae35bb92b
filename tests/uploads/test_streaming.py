"""Sessions over the stream dialect: every way a stream can break, and that no byte is sent twice."""

from __future__ import annotations

import random
import re
from collections import deque
from itertools import pairwise

import anyio
import httpx
import pytest

from cloudreel import errors
from cloudreel.core import retry
from cloudreel.core.failures import Failure, category_of
from cloudreel.core.options import Options, Wiring
from cloudreel.core.pool import Pool
from cloudreel.core.transport import Service, Transport
from cloudreel.uploads import AsyncUploadSession, Ticket, open_source
from cloudreel.uploads.ranges import RangesDialect

pytestmark = pytest.mark.anyio

CONTENT = random.Random(2).randbytes(45)
CHUNK = 10
LOCATION = "http://vm-abc.upload.example/upload/session?id=s3cret"
RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+)")


class Stream(httpx.AsyncBaseTransport):
    """An upload location as panda.md 8.3 has it; ``faults`` are what becomes of the next chunks, in order.

    A fault is a number of bytes after which the connection breaks, ``lose`` (all is stored, the answer is
    lost), a pair (status, bytes stored before it), ``ok``, or ``keep N`` (fewer are kept than were sent).
    """

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.stored = bytearray()
        self.faults: deque[object] = deque()
        self.question_faults: deque[object] = deque()
        self.asked: list[str] = []  # the Content-Range of each request
        self.location = LOCATION
        self.moves_to: str | None = None
        self.gone = False
        self.forgets = False  # what is complete
        self.video: bytes | None = b'{"id": "v1", "status": "processing"}'
        self.in_flight = 0
        self.before_chunk = None

    @property
    def chunks(self) -> list[str]:
        """The ranges of the chunks, in order."""
        return [text for text in self.asked if "*" not in text]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert self.in_flight == 0, "a stream takes one request at a time"
        assert str(request.url) == self.location
        self.in_flight += 1
        try:
            response = await self._act(request)
        finally:
            self.in_flight -= 1
        if self.moves_to is not None:
            self.location, self.moves_to = self.moves_to, None
            response.headers["Location"] = self.location
        return response

    async def _act(self, request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            self.gone = True
            return httpx.Response(200)
        text = request.headers["content-range"]
        self.asked.append(text.removeprefix("bytes ").partition("/")[0])
        first, last, size = RANGE.fullmatch(text).groups()
        assert int(size) == len(self.content)
        if first is None:
            assert request.headers["content-length"] == "0"
            action = self.question_faults.popleft() if self.question_faults else "ok"
            if isinstance(action, int):
                return refusal(action)
            return self._answer()
        assert int(first) == len(self.stored), "no gap, nothing twice"
        assert int(request.headers["content-length"]) == int(last) - int(first) + 1
        if self.before_chunk is not None:
            await self.before_chunk(int(first))
        action = self.faults.popleft() if self.faults else "ok"
        status, kept = action if isinstance(action, tuple) else (None, None)
        if isinstance(action, str) and action.startswith("keep "):
            kept = int(action.removeprefix("keep "))
        room = action if isinstance(action, int) else kept
        taken = 0
        async for piece in request.stream:
            fresh = piece if room is None else piece[: max(0, room - taken)]
            taken += len(piece)
            self.stored += fresh
            await anyio.sleep(0)
        if isinstance(action, int) or action == "lose":
            raise httpx.ReadError("reset", request=request)
        return refusal(status) if status else self._answer()

    def _answer(self) -> httpx.Response:
        if self.gone:
            return refusal(404)
        if len(self.stored) == len(self.content):
            self.gone = self.forgets
            if self.video is not None:
                return httpx.Response(200, content=self.video)
        headers = {"Range": f"0-{len(self.stored) - 1}"} if self.stored else {}
        return httpx.Response(204, headers=headers)


def refusal(status: int) -> httpx.Response:
    return httpx.Response(status, json={"error": "Fault", "message": "as told"})


def read_failure(response):
    return None if response.ok else Failure(category_of(response.status_code), response.text)


@pytest.fixture
def stream() -> Stream:
    return Stream()


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_DELAY", 0.001)


@pytest.fixture
def make_session(kit):
    async def make(stream, source=None, *, ticket=None, retries=2, **options):
        opened = await open_source(stream.content if source is None else source)
        given = ticket or Ticket(
            service="fake",
            endpoint="http://api.example",
            scope="c1",
            session_id="9f2c41",
            location=LOCATION,
            dialect="ranges",
            size=opened.size,
            part_size=CHUNK,
            parts=-(-opened.size // CHUNK),
            max_connections=1,
            file_name=opened.name,
            fingerprint=opened.fingerprint,
            created=0.0,
        )
        service = Service("fake", "http://api.example", kit.FAMILY, lambda r, now: r, read_failure)
        transport = Transport(service, Pool(Wiring(transport=stream)), Options(retries=retries))

        async def find_video(video_id: str):
            raise AssertionError("the video comes with the last answer")

        return AsyncUploadSession(
            transport,
            opened,
            given,
            RangesDialect(given.location, given.size, given.part_size),
            make_video=dict,
            find_video=find_video,
            resumed=ticket is not None,
            **options,
        )

    return make


async def test_chunks_go_one_after_the_other_and_end_where_the_file_ends(make_session, stream):
    session = await make_session(stream, threads=8)
    assert await session.start() == {"id": "v1", "status": "processing"}
    assert stream.asked == ["0-9", "10-19", "20-29", "30-39", "40-44"]
    assert stream.stored == CONTENT
    assert session.status == "uploaded"
    assert session.progress.bytes_confirmed == 45
    assert session.progress.parts_done == session.progress.parts == 5


@pytest.mark.parametrize("size", [1, 9, 10, 11, 20])
async def test_any_size(make_session, size):
    stream = Stream(CONTENT[:size])
    await (await make_session(stream)).start()
    assert stream.stored == CONTENT[:size]


@pytest.mark.parametrize("broken", [7, (500, 7), (502, 7), (503, 7), (408, 7)])
async def test_after_a_break_only_what_is_not_held_is_sent(make_session, stream, broken):
    stream.faults.extend(["ok", broken])
    session = await make_session(stream)
    assert (await session.start())["id"] == "v1"
    assert stream.asked == ["0-9", "10-19", "*", "17-19", "20-29", "30-39", "40-44"]
    assert stream.stored == CONTENT


async def test_a_break_before_the_first_byte(make_session, stream):
    stream.faults.append(0)
    await (await make_session(stream)).start()
    assert stream.asked[:3] == ["0-9", "*", "0-9"]


async def test_a_lost_answer_costs_a_question_and_no_byte(make_session, stream):
    stream.faults.extend(["lose", "ok", "ok", "ok", "lose"])
    assert (await (await make_session(stream)).start())["id"] == "v1"
    assert stream.asked == ["0-9", "*", "10-19", "20-29", "30-39", "40-44", "*"]


async def test_the_service_may_keep_fewer_bytes_than_were_sent(make_session, stream):
    stream.faults.extend(["keep 4", "ok", "keep 0", "keep 9"])
    await (await make_session(stream)).start()
    assert stream.asked == ["0-9", "4-9", "10-19", "10-19", "19-19", "20-29", "30-39", "40-44"]
    assert stream.stored == CONTENT


async def test_the_service_may_hold_more_bytes_than_were_sent(make_session, stream):
    async def jump(first):
        if first == 10:
            stream.stored += CONTENT[10:23]
            stream.faults.append("keep 0")

    stream.before_chunk = jump
    await (await make_session(stream)).start()
    assert stream.asked == ["0-9", "10-19", "23-29", "30-39", "40-44"]
    assert stream.stored == CONTENT


async def test_a_service_that_forgot_everything_gets_it_again(make_session, stream):
    async def forget(first):
        if first == 20:
            stream.before_chunk = None
            stream.stored.clear()
            stream.faults.append("keep 0")

    stream.before_chunk = forget
    session = await make_session(stream)
    await session.start()
    assert stream.asked[:5] == ["0-9", "10-19", "20-29", "0-9", "10-19"]
    assert stream.stored == CONTENT


@pytest.mark.parametrize("fault", ["keep 0", 0, (500, 0)])
async def test_a_service_that_never_advances_is_given_up(make_session, kit, stream, fault):
    stream.faults.extend(["ok", *[fault] * 100])
    session = await make_session(stream)
    with pytest.raises(
        errors.UploadError, match=r"does not advance: .* no more than 10 of 45 bytes"
    ) as caught:
        await session.start()
    assert isinstance(caught.value, kit.FAMILY.root)
    assert caught.value.ticket == session.ticket()
    assert stream.chunks == ["0-9", *["10-19"] * 5]
    stream.faults.clear()
    assert (await session.resume())["id"] == "v1"


async def test_a_service_that_advances_by_single_bytes_arrives(make_session, stream):
    stream.faults.extend(["keep 1"] * 44)
    await (await make_session(stream)).start()
    assert stream.stored == CONTENT
    assert len(stream.chunks) == 45


async def test_a_refused_chunk_is_not_repeated(make_session, kit, stream):
    stream.faults.extend(["ok", (400, 0)])
    session = await make_session(stream)
    with pytest.raises(kit.FAMILY.root) as caught:
        await session.start()
    assert caught.value.status == 400
    assert stream.asked == ["0-9", "10-19"]
    assert session.status == "error"
    await session.resume()
    assert stream.asked[2:4] == ["*", "10-19"]


async def test_a_ticket_goes_on_in_the_middle_elsewhere(make_session, kit, stream):
    stream.faults.extend(["ok", 3])
    first = await make_session(stream, retries=0)
    with pytest.raises(errors.TransportError):
        await first.start()
    seen = []
    second = await make_session(
        stream, ticket=Ticket.from_json(first.ticket().to_json()), progress=seen.append
    )
    assert second.status == "interrupted"
    assert (await second.resume())["id"] == "v1"
    assert stream.asked == ["0-9", "10-19", "*", "13-19", "20-29", "30-39", "40-44"]
    assert seen[-1].bytes_confirmed == 45


async def test_resuming_what_is_complete_gives_the_video(make_session, stream):
    stream.stored += CONTENT
    session = await make_session(stream)
    assert (await session.resume())["id"] == "v1"
    assert stream.asked == ["*"]
    assert session.progress.bytes_confirmed == 45


async def test_complete_and_forgotten_is_told_with_the_ticket(make_session, stream):
    stream.forgets = True
    stream.faults.extend(["ok"] * 4)
    stream.faults.append("lose")
    stream.question_faults.append(404)
    session = await make_session(stream)
    with pytest.raises(errors.NotFoundError, match="look for the upload among the videos") as caught:
        await session.start()
    assert caught.value.ticket == session.ticket()
    assert session.error_message == caught.value.message


async def test_unknown_in_the_middle_is_just_unknown(make_session, stream):
    stream.faults.extend(["ok", 3])
    stream.question_faults.append(404)
    session = await make_session(stream)
    with pytest.raises(errors.NotFoundError) as caught:
        await session.start()
    assert "among the videos" not in str(caught.value)


@pytest.mark.parametrize("video", [None, b"{}", b'{"status": "processing"}'])
async def test_complete_without_a_video_is_told_and_nothing_is_sent_again(make_session, stream, video):
    stream.video = video
    session = await make_session(stream)
    with pytest.raises(errors.UploadError, match="id is unknown"):
        await session.start()
    assert stream.asked == ["0-9", "10-19", "20-29", "30-39", "40-44", "*"]
    stream.video = b'{"id": "v1"}'
    assert await session.resume() == {"id": "v1"}


async def test_an_upload_that_moves_is_followed_by_chunks_questions_ticket_and_abort(make_session, stream):
    async def move(first):
        if first in (10, 17, 30):
            stream.moves_to = f"http://vm-{first}.upload.example/u?id=m{first}"

    stream.before_chunk = move
    stream.faults.extend(["ok", "keep 7"])
    session = await make_session(stream)
    await session.start()
    assert session.ticket().location == "http://vm-30.upload.example/u?id=m30"
    assert stream.stored == CONTENT


async def test_the_answer_to_a_question_may_move_it_too(make_session, stream):
    stream.stored += CONTENT[:13]
    stream.moves_to = "http://vm-def.upload.example/u?id=m"
    session = await make_session(stream)
    await session.resume()
    assert stream.asked[:2] == ["*", "13-19"]
    assert session.ticket().location == "http://vm-def.upload.example/u?id=m"


async def test_abort_goes_where_the_upload_went(make_session, kit, stream):
    stream.faults.extend(["ok", (400, 0)])
    stream.moves_to = "http://vm-def.upload.example/u?id=m"
    session = await make_session(stream)
    with pytest.raises(kit.FAMILY.root):
        await session.start()
    await session.abort()
    assert stream.gone
    assert session.status == "aborted"


async def test_a_pause_holds_the_next_chunk_back(make_session, stream):
    async def pause(first):
        if first == 10:
            await session.pause()

    stream.before_chunk = pause
    session = await make_session(stream)
    async with anyio.create_task_group() as group:
        group.start_soon(session.start)
        while len(stream.stored) < 20:
            await anyio.sleep(0.001)
        await anyio.sleep(0.01)
        assert stream.chunks == ["0-9", "10-19"]
        assert await session.resume() is None
    assert session.status == "uploaded"


async def test_a_changed_source_is_not_completed(make_session, stream, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(CONTENT)

    async def change(first):
        if first == 10:
            path.write_bytes(CONTENT[::-1])

    stream.before_chunk = change
    session = await make_session(stream, path)
    with pytest.raises(errors.UploadError, match=r"a\.mp4.*changed"):
        await session.start()
    assert len(stream.stored) < 45


@pytest.mark.parametrize("after", range(0, 60, 5))
async def test_cancelled_anywhere_it_resumes(make_session, stream, after):
    session = await make_session(stream)
    async with anyio.create_task_group() as group:
        group.start_soon(session.start)
        for _ in range(after):
            await anyio.sleep(0)
        group.cancel_scope.cancel()
    assert stream.in_flight == 0
    if session.status != "uploaded":
        assert (await session.resume())["id"] == "v1"
    assert stream.stored == CONTENT


@pytest.mark.parametrize("seed", range(25))
async def test_whatever_fails_it_arrives_in_the_end(make_session, kit, seed):
    draw = random.Random(seed)
    stream = Stream(draw.randbytes(draw.randrange(1, 200)))
    faults = ["ok", 0, 3, 9, "lose", "keep 0", "keep 4", (500, 2), (503, 0), (400, 5), (429, 0)]
    stream.faults.extend(draw.choices(faults, k=40))
    stream.question_faults.extend(draw.choices(["ok", 500, 503, 400], [5, 1, 1, 1], k=20))
    seen = []
    session = await make_session(stream, retries=draw.randrange(3), progress=seen.append)
    for _ in range(100):
        try:
            video = await (session.start() if session.status == "initialized" else session.resume())
        except kit.FAMILY.root:
            assert session.status == "error"
            continue
        break
    assert video["id"] == "v1"
    assert stream.stored == stream.content
    for before, after in pairwise(seen):
        assert before.bytes_sent <= after.bytes_sent <= len(stream.content)
        assert before.bytes_confirmed <= after.bytes_confirmed <= after.bytes_sent
        assert before.parts_done <= after.parts_done
    assert seen[-1].bytes_confirmed == len(stream.content)
