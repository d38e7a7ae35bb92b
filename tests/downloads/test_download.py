"""Downloads over a line that breaks, from services of all kinds: what arrives is the file, or an error."""

from __future__ import annotations

import io
import logging
import random
import tracemalloc
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import httpx
import pytest

from cloudreel import errors
from cloudreel.core.bandwidth import Bandwidth
from cloudreel.core.options import Limits, Wiring
from cloudreel.core.pool import Pool
from cloudreel.core.transport import Transport
from cloudreel.downloads import DownloadProgress, download

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from conftest import Shelf

pytestmark = pytest.mark.anyio

CONTENT = random.Random(7).randbytes(700_001)
SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def content(shelf: Shelf) -> None:
    shelf.content = CONTENT


# -- breaks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("into_path", [True, False])
@pytest.mark.parametrize("validators", [('"one"', None), (None, "Wed, 21 Oct 2015 07:28:00 GMT")])
async def test_a_download_goes_on_where_it_broke(
    shelf: Shelf,
    pauses: list[float],
    tmp_path: Path,
    into_path: bool,
    validators: tuple[str | None, str | None],
) -> None:
    shelf.etag, shelf.modified = validators
    shelf.breaks.extend([1000, 0, 299_000, 1])
    memory = io.BytesIO()
    assert await shelf.download(tmp_path / "film" if into_path else memory) == len(CONTENT)
    assert ((tmp_path / "film").read_bytes() if into_path else memory.getvalue()) == CONTENT
    assert shelf.asked == [None, "bytes=1000-", "bytes=1000-", "bytes=300000-", "bytes=300001-"]
    assert {request.headers.get("if-range") for request in shelf.requests[1:]} == {
        validators[0] or validators[1]
    }
    # What advances begins to count anew.
    assert [0.25 <= pause <= 0.5 for pause in pauses] == [True, False, True, True]


async def test_a_line_that_brings_nothing_new_is_given_up(shelf: Shelf, pauses: list[float]) -> None:
    shelf.breaks.extend([5000, 0, 0, 0])
    with pytest.raises(errors.TransportError, match="the line broke") as caught:
        await shelf.download(io.BytesIO())
    assert isinstance(caught.value, shelf.error)
    assert len(shelf.requests) == caught.value.attempts == 3
    assert len(pauses) == 2


async def test_without_retries_the_first_break_is_the_last(shelf: Shelf, pauses: list[float]) -> None:
    shelf.breaks.extend([5000])
    with pytest.raises(errors.TransportError):
        await shelf.download(io.BytesIO(), retries=0)
    assert pauses == []


@pytest.mark.usefixtures("pauses")
@pytest.mark.parametrize("length", [True, False])
async def test_a_service_without_ranges_brings_the_file_again_and_what_is_held_is_passed_over(
    shelf: Shelf, tmp_path: Path, length: bool
) -> None:
    shelf.ranges, shelf.length = False, length
    shelf.breaks.extend([300_000, 600_500])
    memory = io.BytesIO()
    assert await shelf.download(memory) == len(CONTENT)
    assert memory.getvalue() == CONTENT
    shelf.breaks.extend([300_000, 100_000, 600_500])
    assert await shelf.download(tmp_path / "film") == len(CONTENT)
    assert (tmp_path / "film").read_bytes() == CONTENT


@pytest.mark.usefixtures("pauses")
async def test_without_ranges_only_what_is_new_counts_as_an_advance(shelf: Shelf, tmp_path: Path) -> None:
    shelf.etag = None
    shelf.breaks.extend([300_000] * 9)
    with pytest.raises(errors.TransportError, match="the line broke"):
        await shelf.download(tmp_path / "film")
    assert len(shelf.requests) == 3
    assert shelf.asked == [None, None, None]


