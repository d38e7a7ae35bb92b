"""One uploader for every service: sources, tickets and their stores, and the session that sends."""

from cloudreel.uploads.arrivals import SizedStream
from cloudreel.uploads.file_store import FileTicketStore
from cloudreel.uploads.kinds import Spooled
from cloudreel.uploads.leases import Lease, Leased
from cloudreel.uploads.many import upload_many, upload_many_sync
from cloudreel.uploads.plan import Progress
from cloudreel.uploads.redis_store import RedisTicketStore
from cloudreel.uploads.session import AsyncUploadSession
from cloudreel.uploads.sources import Source, SourceLike, open_source
from cloudreel.uploads.stores import Claim, TicketStore
from cloudreel.uploads.sync import UploadSession
from cloudreel.uploads.ticket import Fingerprint, Ticket

__all__ = [
    "AsyncUploadSession",
    "Claim",
    "FileTicketStore",
    "Fingerprint",
    "Lease",
    "Leased",
    "Progress",
    "RedisTicketStore",
    "SizedStream",
    "Source",
    "SourceLike",
    "Spooled",
    "Ticket",
    "TicketStore",
    "UploadSession",
    "open_source",
    "upload_many",
    "upload_many_sync",
]
