"""Sending Flix Cloud's calls: by the client, and by a job that stands alone."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

from attrs import evolve

from cloudreel.core.call import Call, Credential, Response
from cloudreel.core.options import Options, Wiring
from cloudreel.core.pool import Pool
from cloudreel.core.transport import Service, Transport
from cloudreel.flixcloud import protocol
from cloudreel.flixcloud.errors import FAMILY, FlixCloudError, JobRefused
from cloudreel.flixcloud.models import JobInfo, JobSpec
from cloudreel.flixcloud.protocol import KeySigner
from cloudreel.flixcloud.validation import validate

T = TypeVar("T")


def make_transport(api_key: Credential, base_url: str, wiring: Wiring, options: Options) -> Transport:
    """Return a transport to the service at a base URL; nothing is connected yet."""
    signer = KeySigner(api_key)
    read_failure = partial(protocol.read_failure, signer=signer)
    service = Service("flixcloud", base_url.rstrip("/"), FAMILY, signer, read_failure)
    return Transport(service, Pool(wiring), options)


async def send(transport: Transport, call: Call[T]) -> T:
    """Send a call and return what its answer means.

    Raises:
        FlixCloudError: the service refused it, or nothing usable came back; ``errors`` has the reasons, and
            what the service quotes of the key is masked in the ``response``.
    """
    try:
        return await transport.send(call)
    except FlixCloudError as error:
        signer = signer_of(transport)
        answer = error.response
        if isinstance(answer, Response):
            error.errors = tuple(protocol.reasons_of(answer, signer))
            if (masked := signer.masked(answer.text)) != answer.text:
                error.response = evolve(answer, body=masked.encode())
        raise


async def create_job(transport: Transport, job: JobSpec) -> JobInfo:
    """Have a job done.

    Raises:
        JobRefused: the service, or the validation before it, does not accept the job.
        FlixCloudError: anything else that went wrong.
    """
    problems = validate(job, signer_of(transport).api_key)
    if problems:
        error = JobRefused(f"The job was not sent. {' '.join(problems)}")
        error.errors = tuple(problems)
        raise error
    return await send(transport, protocol.create_job(job))


def signer_of(transport: Transport) -> KeySigner:
    """Return what knows the key."""
    signer = transport.service.sign
    assert isinstance(signer, KeySigner)
    return signer
