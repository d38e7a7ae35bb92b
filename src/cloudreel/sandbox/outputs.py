"""Where originals and the results of encodings lie on disk, and under which URL they are served."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import FileResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["files_route", "output_route", "output_stem", "output_url", "scope_folder", "scope_url"]


def scope_folder(world: World, scope_id: str) -> Path:
    """Return the folder of all outputs of a factory or cloud."""
    return world.store.folder("outputs") / scope_id


def scope_url(world: World, scope_id: str) -> str:
    """Return the URL of that folder, with a slash at the end."""
    return f"{world.base_url}/outputs/{scope_id}/"


def output_stem(world: World, encoding: Document) -> Path:
    """Return where an encoding's files go, without the extension."""
    return Path(scope_folder(world, encoding["_scope"]), encoding["path"])


def output_url(world: World, encoding: Document) -> str:
    """Return the URL of an encoding's files, without the extension."""
    return f"{scope_url(world, encoding['_scope'])}{encoding['path']}"


def output_route(world: World) -> Route:
    """Return the route that serves originals and what encodings made of them; ranges are honoured."""
    return files_route("/outputs", world.store.data / "outputs", partial(_original, world))


def files_route(path: str, folder: Path, beside: Callable[[str], Path | None] | None = None) -> Route:
    """Return a route that serves the files of a folder and of none outside it; ranges are honoured.

    Args:
        beside: finds the file for a path that names none of the folder.
    """

    async def serve(request: Request) -> Response:
        asked: str = request.path_params["path"]
        file = _inside(folder, asked) or (beside(asked) if beside else None)
        return Response("Not found", 404, media_type="text/plain") if file is None else FileResponse(file)

    return Route(f"{path}/{{path:path}}", serve, methods=["GET"])


def _inside(folder: Path, path: str) -> Path | None:
    """Return the file of a folder that a path names, None if there is none."""
    if "\0" in path:  # which no name has
        return None
    file = (folder / path).resolve()
    return file if file.is_relative_to(folder.resolve()) and file.is_file() else None


def _original(world: World, path: str) -> Path | None:
    """Return the source stored under a path: a cloud shows them all, a factory if it was told to."""
    scope_id, _, name = path.partition("/")
    factory = world.store.get("factory", scope_id)
    if factory is not None and not factory["upload_original_video"]:
        return None
    for video in world.store.list("video", scope=scope_id, status="success"):
        if video["_source"] is not None and f"{video['path']}{video['extname']}" == name:
            return world.store.data / str(video["_source"])
    return None
