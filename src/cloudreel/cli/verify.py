"""``cloudreel verify``: whether signatures are good, and why not."""

from __future__ import annotations

import os
import sys
import time

import click

from cloudreel.cli import failures
from cloudreel.cli.api_requests import SCOPES, Address, read_params
from cloudreel.cli.options import json_option
from cloudreel.cli.output import Output
from cloudreel.cli.secret import secret
from cloudreel.cli.times import read_time
from cloudreel.signing import Verdict, verify_request, verify_url

explain_option = click.option(
    "--explain", is_flag=True, help="Show both canonical texts and the first difference."
)
at_option = click.option("--at", metavar="TIME", help="When it is looked at.  [default: now]")


@click.group("verify")
def command() -> None:
    """Say whether signed URLs and requests are good; exit code 0 only if they are.

    The secret comes from the environment or is asked for, and is never shown.
    """


@command.command("url")
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.option("--ip", metavar="ADDRESS", help="The viewer's address.")
@click.option("--asnum", metavar="AS", help="The viewer's network.")
@click.option("--useragent", metavar="TEXT", help="The viewer's browser.")
@click.option("--country", metavar="CC", help="The viewer's country.")
@click.option("--referer", metavar="URL", help="The page that the viewer comes from.")
@at_option
@explain_option
@json_option
def verify_url_command(
    urls: tuple[str, ...],
    ip: str | None,
    asnum: str | None,
    useragent: str | None,
    country: str | None,
    referer: str | None,
    at: str | None,
    explain: bool,
    as_json: bool,
) -> None:
    """Verify CloudKey URLs with CLOUDKEY_API_KEY, as a viewer would open them."""
    key, now, good = secret("CLOUDKEY_API_KEY", "CloudKey API key"), _now(at), True
    for url in urls:
        verdict = verify_url(
            url, key, now=now, ip=ip, asnum=asnum, useragent=useragent, country=country, referer=referer
        )
        _tell(Output(as_json), url, verdict, explain=explain)
        good = good and verdict.ok
    sys.exit(failures.DONE if good else failures.FAILED)


@command.command("request")
@click.argument("verb", type=click.Choice(("GET", "POST", "PUT", "DELETE"), case_sensitive=False))
@click.argument("url")
@click.argument("params", nargs=-1, metavar="[NAME=VALUE]...")
@click.option(
    "--service", "-s", type=click.Choice(tuple(SCOPES)), help="Of a path without host.  [default: telestream]"
)
@at_option
@explain_option
@json_option
def verify_request_command(
    verb: str,
    url: str,
    params: tuple[str, ...],
    service: str | None,
    at: str | None,
    explain: bool,
    as_json: bool,
) -> None:
    """Verify a request of Telestream or Panda: its URL as it was sent, and the parameters of its body."""
    try:
        place = Address.read(url, service, os.environ)
        given = {**place.query, **read_params(params)}
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    verdict = verify_request(
        given,
        secret_key=secret(f"{place.service.upper()}_SECRET_KEY", f"{place.service.capitalize()} secret key"),
        verb=verb,
        host=place.host,
        path=place.path,
        now=_now(at),
    )
    _tell(Output(as_json), url, verdict, explain=explain)
    sys.exit(failures.DONE if verdict else failures.FAILED)


def _tell(output: Output, url: str, verdict: Verdict, *, explain: bool) -> None:
    text = verdict.explain() if explain else verdict.explain().partition("\n")[0]
    record: dict[str, object] = {"url": url, "ok": verdict.ok, "reason": verdict.reason}
    record |= {"message": verdict.message, "mistake": verdict.mistake}
    if explain:
        record["explain"] = verdict.explain()
    output.text(record, text)


def _now(at: str | None) -> float:
    if at is None:
        return time.time()
    try:
        return read_time(at, time.time())
    except ValueError as error:
        raise click.UsageError(str(error)) from error