@pytest.mark.usefixtures("pauses")
async def test_where_nothing_vouches_for_the_file_a_path_is_begun_again_and_a_writer_fails(
    shelf: Shelf, tmp_path: Path
) -> None:
    shelf.etag = None
    shelf.breaks.extend([400_000])
    assert await shelf.download(tmp_path / "film") == len(CONTENT)
    assert (tmp_path / "film").read_bytes() == CONTENT
    shelf.breaks.extend([400_000])
    with pytest.raises(errors.TransportError, match="download it to a path"):
        await shelf.download(io.BytesIO())


@pytest.mark.usefixtures("pauses")
async def test_a_file_that_changes_on_the_way_is_begun_again_or_fails(shelf: Shelf, tmp_path: Path) -> None:
    other = CONTENT[::-1]

    def change() -> None:
        if len(shelf.requests) % 2 == 0:
            shelf.etag, shelf.content = '"two"', other

    shelf.on_request = change
    shelf.breaks.extend([400_000])
    assert await shelf.download(tmp_path / "film") == len(CONTENT)
    assert (tmp_path / "film").read_bytes() == other
    shelf.etag, shelf.content = '"one"', CONTENT
    shelf.breaks.extend([400_000])
    memory = io.BytesIO()
    with pytest.raises(errors.TransportError, match="what was written cannot be taken back"):
        await shelf.download(memory)
    assert CONTENT.startswith(memory.getvalue())
    assert len(shelf.requests) == 4


@pytest.mark.usefixtures("pauses")
async def test_a_service_that_ignores_the_condition_and_sends_the_rest_of_another_file_is_not_believed(
    shelf: Shelf, tmp_path: Path
) -> None:
    total = len(CONTENT)
    shelf.breaks.extend([400_000])
    rest = {"content-range": f"bytes 400000-{total - 1}/{total}", "etag": '"two"'}
    await_second = iter([False, True])

    def lie() -> None:
        if next(await_second):
            shelf.first.append(httpx.Response(206, headers=rest, content=CONTENT[400_000:]))

    shelf.on_request = lie
    with pytest.raises(errors.TransportError, match="only a part of the new one came"):
        await shelf.download(tmp_path / "film")


@pytest.mark.usefixtures("pauses")
async def test_a_service_that_gives_less_of_the_range_is_asked_for_more(shelf: Shelf, tmp_path: Path) -> None:
    total = len(CONTENT)
    shelf.breaks.extend([400_000])
    some = {"content-range": f"bytes 400000-499999/{total}", "etag": '"one"'}
    await_second = iter([False, True, False])

    def give_less() -> None:
        if next(await_second):
            shelf.first.append(httpx.Response(206, headers=some, content=CONTENT[400_000:500_000]))

    shelf.on_request = give_less
    assert await shelf.download(tmp_path / "film") == total
    assert shelf.asked == [None, "bytes=400000-", "bytes=500000-"]
    assert (tmp_path / "film").read_bytes() == CONTENT


@pytest.mark.usefixtures("pauses")
async def test_where_only_the_end_of_the_answer_is_lost_nothing_more_is_asked_for(shelf: Shelf) -> None:
    shelf.breaks.extend([len(CONTENT)])
    memory = io.BytesIO()
    assert await shelf.download(memory) == len(CONTENT)
    assert memory.getvalue() == CONTENT
    assert len(shelf.requests) == 1


