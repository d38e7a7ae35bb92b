"""Uploads on asyncio and trio."""

from __future__ import annotations

from cloudreel.cloudkey import node, protocol
from cloudreel.cloudkey.models import UploadedFile, UploadStatus, UploadTarget
from cloudreel.cloudkey.remote import Remote
from cloudreel.cloudkey.uploading import at_node, upload_file
from cloudreel.uploads.session import ProgressCallback
from cloudreel.uploads.sources import SourceLike


class AsyncFile(Remote):
    """Files that the service holds until `AsyncMedia.create` or `AsyncMedia.set_assets` takes them."""

    async def upload(
        self, *, target: str | None = None, status: bool | None = None, jsonp_cb: str | None = None
    ) -> UploadTarget:
        """Return an address that takes one file, for a browser's form or another client.

        The file goes there as the field ``file`` of a multipart form.

        Args:
            target: where the browser is sent afterwards, with ``url`` and ``name`` in the query.
            status: whether to return an address that tells how far the upload has come, too.
            jsonp_cb: what stands for the callback's name in that address; ``"?"`` suits jQuery.
        """
        return await self._transport.send(
            protocol.file_upload(target=target, status=status, jsonp_cb=jsonp_cb)
        )

    async def upload_file(self, source: SourceLike, progress: ProgressCallback | None = None) -> UploadedFile:
        """Upload a file and return what the service holds; its ``url`` is what `AsyncMedia.create` takes.

        It is sent as it is read, in one request, and begun again if that breaks off.

        Args:
            source: a path, bytes, a binary file, an async iterable, or an object with async ``read``.
            progress: called with a `Progress` as the upload goes on; may be async.

        Raises:
            FileNotFoundError: there is no such file; nothing was sent.
            UploadError: the source is empty; nothing was sent.
        """

        async def ask_url() -> str:
            return (await self.upload())["url"]

        return await upload_file(self._transport, source, ask_url, progress)

    async def upload_status(self, status_url: str) -> UploadStatus:
        """Return how far an upload has come: its ``state``, and the bytes ``received`` of ``size``.

        Args:
            status_url: the ``status`` that `upload` returned.
        """
        return await at_node(self._transport).send(node.status(status_url))
