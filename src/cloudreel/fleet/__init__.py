"""Worker fleets on taskiq and Redis: uploads that any worker continues, under one limit; extra ``taskiq``."""

from cloudreel.fleet.broker import FleetBroker
from cloudreel.fleet.fleet import Fleet
from cloudreel.fleet.limit import RedisLimit
from cloudreel.fleet.values import Ready, Uploaded

__all__ = ["Fleet", "FleetBroker", "Ready", "RedisLimit", "Uploaded"]
