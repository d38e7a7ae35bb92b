"""Parts of files at wire speed: a worker thread has the kernel move the bytes from the file to the socket.

`FileWire` is the transport, an ``Exchange`` one request and its answer, a ``Connection`` the socket below.
Nothing else but the readers of sources touches a file.
"""

from cloudreel.core.filewire.exchange import FileBody, FilePart
from cloudreel.core.filewire.transport import BODY, FileWire

__all__ = ["BODY", "FileBody", "FilePart", "FileWire"]
