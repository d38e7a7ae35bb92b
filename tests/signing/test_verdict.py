from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudreel.signing import Verdict, sign_url, signed_params, verify_request, verify_url
from cloudreel.signing.digest import HmacKey, find_md5
from cloudreel.signing.requests import parse_timestamp
from cloudreel.signing.url_checks import split_url
from cloudreel.signing.verdict import SECRET as MASK
from cloudreel.signing.verdict import hide

SECRET = "0f1e2d3c4b5a69788796"
STAMP = "2016-10-03T12:00:00.000000+00:00"
NOW = parse_timestamp(STAMP)
WIRE = {
    "access_key": "acck",
    "timestamp": STAMP,
    "cloud_id": "c1",
    "title": "a b~c",
    "file": "a.mp4",
    "events[on]": "true",
    "events[off]": "false",
}
QUERY = (
    "access_key=acck&cloud_id=c1&events[off]=false&events[on]=true"
    "&timestamp=2016-10-03T12%3A00%3A00.000000%2B00%3A00&title=a%20b~c"
)


def request_text(
    verb: str = "PUT", host: str = "api.example", path: str = "/videos/1.json", query: str = QUERY
) -> str:
    return f"{verb}\n{host}\n{path}\n{query}"


def verify(signature: str, host: str = "API.example:8080", **change: Any) -> Verdict:
    request = {"verb": "put", "path": "/videos/1.json", "secret_key": SECRET, "now": NOW} | change
    return verify_request(WIRE | {"signature": signature}, host=host, **request)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (request_text(path="/v2/videos/1.json"), "version prefix"),
        (request_text(path="/v3.0/videos/1.json"), "version prefix"),
        (request_text(path="videos/1.json"), "leading slash"),
        (request_text(path="/videos/1.json/"), "trailing slash"),
        (request_text(host="api.example:8080"), "with its port"),
        (request_text(host="api.example:443"), "with its port"),
        (request_text(host="API.example:8080"), "as written"),
        (request_text(verb="put"), "verb"),
        (request_text(query=QUERY.replace("%20", "+")), "spaces"),
        (request_text(query=QUERY.replace("~", "%7E")), "~"),
        (request_text(query=QUERY.replace("%3A", "%3a").replace("%2B", "%2b")), "lower case"),
        (
            request_text(query=unquote(QUERY)),
            "without percent",
        ),
        (request_text(query=QUERY.replace("=true", "=True").replace("=false", "=False")), "True and False"),
        (request_text(query=QUERY.replace("[", "%5B").replace("]", "%5D")), "brackets"),
        (request_text(query=QUERY.replace("&timestamp", "&file=a.mp4&timestamp")), "file was signed"),
        (request_text(query=QUERY.replace("cloud_id=c1&", "")), "not signed"),
        (
            request_text(
                query="access_key=acck&timestamp=2016-10-03T12%3A00%3A00.000000%2B00%3A00&cloud_id=c1"
                "&title=a%20b~c&events[off]=false&events[on]=true"
            ),
            "unsorted",
        ),
        (request_text() + "\n", "newline"),
        (request_text().replace("\n", "\r\n"), "CR LF"),
    ],
)
def test_mistakes_in_requests(text: str, mistake: str) -> None:
    verdict = verify(HmacKey(SECRET).sign(text.encode()))
    assert (verdict.ok, verdict.reason, verdict.message) == (False, "signature", "Signatures do not match")
    assert verdict.verified_text == request_text()
    assert verdict.signed_text == text
    assert mistake in verdict.explain().splitlines()[-1]
    assert "first difference" in verdict.explain()


@pytest.mark.parametrize("change", [lambda text: quote(text, safe=""), lambda text: text.replace("+", " ")])
def test_a_signature_that_was_damaged(change: Any) -> None:
    for number in range(100):
        wire = WIRE | {"number": str(number)}
        request: dict[str, Any] = {"host": "api.example", "verb": "PUT", "path": "/videos/1.json"}
        text = request_text(query=QUERY.replace("&timestamp", f"&number={number}&timestamp"))
        signature = HmacKey(SECRET).sign(text.encode())
        if "+" in signature:
            break
    verdict = verify_request(wire | {"signature": change(signature)}, secret_key=SECRET, now=NOW, **request)
    assert verdict.reason == "signature"
    assert "percent-encode it exactly once" in verdict.explain()
    assert "both texts are the same" in verdict.explain()


def url_digest(head: str, tail: str) -> str:
    return hashlib.md5(f"{head}{SECRET}{tail}".encode()).hexdigest()


BARE = "https://api.example/embed/a%20b"
SIGNED = sign_url(
    BARE + "?x=1",
    SECRET,
    expires=1700000000,
    nonce="abcd1234",
    seclevel=4 | 32,
    ip="192.0.2.1",
    countries=["fr"],
)
PUBLIC = split_url(SIGNED).public
END = "1700000000abcd1234"


