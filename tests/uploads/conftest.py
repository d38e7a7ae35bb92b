"""An upload location in memory, spoken to through the same ``send`` as a real one."""

from __future__ import annotations

import json
import random
from collections import deque
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest
from attrs import evolve

from cloudreel import errors
from cloudreel.core.call import Response
from cloudreel.core.failures import ErrorFamily, category_of
from cloudreel.uploads import AsyncUploadSession, Ticket, open_source
from cloudreel.uploads.dialects import PartsDialect

CONTENT = random.Random(1).randbytes(45)
LOCATION = "http://vm-abc.upload.example/upload/session?id=s3cret"


class FakeError(errors.CloudReelError):
    pass


class FakeUploadError(FakeError, errors.UploadError):
    pass


class FakeNotFound(FakeError, errors.NotFoundError):
    pass


class FakeServiceError(FakeError, errors.ServiceError):
    pass


class FakeInvalid(FakeError, errors.InvalidRequestError):
    pass


class FakeLost(FakeError, errors.TransportError):
    pass


FAMILY = ErrorFamily(
    FakeError,
    {
        errors.UploadError: FakeUploadError,
        errors.NotFoundError: FakeNotFound,
        errors.ServiceError: FakeServiceError,
        errors.InvalidRequestError: FakeInvalid,
        errors.TransportError: FakeLost,
    },
)


class Lost(Exception):
    """The connection broke."""


class FakeService:
    """Keeps the parts of one upload; plays the faults it is told to.

    ``faults[(method, part)]`` holds what happens to the next requests of that kind, in order:
    a status (nothing is stored), ``drop`` (nothing is stored), ``lose`` (stored, but the answer is lost),
    ``empty`` (stored, and the answer is empty), ``stall`` (waits for ever), ``ok``.
    """

    def __init__(
        self, content: bytes, part_size: int, *, retries: int = 2, max_connections: int = 16
    ) -> None:
        self.content = content
        self.part_size = part_size
        self.parts = -(-len(content) // part_size)
        self.max_connections = max_connections
        self.retries = retries
        self.service = SimpleNamespace(name="fake", base_url="https://api.example", errors=FAMILY)
        self.faults: dict[tuple[str, int | None], deque[object]] = {}
        self.stored: dict[int, bytes] = {}
        self.requests: list[tuple[str, int | None]] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.gone = False
        self.location = LOCATION
        self.video: dict[str, object] = {"id": "v1", "status": "processing"}
        self.media_id: str | None = None
        self.omit_key = False
        self.arrived = anyio.Event()
        self.before_part = None  # an async function called with the index

    def fault(self, method: str, part: int | None, *actions: object) -> None:
        self.faults[(method, part)] = deque(actions)

    @property
    def received(self) -> bytes:
        return b"".join(self.stored[index] for index in sorted(self.stored))

    @property
    def missing(self) -> list[int]:
        return [index for index in range(self.parts) if index not in self.stored]

    def parts_sent(self) -> list[int | None]:
        return [part for method, part in self.requests if method == "PUT"]

    async def send(self, call):
        for attempt in range(self.retries + 1):
            last = attempt == self.retries
            try:
                response = evolve(await self._serve(call.request), attempts=attempt + 1)
            except Lost:
                if last:
                    raise FakeLost("no usable answer") from None
                if settled := call.settled and await self.send(call.settled):
                    return call.parse(settled)
                continue
            if response.status_code >= 500 and not last:
                if settled := call.settled and await self.send(call.settled):
                    return call.parse(settled)
                continue
            if response.status_code >= 400:
                raise FAMILY.leaf(category_of(response.status_code))(
                    f"refused: {response.status_code}", status=response.status_code
                )
            return call.parse(response)
        raise AssertionError

    async def _serve(self, request):
        assert request.secret_url
        assert request.path == self.location
        part = int(request.headers["X-Part"]) if "X-Part" in request.headers else None
        self.requests.append((request.method, part))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._act(request, part)
        finally:
            self.in_flight -= 1

    async def _act(self, request, part):
        actions = self.faults.get((request.method, part)) or self.faults.get((request.method, None))
        action = actions.popleft() if actions else "ok"
        data = b""
        if request.content is not None:
            async for piece in request.content:
                data += piece
                await anyio.sleep(0)
            assert len(data) == request.content.length
        await anyio.sleep(0)
        if self.before_part is not None and part is not None:
            await self.before_part(part)
        if action == "stall":
            self.arrived.set()
            await anyio.sleep_forever()
        if action == "drop":
            raise Lost
        if isinstance(action, int):
            return answer(action, {"error": "Fault", "message": "as told"})
        response = self._accept(request, part, data)
        if action == "lose":
            raise Lost
        return answer(200) if action == "empty" else response

    def _accept(self, request, part, data):
        if self.gone:
            return answer(404, {"error": "RecordNotFound", "message": "gone"})
        if request.method == "DELETE":
            self.gone = True
            return answer(200, {"deleted": True})
        if request.method == "GET":
            status: dict[str, object] = {"missing_parts": self.missing}
            if not self.missing:
                if self.omit_key:
                    del status["missing_parts"]
                if self.media_id is not None:
                    status["media_id"] = self.media_id
            return answer(200, status)
        self.stored[part] = data
        return answer(200) if self.missing else answer(200, self.video)


def answer(status: int, document: object = None) -> Response:
    return Response(status, {}, b"" if document is None else json.dumps(document).encode())


def make_ticket(source, service: FakeService) -> Ticket:
    return Ticket(
        service="fake",
        endpoint="https://api.example",
        scope="f1",
        session_id="9f2c41",
        location=LOCATION,
        dialect="parts",
        size=source.size,
        part_size=service.part_size,
        parts=service.parts,
        max_connections=service.max_connections,
        file_name=source.name,
        fingerprint=source.fingerprint,
        created=1_480_000_000.0,
    )


class Kit:
    """What the tests of sessions need, in one place."""

    CONTENT = CONTENT
    LOCATION = LOCATION
    FAMILY = FAMILY
    Service = FakeService
    answer = staticmethod(answer)
    ticket = staticmethod(make_ticket)

    @staticmethod
    def open_files() -> set[Path]:
        return {link.resolve() for link in Path("/proc/self/fd").iterdir()}

    @staticmethod
    async def session(service: FakeService, source=None, *, ticket=None, dialect=PartsDialect, **options):
        opened = await open_source(service.content if source is None else source, whole=False)
        found: list[str] = []

        async def find_video(video_id: str) -> dict[str, object]:
            found.append(video_id)
            return {"id": video_id, "found": True}

        options.setdefault("threads", 4)
        ticket_given = ticket or make_ticket(opened, service)
        return AsyncUploadSession(
            service,
            opened,
            ticket_given,
            dialect(LOCATION, ticket_given.parts),
            make_video=dict,
            find_video=find_video,
            resumed=ticket is not None,
            **options,
        )


@pytest.fixture
def kit() -> type[Kit]:
    return Kit


@pytest.fixture
def service() -> FakeService:
    """A service that wants five parts."""
    return FakeService(CONTENT, 10)


@pytest.fixture
def spool_folder(monkeypatch, tmp_path):
    folder = tmp_path / "spool"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder
