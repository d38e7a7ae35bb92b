"""What viewers see: the page with the player, streams, downloads, pictures (cloudkey-rpc.md section 13).

The service sent viewers on to a storage node. Here the address that was signed answers itself, with ranges;
so every request to a URL with USEONCE is an access of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from cloudreel.sandbox.cloudkey.addresses import asset_path, signed
from cloudreel.sandbox.cloudkey.assets import is_thumbnail
from cloudreel.sandbox.cloudkey.gate import Closed, Pass, check
from cloudreel.sandbox.cloudkey.library import assets_of, find_asset
from cloudreel.sandbox.cloudkey.page import EMPTY_SWF, player_page, refusal_page
from cloudreel.sandbox.cloudkey.stats import note_play
from cloudreel.sandbox.media.probe import MIME_TYPES
from cloudreel.signing import SecLevel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from starlette.requests import Request

    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["player_routes"]

_NAME = re.compile(r"(?P<asset>[a-z0-9_]+?)(?P<segment>_\d+\.ts)?(-\d+)?(\.\w+)?", re.ASCII)
_AS_FILE = {"", "http", "hps"}
_MOVIES = ("mp4_h264_aac_hd", "mp4_h264_aac_hq", "mp4_h264_aac", "mp4_h264_aac_ld", "mp4_h264_aac_fhd")
_VIEWER = {"asnum": SecLevel.ASNUM, "ip": SecLevel.IP, "useragent": SecLevel.USERAGENT}
_SWF = "application/x-shockwave-flash"


def player_routes(world: World) -> list[Route]:
    """Return the routes of all that viewers ask for; the last takes any path of three that ends in .jpeg."""

    def route(path: str, answer: Callable[[World, Request], Awaitable[Response]]) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                return await answer(world, request)
            except Closed as refusal:
                if answer is _page:
                    return HTMLResponse(refusal_page(str(refusal)), refusal.status)
                return PlainTextResponse(str(refusal), refusal.status)

        return Route(path, endpoint, methods=["GET"])

    owner = "/{user}/{media}"
    return [
        route(f"/embed{owner}", _page),
        route(f"/player/embed{owner}", _page),
        route(f"/player/swf{owner}", _flash),
        route(f"/swf/stream{owner}", _flash),
        route(f"/stream{owner}.mov", _movie),
        route(f"/qtref{owner}.mov", _movie),
        route(f"/route{owner}/{{name}}", _stream),
        route(f"/route/{{protocol}}{owner}/{{name}}", _stream),
        route(f"{owner}/{{name}}.jpeg", _picture),
    ]


async def _page(world: World, request: Request) -> Response:
    entry, media = _checked(world, request)
    _use(entry, request)
    ready = {asset["name"]: asset for asset in assets_of(world, media["id"]) if asset["status"] == "ready"}
    pictures = [asset for name, asset in ready.items() if is_thumbnail(name)]
    movies = [ready[name] for name in (*_MOVIES, "webm_vp8_vorbis", "abs") if name in ready]
    urls = {asset["name"]: _inner_url(entry, media, asset_path(asset)) for asset in movies}
    poster = f"{world.base_url}{asset_path(pictures[-1])}" if pictures else None
    title = str(media["meta"].get("title") or media["id"])
    info = {
        "mode": "vod",
        "media_id": media["id"],
        "title": title,
        "mp4_url": next((url for name, url in urls.items() if name in _MOVIES), None),
        "ios_url": urls.get("abs"),
        "swf_url": _inner_url(entry, media, f"/player/swf/{media['_user']}/{media['id']}"),
        "thumbnail_url": poster,
    }
    sources = {urls[asset["name"]]: _mime_type(world.store.data / asset["_files"][0]) for asset in movies}
    return HTMLResponse(player_page(title, info, sources, poster))


async def _flash(world: World, request: Request) -> Response:
    entry, _ = _checked(world, request)
    _use(entry, request)
    return Response(EMPTY_SWF, media_type=_SWF)


async def _movie(world: World, request: Request) -> Response:
    """Answer the QuickTime forms with the best MP4 there is."""
    entry, media = _checked(world, request)
    for name in _MOVIES:
        asset = find_asset(world, media["id"], name)
        if asset is not None and asset["status"] == "ready":
            return _played(entry, request, media, world.store.data / asset["_files"][0])
    raise Closed(404, "The media has no MP4 that is ready")


async def _stream(world: World, request: Request) -> Response:
    entry, media = _checked(world, request)
    protocol: str = request.path_params.get("protocol", "")
    match = _NAME.fullmatch(request.path_params["name"])
    if match is None:
        raise Closed(404, f"There is no asset {request.path_params['name'][:80]}")
    asset = _ready(world, media, match["asset"])
    files = [world.store.data / file for file in asset["_files"]]
    if match["segment"]:
        segment = next((file for file in files if file.name == match["asset"] + match["segment"]), None)
        if segment is None:
            raise Closed(404, "There is no such segment")
        _use(entry, request)
        return FileResponse(segment, media_type=_mime_type(segment))
    if asset["name"] == "abs":
        if protocol != "hls":
            raise Closed(404, f"The sandbox makes adaptive streams by hls only, not by {protocol or 'http'}")
        text = await to_thread.run_sync(files[0].read_text)
        _use(entry, request)
        _note(world, request, media)
        return Response(_playlist(entry, media, text), media_type=_mime_type(files[0]))
    if protocol not in _AS_FILE:
        raise Closed(404, f"{asset['name']} is one file: the sandbox streams it by http, not by {protocol}")
    return _played(entry, request, media, files[0], as_download=protocol == "http")


async def _picture(world: World, request: Request) -> Response:
    """Answer with a thumbnail, for which no signature is needed."""
    match = _NAME.fullmatch(request.path_params["name"])
    media = world.store.get("media", request.path_params["media"], scope=request.path_params["user"])
    if match is None or media is None or not is_thumbnail(match["asset"]):
        raise Closed(404, "There is no such picture")
    asset = _ready(world, media, match["asset"])
    return FileResponse(world.store.data / asset["_files"][0], media_type="image/jpeg")


def _checked(world: World, request: Request) -> tuple[Pass, Document]:
    user_id: str = request.path_params["user"]
    entry = check(request, world, user_id)
    media = world.store.get("media", request.path_params["media"], scope=user_id)
    if media is None:
        raise Closed(404, f"There is no media {request.path_params['media'][:80]}")
    return entry, media


def _ready(world: World, media: Document, name: str) -> Document:
    asset = find_asset(world, media["id"], name)
    if asset is None:
        raise Closed(404, f"The media has no asset {name}")
    if asset["status"] != "ready":
        raise Closed(404, f"The asset {name} is not ready, it is {asset['status']}")
    return asset


def _use(entry: Pass, request: Request) -> None:
    if request.method != "HEAD":  # who only asks for the head sees nothing yet
        entry.use()


def _played(
    entry: Pass, request: Request, media: Document, file: Path, *, as_download: bool = False
) -> Response:
    _use(entry, request)
    if not as_download:
        _note(entry.world, request, media)
        return FileResponse(file, media_type=_mime_type(file))
    name = request.query_params.get("filename") or file.name
    return FileResponse(file, media_type=_mime_type(file), filename=name)


def _note(world: World, request: Request, media: Document) -> None:
    """Count a play where one begins: a request for the first byte."""
    if request.method == "GET" and request.headers.get("range", "bytes=0-").startswith("bytes=0-"):
        note_play(world, media, world.countries.get(request.client.host if request.client else ""))


def _playlist(entry: Pass, media: Document, text: str) -> str:
    """Return an HLS playlist whose segments carry signatures of their own."""
    folder = f"/route/hls/{media['_user']}/{media['id']}"
    lines = (
        line if line.startswith("#") or not line else _inner_url(entry, media, f"{folder}/{line}")
        for line in text.splitlines()
    )
    return "\n".join([*lines, ""])


def _inner_url(entry: Pass, media: Document, path: str) -> str:
    """Return a URL for what belongs to a page or stream, bound to its viewer as far as that one is."""
    level = entry.signed.seclevel if entry.signed else 0
    bound = {name: entry.viewer[name] for name, bit in _VIEWER.items() if level & bit and entry.viewer[name]}
    return signed(
        entry.world,
        media["_user"],
        path,
        seclevel=sum(_VIEWER[name] for name in bound),
        expires=(entry.signed.expires or None) if entry.signed else None,
        **bound,
    )


def _mime_type(file: Path) -> str:
    return MIME_TYPES.get(file.suffix.lower(), "application/octet-stream")