@pytest.mark.parametrize(
    ("head", "tail", "mistake"),
    [
        (f"36http://api.example/embed/a%20b{END}", f"192.0.2.1{PUBLIC}", "http was signed"),
        (f"36{BARE}?x=1{END}", f"192.0.2.1{PUBLIC}", "query"),
        (f"36https://api.example/embed/a b{END}", f"192.0.2.1{PUBLIC}", "percent-decoded"),
        (f"36{BARE}/{END}", f"192.0.2.1{PUBLIC}", "slash"),
        (f"36{BARE}{END}", "192.0.2.1", "public part"),
        (f"36{BARE}{END}", PUBLIC, "viewer"),
        (f"36{BARE}abcd1234", f"192.0.2.1{PUBLIC}", "expiry"),
    ],
)
def test_mistakes_in_urls(head: str, tail: str, mistake: str) -> None:
    url = SIGNED.replace(split_url(SIGNED).digest, url_digest(head, tail))
    verdict = verify_url(url, SECRET, now=0, ip="192.0.2.1", country="fr")
    assert (verdict.ok, verdict.reason) == (False, "signature")
    assert verdict.verified_text == f"36{BARE}{END}{MASK}192.0.2.1{PUBLIC}"
    assert verdict.signed_text == f"{head}{MASK}{tail}"
    assert mistake in verdict.explain().splitlines()[-1]


def test_http_in_place_of_https() -> None:
    url = "http://api.example/embed/a"
    signed = sign_url(url.replace("http:", "https:"), SECRET, expires=0, nonce="a").replace("https:", "http:")
    verdict = verify_url(signed, SECRET, now=0)
    assert verdict.signed_text == f"0https://api.example/embed/a0a{MASK}"


def test_a_level_nobody_asked_for_explains_itself() -> None:
    url = SIGNED.replace("-36-", "-52-")
    explained = verify_url(url, SECRET, now=0, ip="192.0.2.1", country="fr").explain()
    assert "another key, or for another viewer" in explained
    assert "no known mistake" in explained


def test_the_first_difference_is_marked() -> None:
    text = request_text(path="/v2/videos/1.json")
    lines = verify(HmacKey(SECRET).sign(text.encode())).explain().splitlines()
    assert lines[0] == "refused (signature): Signatures do not match"
    ours, theirs, mark = lines[1:4]
    at = mark.index("^")
    assert ours[at:].startswith("ideos/1.json\\n")
    assert theirs[at:].startswith("2/videos/1.json\\n")
    assert ours[:at].removeprefix("verifier hashed: ") == theirs[:at].removeprefix("signer hashed:   ")
    assert f"at character {text.index('2/') + 1}" in mark


def test_the_signers_own_text_is_compared() -> None:
    verdict = verify("x" * 44)
    assert verdict.signed_text is None
    assert "the secrets may differ" in verdict.explain()
    assert "both texts are the same" in verdict.explain(request_text())
    longer = verdict.explain(request_text() + "♥")
    assert "\\u2665" in longer
    assert f"at character {len(request_text()) + 1}" in longer
    assert "at character 1" in verdict.explain("")


def test_a_named_mistake_gives_way_to_the_signers_own_text() -> None:
    verdict = verify(HmacKey(SECRET).sign(request_text(verb="put").encode()))
    assert "likely cause" in verdict.explain()
    assert "likely cause" not in verdict.explain(request_text())


def test_accepted() -> None:
    verdict = verify(HmacKey(SECRET).sign(request_text().encode()))
    assert bool(verdict) is True
    shown = request_text().replace("\n", "\\n")
    assert verdict.explain() == f"accepted: the signature is valid\nverifier hashed: {shown}"


def test_nothing_was_hashed() -> None:
    verdict = verify_url("nonsense", SECRET, now=0)
    assert bool(verdict) is False
    assert len(verdict.explain().splitlines()) == 1


hex_secrets = st.text("0123456789abcdef", min_size=16, max_size=40)
secrets = hex_secrets | st.text("ghijkl/+ %é", min_size=12, max_size=20)


@given(secrets, st.booleans())
def test_the_secret_is_nowhere(secret: str, changed: bool) -> None:
    wire = signed_params(
        "GET",
        f"/videos/{secret}.json",
        {"leak": secret, "deep": {secret: secret}},
        access_key="acck",
        secret_key=secret,
        host="api.example",
        timestamp=STAMP,
    )
    path = f"/v2/videos/{secret}.json" if changed else f"/videos/{secret}.json"
    url = sign_url(
        f"http://api.example/{quote(secret)}", secret, expires=1, nonce="a", seclevel=8, useragent=secret
    )
    for verdict in (
        verify_request(wire, secret_key=secret, verb="GET", host="api.example", path=path, now=NOW),
        verify_url(url.replace("http:", "https:") if changed else url, secret, now=0, useragent=secret),
    ):
        assert bool(verdict) is not changed
        for shown in (verdict.explain(), repr(verdict), repr(pickle.loads(pickle.dumps(verdict)))):
            assert secret not in shown
            assert quote(secret, safe="") not in shown
            assert MASK in shown


def test_an_empty_secret_hides_nothing() -> None:
    assert hide("abc", "") == "abc"


def test_md5_without_the_private_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "_md5", None)
    assert find_md5()(b"abc").hexdigest() == "900150983cd24fb0d6963f7d28e17f72"


def test_importing_is_light() -> None:
    heavy = "{'httpx', 'anyio', 'attr', 'attrs', 'cattrs', 'orjson', 'asyncio'}"
    code = f"import sys, cloudreel.signing; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
