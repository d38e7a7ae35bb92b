"""Which service is meant: the one that is asked for, or the only one that the environment knows. PURE."""

from __future__ import annotations

from collections.abc import Mapping

REQUIRED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "telestream": (("TELESTREAM_ACCESS_KEY", "TELESTREAM_SECRET_KEY"),),
    "panda": (("PANDASTREAM_URL",), ("PANDA_ACCESS_KEY", "PANDA_SECRET_KEY")),
    "cloudkey": (("CLOUDKEY_USER_ID", "CLOUDKEY_API_KEY"),),
    "cloudkey_rest": (("CLOUDKEY_REST_USERNAME", "CLOUDKEY_REST_PASSWORD"),),
}
"""The variables that ``from_env()`` needs: all of one of the tuples."""

SERVICES = tuple(REQUIRED)


class Unclear(ValueError):
    """Nothing says which service is meant; the text says how to."""


def service_of(asked: str | None, environment: Mapping[str, str]) -> str:
    """Return the service that a command works on.

    Args:
        asked: what the command line says, if anything.
        environment: the variables that are set.

    Raises:
        Unclear: the credentials of the service are missing, or those of several are there.
    """
    ready = [
        service
        for service, ways in REQUIRED.items()
        if any(all(environment.get(name) for name in names) for names in ways)
    ]
    if asked is not None:
        if asked not in ready:
            raise Unclear(f"The credentials of {asked} are missing: set {_ways(asked)}")
        return asked
    if len(ready) == 1:
        return ready[0]
    if ready:
        raise Unclear(f"There are credentials of {', '.join(ready)}: choose one with --service")
    lines = [f"  {service:<14} {_ways(service)}" for service in SERVICES]
    raise Unclear("\n".join(["There are no credentials. Set those of one service:", *lines]))


def _ways(service: str) -> str:
    return " or ".join(" and ".join(names) for names in REQUIRED[service])
