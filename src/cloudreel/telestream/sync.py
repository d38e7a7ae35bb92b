"""Generated from profiles.py, videos.py, factories.py, client.py by cloudreel._generate; do not edit."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self, Unpack

import httpx

from cloudreel.core.call import JSON, Credential
from cloudreel.core.hooks import Hooks
from cloudreel.core.inbox import Inbox
from cloudreel.core.options import Http, Limits, OptionChanges, SharedLimit
from cloudreel.core.portal import iterate
from cloudreel.core.twin import Facade, Pager, Twin, run
from cloudreel.downloads import Destination
from cloudreel.downloads.download import DownloadCallback
from cloudreel.panda.models import EncodingFields, Metadata, ProfileFields, VideoFields
from cloudreel.panda.objects import FieldValue
from cloudreel.panda.protocol import PER_PAGE, Param, Params
from cloudreel.panda.waiting import JobProgress
from cloudreel.telestream.client import AsyncFlip, AsyncTelestream
from cloudreel.telestream.factories import AsyncFactories, AsyncFactory
from cloudreel.telestream.models import FactoryFields
from cloudreel.telestream.profiles import AsyncProfile, AsyncProfiles
from cloudreel.telestream.videos import (
    AsyncEncoding,
    AsyncEncodings,
    AsyncVideo,
    AsyncVideoEncodings,
    AsyncVideos,
)
from cloudreel.uploads.session import ProgressCallback
from cloudreel.uploads.sources import SourceLike
from cloudreel.uploads.stores import TicketStore
from cloudreel.uploads.sync import UploadSession
from cloudreel.uploads.ticket import Ticket


class Profiles(Twin[AsyncProfiles], of=AsyncProfiles):
    """The profiles of one factory."""

    def find(self, id_or_name: str) -> Profile:
        """Return one profile, by id or by name."""
        return Profile(run(self._impl.find, id_or_name))

    def all(self, **filters: Param) -> list[Profile]:
        """Return all profiles, or exactly one page where ``page`` or ``per_page`` is given."""
        return [Profile(item) for item in run(self._impl.all, **filters)]

    def iterate(self, *, per_page: int = PER_PAGE, **filters: Param) -> Pager[Profile]:
        """Return an iterator over all profiles, which fetches them page by page."""
        return Pager(self._impl.iterate(per_page=per_page, **filters), Profile)

    def create(self, **params: Param) -> Profile:
        """Create a profile.

        Args:
            params: ``preset_name``, or ``command`` and ``extname``; and any other field of a profile.
        """
        return Profile(run(self._impl.create, **params))

    def delete(self, profile_id: str) -> bool:
        """Delete a profile; return whether the service says it did."""
        return run(self._impl.delete, profile_id)


class Profile(Twin[AsyncProfile], ProfileFields, of=AsyncProfile):
    """How to encode; assign fields and `save`."""

    def delete(self) -> bool:
        """Delete the profile; return whether the service says it did."""
        return run(self._impl.delete)

    def __getattr__(self, name: str) -> FieldValue:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._impl.__getattr__(name)

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            setattr(self._impl, name, value)

    def save(self) -> None:
        """Send the fields that were changed, and take over the service's answer."""
        run(self._impl.save)

    def reload(self) -> None:
        """Fetch it again; what was assigned and not saved is forgotten."""
        run(self._impl.reload)

    def __str__(self) -> str:
        return self._impl.__str__()

    def __repr__(self) -> str:
        return self._impl.__repr__()


class Videos(Twin[AsyncVideos], of=AsyncVideos):
    """The videos of one factory."""

    def find(self, video_id: str) -> Video:
        """Return one video."""
        return Video(run(self._impl.find, video_id))

    def all(self, **filters: Param) -> list[Video]:
        """Return all videos, or exactly one page where ``page`` or ``per_page`` is given.

        Args:
            filters: ``status``, ``page`` (from 1), ``per_page`` (100 at most).
        """
        return [Video(item) for item in run(self._impl.all, **filters)]

    def iterate(self, *, per_page: int = PER_PAGE, **filters: Param) -> Pager[Video]:
        """Return an iterator over all videos, which fetches them page by page."""
        return Pager(self._impl.iterate(per_page=per_page, **filters), Video)

    def create(
        self,
        *,
        source_url: str | None = None,
        file: SourceLike | None = None,
        profiles: str | Sequence[str] | None = None,
        **params: Param,
    ) -> Video:
        """Create a video from a URL or from a file, which is streamed in one request.

        For large files `Factory.upload_session` survives broken connections.

        Args:
            source_url: where the service fetches the video.
            file: a path, bytes, a binary file, an async iterable, or an object with async ``read``.
            profiles: names or ids; ``"none"`` for no encoding, None for the service's default: all.
            params: ``path_format``, ``payload``, ``pipeline`` and whatever else the service takes.

        Raises:
            FileNotFoundError: there is no such file; nothing was sent.
            UploadError: the file is empty; nothing was sent.
            InvalidRequestError: not exactly one of ``source_url`` and ``file`` was given.
        """
        return Video(run(self._impl.create, source_url=source_url, file=file, profiles=profiles, **params))

    def delete(self, video_id: str) -> bool:
        """Delete a video and its encodings; return whether the service says it did."""
        return run(self._impl.delete, video_id)


class Video(Twin[AsyncVideo], VideoFields, of=AsyncVideo):
    """A source video; its fields are what the service said last."""

    @property
    def encodings(self) -> VideoEncodings:
        """The encodings of this video."""
        return VideoEncodings(self._impl.encodings)

    def delete(self) -> bool:
        """Delete the video and its encodings; return whether the service says it did."""
        return run(self._impl.delete)

    def delete_source_file(self) -> bool:
        """Delete the source file, keep the encodings; return whether the service says it did."""
        return run(self._impl.delete_source_file)

    def metadata(self) -> Metadata:
        """Return what the service's analyser found in the source file."""
        return run(self._impl.metadata)

    def wait(
        self, timeout: float | None = None, poll: float | None = None, *, notified: Inbox | None = None
    ) -> Self:
        """Wait until the video and all its encodings are final and good, and return the video, reloaded.

        Args:
            timeout: seconds in all, None for no limit.
            poll: seconds between looks; None begins quickly and slows down to ten seconds.
            notified: where your application puts the notifications it receives: one about this has the
                service looked at without waiting for the pause to end. A lost one costs time only.

        Raises:
            JobFailed: the video or an encoding failed; ``job`` is it.
            TimedOut: it took longer than ``timeout``.
        """
        return self._twin(run(self._impl.wait, timeout, poll, notified=notified))

    def watch(self, poll: float | None = None, *, notified: Inbox | None = None) -> Iterator[JobProgress]:
        """Return an iterator over the progress of the video and its encodings, until final.

        Args:
            poll: seconds between looks; None begins quickly and slows down to ten seconds.
            notified: where your application puts the notifications it receives, as for `wait`.
        """
        return iterate(self._impl.watch(poll, notified=notified))

    def reload(self) -> None:
        """Fetch it again; what was assigned and not saved is forgotten."""
        run(self._impl.reload)

    def __getattr__(self, name: str) -> FieldValue:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._impl.__getattr__(name)

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            setattr(self._impl, name, value)

    def __str__(self) -> str:
        return self._impl.__str__()

    def __repr__(self) -> str:
        return self._impl.__repr__()


class Encodings(Twin[AsyncEncodings], of=AsyncEncodings):
    """The encodings of all videos of one factory."""

    def find(self, encoding_id: str) -> Encoding:
        """Return one encoding."""
        return Encoding(run(self._impl.find, encoding_id))

    def all(self, **filters: Param) -> list[Encoding]:
        """Return all encodings, or exactly one page where ``page`` or ``per_page`` is given.

        Args:
            filters: ``status``, ``profile_id``, ``profile_name``, ``video_id``, ``page``, ``per_page``.
        """
        return [Encoding(item) for item in run(self._impl.all, **filters)]

    def iterate(self, *, per_page: int = PER_PAGE, **filters: Param) -> Pager[Encoding]:
        """Return an iterator over all encodings, which fetches them page by page."""
        return Pager(self._impl.iterate(per_page=per_page, **filters), Encoding)

    def create(self, **params: Param) -> Encoding:
        """Encode a video with one more profile.

        Args:
            params: ``video_id``, and one of ``profile_id`` and ``profile_name``.
        """
        return Encoding(run(self._impl.create, **params))

    def delete(self, encoding_id: str) -> bool:
        """Delete an encoding; return whether the service says it did."""
        return run(self._impl.delete, encoding_id)


class VideoEncodings(Encodings, of=AsyncVideoEncodings):
    """The encodings of one video."""

    def find(self, encoding_id: str) -> Encoding:
        """Return one encoding of this video.

        Raises:
            NotFoundError: there is none, or it belongs to another video.
        """
        return Encoding(run(self._impl.find, encoding_id))

    def create(self, **params: Param) -> Encoding:
        """Encode this video with one more profile.

        Args:
            params: one of ``profile_id`` and ``profile_name``.
        """
        return Encoding(run(self._impl.create, **params))


