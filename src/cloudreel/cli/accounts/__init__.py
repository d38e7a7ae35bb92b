"""The accounts that the commands work on, made from the environment."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import click

from cloudreel.cli.accounts.account import (
    Account,
    Item,
    Outcome,
    StoredFile,
    UploadObserver,
    UploadOrder,
    Work,
)
from cloudreel.cli.accounts.cloudkey import CloudKeyAccount, CloudKeyRestAccount
from cloudreel.cli.accounts.family import PandaAccount, PandaClient, TelestreamAccount, TelestreamClient
from cloudreel.cloudkey import AsyncCloudKey
from cloudreel.cloudkey_rest import AsyncCloudKeyRest

__all__ = [
    "Account",
    "Item",
    "Outcome",
    "StoredFile",
    "UploadObserver",
    "UploadOrder",
    "Work",
    "open_account",
]


@asynccontextmanager
async def open_account(service: str) -> AsyncGenerator[Account]:
    """Open the account that the environment names; leaving it closes the connections.

    Args:
        service: one of `cloudreel.cli.services.SERVICES`.

    Raises:
        CloudReelError: a variable is missing, or the service refuses.
        click.UsageError: nothing says which of several factories or clouds is meant.
    """
    match service:
        case "telestream":
            async with TelestreamClient.from_env() as client:
                yield await _factory(client)
        case "panda":
            async with PandaClient.from_env() as client:
                yield await _cloud(client)
        case "cloudkey":
            async with AsyncCloudKey.from_env() as client:
                yield CloudKeyAccount(client)
        case "cloudkey_rest":
            async with AsyncCloudKeyRest.from_env() as client:
                yield CloudKeyRestAccount(client)
        case _:
            raise ValueError(f"There is no service {service!r}")


async def _factory(client: TelestreamClient) -> TelestreamAccount:
    if client.factory_id is not None:
        return TelestreamAccount(client, await client.flip.factories.find(client.factory_id))
    factories = await client.flip.factories.all()
    if len(factories) != 1:
        raise _ambiguous("TELESTREAM_FACTORY_ID", "factories", [factory.id for factory in factories])
    return TelestreamAccount(client, factories[0])


async def _cloud(client: PandaClient) -> PandaAccount:
    if client.cloud_id is not None:
        return PandaAccount(client, await client.cloud_details())
    clouds = await client.clouds.all()
    if len(clouds) != 1:
        raise _ambiguous("PANDA_CLOUD_ID", "clouds", [cloud.id for cloud in clouds])
    return PandaAccount(client, clouds[0])


def _ambiguous(variable: str, what: str, ids: list[str | None]) -> click.UsageError:
    there = f"the account has {', '.join(filter(None, ids))}" if ids else "the account has none"
    return click.UsageError(f"Set {variable} to one of the {what}: {there}")
