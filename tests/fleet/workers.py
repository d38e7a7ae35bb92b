"""The module that the workers of the tests load: ``taskiq worker workers:broker``.

What dies is waited for as briefly as the test says, in place of a minute.
"""

from __future__ import annotations

import json
import os

from cloudreel.uploads import custody

job = json.loads(os.environ["FLEET"])
custody.SECONDS = job["lease"]

from cloudreel.fleet import Fleet  # noqa: E402  after the lease is set

fleet = Fleet(job["redis"], name=job["name"], parts_in_flight=job.get("parts_in_flight"))
broker = fleet.broker
