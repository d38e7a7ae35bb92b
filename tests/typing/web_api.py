"""The types that web applications see: checked, never run."""

from __future__ import annotations

from typing import assert_type

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Router
from starlette.websockets import WebSocket

from cloudreel import AsyncPanda, AsyncTelestream, panda, telestream, web
from cloudreel.core.inbox import Inbox


class Tenant(AsyncTelestream):
    """A client of somebody's own."""


def applications() -> None:
    FastAPI(lifespan=web.lifespan(AsyncTelestream.from_env, lambda: AsyncPanda("key", "secret")))
    Starlette(lifespan=web.lifespan(Tenant.from_env))


async def dependencies(request: Request, socket: WebSocket) -> None:
    assert_type(await web.telestream(request), AsyncTelestream)
    assert_type(await web.panda(socket), AsyncPanda)
    assert_type(await web.inbox(request), Inbox)


async def happened(event: web.Event) -> None:
    assert_type(event.subject, web.Subject)
    if isinstance(event.subject, telestream.AsyncVideo):
        assert_type(event.subject.width, int | None)


async def uploaded(request: Request, video: telestream.AsyncVideo) -> None: ...


async def uploaded_to_panda(request: Request, video: panda.AsyncVideo) -> None: ...


def routers() -> None:
    assert_type(web.webhooks(happened, secret="0123456789abcdef"), Router)
    assert_type(web.browser_uploads(uploaded, secret="secret", largest=1, path_format=":id"), Router)
    assert_type(web.browser_uploads(uploaded_to_panda, secret="secret", largest=1, to=web.panda), Router)


async def bodies(request: Request, factory: telestream.AsyncFactory) -> None:
    session = await factory.upload_session(web.RequestBody(request, largest=1, name="film.mp4"))
    assert_type(await session.start(), telestream.AsyncVideo)
