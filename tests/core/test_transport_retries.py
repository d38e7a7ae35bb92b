"""What the transport does when an attempt fails: repeat it, correct the clock, or give up in time."""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest
from attrs import evolve

from cloudreel import errors
from cloudreel.core.call import Call, Request
from cloudreel.core.options import Options

if TYPE_CHECKING:
    from conftest import Wire

pytestmark = pytest.mark.anyio

SECRET = "s3cr3t-V4lue"


# -- retries ---------------------------------------------------------------------------------------------


async def test_every_attempt_is_signed_anew_by_the_time_it_is_made(wire: Wire, pauses: list[float]) -> None:
    wire.answers(503, 503, 200)
    times = iter(range(1000, 2000, 60))
    answer = await wire.transport(clock=lambda: next(times)).exchange(wire.call())
    assert answer.attempts == 3
    assert wire.signed_at == [1000, 1060, 1120]
    signatures = [sent.url.params["signature"] for sent in wire.requests]
    assert signatures == [f"{SECRET}{number}" for number in (1, 2, 3)]
    assert pauses == [0.25, 0.5]


@pytest.mark.usefixtures("pauses")
@pytest.mark.parametrize(
    ("status", "category", "attempts", "attempts_if_unrepeatable"),
    [
        (400, errors.InvalidRequestError, 1, 1),
        (401, errors.AuthenticationError, 1, 1),
        (403, errors.AuthenticationError, 1, 1),
        (404, errors.NotFoundError, 1, 1),
        (408, errors.InvalidRequestError, 3, 3),
        (422, errors.InvalidRequestError, 1, 1),
        (429, errors.RateLimitError, 3, 3),
        (500, errors.ServiceError, 3, 1),
        (502, errors.ServiceError, 3, 1),
        (503, errors.ServiceError, 3, 3),
        (504, errors.ServiceError, 3, 1),
    ],
)
async def test_refusals_are_repeated_or_raised_under_their_category(
    wire: Wire, status: int, category: type[errors.ApiError], attempts: int, attempts_if_unrepeatable: int
) -> None:
    wire.answers(status)
    for repeatable, count in ((True, attempts), (False, attempts_if_unrepeatable)):
        wire.requests.clear()
        with pytest.raises(category) as caught:
            await wire.transport().send(wire.call(repeatable=repeatable))
        assert len(wire.requests) == caught.value.attempts == count
        assert type(caught.value).__name__ == f"Acme{category.__name__}"
        assert caught.value.status == status


@pytest.mark.usefixtures("pauses")
@pytest.mark.parametrize(
    ("lost", "timed_out", "unsent"),
    [
        (httpx.ConnectError("refused"), False, True),
        (httpx.ConnectTimeout("slow"), True, True),
        (httpx.PoolTimeout("full"), True, True),
        (httpx.ProxyError("407"), False, True),
        (httpx.ReadError("reset"), False, False),
        (httpx.WriteError("reset"), False, False),
        (httpx.RemoteProtocolError("not HTTP"), False, False),
        (httpx.ReadTimeout("slow"), True, False),
        (httpx.WriteTimeout(""), True, False),
    ],
)
async def test_what_was_lost_on_the_way_is_repeated_unless_it_may_have_been_acted_on(
    wire: Wire, lost: Exception, timed_out: bool, unsent: bool
) -> None:
    wire.answers(lost)
    for repeatable in (True, False):
        wire.requests.clear()
        with pytest.raises(errors.TransportError) as caught:
            await wire.transport().send(wire.call(repeatable=repeatable))
        error = caught.value
        assert len(wire.requests) == error.attempts == (3 if repeatable or unsent else 1)
        assert isinstance(error, errors.RequestTimedOut) is isinstance(error, TimeoutError) is timed_out
        assert ("nothing was sent" if unsent else "it may have been acted on") in str(error)
        assert str(lost) in str(error)
        assert error.__cause__ is lost
        assert (error.status, error.response) == (None, None)


async def test_retries_may_be_none_or_many(wire: Wire, pauses: list[float]) -> None:
    wire.answers(500)
    for retries in (0, 5):
        wire.requests.clear()
        with pytest.raises(errors.ServiceError):
            await wire.transport(Options(retries=retries)).send(wire.call())
        assert len(wire.requests) == retries + 1
    assert pauses == [0.25, 0.5, 1.0, 2.0, 4.0]


async def test_the_service_is_given_the_pause_it_asks_for_up_to_ten_seconds(
    wire: Wire, pauses: list[float]
) -> None:
    wire.answers(*(httpx.Response(429, headers={"Retry-After": after}) for after in ("7", "3600")), 200)
    await wire.transport().send(wire.call())
    assert pauses == [7.0, 10.0]


@pytest.mark.usefixtures("pauses")
async def test_a_rate_limit_says_how_long_the_service_asked_to_wait(wire: Wire) -> None:
    wire.answers(httpx.Response(429, headers={"Retry-After": "120"}))
    with pytest.raises(errors.RateLimitError) as caught:
        await wire.transport().send(wire.call())
    assert caught.value.retry_after == 120.0


