"""One uploader for every service: sources, tickets, progress and the session that sends the parts."""

from cloudreel.uploads.plan import Progress
from cloudreel.uploads.session import AsyncUploadSession
from cloudreel.uploads.sources import Source, SourceLike, open_source
from cloudreel.uploads.sync import UploadSession
from cloudreel.uploads.ticket import Fingerprint, Ticket

__all__ = [
    "AsyncUploadSession",
    "Fingerprint",
    "Progress",
    "Source",
    "SourceLike",
    "Ticket",
    "UploadSession",
    "open_source",
]