class Encoding(Twin[AsyncEncoding], EncodingFields, of=AsyncEncoding):
    """One output of a video; its fields are what the service said last."""

    def video(self) -> Video:
        """Return the video that this is an output of."""
        return Video(run(self._impl.video))

    def profile(self) -> Profile:
        """Return the profile that this was made with."""
        return Profile(run(self._impl.profile))

    def retry(self) -> bool:
        """Start a failed encoding again; return whether the service says it did."""
        return run(self._impl.retry)

    def cancel(self) -> bool:
        """Stop the encoding; return whether the service says it did."""
        return run(self._impl.cancel)

    def delete(self) -> bool:
        """Delete the encoding and its files; return whether the service says it did."""
        return run(self._impl.delete)

    def wait(
        self, timeout: float | None = None, poll: float | None = None, *, notified: Inbox | None = None
    ) -> Self:
        """Wait until the encoding has succeeded, and return it, reloaded.

        Args:
            timeout: seconds in all, None for no limit.
            poll: seconds between looks; None begins quickly and slows down to ten seconds.
            notified: where your application puts the notifications it receives: one about this has the
                service looked at without waiting for the pause to end. A lost one costs time only.

        Raises:
            JobFailed: it failed; ``job`` is this encoding.
            TimedOut: it took longer than ``timeout``.
        """
        return self._twin(run(self._impl.wait, timeout, poll, notified=notified))

    def download(
        self, dest: Destination, file: str | None = None, *, progress: DownloadCallback | None = None
    ) -> int:
        """Fetch a file of the encoding and return how many bytes it has.

        A download that breaks off goes on where it stopped.

        Args:
            dest: a path, whose file is replaced in one step when the download is whole; or an object with a
                sync or async ``write``, which is not closed.
            file: one of ``files`` or ``screenshots``; None for the film itself, the playlist where it comes
                in segments, and otherwise the first of several.
            progress: called with a `DownloadProgress` as it goes on; may be async, and is waited for.

        Raises:
            InvalidRequestError: the encoding has no file yet; `reload` it when it is done.
            NotFoundError: the file is not there.
            TransportError: the line broke for good, or what came is not the file, or not all of it.
            OSError: the destination cannot be written.
        """
        return run(self._impl.download, dest, file, progress=progress)

    def reload(self) -> None:
        """Fetch it again; what was assigned and not saved is forgotten."""
        run(self._impl.reload)

    def __getattr__(self, name: str) -> FieldValue:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._impl.__getattr__(name)

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            setattr(self._impl, name, value)

    def __str__(self) -> str:
        return self._impl.__str__()

    def __repr__(self) -> str:
        return self._impl.__repr__()


class Factories(Twin[AsyncFactories], of=AsyncFactories):
    """The factories of the account."""

    def find(self, factory_id: str) -> Factory:
        """Return one factory."""
        return Factory(run(self._impl.find, factory_id))

    def all(self, **filters: Param) -> list[Factory]:
        """Return all factories; the service gives them in one page."""
        return [Factory(item) for item in run(self._impl.all, **filters)]

    def iterate(self, **filters: Param) -> Pager[Factory]:
        """Return an iterator over all factories."""
        return Pager(self._impl.iterate(**filters), Factory)

    def create(self, **params: Param) -> Factory:
        """Create a factory.

        Args:
            params: ``name``, ``s3_videos_bucket`` and any other field of a factory.
        """
        return Factory(run(self._impl.create, **params))

    def delete(self, factory_id: str) -> None:
        """Ask the service to delete a factory, which Telestream v3.0 refuses with `NotFoundError`."""
        run(self._impl.delete, factory_id)


