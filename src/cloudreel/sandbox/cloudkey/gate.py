"""The gate before media: signed URLs are verified, their bounds enforced (cloudkey-rpc.md section 12).

What a URL with DELEGATE is locked to, and which URLs were used up, is in the store and outlives the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from cloudreel.sandbox.journal import note
from cloudreel.signing import SecLevel, verify_url
from cloudreel.signing.url_checks import SignedUrl, split_url

if TYPE_CHECKING:
    from starlette.requests import Request

    from cloudreel.sandbox.state import World
    from cloudreel.sandbox.store import Document

__all__ = ["Closed", "Pass", "check", "viewer"]

_BOUND = {
    "asnum": SecLevel.ASNUM,
    "ip": SecLevel.IP,
    "useragent": SecLevel.USERAGENT,
    "country": SecLevel.COUNTRY,
    "referer": SecLevel.REFERER | SecLevel.REFERER_STRICT,
}


class Closed(Exception):
    """A viewer is not let in.

    Args:
        status: 403, or 404 where there is nothing to see.
        reason: why, for people; never holds a secret.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@frozen
class Pass:
    """A request whose signed URL is good; `use` lets it in.

    ``signed`` is None in a sandbox that is not strict and lets everybody in.
    """

    world: World
    signed: SignedUrl | None
    viewer: Document

    def use(self) -> None:
        """Enter: lock a delegated URL to its first viewer, use up a URL that is good once.

        Raises:
            Closed: the URL is locked to another viewer, or was used before.
        """
        signed = self.signed
        if signed is None:
            return
        if signed.seclevel & SecLevel.DELEGATE:
            self._lock(signed)
        if signed.seclevel & SecLevel.USEONCE:
            now, until = self.world.clock.now(), float(signed.expires or "inf")
            if not self.world.store.use_signature(f"url {signed.digest}", now=now, until=until):
                raise Closed(403, "refused (useonce): the URL is good for one access and was used before")

    def _lock(self, signed: SignedUrl) -> None:
        store, level = self.world.store, signed.seclevel
        observed = {name: self.viewer[name] for name, bit in _BOUND.items() if level & bit}
        if "referer" in observed and not observed["referer"]:
            if level & SecLevel.REFERER_STRICT:
                raise Closed(403, "refused (referer): the URL opens from pages only, and none was named")
            del observed["referer"]  # as without DELEGATE, a viewer may leave it out
        locked = store.get("lock", signed.digest) or store.put("lock", signed.digest, {})
        for name, value in observed.items():
            if locked.setdefault(name, value) != value:
                raise Closed(403, f"refused ({name}): the URL is locked to the {name} of its first viewer")
        store.update("lock", signed.digest, locked)


def check(request: Request, world: World, user_id: str) -> Pass:
    """Verify the URL of a request as the viewer addressed it, with the key of the user in its path.

    Raises:
        Closed: 404 for an unknown user, 403 for a URL that is not signed, expired, or not for this viewer.
    """
    account = world.store.get("account", user_id)
    if account is None:
        raise Closed(404, f"There is no user {user_id[:80]}")
    url, seen = _addressed(request), viewer(request, world)
    if not world.strict:
        return Pass(world, None, seen)
    verdict = verify_url(url, account["api_key"], now=world.clock.now(), **seen)
    note(request, verdict=verdict)
    if not verdict:
        raise Closed(403, verdict.explain())
    return Pass(world, split_url(url), seen)


def viewer(request: Request, world: World) -> dict[str, str | None]:
    """Return what is known of who asks: address, its network and country by the tables, headers."""
    ip = request.client.host if request.client else None
    return {
        "ip": ip,
        "asnum": world.asnums.get(ip or ""),
        "country": world.countries.get(ip or ""),
        "useragent": request.headers.get("user-agent"),
        "referer": request.headers.get("referer"),
    }


def _addressed(request: Request) -> str:
    """Return the URL as the viewer wrote it, undecoded."""
    scope = request.scope
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    host = request.headers.get("host", "")
    return f"{scope['scheme']}://{host}{path.decode('latin-1')}?{query.decode('latin-1')}"
