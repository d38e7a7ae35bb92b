"""Sign, verify and explain: CloudKey URLs, calls and DRM tokens, Panda and Telestream requests.

Pure: no clock, no randomness, no I/O. Times, nonces and keys are arguments. Verifiers answer with a
`Verdict`, whose `explain` shows what was hashed and where it differs. Names are loaded on first use: who
signs URLs does not pay for requests.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # known to type checkers by name; importing `typing` would cost more than all else
if TYPE_CHECKING:
    from cloudreel.signing.calls import drm_token, normalize, sign_call
    from cloudreel.signing.levels import SecLevel
    from cloudreel.signing.params import canonical_query
    from cloudreel.signing.requests import sign_request, signed_params, verify_request
    from cloudreel.signing.url_checks import verify_url
    from cloudreel.signing.urls import sign_url, sign_urls
    from cloudreel.signing.verdict import Verdict

_HOMES = {
    "calls": ("drm_token", "normalize", "sign_call"),
    "levels": ("SecLevel",),
    "params": ("canonical_query",),
    "requests": ("sign_request", "signed_params", "verify_request"),
    "url_checks": ("verify_url",),
    "urls": ("sign_url", "sign_urls"),
    "verdict": ("Verdict",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "SecLevel",
    "Verdict",
    "canonical_query",
    "drm_token",
    "normalize",
    "sign_call",
    "sign_request",
    "sign_url",
    "sign_urls",
    "signed_params",
    "verify_request",
    "verify_url",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'cloudreel.signing' has no attribute {name!r}")
    value: object = getattr(import_module(f"cloudreel.signing.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
