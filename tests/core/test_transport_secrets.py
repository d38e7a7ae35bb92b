"""Nothing secret in any log record, error or traceback, and one line in the log for every call."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import anyio.abc
import httpx
import pytest

from cloudreel.core.call import Call, Request
from cloudreel.core.options import Limits, Options, Wiring
from cloudreel.core.pool import Pool
from cloudreel.core.transport import Transport
from cloudreel.errors import CloudReelError

if TYPE_CHECKING:
    from conftest import Wire

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("everything_logged")]

SECRET = "s3cr3t-V4lue"
LOCATION = f"http://vm.acme.test/upload/session?id={SECRET}"


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Capture all that any library logs."""
    caplog.set_level(logging.DEBUG)


def lines(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    """Return our own log lines of at least that level."""
    ours = [record for record in caplog.records if record.name.startswith("cloudreel")]
    return [f"{record.levelname} {record.getMessage()}" for record in ours if record.levelno >= level]


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Return everything that was logged, with what the records carry along."""
    return "\n".join(f"{record.name} {record.getMessage()} {record.__dict__}" for record in caplog.records)


# -- one line for every call -----------------------------------------------------------------------------


async def test_a_call_is_one_line(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    await wire.transport().send(wire.call("POST", "/things.json", {"password": SECRET}))
    (line,) = lines(caplog, logging.DEBUG)
    assert line.startswith("INFO acme POST /things.json -> 200 in 0.")
    assert line.endswith(" s (attempt 1)")


@pytest.mark.usefixtures("pauses")
async def test_repeated_attempts_are_one_line_and_details_for_debugging(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    wire.answers(503, httpx.ReadError("reset"), 200)
    await wire.transport().send(wire.call())
    (line,) = lines(caplog)
    assert line.endswith("(attempt 3)")
    first, second, _ = lines(caplog, logging.DEBUG)
    assert first == (
        "DEBUG acme refused GET /things.json: 503 Service Unavailable: status 503; "
        "attempt 2 follows in 0.25 s"
    )
    assert second.startswith("DEBUG acme GET /things.json: no usable answer (reset);")


@pytest.mark.usefixtures("pauses")
@pytest.mark.parametrize(
    "step",
    [
        500,
        404,
        httpx.ConnectError("refused"),
        httpx.ReadTimeout(""),
        httpx.UnsupportedProtocol("no"),
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip")),
    ],
)
@pytest.mark.filterwarnings("ignore:Async generator 'httpx:ResourceWarning")
async def test_a_failed_call_is_one_warning_that_says_what_the_error_says(
    wire: Wire, caplog: pytest.LogCaptureFixture, step: int | httpx.Response | Exception
) -> None:
    wire.answers(step)
    with pytest.raises(CloudReelError) as caught:
        await wire.transport().send(wire.call())
    assert lines(caplog) == [f"WARNING {caught.value}"]


async def test_a_missed_deadline_is_one_warning(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    wire.answers(httpx.Response(503, headers={"Retry-After": "9"}))
    with pytest.raises(CloudReelError) as caught:
        await wire.transport(Options(deadline=0.05)).send(wire.call())
    assert lines(caplog) == [f"WARNING {caught.value}"]


async def test_the_many_parts_of_an_upload_are_told_to_debuggers_only(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    request = Request("PUT", LOCATION, content=wire.pieces(), secret_url=True)
    await wire.transport().send(Call(request, id, signed=False))
    assert lines(caplog) == []
    assert [line.partition(" in ")[0] for line in lines(caplog, logging.DEBUG)] == [
        "DEBUG acme PUT http://vm.acme.test/*** -> 200"
    ]


async def test_what_a_service_says_cannot_forge_a_line(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    wire.answers(httpx.Response(400, text="wrong\r\nINFO acme GET /all -> 200", headers={"x-error": "a\tb"}))
    with pytest.raises(CloudReelError) as caught:
        await wire.transport().send(wire.call())
    assert str(caught.value) == "acme refused GET /things.json: 400 a b: wrong INFO acme GET /all -> 200"
    assert lines(caplog) == [f"WARNING {caught.value}"]


# -- no secret anywhere ----------------------------------------------------------------------------------

TELLTALE = {
    "set-cookie": f"session={SECRET}",
    "location": f"http://vm.acme.test/upload?id={SECRET}",
    "x-error": f"NotAuthorized signature={SECRET}",
}


@pytest.mark.usefixtures("pauses")
@pytest.mark.parametrize("secret_url", [False, True])
@pytest.mark.parametrize(
    "made",
    [
        lambda: httpx.Response(401, headers=TELLTALE, text=f"auth={SECRET} does not match {LOCATION}"),
        lambda: httpx.Response(500, headers=TELLTALE, text=f'{{"message": "x", "api_key": "{SECRET}"}}'),
        lambda: httpx.Response(400, text=f"<errors><password>{SECRET}</password></errors>"),
        lambda: httpx.ReadError(f"GET http://api.acme.test/?signature={SECRET} was reset"),
        lambda: httpx.ConnectError(f"cannot connect to http://bob:{SECRET}@api.acme.test/"),
        lambda: httpx.UnsupportedProtocol(f"{LOCATION} is no URL"),
    ],
)
async def test_no_error_shows_a_secret(
    wire: Wire,
    caplog: pytest.LogCaptureFixture,
    made: Callable[[], httpx.Response | Exception],
    secret_url: bool,
) -> None:
    step = made()
    if isinstance(step, Exception):
        step.__cause__ = OSError(f"beneath: signature={SECRET}")
    wire.answers(step)
    request = (
        Request("PUT", LOCATION, content=wire.pieces(), secret_url=True)
        if secret_url
        else Request("GET", f"/player/1?auth={SECRET}", {"source_url": f"ftp://bob:{SECRET}@h.test/a.mp4"})
    )
    with pytest.raises(CloudReelError) as caught:
        await wire.transport().send(Call(request, id, signed=not secret_url))
    error = caught.value
    assert SECRET not in "".join(traceback.format_exception(error))
    assert SECRET not in f"{error!r} {error.url} {error.cause} {error.response!r}"
    assert SECRET.encode() not in pickle.dumps(error)
    assert SECRET not in logged(caplog)
    if secret_url:
        assert error.url == "http://vm.acme.test/***"
    else:
        assert error.url == (
            "http://api.acme.test/v1/player/1?auth=***&source_url=ftp%3A%2F%2F***%40h.test%2Fa.mp4"
        )


@asynccontextmanager
async def listening() -> AsyncIterator[str]:
    """Serve the same answer, whose headers hold secrets, on a real socket; give its base URL."""
    head = "".join(f"{name}: {value}\r\n" for name, value in TELLTALE.items())
    answer = f"HTTP/1.1 200 OK\r\n{head}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode()

    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            while not (await stream.receive()).endswith(b"\r\n\r\n"):
                pass
            await stream.send(answer)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, serve)
            yield f"http://127.0.0.1:{port}"
            tasks.cancel_scope.cancel()


@pytest.mark.parametrize("path", ["/things.json", "/upload/session"])
async def test_the_http_library_keeps_quiet_about_our_calls(
    wire: Wire, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    async with listening() as base_url:
        sender = Transport(wire.service(base_url), Pool(Wiring(Limits())), Options())
        await sender.send(wire.call(path=path))
        await sender.send(
            Call(Request("GET", f"{base_url}/upload?id={SECRET}", secret_url=True), id, signed=False)
        )
        await sender.close()
    assert len(lines(caplog)) == 2
    assert SECRET not in logged(caplog)


async def test_the_http_library_still_speaks_of_other_calls(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening() as base_url:
        sender = Transport(wire.service(base_url), Pool(Wiring(Limits())), Options())
        await sender.send(wire.call())
        caplog.clear()
        async with httpx.AsyncClient() as client:
            await client.get(f"{base_url}/?signature={SECRET}")
        await sender.close()
    # This is what would have been logged of ours.
    assert SECRET in logged(caplog)
    assert {"httpx", "httpcore.http11"} <= {record.name for record in caplog.records}


async def test_nothing_that_carries_credentials_shows_them(wire: Wire) -> None:
    request = Request("GET", f"/x?signature={SECRET}", {"a": SECRET}, {"Authorization": SECRET})
    shown = [request, Call(request, id), wire.sign(request, 1.0), Wiring(proxy=f"http://bob:{SECRET}@proxy")]
    assert SECRET not in repr(shown)
