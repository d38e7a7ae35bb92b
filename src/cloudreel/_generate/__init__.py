"""Writes the synchronous twins: ``python -m cloudreel._generate``.

The public ``Async`` classes of each room with a ``client.py``, and of ``uploads/session.py``, become the
room's ``sync.py``: classes named without ``Async`` whose methods run those of the async object they hold.
What has no rule here is refused rather than left out. The text is laid out as ``ruff format`` does it, and
depends on nothing but the sources.
"""
