"""One downloader for every service: to a file, or to whatever takes bytes."""

from cloudreel.downloads.destinations import Destination, Writer
from cloudreel.downloads.download import DownloadProgress, download

__all__ = [
    "Destination",
    "DownloadProgress",
    "Writer",
    "download",
]