class Factory(Twin[AsyncFactory], FactoryFields, of=AsyncFactory):
    """A factory, to which videos, encodings and profiles belong; assign fields and `save`."""

    @property
    def videos(self) -> Videos:
        """The factory's videos."""
        return Videos(self._impl.videos)

    @property
    def encodings(self) -> Encodings:
        """The encodings of all videos of the factory."""
        return Encodings(self._impl.encodings)

    @property
    def profiles(self) -> Profiles:
        """The factory's profiles."""
        return Profiles(self._impl.profiles)

    def get_notifications(self) -> dict[str, JSON]:
        """Return the notification settings: ``url``, ``delay``, ``send_video_payload``, ``events``."""
        return run(self._impl.get_notifications)

    def update_notifications(self, conf: Mapping[str, Param]) -> dict[str, JSON]:
        """Change the notification settings given, keep the others, and return them all.

        Args:
            conf: any of ``url``, ``delay`` (seconds), ``send_video_payload`` and ``events``, a mapping
                of event name to bool; it is not modified.
        """
        return run(self._impl.update_notifications, conf)

    def upload_session(
        self,
        source: SourceLike,
        threads: int = 8,
        profiles: str | Sequence[str] | None = "h264",
        *,
        store: TicketStore | None = None,
        progress: ProgressCallback | None = None,
        **params: Param,
    ) -> UploadSession[Video]:
        """Open an upload that goes out in concurrent parts and survives broken connections.

        Nothing is sent of the source before `UploadSession.start`.

        Args:
            source: a path, bytes, a binary file, an async iterable, or an object with async ``read``.
            threads: parts under way at once, unless the service allows fewer.
            profiles: names or ids of profiles to encode to; ``"none"`` for no encoding, None to leave
                the choice to the service.
            store: where the ticket is kept from before the first byte until the upload is finished or
                aborted, so that `resume_upload` continues it after a crash; None for nowhere.
            progress: called with a `Progress` at most ten times a second, and at the end; may be async.
            params: ``path_format``, ``payload`` and whatever else the service takes.

        Raises:
            FileNotFoundError: there is no such file; nothing was sent.
            UploadError: the source is empty; nothing was sent.
        """
        result = run(
            self._impl.upload_session, source, threads, profiles, store=store, progress=progress, **params
        )
        return UploadSession(result, Video)

    def resume_upload(
        self,
        ticket: Ticket,
        source: SourceLike,
        threads: int = 8,
        *,
        store: TicketStore | None = None,
        progress: ProgressCallback | None = None,
    ) -> UploadSession[Video]:
        """Return the session of an upload begun elsewhere; `UploadSession.resume` continues it.

        Args:
            ticket: what `UploadSession.ticket` gave, or the ``ticket`` of an error.
            source: the same bytes as before.
            threads: parts under way at once, unless the service allows fewer.
            store: where the ticket is; while the upload is sent, no other worker of the store can. None
                to continue whatever others do.
            progress: called with a `Progress` at most ten times a second, and at the end; may be async.

        Raises:
            UploadError: the ticket is of another service or factory, or the source has changed.
        """
        result = run(self._impl.resume_upload, ticket, source, threads, store=store, progress=progress)
        return UploadSession(result, Video)

    def __getattr__(self, name: str) -> FieldValue:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._impl.__getattr__(name)

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            setattr(self._impl, name, value)

    def save(self) -> None:
        """Send the fields that were changed, and take over the service's answer."""
        run(self._impl.save)

    def reload(self) -> None:
        """Fetch it again; what was assigned and not saved is forgotten."""
        run(self._impl.reload)

    def __str__(self) -> str:
        return self._impl.__str__()

    def __repr__(self) -> str:
        return self._impl.__repr__()


