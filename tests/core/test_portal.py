from __future__ import annotations

import concurrent.futures
import contextvars
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import anyio
import anyio.to_thread
import pytest
import sniffio

from cloudreel.core import portal
from cloudreel.errors import WrongEventLoopError


async def double(value: int) -> int:
    await anyio.sleep(0)
    return 2 * value


async def fail() -> None:
    await anyio.sleep(0)
    raise ConnectionResetError("gone")


def script(text: str) -> list[str]:
    """Return the command that runs a program with every warning turned into an error."""
    return [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(text)]


def output_of(text: str) -> str:
    """Run a program to its end, which must be a quiet one, and return what it printed."""
    done = subprocess.run(script(text), capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


# -- running ---------------------------------------------------------------------------------------


def test_the_result_comes_back() -> None:
    assert portal.run(double, 4) == 8


def test_the_loop_is_one_and_in_a_thread_of_its_own() -> None:
    async def where() -> threading.Thread:
        return threading.current_thread()

    first = portal.run(where)
    assert first is portal.run(where)
    assert first is not threading.current_thread()


def test_an_error_comes_bare_and_says_where_it_was_raised() -> None:
    with pytest.raises(ConnectionResetError, match="gone") as raised:
        portal.run(fail)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    assert "in fail" in "".join(traceback.format_exception(raised.value))


def test_an_error_leaves_no_garbage_behind() -> None:
    def errors() -> int:
        return sum(isinstance(found, ConnectionResetError) for found in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = errors()
        for _ in range(10):
            with pytest.raises(ConnectionResetError):
                portal.run(fail)
        assert errors() == before
    finally:
        gc.enable()


def test_context_variables_are_seen() -> None:
    name = contextvars.ContextVar("name", default="nobody")

    async def read() -> str:
        return name.get()

    token = name.set("somebody")
    assert portal.run(read) == "somebody"
    name.reset(token)


def test_many_threads_at_once() -> None:
    together = threading.Barrier(16)

    def work(number: int) -> list[int]:
        together.wait()
        return [portal.run(double, number + step) for step in range(20)]

    with ThreadPoolExecutor(16) as threads:
        results = list(threads.map(work, range(16)))
    assert results == [[2 * (number + step) for step in range(20)] for number in range(16)]


@pytest.mark.anyio
async def test_a_thread_with_a_running_loop_may_call(anyio_backend_name: str) -> None:
    async def library() -> str:
        await anyio.to_thread.run_sync(os.getpid)
        return sniffio.current_async_library()

    assert portal.run(library) == "asyncio"
    assert sniffio.current_async_library() == anyio_backend_name
    assert await double(1) == 2


def test_a_call_from_a_callback_is_an_error_and_no_deadlock() -> None:
    async def call_back() -> int:
        return portal.run(double, 1)

    with pytest.raises(WrongEventLoopError, match="callback"):
        portal.run(call_back)
    assert portal.run(double, 1) == 2


async def leave() -> None:
    raise SystemExit(3)


async def leave_in_a_task() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(leave)
        await anyio.sleep_forever()


@pytest.mark.parametrize("work", [leave, leave_in_a_task])
def test_a_loop_that_was_brought_down_is_replaced(work: Callable[[], Awaitable[None]]) -> None:
    with pytest.raises((SystemExit, BaseExceptionGroup, concurrent.futures.CancelledError)):
        portal.run(work)
    assert portal.run(double, 2) == 4


# -- iterating -------------------------------------------------------------------------------------


class Counter:
    """Counts up in an async generator and notes how that ended."""

    def __init__(self) -> None:
        self.closed = False
        self.steps = 0

    async def count(self, end: int) -> AsyncIterator[int]:
        try:
            for number in range(end):
                self.steps += 1
                await anyio.sleep(0)
                yield number
        finally:
            await anyio.sleep(0)
            self.closed = True


def test_every_item_comes() -> None:
    counter = Counter()
    assert list(portal.iterate(counter.count(5))) == [0, 1, 2, 3, 4]
    assert counter.closed


def test_nothing_happens_before_the_first_step() -> None:
    counter = Counter()
    portal.iterate(counter.count(5)).close()
    assert counter.steps == 0


def test_leaving_early_closes_it() -> None:
    counter = Counter()
    for number in portal.iterate(counter.count(5)):
        if number == 2:
            break
    assert counter.steps == 3
    assert counter.closed


def test_a_failure_of_the_consumer_closes_it() -> None:
    counter = Counter()
    with pytest.raises(LookupError):
        consume_badly(counter)
    assert counter.closed


def consume_badly(counter: Counter) -> None:
    for _ in portal.iterate(counter.count(5)):
        raise LookupError


def test_a_failure_of_the_source_is_raised() -> None:
    async def broken() -> AsyncIterator[int]:
        yield 1
        await fail()

    items = portal.iterate(broken())
    assert next(items) == 1
    with pytest.raises(ConnectionResetError):
        next(items)


def test_an_iterator_that_is_no_generator_needs_no_closing() -> None:
    class Countdown(AsyncIterator[int]):
        def __init__(self) -> None:
            self.left = 3

        async def __anext__(self) -> int:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return self.left

    assert list(portal.iterate(Countdown())) == [2, 1, 0]
    for _ in portal.iterate(Countdown()):
        break


def test_one_collected_on_the_loop_is_closed_by_the_loop() -> None:
    counter = Counter()
    abandoned = [portal.iterate(counter.count(5))]
    assert next(abandoned[0]) == 0

    async def drop() -> None:
        abandoned.clear()

    async def closed() -> None:
        while not counter.closed:
            await anyio.sleep(0)

    portal.run(drop)
    portal.run(closed)
    assert counter.closed


# -- interrupting ----------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_cancels_the_work() -> None:
    program = """
        import anyio
        from cloudreel.core import portal

        async def work():
            print("begun", flush=True)
            try:
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(0.1)
                print("cleaned up", flush=True)

        async def tasks():
            return len(anyio.get_running_tasks())

        try:
            portal.run(work)
        except KeyboardInterrupt:
            print("interrupted")
        print(portal.run(tasks), "tasks")
    """
    with subprocess.Popen(
        script(program), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=200)
    # Two of the tasks serve, the third counts.
    assert (out, err, process.returncode) == ("cleaned up\ninterrupted\n3 tasks\n", "", 0)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_no_work_is_left_behind_wherever_the_interrupt_falls() -> None:
    program = """
        import random, signal, anyio
        from cloudreel.core import portal

        class Alarm(BaseException):
            pass

        def ring(number, frame):
            raise Alarm

        async def work():
            await anyio.sleep(0.003)

        async def tasks():
            return len(anyio.get_running_tasks())

        portal.run(work)
        signal.signal(signal.SIGALRM, ring)
        rung = 0
        for _ in range(300):
            try:
                signal.setitimer(signal.ITIMER_REAL, random.uniform(0.00001, 0.004))
                portal.run(work)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except Alarm:
                rung += 1
            assert portal.run(tasks) == 3
        assert rung > 100, rung
    """
    assert output_of(program) == ""


# -- ending ----------------------------------------------------------------------------------------


def test_a_program_that_closes_nothing_ends() -> None:
    program = """
        import os, anyio, anyio.to_thread
        from cloudreel.core import portal

        class Client:
            async def close(self):
                await anyio.sleep(0)
                print("closed")

        async def count():
            for number in range(3):
                yield number

        async def work():
            return await anyio.to_thread.run_sync(os.getpid)

        client = Client()
        portal.close_at_exit(client)
        portal.close_at_exit(Client())
        assert portal.run(work) == os.getpid()
        items = portal.iterate(count())
        next(items)
        print("end of the program")
    """
    assert output_of(program) == "end of the program\nclosed\n"


def test_work_of_other_threads_is_waited_for_and_that_of_daemons_is_not() -> None:
    program = """
        import threading, anyio
        from cloudreel.core import portal

        async def work():
            await anyio.sleep(0.05)

        async def forever():
            begun.set()
            await anyio.sleep_forever()

        def later():
            for _ in range(5):
                portal.run(work)
            print("worked")

        begun = threading.Event()
        threading.Thread(target=portal.run, args=(forever,), daemon=True).start()
        begun.wait()
        threading.Thread(target=later).start()
        print("end of the program")
    """
    assert output_of(program) == "end of the program\nworked\n"


def test_an_exit_hook_may_still_close() -> None:
    program = """
        import atexit
        from cloudreel.core import portal

        class Client:
            async def close(self):
                print("closed")

        client = Client()
        atexit.register(lambda: portal.run(client.close))
        portal.close_at_exit(client)
        portal.run(client.close)
    """
    assert output_of(program) == "closed\n" * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_a_loop_of_its_own() -> None:
    program = """
        import multiprocessing, os, threading, warnings, anyio
        from cloudreel.core import portal

        warnings.filterwarnings("ignore", category=DeprecationWarning)  # fork beside threads

        async def thread():
            await anyio.sleep(0)
            return threading.current_thread()

        def child():
            assert portal.run(thread) is not in_parent
            print("child", flush=True)

        in_parent = portal.run(thread)
        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        process.join()
        assert process.exitcode == 0, process.exitcode

        pid = os.fork()
        if pid == 0:
            child()
            os._exit(0)
        assert os.waitpid(pid, 0) == (pid, 0)

        assert portal.run(thread) is in_parent
        print("parent")
    """
    assert output_of(program) == "child\nchild\nparent\n"
