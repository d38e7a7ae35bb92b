"""CloudKey as the sandbox stands in for it: Dailymotion Cloud of the JSON-RPC era (cloudkey-rpc.md).

``rpc`` takes the calls, ``methods`` reads their arguments by the signatures of the functions in ``media``,
``metas``, ``users``, ``settings``, ``farm`` and ``node``. ``library`` and ``maker`` keep media and make their
assets, ``player`` and ``gate`` let viewers see them. The REST era next door works on the same library.
"""

from __future__ import annotations
