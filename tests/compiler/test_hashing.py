"""Tests that hashes are the same when computed without OpenSSL."""

from __future__ import annotations

import hashlib

from modelyard.hashing import sha256


def test_hashes_equal_hashlib() -> None:
    for data in (b"", b"modelyard", bytes(range(256)) * 1000):
        ours = sha256(data[:100])
        ours.update(data[100:])

        assert ours.hexdigest() == hashlib.sha256(data).hexdigest()
