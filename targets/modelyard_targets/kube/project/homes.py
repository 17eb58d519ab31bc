"""Assign names to projects by consistent hashing."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from modelyard.hashing import sha256

AIM: Final = 1000
"""The target for the average number of objects per project. Projects are unlikely to have twice as many."""


@lru_cache(maxsize=100_000)
def home(name: str, projects: int) -> int:
    """Return the index of the project for a name, using jump consistent hashing.

    When an n-th project is added, one in n names moves to it, and all others stay where they are. Even for a thousand
    projects, the loop only runs a few times (Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm",
    2014).
    """
    home, jump = 0, 0
    while jump < projects:
        home = jump
        drawn = int.from_bytes(sha256(f"{home}:{name}".encode()).digest()[:8], "big")
        jump = (home + 1) * 2**64 // (drawn + 1)
    return home
