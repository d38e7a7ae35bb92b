"""Parts of files at wire speed: a worker thread has the kernel move the bytes from the file to the socket.

`FileWire` has the connections, an ``Exchange`` one request and its answer, a ``Connection`` the socket below.
Nothing else but the readers of sources touches a file.
"""

from cloudreel.core.filewire.exchange import FileBody, FilePart, in_file
from cloudreel.core.filewire.wire import FileWire

__all__ = ["FileBody", "FilePart", "FileWire", "in_file"]
