"""Flix Cloud as the sandbox stands in for it: transcoding jobs as XML documents (flixcloud.md).

``routes`` takes the calls, ``request`` reads what a job asks for, ``documents`` writes the answers.
``runner`` runs the jobs, ``storage`` is where their outputs lie, ``account`` keeps the account's settings.
"""

from __future__ import annotations
