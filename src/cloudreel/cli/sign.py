"""``cloudreel sign``: URLs and requests, without asking any service."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime

import click

from cloudreel.cli.api_requests import SCOPES, Address, read_params
from cloudreel.cli.options import json_option
from cloudreel.cli.output import Output
from cloudreel.cli.secret import known, secret
from cloudreel.cli.times import EXPECTED, read_time
from cloudreel.signing import SecLevel, sign_urls
from cloudreel.signing.requests import RequestSigner

BOUND = {"asnum": SecLevel.ASNUM, "ip": SecLevel.IP, "useragent": SecLevel.USERAGENT}
DELEGATED = {**BOUND, "country": SecLevel.COUNTRY, "referer": SecLevel.REFERER}


@click.group("sign")
def command() -> None:
    """Sign URLs and requests; no service is asked.

    The secret comes from the environment or is asked for, and is never shown.
    """


@command.command("url")
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.option(
    "--expires", default="2h", show_default=True, metavar="TIME", help=f"When they end: {EXPECTED}."
)
@click.option("--ip", metavar="ADDRESS", help="Open to this address only.")
@click.option("--asnum", metavar="AS", help="Open to this network only.")
@click.option("--useragent", metavar="TEXT", help="Open to this browser only.")
@click.option(
    "--country", "countries", multiple=True, metavar="CC", help="Open to these; a first '-' excludes them."
)
@click.option("--referer", "referers", multiple=True, metavar="PREFIX", help="Open from pages that begin so.")
@click.option("--strict-referer", is_flag=True, help="Not even without a page.")
@click.option("--once", is_flag=True, help="Good for one access.")
@click.option(
    "--delegate",
    multiple=True,
    type=click.Choice(tuple(DELEGATED)),
    help="Bind to what the first viewer has of this.",
)
@json_option
def sign_url_command(
    urls: tuple[str, ...],
    expires: str,
    ip: str | None,
    asnum: str | None,
    useragent: str | None,
    countries: tuple[str, ...],
    referers: tuple[str, ...],
    strict_referer: bool,
    once: bool,
    delegate: tuple[str, ...],
    as_json: bool,
) -> None:
    """Sign CloudKey URLs with CLOUDKEY_API_KEY; '-' reads them from stdin, one a line."""
    if delegate and (ip or asnum or useragent or countries or referers):
        raise click.UsageError("--delegate leaves the viewer open: it does not go with --ip and its like")
    output, level = Output(as_json), SecLevel.NONE
    for name, value in (("ip", ip), ("asnum", asnum), ("useragent", useragent)):
        level |= BOUND[name] if value else SecLevel.NONE
    level |= SecLevel.COUNTRY if countries else SecLevel.NONE
    if referers:
        level |= SecLevel.REFERER_STRICT if strict_referer else SecLevel.REFERER
    level |= SecLevel.USEONCE if once else SecLevel.NONE
    for name in delegate:
        level |= SecLevel.DELEGATE | DELEGATED[name]
    until, given = _time(expires), list(_lines(urls))
    signed = sign_urls(
        given,
        secret("CLOUDKEY_API_KEY", "CloudKey API key"),
        expires=until,
        nonces=[secrets.token_hex(4) for _ in given],
        seclevel=level,
        ip=ip,
        asnum=asnum,
        useragent=useragent,
        countries=countries or None,
        referers=referers or None,
    )
    for url, each in zip(given, signed, strict=True):
        output.result({"url": url, "signed": each, "expires": until, "seclevel": int(level)}, each)


@command.command("request")
@click.argument("verb", type=click.Choice(("GET", "POST", "PUT", "DELETE"), case_sensitive=False))
@click.argument("address", metavar="PATH|URL")
@click.argument("params", nargs=-1, metavar="[NAME=VALUE]...")
@click.option(
    "--service", "-s", type=click.Choice(tuple(SCOPES)), help="Whose path it is.  [default: telestream]"
)
@click.option("--at", metavar="TIME", help="When it is signed.  [default: now]")
@json_option
def sign_request_command(
    verb: str, address: str, params: tuple[str, ...], service: str | None, at: str | None, as_json: bool
) -> None:
    """Print the URL of a signed request of Telestream or Panda.

    So: curl "$(cloudreel sign request GET /videos.json)". A signature is good for some minutes.

    The keys are TELESTREAM_ACCESS_KEY and TELESTREAM_SECRET_KEY, the factory TELESTREAM_FACTORY_ID; of
    Panda PANDA_ACCESS_KEY, PANDA_SECRET_KEY and PANDA_CLOUD_ID.
    """
    try:
        place = Address.read(address, service, os.environ)
        given = {**place.query, **read_params(params)}
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    prefix, scope = place.service.upper(), SCOPES[place.service]
    scope_id = os.environ.get(f"{prefix}_{scope.upper()}")
    given |= {scope: scope_id} if scope_id and scope not in given else {}
    terms = (verb.upper(), place.path, given)
    moment = datetime.fromtimestamp(_time(at) if at else time.time(), UTC)
    key = secret(f"{prefix}_SECRET_KEY", f"{place.service.capitalize()} secret key")
    signer, access_key = RequestSigner(key), known(f"{prefix}_ACCESS_KEY")
    timestamp = moment.isoformat(timespec="microseconds")
    signed = signer.signed_params(*terms, access_key=access_key, host=place.host, timestamp=timestamp)
    query = signer.signed_query(*terms, access_key=access_key, host=place.host, timestamp=timestamp)
    url = f"{place.base}{place.path}?{query}"
    Output(as_json).result({"url": url, "params": signed}, url)


def _time(text: str) -> int:
    try:
        return read_time(text, time.time())
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _lines(urls: Iterable[str]) -> Iterable[str]:
    for url in urls:
        if url == "-":
            yield from (line.strip() for line in sys.stdin if line.strip())
        else:
            yield url
