"""OpenTelemetry, where it is installed: spans of uploads, waits and attempts, and metrics of the latter.

Only its API is used, which does nothing until the program sets up an SDK. Attributes have the names of
OpenTelemetry's semantic conventions for HTTP clients; every URL is masked as in a log line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from cloudreel.core.hooks import RequestEvent

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

NAME: Final = "cloudreel"


class Sight:
    """What is seen of an attempt: the HTTP status, or in a word why none came."""

    status: int | None = None
    error: str | None = None


class Telemetry:
    """What is told to OpenTelemetry.

    Args:
        tracers: None for those of the program.
        meters: None for those of the program.
    """

    def __init__(self, tracers: TracerProvider | None = None, meters: MeterProvider | None = None) -> None:
        from opentelemetry import metrics, trace

        self._client = trace.SpanKind.CLIENT
        self._error = trace.StatusCode.ERROR
        self._tracer = trace.get_tracer(NAME, tracer_provider=tracers)
        meter = metrics.get_meter(NAME, meter_provider=meters)
        self._duration = meter.create_histogram(
            "http.client.request.duration", unit="s", description="Duration of HTTP client requests."
        )
        self._retries = meter.create_counter(
            "cloudreel.client.retries", unit="{retry}", description="Attempts that followed a failed one."
        )

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, str | int]) -> Generator[None]:
        """Have what is sent inside, in whatever task, appear below one span."""
        with self._tracer.start_as_current_span(
            name, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except BaseException as error:
                span.set_attribute("error.type", type(error).__qualname__)
                span.set_status(self._error)
                raise

    @contextmanager
    def attempt(self, event: RequestEvent) -> Generator[Sight]:
        """Tell of one attempt; whoever makes it notes what it sees."""
        told = {
            "http.request.method": event.method,
            "cloudreel.service": event.service,
            **_server(event.url),
        }
        one = {"url.full": event.url}
        again = {"http.request.resend_count": event.attempt - 1} if event.attempt > 1 else {}
        sight = Sight()
        begun = time.perf_counter()
        with self._tracer.start_as_current_span(
            event.method,
            kind=self._client,
            attributes={**told, **one, **again},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield sight
            except BaseException as error:
                sight.error = type(error).__qualname__
                raise
            finally:
                if sight.status is not None:
                    told["http.response.status_code"] = sight.status
                    if sight.status >= 400:
                        sight.error = str(sight.status)
                if sight.error is not None:
                    told["error.type"] = sight.error
                    span.set_status(self._error)
                span.set_attributes(told)
                self._duration.record(time.perf_counter() - begun, told)

    def retried(self, event: RequestEvent) -> None:
        """Count an attempt that follows a failed one."""
        self._retries.add(1, {"http.request.method": event.method, "cloudreel.service": event.service})


def _server(url: str) -> dict[str, str | int]:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:  # no URL that can be called; whoever tries will tell
        return {}
    return {"server.address": parts.hostname or "", "server.port": port}


@cache
def _installed() -> tuple[Telemetry, Callable[[], object], Callable[[], object]] | None:
    try:
        from opentelemetry import metrics, trace
    except ImportError:
        return None
    return Telemetry(), trace.get_tracer_provider, metrics.get_meter_provider


def telemetry() -> Telemetry | None:
    """Return what tells OpenTelemetry, None where its API is not installed or nobody listens to it."""
    if (found := _installed()) is None:
        return None
    told, tracers, meters = found
    return None if _is_idle(tracers()) and _is_idle(meters()) else told


def _is_idle(provider: object) -> bool:
    """Return whether a provider is one of the API's own, which do nothing."""
    return type(provider).__module__.startswith(("opentelemetry.trace", "opentelemetry.metrics"))


def span(name: str, attributes: Mapping[str, str | int]) -> AbstractContextManager[None]:
    """Have what is sent inside appear below one span.

    Args:
        name: of what is done.
        attributes: of it; nothing secret.
    """
    told = telemetry()
    return nullcontext() if told is None else told.span(name, attributes)
