"""The store of files against a model of dictionaries: two holders, and a clock that is moved by hand."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from cloudreel.errors import UploadError
from cloudreel.uploads import Claim, FileTicketStore, Fingerprint, Ticket

TICKET = Ticket(
    service="telestream",
    endpoint="https://api.example:443/v3.0",
    scope="5c1d7e90",
    session_id="0",
    location="http://vm-abc.upload.example/upload/session?id=s3cret",
    dialect="parts",
    size=5,
    part_size=5,
    parts=1,
    max_connections=16,
    file_name="clip.mp4",
    fingerprint=Fingerprint(5, None, "ab" * 32),
    created=0.0,
)
KEYS = [evolve(TICKET, session_id=str(number)).key for number in range(2)]

uploads = st.integers(0, 1)
holders = st.sampled_from("ab")
seconds = st.integers(1, 5)


class StoreMachine(RuleBasedStateMachine):
    """Two workers, each with a store of its own on the same folder."""

    backend = "asyncio"

    def __init__(self):
        super().__init__()
        self.now = 1000
        self.tickets = {}
        self.claims = {}
        self.folder = tempfile.TemporaryDirectory(prefix="tickets-")
        self.stores = {
            holder: FileTicketStore(Path(self.folder.name) / "tickets", clock=lambda: self.now)
            for holder in "ab"
        }
        self.running = start_blocking_portal(self.backend)
        self.call = self.running.__enter__().call

    def teardown(self):
        self.running.__exit__(None, None, None)
        self.folder.cleanup()

    def standing(self, key):
        claim = self.claims.get(key)
        return claim if claim is not None and self.now < claim.until else None

    @rule(upload=uploads, holder=holders, created=st.integers(0, 9))
    def save(self, upload, holder, created):
        ticket = evolve(TICKET, session_id=str(upload), created=float(created))
        self.call(self.stores[holder].save, ticket)
        self.tickets[ticket.key] = ticket

    @rule(key=st.sampled_from(KEYS), holder=holders)
    def remove(self, key, holder):
        self.call(self.stores[holder].remove, key)
        self.tickets.pop(key, None)
        self.claims.pop(key, None)

    @rule(key=st.sampled_from(KEYS), holder=holders, seconds=seconds)
    def claim(self, key, holder, seconds):
        claim = self.stores[holder].claim
        if key not in self.tickets:
            with pytest.raises(UploadError, match="no ticket"):
                self.call(claim, key, holder, seconds)
            return
        standing = self.standing(key)
        if standing is None or standing.holder == holder:
            standing = self.claims[key] = Claim(holder, self.now + seconds)
        assert self.call(claim, key, holder, seconds) == standing

    @rule(key=st.sampled_from(KEYS), holder=holders, seconds=seconds)
    def renew(self, key, holder, seconds):
        standing = self.standing(key)
        mine = standing is not None and standing.holder == holder
        if mine:
            self.claims[key] = Claim(holder, self.now + seconds)
        assert self.call(self.stores[holder].renew, key, holder, seconds) is mine

    @rule(key=st.sampled_from(KEYS), holder=holders)
    def release(self, key, holder):
        standing = self.standing(key)
        if standing is not None and standing.holder == holder:
            del self.claims[key]
        self.call(self.stores[holder].release, key, holder)

    @rule(seconds=seconds)
    def pass_time(self, seconds):
        self.now += seconds

    @rule(key=st.sampled_from(KEYS), holder=holders)
    def load(self, key, holder):
        assert self.call(self.stores[holder].load, key) == self.tickets.get(key)

    @invariant()
    def both_see_the_same(self):
        for store in self.stores.values():
            assert sorted(self.call(store.keys)) == sorted(self.tickets)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_store_does_what_the_model_does(backend, monkeypatch):
    monkeypatch.setattr(StoreMachine, "backend", backend)
    run_state_machine_as_test(StoreMachine, settings=settings(max_examples=20, stateful_step_count=25))
