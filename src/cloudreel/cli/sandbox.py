"""``cloudreel sandbox``: the stand-in for the services, until somebody stops it."""

from __future__ import annotations

import ipaddress
import json
import os
import shlex
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloudreel.errors import CloudReelError
from cloudreel.sandbox.sandbox import Sandbox
from cloudreel.sandbox.server import Tls
from cloudreel.signing.shapes import is_mapping

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _pairs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for value in values:
        name, equals, meaning = value.partition("=")
        if not (name and equals and meaning):
            raise click.BadParameter(f"{value!r} is not {param.make_metavar(ctx)}")
        pairs[name] = meaning
    return pairs


def _by_address(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = _pairs(ctx, param, values)
    for address in pairs:
        try:
            ipaddress.ip_address(address)
        except ValueError as error:
            raise click.BadParameter(f"{address!r} is no IP address") from error
    return pairs


def _by_prefix(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, Path]:
    pairs = {prefix: Path(path) for prefix, path in _pairs(ctx, param, values).items()}
    for prefix, path in pairs.items():
        if "://" not in prefix:
            raise click.BadParameter(f"{prefix!r} is no beginning of a URL")
        if not path.exists():
            raise click.BadParameter(f"there is no {str(path)!r}")
    return pairs


@click.command("sandbox")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 picks a free one.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep everything here, credentials included.  [default: a temporary directory]",
)
@click.option(
    "--part-size",
    default=5 * 2**20,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="BYTES",
    help="Size of one part of a multi-chunk upload.",
)
@click.option(
    "--map",
    "mapped",
    multiple=True,
    metavar="URL_PREFIX=PATH",
    callback=_by_prefix,
    help="Serve http, ftp and s3 URLs that begin so from files.",
)
@click.option("--asnum", multiple=True, metavar="IP=AS", callback=_by_address, help="A viewer's AS number.")
@click.option("--country", multiple=True, metavar="IP=CC", callback=_by_address, help="A viewer's country.")
@click.option("--tls-cert", type=FILE, metavar="F", help="Serve https with this certificate.")
@click.option("--tls-key", type=FILE, metavar="F", help="The certificate's key.")
@click.option(
    "--env",
    "env_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write addresses and credentials to FILE, for a shell to read: . FILE",
)
@click.option("--loose", is_flag=True, help="Accept wrong, expired and repeated signatures.")
@click.option("--json", "as_json", is_flag=True, help="Print addresses and credentials as one line of JSON.")
def command(
    host: str,
    port: int,
    data: Path | None,
    part_size: int,
    mapped: dict[str, Path],
    asnum: dict[str, str],
    country: dict[str, str],
    tls_cert: Path | None,
    tls_key: Path | None,
    env_file: Path | None,
    loose: bool,
    as_json: bool,
) -> None:
    """Serve a local stand-in for the services until SIGTERM or SIGINT."""
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key belong together")
    sandbox = Sandbox(
        data,
        host=host,
        port=port,
        part_size=part_size,
        strict=not loose,
        asnums=asnum,
        countries=country,
        map=mapped,
    )
    if tls_cert is not None and tls_key is not None:
        sandbox.tls = Tls(tls_cert, tls_key)
    stop = threading.Event()

    def stopped(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stopped)
    try:
        with sandbox:
            if env_file is not None:
                _write_private(env_file, exports(sandbox.config))
            click.echo(json.dumps(sandbox.config) if as_json else _readable(sandbox.config))
            while not stop.wait(0.5) and sandbox.serving:
                pass
    except OSError as error:
        raise click.ClickException(error.strerror or str(error)) from error
    except CloudReelError as error:
        raise click.ClickException(str(error)) from error


def exports(config: Mapping[str, object]) -> str:
    """Return addresses and credentials as lines for a shell, by the names that ``from_env()`` reads."""
    base = str(config["base_url"])
    found: dict[str, str] = {}
    for service, members in config.items():
        if is_mapping(members):
            found |= {f"{service}_{name}".upper(): str(value) for name, value in members.items()}
    for service in ("TELESTREAM", "PANDA"):
        found[f"{service}_BASE_URL"] = base
    found["CLOUDKEY_REST_CDN_URL"] = base
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(found.items()))


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _readable(config: Mapping[str, object]) -> str:
    lines = [f"The sandbox serves at {config['base_url']}  (Ctrl-C ends it)", ""]
    for service, members in config.items():
        if is_mapping(members):
            lines.append(service)
            lines += [f"  {name:<12} {value}" for name, value in members.items()]
            lines.append("")
    lines.append(
        f"What goes on: {config['base_url']}/  (for machines: {config['base_url']}/__sandbox__/state)"
    )
    return "\n".join(lines)
