"""CloudKey of the REST era as the sandbox stands in for it: revision R3 (cloudkey-rest.md).

``rest`` takes the calls, ``media`` and ``users`` answer them, on the library and accounts that the JSON-RPC
era next door works on.
"""

from __future__ import annotations
