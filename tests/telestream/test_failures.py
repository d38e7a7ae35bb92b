"""What callers of Telestream see when things go wrong: errors, and a clock that does."""

from __future__ import annotations

import pickle
import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel.errors import (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    RateLimitError,
    ServiceError,
    TransportError,
)
from cloudreel.telestream import (
    AsyncTelestream,
    BadRequest,
    ConnectionFailed,
    InternalError,
    NotAuthorized,
    RateLimited,
    RecordNotFound,
    TelestreamCloudException,
    UnreadableAnswer,
)

if TYPE_CHECKING:
    from cloudreel.sandbox import Sandbox
    from conftest import Control

pytestmark = pytest.mark.anyio


@pytest.fixture
def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


# -- errors ----------------------------------------------------------------------------------------------


async def test_what_does_not_exist(tc: AsyncTelestream) -> None:
    with pytest.raises(RecordNotFound) as caught:
        await tc.get("/videos/1f.json")
    error = caught.value
    assert isinstance(error, TelestreamCloudException)
    assert isinstance(error, NotFoundError)
    assert error.response is not None
    assert error.response.status_code == error.status == 404
    assert error.response.body == b'{"error":"RecordNotFound","message":"Couldn\'t find Video with ID=1f"}'
    assert (error.method, error.attempts) == ("GET", 1)
    assert "404 RecordNotFound: Couldn't find Video with ID=1f" in str(error)


async def test_a_wrong_key(credentials: dict[str, Any]) -> None:
    async with AsyncTelestream(**{**credentials, "secret_key": "wrong"}) as tc:
        with pytest.raises(NotAuthorized, match="401 NotAuthorized: Signatures do not match") as caught:
            await tc.flip.factories.all()
    assert isinstance(caught.value, AuthenticationError)
    assert caught.value.response is not None
    assert caught.value.response.status_code == 401


async def test_a_bad_request(tc: AsyncTelestream) -> None:
    with pytest.raises(BadRequest) as caught:
        await tc.post("/profiles.json", {"title": "of nothing"})
    assert isinstance(caught.value, InvalidRequestError)
    assert caught.value.status == 400


async def test_a_failing_service(tc: AsyncTelestream, control: Control) -> None:
    control.fault("status", status=500, times=3)
    with pytest.raises(InternalError) as caught:
        await tc.flip.factories.all()
    assert isinstance(caught.value, ServiceError)
    assert caught.value.attempts == 3
    control.fault("status", status=429, seconds=7)
    with pytest.raises(RateLimited) as limited:
        await tc.with_options(retries=0).flip.factories.all()
    assert isinstance(limited.value, RateLimitError)
    assert limited.value.retry_after == 7


async def test_nobody_listens(credentials: dict[str, Any], closed_port: int) -> None:
    async with AsyncTelestream(**{**credentials, "api_port": closed_port}, retries=1) as tc:
        with pytest.raises(ConnectionFailed, match="nothing was sent") as caught:
            await tc.flip.factories.all()
    error = caught.value
    assert isinstance(error, TelestreamCloudException)
    assert isinstance(error, TransportError)
    assert (error.response, error.status, error.attempts) == (None, None, 2)
    assert isinstance(error.__cause__, httpx.ConnectError)


@pytest.mark.parametrize("action", ["drop", "truncate", "garbage"])
async def test_no_usable_answer_comes_back(tc: AsyncTelestream, control: Control, action: str) -> None:
    control.fault(action, path="*/factories.json")
    with pytest.raises(ConnectionFailed) as caught:
        await tc.with_options(retries=0).flip.factories.all()
    assert caught.value.response is None
    assert await tc.flip.factories.all()


async def test_an_answer_that_cannot_be_read(credentials: dict[str, Any]) -> None:
    pages = httpx.MockTransport(lambda request: httpx.Response(200, html="<html>hello</html>"))
    async with AsyncTelestream(**credentials, transport=pages) as tc:
        with pytest.raises(UnreadableAnswer, match="no JSON") as caught:
            await tc.flip.factories.all()
    assert caught.value.response is not None
    assert caught.value.response.body == b"<html>hello</html>"


async def test_a_signed_call_follows_no_redirect(credentials: dict[str, Any]) -> None:
    asked: list[str] = []

    def redirect(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(302, headers={"location": "http://elsewhere.example/"})

    async with AsyncTelestream(**credentials, transport=httpx.MockTransport(redirect)) as tc:
        with pytest.raises(TelestreamCloudException):
            await tc.flip.factories.all()
        assert (await tc.get("/factories.json")).status_code == 302
    assert asked == [credentials["api_host"]] * 2


async def test_errors_travel_to_other_processes(tc: AsyncTelestream) -> None:
    with pytest.raises(RecordNotFound) as caught:
        await tc.get("/videos/1f.json")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is RecordNotFound
    assert str(copy) == str(caught.value)
    assert (copy.status, copy.method, copy.response.status_code) == (404, "GET", 404)
    assert b"Couldn't find Video" in copy.response.body


# -- the clock -------------------------------------------------------------------------------------------


async def test_a_wrong_clock_is_corrected_once(sandbox: Sandbox, control: Control) -> None:
    before = len(control.requests())
    control.advance(3600)
    try:
        async with sandbox.telestream() as tc:
            assert await tc.flip.factories.all()
            made = await tc.flip.factories.create(name="in an hour")
            await made.profiles.create(preset_name="h264", name="later")
            other = tc.with_options(retries=0)
            assert await other.flip.factories.all()
            signed = tc.signed_params("GET", "/factories.json")
            async with httpx.AsyncClient() as http:
                answer = await http.get(f"{sandbox.base_url}/v3.0/factories.json", params=signed)
            assert answer.status_code == 200
    finally:
        control.advance(-3600)
    assert [r["status"] for r in control.requests()[before:]].count(401) == 1


async def test_a_clock_that_cannot_be_corrected_is_an_error(credentials: dict[str, Any]) -> None:
    asked: list[str] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["timestamp"])
        body = {"error": "NotAuthorized", "message": "Signatures expired"}
        return httpx.Response(401, json=body, headers={"Date": "Mon, 03 Oct 2016 12:00:00 GMT"})

    async with AsyncTelestream(**credentials, transport=httpx.MockTransport(refuse)) as tc:
        with pytest.raises(NotAuthorized, match="expired"):
            await tc.flip.factories.all()
    assert len(asked) == 2
    assert asked[1].startswith("2016-10-03T12:00:00")