async def test_an_attempt_that_takes_too_long_is_given_up_and_repeated(
    wire: Wire, pauses: list[float]
) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    wire.answers(never, 200)
    answer = await wire.transport(Options(timeout=0.5)).exchange(wire.call())
    assert (answer.attempts, pauses) == (2, [0.25])
    wire.answers(never)
    with pytest.raises(
        errors.RequestTimedOut, match="no answer in time; it may have been acted on"
    ) as caught:
        await wire.transport(Options(timeout=0.05)).exchange(wire.call(repeatable=False))
    assert caught.value.attempts == 1


async def test_a_streamed_body_may_take_longer_than_a_call_as_long_as_it_moves(wire: Wire) -> None:
    async def slow(request: httpx.Request) -> httpx.Response:
        await anyio.sleep(0.2)
        return httpx.Response(200)

    wire.answers(slow)
    answer = await wire.transport(Options(timeout=0.05)).exchange(wire.call("PUT", content=wire.pieces()))
    assert answer.attempts == 1


async def test_the_deadline_spans_all_attempts_and_the_pauses_between_them(wire: Wire) -> None:
    wire.answers(httpx.Response(503, headers={"Retry-After": "10"}))
    with pytest.raises(errors.RequestTimedOut, match=r"the deadline of 0\.1 s over all attempts") as caught:
        await wire.transport(Options(deadline=0.1)).send(wire.call())
    assert len(wire.requests) == 1
    assert isinstance(caught.value, TimeoutError)
    assert (caught.value.method, caught.value.attempts) == ("GET", None)


@pytest.mark.usefixtures("pauses")
@pytest.mark.parametrize(
    ("settled", "sent"),
    [
        (True, ["PUT /v1/part", "GET /v1/missing"]),
        (False, ["PUT /v1/part", "GET /v1/missing", "PUT /v1/part"]),
    ],
)
async def test_where_a_call_says_how_it_is_asked_first_whether_the_lost_one_was_acted_on(
    wire: Wire, settled: bool, sent: list[str]
) -> None:
    wire.answers(httpx.ReadError("reset"), 200)
    ask = Call(Request("GET", "/missing"), lambda response: evolve(response, body=b"") if settled else None)
    part = Call(Request("PUT", "/part", content=b"x"), lambda response: response.body, settled=ask)
    body = await wire.transport().send(part)
    assert [f"{request.method} {request.url.path}" for request in wire.requests] == sent
    assert body == (b"" if settled else b"status 200")


@pytest.mark.usefixtures("pauses")
@pytest.mark.parametrize(
    ("step", "sent"),
    [
        (httpx.ReadError("reset"), ["PUT", "GET"]),
        (408, ["PUT", "GET"]),
        (429, ["PUT", "GET"]),
        (500, ["PUT", "GET"]),
        (503, ["PUT", "GET"]),
        (httpx.ConnectError("refused"), ["PUT", "PUT"]),
    ],
)
async def test_nothing_is_asked_where_the_service_has_not_seen_the_call(
    wire: Wire, step: int | Exception, sent: list[str]
) -> None:
    wire.answers(step, 200)
    ask = Call(Request("GET", "/missing"), lambda response: response)
    await wire.transport().send(Call(Request("PUT", "/part"), id, settled=ask))
    assert [request.method for request in wire.requests] == sent


# -- the clock -------------------------------------------------------------------------------------------


def expired(date: str | None) -> httpx.Response:
    """Return the refusal of a signature that is too old, by the service's clock."""
    return httpx.Response(401, headers={"x-error": "Expired", **({"Date": date} if date is not None else {})})


async def test_a_wrong_clock_is_corrected_once_and_for_all_copies(wire: Wire, pauses: list[float]) -> None:
    wire.answers(expired(formatdate(5000, usegmt=True)), 200)
    sender = wire.transport(Options(retries=0))
    answer = await sender.exchange(wire.call(repeatable=False))
    assert wire.signed_at == [1000.0, 5000.0]
    assert (answer.attempts, pauses) == (1, [])
    await sender.with_options(timeout=3.0).send(wire.call())
    await sender.for_service(wire.service()).send(wire.call())
    assert wire.signed_at[2:] == [5000.0, 5000.0]
    assert sender.now() == 5000.0


async def test_a_clock_that_goes_wrong_again_later_is_corrected_again(wire: Wire) -> None:
    ours = iter([1000.0, 1000.0, 1000.0, 2000.0, 2000.0, 2000.0])
    sender = wire.transport(clock=lambda: next(ours))
    for theirs in (5000, 1500):
        wire.answers(expired(formatdate(theirs, usegmt=True)), 200)
        await sender.send(wire.call())
    assert wire.signed_at == [1000.0, 5000.0, 6000.0, 1500.0]


async def test_a_correction_that_does_not_help_is_not_repeated(wire: Wire) -> None:
    wire.answers(expired(formatdate(5000, usegmt=True)))
    with pytest.raises(errors.AuthenticationError):
        await wire.transport().send(wire.call())
    assert wire.signed_at == [1000.0, 5000.0]


@pytest.mark.parametrize(
    "date", [None, "", "yesterday", "Mon, 32 Jan 2020 00:00:00 GMT", "Mon, 1 Jan 99999 0:0:0"]
)
async def test_without_a_usable_date_the_clock_stays(wire: Wire, date: str | None) -> None:
    wire.answers(expired(date))
    with pytest.raises(errors.AuthenticationError):
        await wire.transport().send(wire.call())
    assert wire.signed_at == [1000.0]
