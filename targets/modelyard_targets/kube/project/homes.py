"""Assign names to projects by consistent hashing."""

from __future__ import annotations

from typing import Final

from modelyard.hashing import sha256

AIM: Final = 1000
"""The average number of objects in each of several projects. No project is likely to have twice as many."""


def home(name: str, projects: int) -> int:
    """Return the index of the project for a name, by jump consistent hashing.

    When an n-th project is added, one name in n moves to it, and all others stay. The loop runs only a few times, even
    for a thousand projects (Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014).
    """
    home, jump = 0, 0
    while jump < projects:
        home = jump
        drawn = int.from_bytes(sha256(f"{home}:{name}".encode()).digest()[:8], "big")
        jump = (home + 1) * 2**64 // (drawn + 1)
    return home
