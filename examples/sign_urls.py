"""Sign a page full of CloudKey URLs without a client, a loop or a network, and verify one as a server would.

python examples/sign_urls.py
"""

import secrets
import time

from cloudreel.signing import SecLevel, sign_urls, verify_url

USER, KEY = "0123456789abcdef01234567", "00112233445566778899aabbccddeeff00112233"


def main() -> None:
    urls = [f"http://cdn.dmcloud.net/route/{USER}/{number:024x}/mp4_h264_aac.mp4" for number in range(20)]
    signed = sign_urls(
        urls,
        KEY,
        expires=int(time.time()) + 7200,
        nonces=[secrets.token_hex(4) for _ in urls],
        seclevel=SecLevel.COUNTRY,
        countries=["fr", "be"],
    )
    print(signed[0])
    for country in ("fr", "us"):
        verdict = verify_url(signed[0], KEY, now=time.time(), country=country)
        print(country, bool(verdict), verdict.reason)
    print(verify_url(signed[0].replace("/route/", "/other/"), KEY, now=time.time(), country="fr").explain())


if __name__ == "__main__":
    main()
