"""Well-known slips of signers, each with the text it makes them hash, for `Verdict.explain`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from cloudreel.signing.params import query_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudreel.signing.params import Texts

__all__ = ["request_mistakes", "url_mistakes"]

_BOOLEAN = re.compile(r"=(true|false)(?=&|$)")
_SCOPE = re.compile(r"(?:^|&)(?:cloud_id|factory_id)=[^&]*")
_HEX = re.compile(r"%[0-9A-F]{2}")


def request_mistakes(
    verb: str, raw_host: str, host: str, path: str, texts: Texts
) -> Iterator[tuple[str, str]]:
    """Yield (what went wrong, the text then signed) for a request; `raw_host` and `path` are as they came."""
    query = query_of(texts)
    stripped = path.strip(" /")

    def text(host: str = host, path: str = f"/{stripped}", query: str = query) -> str:
        return f"{verb}\n{host}\n{path}\n{query}"

    yield "the version prefix was signed: sign the path after it", text(path=f"/v2/{stripped}")
    yield "the version prefix was signed: sign the path after it", text(path=f"/v3.0/{stripped}")
    yield "the path was signed without its leading slash", text(path=stripped)
    yield "the path was signed with a trailing slash", text(path=f"/{stripped}/")
    yield "the host was signed with its port", text(host=raw_host.lower())
    for port in (80, 443):
        yield "the host was signed with its port", text(host=f"{host}:{port}")
    yield "the host was signed as written: sign it in lower case", text(host=raw_host)
    yield "the verb was signed in lower case", text().replace(verb, verb.lower(), 1)
    yield "spaces were signed as +: sign them as %20", text(query=query.replace("%20", "+"))
    yield "~ was signed percent-encoded: it stays as it is", text(query=query.replace("~", "%7E"))
    yield "percent-escapes were signed in lower case", text(query=_HEX.sub(lambda m: m[0].lower(), query))
    yield "values were signed without percent-encoding", text(query=unquote(query))
    yield "booleans were signed as True and False", text(query=_BOOLEAN.sub(lambda m: m[0].title(), query))
    brackets = query.replace("[", "%5B").replace("]", "%5D")
    yield "the brackets of nested names were signed percent-encoded", text(query=brackets)
    yield "file was signed: leave it out of the signature", text(query=query_of(texts, unsigned=_SIGNATURE))
    yield (
        "cloud_id or factory_id was sent but not signed",
        text(query=_SCOPE.sub("", query).removeprefix("&")),
    )
    given_order = {name: value for name, value in texts.items() if name != "signature"}
    yield "the parameters were signed unsorted", text(query=_unsorted(given_order))
    yield "a newline was signed at the end", text() + "\n"
    yield "lines were ended with CR LF: sign them with LF", text().replace("\n", "\r\n")


def url_mistakes(
    url: str, bare: str, expires: str, level: str, nonce: str, viewer: str, public: str
) -> Iterator[tuple[str, str, str]]:
    """Yield (what went wrong, the text then signed before the secret, the text after it) for a signed URL.

    `bare` is the URL in front of ``?``, `viewer` the values its level binds it to, `public` the public part.
    """

    def text(
        bare: str = bare, expires: str = expires, viewer: str = viewer, public: str = public
    ) -> tuple[str, str]:
        return f"{level}{bare}{expires}{nonce}", f"{viewer}{public}"

    yield "http was signed where https is used, or the reverse", *text(bare=_other_scheme(bare))
    yield "the query was signed: only what stands before ? is", *text(bare=url)
    yield "the URL was signed in its percent-decoded form", *text(bare=unquote(bare))
    yield "the URL was signed with a slash at its end", *text(bare=bare + "/")
    yield "the public part (countries, referers) was not signed", *text(public="")
    yield "the values of the viewer (asnum, ip, useragent) were not signed", *text(viewer="")
    yield "the time of expiry was not signed", *text(expires="")


def _other_scheme(bare: str) -> str:
    scheme, _, rest = bare.partition("://")
    return f"{'http' if scheme == 'https' else 'https'}://{rest}"


_SIGNATURE = frozenset({"signature"})


def _unsorted(texts: Texts) -> str:
    return "&".join([query_of({name: value}) for name, value in texts.items() if name != "file"])
