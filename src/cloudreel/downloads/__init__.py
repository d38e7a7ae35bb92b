"""One downloader for every service: to a file, or to whatever takes bytes."""

from cloudreel.downloads.destinations import Destination, Writer
from cloudreel.downloads.download import DownloadCallback, DownloadProgress, download

__all__ = [
    "Destination",
    "DownloadCallback",
    "DownloadProgress",
    "Writer",
    "download",
]
