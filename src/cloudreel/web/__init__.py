"""cloudreel in web applications: clients that live as long as the application, webhooks, uploads by browsers.

Everything here works with plain Starlette and with FastAPI (extra ``fastapi``): a lifespan, dependencies
for ``Depends``, and routers to mount.
"""

from cloudreel.core.inbox import Inbox
from cloudreel.web.bodies import RequestBody
from cloudreel.web.browser import browser_uploads
from cloudreel.web.clients import (
    Clients,
    cloudkey,
    cloudkey_rest,
    flixcloud,
    inbox,
    lifespan,
    panda,
    telestream,
)
from cloudreel.web.redis_seen import RedisSeen
from cloudreel.web.seen import MemorySeen, Seen
from cloudreel.web.subjects import Event, Subject
from cloudreel.web.webhooks import webhooks

__all__ = [
    "Clients",
    "Event",
    "Inbox",
    "MemorySeen",
    "RedisSeen",
    "RequestBody",
    "Seen",
    "Subject",
    "browser_uploads",
    "cloudkey",
    "cloudkey_rest",
    "flixcloud",
    "inbox",
    "lifespan",
    "panda",
    "telestream",
    "webhooks",
]
