"""What OpenTelemetry's own SDK gets to see of calls, uploads and waits."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from cloudreel import errors
from cloudreel.core import observing, telemetry
from cloudreel.core.options import Options
from cloudreel.core.telemetry import Telemetry
from cloudreel.sandbox import Sandbox

if TYPE_CHECKING:
    from conftest import Wire

pytestmark = pytest.mark.anyio

SECRET = "s3cr3t-V4lue"


class Seen:
    """Everything that was told to OpenTelemetry."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader])

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """Return the spans that have ended."""
        return self._exporter.get_finished_spans()

    def points(self, name: str) -> list[Any]:
        """Return the data points of a metric."""
        data = self._reader.get_metrics_data()
        assert data is not None
        (resource,) = data.resource_metrics
        (scope,) = resource.scope_metrics
        return [point for metric in scope.metrics if metric.name == name for point in metric.data.data_points]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """What is told from now on."""
    found = Seen()
    told = Telemetry(found.tracers, found.meters)
    monkeypatch.setattr(telemetry, "telemetry", lambda: told)
    monkeypatch.setattr(observing, "telemetry", lambda: told)
    return found


@pytest.mark.usefixtures("pauses")
async def test_each_attempt_is_a_span_and_a_measurement(wire: Wire, seen: Seen) -> None:
    wire.answers(503, httpx.ConnectError("no way"), 200)
    await wire.transport().exchange(wire.call(params={"api_key": SECRET}))
    assert [(span.name, span.kind) for span in seen.spans] == [("GET", SpanKind.CLIENT)] * 3
    common = {
        "http.request.method": "GET",
        "server.address": "api.acme.test",
        "server.port": 80,
        "cloudreel.service": "acme",
        "url.full": "http://api.acme.test/v1/things.json?api_key=***",
    }
    assert [dict(span.attributes or {}) for span in seen.spans] == [
        {**common, "http.response.status_code": 503, "error.type": "503"},
        {**common, "http.request.resend_count": 1, "error.type": "ConnectError"},
        {**common, "http.request.resend_count": 2, "http.response.status_code": 200},
    ]
    codes = [span.status.status_code for span in seen.spans]
    assert codes == [StatusCode.ERROR, StatusCode.ERROR, StatusCode.UNSET]
    assert [point.count for point in seen.points("http.client.request.duration")] == [1, 1, 1]
    assert [point.value for point in seen.points("cloudreel.client.retries")] == [2]


async def test_a_timeout_is_told(wire: Wire, seen: Seen) -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    wire.answers(never)
    with pytest.raises(errors.RequestTimedOut):
        await wire.transport(Options(timeout=0.01, retries=0)).exchange(wire.call())
    (span,) = seen.spans
    assert (span.attributes or {})["error.type"] == "timeout"


async def test_what_is_no_url_is_told_without_a_server(wire: Wire, seen: Seen) -> None:
    call = wire.call()
    location = type(call.request)("GET", "http://h:port/", secret_url=True)
    with pytest.raises(errors.TransportError):
        await wire.transport().exchange(type(call)(location, call.parse, signed=False))
    (span,) = seen.spans
    assert "server.address" not in (span.attributes or {})


def tree(spans: tuple[ReadableSpan, ...]) -> dict[str, list[str]]:
    """Return the names of the spans, sorted, below each name of a parent."""
    names = {span.context.span_id: span.name for span in spans}
    found: dict[str, list[str]] = {}
    for span in spans:
        found.setdefault(names[span.parent.span_id] if span.parent else "", []).append(span.name)
    return {parent: sorted(children) for parent, children in found.items()}


async def test_an_upload_and_a_wait_are_parents_of_their_calls(seen: Seen) -> None:
    content = bytes(40_000)
    async with Sandbox.asgi(part_size=16 * 1024) as sandbox:
        config = sandbox.config["telestream"]
        client = sandbox.telestream()
        factory = (await client.flip.factories.all())[0]
        session = await factory.upload_session(content, profiles="none")
        location = session.ticket().location
        video = await session.start()
        with pytest.raises(errors.TimedOut):
            await video.wait(timeout=0)
    assert tree(seen.spans)["upload"] == ["PUT", "PUT", "PUT"]
    assert "" in tree(seen.spans)
    (upload,) = [span for span in seen.spans if span.name == "upload"]
    attributes = {
        "cloudreel.service": "telestream",
        "cloudreel.upload.size": 40_000,
        "cloudreel.upload.parts": 3,
    }
    assert dict(upload.attributes or {}) == attributes
    (wait,) = [span for span in seen.spans if span.name == "wait"]
    assert wait.status.status_code is StatusCode.ERROR
    assert (wait.attributes or {})["error.type"] == "WaitTimedOut"
    told = repr([(dict(span.attributes or {}), span.events, span.status.description) for span in seen.spans])
    for secret in (config["secret_key"], config["access_key"], location, location.rsplit("=")[-1]):
        assert secret not in told


async def test_nobody_is_told_where_nobody_listens(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert telemetry.telemetry() is None
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: seen.meters)
    telemetry._installed.cache_clear()
    assert telemetry.telemetry() is not None
    telemetry._installed.cache_clear()


PROGRAM = """
import sys
{before}
import anyio
from cloudreel.sandbox import Sandbox

async def main():
    async with Sandbox.asgi() as sandbox:
        print(len(await sandbox.telestream().flip.factories.all()))

anyio.run(main)
print(sorted(name for name in sys.modules if name == "opentelemetry.trace"))
"""
HIDE = "sys.modules['opentelemetry'] = None"
USE = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(
    SimpleSpanProcessor(ConsoleSpanExporter(formatter=lambda span: span.name + chr(10)))
)
"""


@pytest.mark.parametrize(
    ("before", "said"),
    [(HIDE, ["1", "[]"]), (USE, ["GET", "1", "['opentelemetry.trace']"])],
    ids=["not installed", "set up by the program"],
)
def test_a_program_with_and_without_opentelemetry(before: str, said: list[str]) -> None:
    program = PROGRAM.format(before=before)
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ)
    assert (done.stdout.split("\n")[:-1], done.stderr) == (said, "")
