"""A session in any order of calls, over a line on which anything happens, against a model.

The machine starts, resumes, pauses, aborts and crashes; each request that reaches the upload location waits
until the machine says what becomes of it. The model is small: the service never holds a wrong byte, a status
is one of the documented ones and fits what goes on, progress never goes backwards, whatever fails is a
documented error with a ticket, and with the ticket the upload comes to its end, or the service says 404.
"""

from __future__ import annotations

import asyncio
import random
import re
from contextlib import suppress
from itertools import pairwise

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from cloudreel.core import retry
from cloudreel.errors import CloudReelError, NotFoundError
from cloudreel.panda import AsyncPanda
from cloudreel.telestream import AsyncTelestream
from cloudreel.uploads import Ticket, events, sender

CONTENT = random.Random(3).randbytes(64)
FATES = ["ok", "lost", "dropped", "cut", 500, 503, 429, 408, 400, 302, "garbage", "empty", "moved"]
RUNNING = {"uploading", "paused"}
SETTLED = {"initialized", "error", "uploaded", "aborted", "interrupted"}


class Service(httpx.AsyncBaseTransport):
    """Holds one upload, in parts or as a stream; what becomes of a request is for others to say."""

    def __init__(self, part_size, *, in_parts):
        self.part_size = part_size
        self.in_parts = in_parts
        self.parts = -(-len(CONTENT) // part_size)
        self.held = bytearray(len(CONTENT))
        self.holds = set()  # which bytes
        self.gone = False
        self.moves = 0
        self.waiting = []  # a future for each request that waits for its fate
        self.quiet = False  # whether all goes well from here on
        self.arrives = False  # whether what a crash cuts off was on its way already

    async def handle_async_request(self, request):
        if "upload.example" not in request.url.host:
            return httpx.Response(200, json=self._api(request))
        body = b"".join([piece async for piece in request.stream])
        fate = "ok"
        if not self.quiet:
            wait = asyncio.get_running_loop().create_future()
            self.waiting.append(wait)
            try:
                fate = await wait
            except asyncio.CancelledError:
                if self.arrives:
                    self._act(request, body)
                raise
            finally:
                self.waiting.remove(wait)
        return self._fate(fate, request, body)

    def decide(self, which, fate):
        if self.waiting:
            wait = self.waiting[which % len(self.waiting)]
            if not wait.done():
                wait.set_result(fate)

    @property
    def complete(self):
        return len(self.holds) == len(CONTENT)

    def _api(self, request):
        if request.method == "POST":
            numbers = {"parts": self.parts, "part_size": self.part_size, "max_connections": 4}
            return {
                "id": "u1",
                "location": "http://vm.upload.example/0",
                **(numbers if self.in_parts else {}),
            }
        return {"id": "f1", "name": "Tests"}

    def _fate(self, fate, request, body):
        if isinstance(fate, int):
            headers = {"Location": "http://elsewhere.example/", "Retry-After": "0"}
            return httpx.Response(fate, json={"error": "Fault", "message": "as told"}, headers=headers)
        if fate == "dropped":
            raise httpx.ReadError("reset", request=request)
        if fate == "cut" and request.method == "PUT":
            if not self.in_parts and body and not self.gone:
                self._store(request, body[: len(body) // 2])
            raise httpx.WriteError("reset", request=request)
        answer = self._act(request, body)
        if fate == "lost":
            raise httpx.ReadError("reset", request=request)
        if fate == "garbage":
            return httpx.Response(200, content=b"<html>")
        if fate == "empty" and answer.status_code == 200 and request.method == "PUT" and self.in_parts:
            return httpx.Response(200)
        if fate == "moved" and not self.in_parts:
            self.moves += 1
            answer.headers["Location"] = f"http://vm.upload.example/{self.moves}"
        return answer

    def _act(self, request, body):
        if self.gone:
            return httpx.Response(404, json={"error": "RecordNotFound", "message": "gone"})
        if request.method == "DELETE":
            self.gone = True
            return httpx.Response(200)
        if body:
            self._store(request, body)
        if self.complete and request.method == "PUT":
            return httpx.Response(200, json={"id": "v1", "status": "processing"})
        if self.in_parts:
            held = {index for index in range(self.parts) if index * self.part_size in self.holds}
            missing = sorted(set(range(self.parts)) - held)
            return httpx.Response(200, json={"missing_parts": missing} if request.method == "GET" else None)
        return httpx.Response(204, headers={"Range": f"0-{len(self.holds) - 1}"} if self.holds else {})

    def _store(self, request, data):
        if self.in_parts:
            begin = int(request.headers["x-part"]) * self.part_size
            assert len(data) == min(self.part_size, len(CONTENT) - begin), "a part is whole"
        else:
            begin = int(re.match(r"bytes (\d+)-", request.headers["content-range"])[1])
            assert begin == len(self.holds), "a stream has no gap, and nothing comes twice"
        self.held[begin : begin + len(data)] = data
        self.holds.update(range(begin, begin + len(data)))


class Uploads(RuleBasedStateMachine):
    @initialize(
        in_parts=st.booleans(),
        part_size=st.integers(5, 70),
        threads=st.integers(1, 4),
        grace=st.sampled_from([0.0, 60.0]),
        retries=st.integers(0, 2),
    )
    def open(self, in_parts, part_size, threads, grace, retries):
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(retry, "FIRST_DELAY", 0.0)
        self.patch.setattr(sender, "GRACE", grace)
        self.patch.setattr(events, "INTERVAL", 0.0)
        self.runner = asyncio.Runner()
        self.service = Service(part_size, in_parts=in_parts)
        self.threads = {"threads": threads} if in_parts else {}
        self.retries = retries
        self.told = []
        begin = self.threads or {"chunk_size": part_size}
        self.session = self.run(self.open_client("upload_session", CONTENT, progress=self.tell, **begin))
        self.tickets = [self.session.ticket().to_json()]
        self.tasks = []

    async def open_client(self, name, *arguments, **options):
        common = {"transport": self.service, "retries": self.retries}
        if self.service.in_parts:
            client = AsyncTelestream("key", "secret", "f1", **common)
            uploads = await client.flip.factories.find("f1")
        else:
            uploads = AsyncPanda("key", "secret", "c1", **common)
        return await getattr(uploads, name)(*arguments, **options)

    def run(self, awaitable):
        async def main():
            result = await awaitable
            for _ in range(60):  # until whoever can go on has
                await asyncio.sleep(0)
            return result

        return self.runner.run(main())

    def tell(self, progress):
        self.told.append(progress)

    def do(self, name):
        async def call():
            return self.runner.get_loop().create_task(self.watch(name))

        self.tasks.append(self.run(call()))

    async def watch(self, name):
        session, before, failure, done = self.session, self.session.status, None, None
        try:
            done = await getattr(session, name)()
        except CloudReelError as error:
            failure = error
        assert failure is None or failure.ticket.key == session.ticket().key
        if name in ("start", "resume") and done is not None:
            assert before in SETTLED
            assert self.service.complete
            assert session.status == "uploaded"

    @rule()
    def start(self):
        self.do("start")

    @rule()
    def resume(self):
        self.do("resume")

    @rule()
    def pause(self):
        was = self.session.status
        self.do("pause")
        if was in RUNNING:
            assert self.session.status == "paused"

    @precondition(lambda self: len(self.told) > 3)  # most uploads are not aborted early
    @rule()
    def abort(self):
        self.do("abort")

    @precondition(lambda self: self.service.waiting)
    @rule(which=st.integers(0, 3), fate=st.sampled_from(FATES))
    def meet(self, which, fate):
        self.service.decide(which, fate)
        self.run(asyncio.sleep(0))

    @precondition(lambda self: self.service.waiting)
    @rule(times=st.integers(1, 5))
    def go_well(self, times):
        for _ in range(times):
            self.service.decide(0, "ok")
            self.run(asyncio.sleep(0))

    @precondition(lambda self: self.service.in_parts and self.service.holds and not self.service.complete)
    @rule(index=st.integers(0, 20))
    def lose_a_part(self, index):
        begin = index % self.service.parts * self.service.part_size
        self.service.holds -= set(range(begin, begin + self.service.part_size))

    @precondition(lambda self: len(self.told) > 5)
    @rule()
    def expire(self):
        self.service.gone = True

    @rule(arrives=st.booleans(), ticket=st.integers(0, 5))
    def crash(self, arrives, ticket):
        """Another process goes on, with any ticket that was ever kept."""
        self.service.arrives = arrives
        self.run(self.cancel())
        self.told.clear()
        kept = Ticket.from_json(self.tickets[ticket % len(self.tickets)])
        self.session = self.run(
            self.open_client("resume_upload", kept, CONTENT, progress=self.tell, **self.threads)
        )
        assert self.session.status == "interrupted"

    async def cancel(self):
        for task in self.tasks:
            task.cancel()
        for task in self.tasks:
            with suppress(asyncio.CancelledError):
                await task
        self.tasks.clear()

    @invariant()
    def nothing_wrong_is_held(self):
        if hasattr(self, "service"):
            assert all(self.service.held[place] == CONTENT[place] for place in self.service.holds)

    @invariant()
    def the_status_fits(self):
        if not hasattr(self, "session"):
            return
        for task in [task for task in self.tasks if task.done()]:
            task.result()
            self.tasks.remove(task)
        self.tickets.append(self.session.ticket().to_json())
        status = self.session.status
        assert status in RUNNING | SETTLED
        assert (self.session.video is not None) == (status == "uploaded")
        assert (self.session.error_message is not None) == (status == "error")
        if status in RUNNING:
            assert self.tasks
        elif not self.tasks:
            assert not self.service.waiting
        if status == "uploaded":
            assert self.service.complete

    @invariant()
    def progress_goes_on(self):
        if hasattr(self, "session"):
            told = [*self.told, self.session.progress]
            for before, after in pairwise(told):
                assert before.bytes_sent <= after.bytes_sent <= len(CONTENT)
                assert before.bytes_confirmed <= after.bytes_confirmed <= after.bytes_sent
                assert before.parts_done <= after.parts_done <= after.parts

    def teardown(self):
        if not hasattr(self, "session"):
            return
        try:
            self.run(self.finish())
        finally:
            self.runner.close()
            self.patch.undo()

    async def finish(self):
        """Let all go well from here on: then a ticket brings the upload to its end."""
        self.service.quiet = True
        await self.cancel()
        if self.session.status == "aborted":
            assert self.service.gone
            return
        kept = Ticket.from_json(self.tickets[-1])
        again = await self.open_client("resume_upload", kept, CONTENT, **self.threads)
        if self.service.gone:
            with pytest.raises(NotFoundError):
                await again.resume()
            assert again.status == "error"
        else:
            assert (await again.resume()).id == "v1"
            assert bytes(self.service.held) == CONTENT
            assert self.service.complete


def test_a_session_does_what_the_model_does():
    run_machine(Uploads, settings=settings(max_examples=60, stateful_step_count=25, deadline=None))


@pytest.mark.soak
def test_a_session_does_what_the_model_does_for_long():
    run_machine(Uploads, settings=settings(max_examples=3000, stateful_step_count=60, deadline=None))