@pytest.mark.usefixtures("pauses")
@pytest.mark.parametrize("seed", range(20))
async def test_whatever_breaks_the_bytes_are_those_of_the_file(
    shelf: Shelf, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    shelf.ranges, shelf.length = draw.random() < 0.7, draw.random() < 0.7
    shelf.breaks.extend(draw.randint(0, len(CONTENT)) for _ in range(draw.randint(1, 12)))
    for _ in range(draw.randint(0, 2)):
        shelf.first.append(
            draw.choice([httpx.Response(503), httpx.ConnectError("no"), httpx.ReadTimeout("")])
        )
    seen: list[DownloadProgress] = []
    memory = io.BytesIO()
    into = draw.choice([tmp_path / "film", memory])
    assert await shelf.download(into, progress=seen.append, retries=20) == len(CONTENT)
    assert (memory.getvalue() if into is memory else (tmp_path / "film").read_bytes()) == CONTENT
    counts = [progress.bytes_received for progress in seen]
    assert counts == sorted(counts)
    assert counts[-1] == len(CONTENT)


# -- sizes -----------------------------------------------------------------------------------------------


async def test_a_file_of_another_size_than_the_service_said_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(errors.TransportError, match="should have 5 bytes, and it has 700001"):
        await shelf.download(tmp_path / "film", size=5)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("pauses")
async def test_the_size_that_the_service_said_counts_where_the_answer_names_none(
    shelf: Shelf, tmp_path: Path
) -> None:
    shelf.length = False
    assert await shelf.download(tmp_path / "film", size=len(CONTENT)) == len(CONTENT)
    with pytest.raises(errors.TransportError, match="more comes than the 700000 bytes"):
        await shelf.download(tmp_path / "film", size=len(CONTENT) - 1)
    with pytest.raises(errors.TransportError, match="ended before the file did"):
        await shelf.download(io.BytesIO(), size=len(CONTENT) + 1, retries=0)


# -- refusals and redirects ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "category"),
    [
        (403, errors.AuthenticationError),
        (404, errors.NotFoundError),
        (416, errors.InvalidRequestError),
    ],
)
async def test_a_refusal_is_the_services_own_and_tells_no_secret(
    shelf: Shelf,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    status: int,
    category: type[errors.CloudReelError],
) -> None:
    shelf.first.append(httpx.Response(status, text=f"no {shelf.url} here", headers={"x-request-id": "r1"}))
    with caplog.at_level(logging.DEBUG), pytest.raises(category) as caught:
        await shelf.download(tmp_path / "film")
    error = caught.value
    assert isinstance(error, shelf.error)
    assert (error.status, error.request_id, error.method) == (status, "r1", "GET")
    assert error.url == "http://cdn.acme.test/***"
    told = f"{error} {error.response} {error.response.text if error.response else ''} {caplog.text}"
    assert SECRET not in told
    assert list(tmp_path.iterdir()) == []


async def test_a_download_that_goes_well_is_told_without_its_secret(
    shelf: Shelf, caplog: pytest.LogCaptureFixture, pauses: list[float]
) -> None:
    shelf.first.append(httpx.ReadError(f"reset by {shelf.url}"))
    with caplog.at_level(logging.DEBUG):
        await shelf.download(io.BytesIO())
    assert "acme GET http://cdn.acme.test/***: 700001 bytes in" in caplog.text
    assert SECRET not in caplog.text
    assert len(pauses) == 1


async def test_a_service_that_is_busy_is_asked_again_when_it_says(shelf: Shelf, pauses: list[float]) -> None:
    shelf.first.extend([httpx.Response(429, headers={"retry-after": "3"}), httpx.Response(503)])
    await shelf.download(io.BytesIO())
    assert pauses[0] == 3.0
    assert 0.5 <= pauses[1] <= 1.0


async def test_the_url_is_asked_for_anew_each_time(shelf: Shelf, pauses: list[float]) -> None:
    names = iter("abc")

    async def ask_url() -> str:
        return f"http://cdn.acme.test/{next(names)}"

    shelf.breaks.extend([1000, 1000])
    await shelf.download(io.BytesIO(), ask_url=ask_url)
    assert [request.url.path for request in shelf.requests] == ["/a", "/b", "/c"]
    assert len(pauses) == 2


async def test_redirects_are_followed_with_nothing_but_the_address(shelf: Shelf) -> None:
    for host in "bcdef":
        cookie = {"location": f"http://{host}.test/film", "set-cookie": "token=s3cr3t"}
        shelf.first.append(httpx.Response(302, headers=cookie, text="elsewhere"))
    memory = io.BytesIO()
    assert await shelf.download(memory) == len(CONTENT)
    assert memory.getvalue() == CONTENT
    assert [request.url.host for request in shelf.requests] == [
        "cdn.acme.test", "b.test", "c.test", "d.test", "e.test", "f.test"
    ]  # fmt: skip
    for request in shelf.requests:
        assert not {"cookie", "authorization", "referer"} & set(request.headers)


async def test_a_redirect_too_many_or_to_the_wrong_place_ends_it(shelf: Shelf) -> None:
    for host in "bcdefg":
        shelf.first.append(httpx.Response(302, headers={"location": f"http://{host}.test/film"}))
    with pytest.raises(errors.TransportError, match="redirects more than 5 times"):
        await shelf.download(io.BytesIO())
    assert len(shelf.requests) == 6
    shelf.first.append(httpx.Response(302, headers={"location": "ftp://b.test/film"}))
    with pytest.raises(errors.TransportError, match="no address that may be followed"):
        await shelf.download(io.BytesIO())


async def test_the_login_of_the_callers_own_client_stays_with_them(shelf: Shelf) -> None:
    made = shelf.transport()
    headers = {"authorization": "Bearer s3cr3t", "x-mine": "kept"}
    async with httpx.AsyncClient(
        transport=httpx.MockTransport(shelf.handle), auth=("me", "word"), headers=headers, cookies={"a": "b"}
    ) as theirs:
        transport = Transport(made.service, Pool(Wiring(http_client=theirs)), made.options)

        async def ask_url() -> str:
            return shelf.url

        await download(transport, ask_url, io.BytesIO())
    (request,) = shelf.requests
    assert not {"cookie", "authorization"} & set(request.headers)
    assert request.headers["x-mine"] == "kept"


# -- time, callbacks, pace -------------------------------------------------------------------------------


async def test_the_deadline_is_over_all_attempts(shelf: Shelf) -> None:
    async def forever() -> str:
        await anyio.sleep_forever()
        raise AssertionError

    with pytest.raises(errors.RequestTimedOut, match=r"the deadline of 0\.01 s has passed") as caught:
        await shelf.download(io.BytesIO(), ask_url=forever, deadline=0.01)
    assert isinstance(caught.value, shelf.error)


async def test_progress_may_be_async_and_is_waited_for(shelf: Shelf) -> None:
    seen: list[DownloadProgress] = []

    async def note(progress: DownloadProgress) -> None:
        await anyio.sleep(0)
        seen.append(progress)

    await shelf.download(io.BytesIO(), progress=note)
    assert [progress.total for progress in seen] == [len(CONTENT)] * 3
    assert seen[-1].bytes_received == len(CONTENT)


@pytest.mark.parametrize("kind", [errors.TransportError, errors.ServiceError, ValueError])
async def test_what_the_callers_own_code_raises_is_no_break_of_the_line(
    shelf: Shelf, pauses: list[float], kind: type[Exception]
) -> None:
    failure = kind("another client failed")

    class Elsewhere:
        async def write(self, data: bytes) -> None:
            raise failure

    def fail(progress: DownloadProgress) -> None:
        raise failure

    with pytest.raises(kind) as caught:
        await shelf.download(Elsewhere())
    assert caught.value is failure
    with pytest.raises(kind) as caught:
        await shelf.download(io.BytesIO(), progress=fail)
    assert caught.value is failure
    assert len(shelf.requests) == 2
    assert pauses == []


async def test_memory_holds_a_moment_of_the_file_and_not_the_file(shelf: Shelf) -> None:
    size = 64 * 2**20

    class Film(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for _ in range(size // 65536):
                yield bytes(65536)

    class Slow:
        count = 0

        async def write(self, data: bytes) -> None:
            await anyio.lowlevel.checkpoint()
            self.count += len(data)

    shelf.first.append(httpx.Response(200, headers={"content-length": str(size)}, stream=Film()))
    slow = Slow()
    tracemalloc.start()
    try:
        await shelf.download(slow)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert slow.count == size
    assert peak < 4 * 2**20


async def test_a_download_keeps_to_the_cap(shelf: Shelf) -> None:
    bandwidth = Bandwidth(4_000_000)
    start = anyio.current_time()
    await shelf.download(io.BytesIO(), limits=Limits(bandwidth=bandwidth))
    assert anyio.current_time() - start > 0.9 * len(CONTENT) / 4_000_000