class Telestream(Facade[AsyncTelestream], of=AsyncTelestream):
    """Telestream Cloud (flip v3.0).

    Args:
        access_key: the public key, or a function that returns the current one.
        secret_key: the key that signs, or a function that returns the current one.
        factory_id: the factory that the raw verbs speak to; objects carry their own.
        api_host: the host without port.
        api_port: 443 means https, any other port http, unless ``scheme`` says otherwise.
        api_version: as it stands in paths.
        scheme: ``"http"`` or ``"https"``, None to go by the port.
        timeout: seconds for one attempt; connecting takes 5 of them at most.
        retries: attempts that may follow a failed one.
        deadline: seconds over all attempts of a call, None for no limit.
        limits: requests in flight and per second, bytes per second.
        http_client: your own client; it is never closed by this one.
        transport: your own httpx transport.
        http: which library carries the requests; ``"aiohttp"`` needs the extra of that name.
        fast_path: whether small calls may bypass httpx's client, and file parts httpx, where that is cheaper.
        proxy: URL of an HTTP proxy.
        verify: True, or an SSL context of your own.
        user_agent: instead of cloudreel's product tokens.
        hooks: functions that are told of each request.
        shared_limit: what other processes keep to as well, see `cloudreel.fleet`.
    """

    def __init__(
        self,
        access_key: Credential,
        secret_key: Credential,
        factory_id: str | None = None,
        api_host: str = "api-gce.pandastream.com",
        api_port: int | str = 443,
        api_version: str = "3.0",
        *,
        scheme: str | None = None,
        timeout: float = 30.0,
        retries: int = 2,
        deadline: float | None = None,
        limits: Limits | None = None,
        http_client: httpx.AsyncClient | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        http: Http = "httpx",
        fast_path: bool = True,
        proxy: str | None = None,
        verify: bool | ssl.SSLContext = True,
        user_agent: str | None = None,
        hooks: Hooks | None = None,
        shared_limit: SharedLimit | None = None,
    ) -> None:
        impl = AsyncTelestream(
            access_key,
            secret_key,
            factory_id,
            api_host,
            api_port,
            api_version,
            scheme=scheme,
            timeout=timeout,
            retries=retries,
            deadline=deadline,
            limits=limits,
            http_client=http_client,
            transport=transport,
            http=http,
            fast_path=fast_path,
            proxy=proxy,
            verify=verify,
            user_agent=user_agent,
            hooks=hooks,
            shared_limit=shared_limit,
        )
        super().__init__(impl)

    @classmethod
    def from_env(cls) -> Self:
        """Return a client made from the environment.

        ``TELESTREAM_ACCESS_KEY`` and ``TELESTREAM_SECRET_KEY`` must be set; ``TELESTREAM_FACTORY_ID``,
        ``TELESTREAM_BASE_URL`` or ``TELESTREAM_API_HOST`` and ``TELESTREAM_API_PORT`` may be.

        Raises:
            CloudReelError: a variable is missing or malformed.
        """
        return cls._wrap(AsyncTelestream.from_env())

    @property
    def factory_id(self) -> str | None:
        """The factory that the raw verbs speak to."""
        return self._impl.factory_id

    @property
    def flip(self) -> Flip:
        """The encoding service."""
        return Flip(self._impl.flip)

    def get_resource(self, name: str) -> Flip:
        """Return a service by name; ``"flip"`` is the only one.

        Raises:
            TelestreamCloudException: there is no such service.
        """
        return Flip(self._impl.get_resource(name))

    def get(self, path: str, params: Params | None = None) -> httpx.Response:
        """Send a signed GET to a path such as ``/videos.json`` and return the answer.

        Raises:
            TelestreamCloudException: the service refused it.
        """
        return run(self._impl.get, path, params)

    def post(self, path: str, params: Params | None = None) -> httpx.Response:
        """Send a signed POST; see `get`."""
        return run(self._impl.post, path, params)

    def put(self, path: str, params: Params | None = None) -> httpx.Response:
        """Send a signed PUT; see `get`."""
        return run(self._impl.put, path, params)

    def delete(self, path: str, params: Params | None = None) -> httpx.Response:
        """Send a signed DELETE; see `get`."""
        return run(self._impl.delete, path, params)

    def __repr__(self) -> str:
        return self._impl.__repr__()

    def signed_params(self, verb: str, path: str, params: Params | None = None) -> dict[str, str]:
        """Return the parameters of a request with its signature, for a browser or another client to send.

        Args:
            verb: the HTTP method.
            path: below the API version, such as ``/videos.json``.
            params: what is to be signed with it; nested mappings come back as ``outer[inner]``.

        Returns:
            All parameters as text, valid for 30 minutes where a video is posted, else for 5 (panda.md 3.6).
        """
        return self._impl.signed_params(verb, path, params)

    def url(self, path: str) -> str:
        """Return the whole URL of a path, which is where `signed_params` are to be sent.

        Args:
            path: below the API version, such as ``/videos.json``.
        """
        return self._impl.url(path)

    def with_options(self, **changes: Unpack[OptionChanges]) -> Self:
        """Return a copy with other options that shares the connections; closing it closes nothing.

        Args:
            changes: ``timeout``, ``retries``, ``deadline``, ``user_agent``, ``hooks`` or ``shared_limit``, as
                in the constructor.
        """
        return self._twin(self._impl.with_options(**changes))

    def close(self) -> None:
        """Close the connections. Nothing can be called afterwards."""
        run(self._impl.close)

    def __enter__(self) -> Self:
        return self._twin(run(self._impl.__aenter__))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        run(self._impl.__aexit__, kind, error, trace)


class Flip(Twin[AsyncFlip], of=AsyncFlip):
    """The encoding service: its factories."""

    @property
    def factories(self) -> Factories:
        """The factories of the account."""
        return Factories(self._impl.factories)
