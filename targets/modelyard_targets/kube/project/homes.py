"""Which of several projects something goes to, by its name."""

from __future__ import annotations

from typing import Final

from modelyard.hashing import sha256

AIM: Final = 1000
"""Objects of a project on average where there are several; chance lets none of them reach twice as many."""


def home(name: str, projects: int) -> int:
    """Where a name is after it has jumped to as many of the new projects as chance, drawn from the name, lets it.

    Of n projects the n-th is reached by one name in n. A name jumps a few times, so a thousand projects cost no more
    than ten (Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014).
    """
    home, jump = 0, 0
    while jump < projects:
        home = jump
        drawn = int.from_bytes(sha256(f"{home}:{name}".encode()).digest()[:8], "big")
        jump = (home + 1) * 2**64 // (drawn + 1)
    return home
