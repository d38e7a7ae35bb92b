"""The URLs that viewers get: made and signed here, without a call."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from attrs import field, frozen

from cloudreel.cloudkey import urls
from cloudreel.cloudkey.errors import InvalidParameter
from cloudreel.cloudkey.nonces import fresh_nonce
from cloudreel.cloudkey.urls import DrmOptions, Expires, Sign
from cloudreel.core.call import Credential, reveal
from cloudreel.signing import sign_url


@frozen
class Viewing:
    """Whose media are watched, where, and by which clock URLs expire (UNIX seconds)."""

    user_id: Credential
    api_key: Credential = field(repr=False)
    base_url: str
    cdn_url: str
    now: Callable[[], float] = field(repr=False)


class PlayerUrls:
    """Signed URLs of media. They are the caller's own, whomever the client acts as.

    What they all take: ``seclevel`` combines bits of `SecLevel`, which ask for ``asnum``, ``ip``,
    ``useragent``, ``countries`` (two-letter codes; a first ``"-"`` denies them) and ``referers`` (prefixes of
    page addresses). ``expires`` is in UNIX seconds, an aware datetime, or a timedelta from now; two hours
    from now where nothing is given. All raise `InvalidParameter` or `SigningError` for arguments that are
    malformed or do not go together.
    """

    _viewing: Viewing

    def get_embed_url(
        self,
        id: str,
        seclevel: int | None = None,
        asnum: str | None = None,
        ip: str | None = None,
        useragent: str | None = None,
        countries: Sequence[str] | None = None,
        referers: Sequence[str] | None = None,
        expires: Expires = None,
        skin: str | None = None,
        drm_token: DrmOptions | None = None,
        secure: bool = False,
    ) -> str:
        """Return the URL of the player's page, for an iframe.

        Args:
            id: of the medium.
            seclevel: what the URL is bound to.
            asnum: the viewer's autonomous system, such as ``"AS41690"``.
            ip: the viewer's address.
            useragent: the viewer's browser, exactly.
            countries: who may watch, or with a first ``"-"`` who may not.
            referers: which pages may embed it.
            expires: when it ends.
            skin: of the player.
            drm_token: options of the DRM token to add.
            secure: whether the page comes over https.
        """
        sign = self._signer(seclevel, asnum, ip, useragent, countries, referers, expires)
        url = urls.embed_url(self._base_url(secure), self._owner(), id)
        return self._with_options(sign(url), id, skin, drm_token)

    def get_swf_url(
        self,
        id: str,
        seclevel: int | None = None,
        asnum: str | None = None,
        ip: str | None = None,
        useragent: str | None = None,
        countries: Sequence[str] | None = None,
        referers: Sequence[str] | None = None,
        expires: Expires = None,
        skin: str | None = None,
        drm_token: DrmOptions | None = None,
        secure: bool = False,
    ) -> str:
        """Return the URL of the Flash player; the arguments are those of `get_embed_url`."""
        sign = self._signer(seclevel, asnum, ip, useragent, countries, referers, expires)
        url = urls.swf_url(self._base_url(secure), self._owner(), id)
        return self._with_options(sign(url), id, skin, drm_token)

    def get_qtref_url(
        self,
        id: str,
        seclevel: int | None = None,
        asnum: str | None = None,
        ip: str | None = None,
        useragent: str | None = None,
        countries: Sequence[str] | None = None,
        referers: Sequence[str] | None = None,
        expires: Expires = None,
    ) -> str:
        """Return the URL of the QuickTime reference movie; the arguments are those of `get_embed_url`."""
        sign = self._signer(seclevel, asnum, ip, useragent, countries, referers, expires)
        return sign(urls.qtref_url(self._viewing.base_url, self._owner(), id))

    def get_stream_url(
        self,
        id: str,
        asset_name: str | None = None,
        seclevel: int | None = None,
        asnum: str | None = None,
        ip: str | None = None,
        useragent: str | None = None,
        countries: Sequence[str] | None = None,
        referers: Sequence[str] | None = None,
        expires: Expires = None,
        download: bool = False,
        filename: str | None = None,
        version: int | str | None = None,
        protocol: str | None = None,
        cdn_url: str | None = None,
        *,
        preset: str | None = None,
    ) -> str:
        """Return the URL of an asset; that of a thumbnail is neither signed nor does it expire.

        Args:
            id: of the medium.
            asset_name: ``"mp4_h264_aac"`` where nothing is given.
            seclevel: what the URL is bound to.
            asnum: the viewer's autonomous system, such as ``"AS41690"``.
            ip: the viewer's address.
            useragent: the viewer's browser, exactly.
            countries: who may watch, or with a first ``"-"`` who may not.
            referers: which pages may link to it.
            expires: when it ends.
            download: whether the viewer's browser saves the file.
            filename: under this name, which asks for a download, too.
            version: a number that changes when the asset does, for caches.
            protocol: ``hls``, ``rtmp``, ``hps``, ``http``, ``ss``, ``hds`` or ``dash``; needed for assets
                whose names begin with ``abs``.
            cdn_url: instead of the client's.
            preset: another name for ``asset_name``.
        """
        if asset_name and preset and asset_name != preset:
            raise InvalidParameter("preset is another name for asset_name: give one of them")
        return urls.stream_url(
            cdn_url or self._viewing.cdn_url,
            self._owner(),
            id,
            asset_name or preset or urls.DEFAULT_ASSET,
            self._signer(seclevel, asnum, ip, useragent, countries, referers, expires),
            download=download,
            filename=filename,
            version=version,
            protocol=protocol,
        )

    def _signer(
        self,
        seclevel: int | None,
        asnum: str | None,
        ip: str | None,
        useragent: str | None,
        countries: Sequence[str] | None,
        referers: Sequence[str] | None,
        expires: Expires,
    ) -> Sign:
        def sign(url: str) -> str:
            return sign_url(
                url,
                reveal(self._viewing.api_key),
                expires=urls.expiry(expires, self._viewing.now()),
                nonce=fresh_nonce(),
                seclevel=seclevel,
                asnum=asnum,
                ip=ip,
                useragent=useragent,
                countries=countries,
                referers=referers,
            )

        return sign

    def _owner(self) -> str:
        return reveal(self._viewing.user_id)

    def _base_url(self, secure: bool) -> str:
        return urls.secured(self._viewing.base_url) if secure else self._viewing.base_url

    def _with_options(self, url: str, id: str, skin: str | None, options: DrmOptions | None) -> str:
        token = None
        if options is not None:
            token = urls.drm_token(
                self._owner(),
                id,
                reveal(self._viewing.api_key),
                options,
                now=self._viewing.now(),
                nonce=secrets.token_urlsafe(8),
            )
        return urls.with_player_options(url, skin=skin, drm_token=token)
