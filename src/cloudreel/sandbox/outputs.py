"""Where the results of encodings lie on disk, and under which URL they are served."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import FileResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
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
    """Return the route that serves what encodings made; ranges are honoured."""
    return files_route("/outputs", world.store.data / "outputs")


def files_route(path: str, folder: Path) -> Route:
    """Return a route that serves the files of a folder and of none outside it; ranges are honoured."""

    async def serve(request: Request) -> Response:
        file = _inside(folder, request.path_params["path"])
        return Response("Not found", 404, media_type="text/plain") if file is None else FileResponse(file)

    return Route(f"{path}/{{path:path}}", serve, methods=["GET"])


def _inside(folder: Path, path: str) -> Path | None:
    """Return the file of a folder that a path names, None if there is none."""
    if "\0" in path:  # which no name has
        return None
    file = (folder / path).resolve()
    return file if file.is_relative_to(folder.resolve()) and file.is_file() else None
