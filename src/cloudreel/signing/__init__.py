"""Sign, verify and explain: CloudKey URLs, calls and DRM tokens, Panda and Telestream requests.

Pure: no clock, no randomness, no I/O. Times, nonces and keys are arguments. Verifiers answer with a
`Verdict`, whose `explain` shows what was hashed and where it differs.
"""

from __future__ import annotations

from cloudreel.signing.calls import drm_token, normalize, sign_call
from cloudreel.signing.params import canonical_query
from cloudreel.signing.requests import sign_request, signed_params, verify_request
from cloudreel.signing.urls import SecLevel, sign_url, sign_urls, verify_url
from cloudreel.signing.verdict import Verdict

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
