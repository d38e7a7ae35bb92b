from __future__ import annotations

import subprocess
import sys
from collections import Counter
from threading import Thread

from hypothesis import given
from hypothesis import strategies as st

from cloudreel.cloudkey.nonces import ALPHABET, LENGTH, fresh_nonce, nonces_of


@given(st.binary(max_size=64))
def test_a_nonce_is_letters_and_digits(randomness: bytes) -> None:
    for nonce in nonces_of(randomness):
        assert len(nonce) == LENGTH
        assert set(nonce.encode()) <= set(ALPHABET)


def test_every_letter_is_as_likely_as_any_other() -> None:
    letters = Counter("".join(nonces_of(bytes(range(256)) * LENGTH)))
    assert len(letters) == len(ALPHABET) == 36
    assert set(letters.values()) == {7 * LENGTH}


def test_no_two_threads_get_the_same_one() -> None:
    drawn: list[str] = []
    threads = [Thread(target=lambda: drawn.extend([fresh_nonce() for _ in range(2_000)])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(drawn)) == 8_000


FORKED = """
import os, sys
from cloudreel.cloudkey.nonces import fresh_nonce
fresh_nonce()  # there is a pool to inherit
sys.stdout.flush()
child = os.fork()
os.write(1, " ".join([*(fresh_nonce() for _ in range(100)), ""]).encode())  # in one piece
if child:
    os.waitpid(child, 0)
"""


def test_no_two_processes_get_the_same_ones() -> None:
    told = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=True).stdout
    assert len(set(told.split())) == 200
