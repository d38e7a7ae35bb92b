"""The sandbox's own routes: faults, clock, reset, state, moves under ``/__sandbox__/``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import orjson
from anyio import to_thread
from starlette.responses import Response
from starlette.routing import Route

from cloudreel.sandbox.cors import is_foreign
from cloudreel.sandbox.faults import CONTROL, BadFault, Fault
from cloudreel.sandbox.flixcloud import account
from cloudreel.sandbox.uploads import move
from cloudreel.signing.shapes import is_list, is_mapping

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from cloudreel.sandbox.state import World

BODY_BYTES = 2**20


class _BadRequest(ValueError):
    """What was sent to the control routes makes no sense; the text says why."""


def routes(world: World) -> list[Route]:
    """Return the control routes over a world."""

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            world.faults.clear()
        elif request.method == "POST":
            try:
                given = await _json(request)
                asked = [Fault.from_json(each) for each in (given if is_list(given) else [given])]
            except (_BadRequest, BadFault) as error:
                return _refused(error)
            world.faults.add(*asked)
        return _answer([fault.to_json() for fault in world.faults])

    async def clock(request: Request) -> Response:
        try:
            name, seconds = _clock_step(await _json(request))
        except _BadRequest as error:
            return _refused(error)
        if name == "set":
            world.clock.set(seconds)
        else:
            world.clock.advance(seconds)
        return _answer({"now": world.clock.now()})

    async def reset(request: Request) -> Response:
        await world.reset()
        return _answer({"reset": True})

    async def state(request: Request) -> Response:
        # Sources not hashed yet are hashed now, which takes its time: not on the event loop.
        return _answer(await to_thread.run_sync(world.snapshot))

    async def move_upload(request: Request) -> Response:
        return _answer({"location": move(world, request.path_params["id"])})

    async def cancel_job(request: Request) -> Response:
        job = world.store.get("job", request.path_params["id"])
        if job is None:
            return _answer({"error": "NotFound", "message": "there is no such job"}, 404)
        if not world.flixcloud.cancel(str(job["id"])):
            return _answer({"error": "Conflict", "message": "the job has ended already"}, 409)
        return _answer({"id": job["id"], "cancelled": True})

    async def flixcloud(request: Request) -> Response:
        if request.method == "GET":
            return _answer(account.settings(world))
        try:
            return _answer(account.change_settings(world, await _json(request)))
        except ValueError as error:
            return _refused(error)

    return [
        _route("faults", faults, "GET", "POST", "DELETE"),
        _route("clock", clock, "POST"),
        _route("reset", reset, "POST"),
        _route("uploads/{id}/move", move_upload, "POST"),
        _route("jobs/{id}/cancel", cancel_job, "POST"),
        _route("flixcloud", flixcloud, "GET", "POST"),
        _route("state", state, "GET"),
    ]


def _route(path: str, answer: Callable[[Request], Awaitable[Response]], *methods: str) -> Route:
    """Return a control route, by which no page elsewhere that its developer visits can change the sandbox."""

    async def own(request: Request) -> Response:
        if request.method != "GET" and is_foreign(request):
            message = "the sandbox is controlled by programs and its own page, not by pages of other origins"
            return _answer({"error": "Forbidden", "message": message}, 403)
        return await answer(request)

    return Route(f"{CONTROL}/{path}", own, methods=list(methods))


async def _json(request: Request) -> object:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise _BadRequest(f"the body is longer than {BODY_BYTES} bytes")
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _BadRequest(f"the body is no JSON: {error}") from error
    return value


def _clock_step(given: object) -> tuple[str, float]:
    if not is_mapping(given) or len(given) != 1 or not given.keys() <= {"advance", "set"}:
        raise _BadRequest('the clock takes {"advance": seconds} or {"set": epoch_seconds}')
    name, value = next((str(name), value) for name, value in given.items())
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise _BadRequest(f"{name} must be a number of seconds, not {value!r}")
    if abs(value) > 1e11:
        raise _BadRequest(f"{name} is beyond the calendar: {value!r}")
    return name, float(value)


def _answer(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


def _refused(error: ValueError) -> Response:
    return _answer({"error": "BadRequest", "message": str(error)}, 400)
