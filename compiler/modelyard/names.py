"""Names of objects on a platform: readable, bounded, and the same for the same input."""

from __future__ import annotations

from typing import Final

from modelyard.hashing import sha256
from modelyard.patterns import pattern

LONGEST: Final = 47
"""RayService and RayJob limit it: KubeRay appends six characters and stays within the 53 of a RayCluster (v1.7.0,
read 2026-11-24).
"""

HASH_LENGTH: Final = 10
"""40 bits: ten thousand shortened names with the same beginning collide with a chance of one in twenty thousand."""

_FOREIGN = pattern("[^a-z0-9]+")


def object_name(*parts: str, limit: int = LONGEST) -> str:
    """The parts joined by dashes, as a DNS label that starts with a letter; at most `limit` characters, which must be
    at least 16.

    A name that had to be shortened or respelled ends in a hash of the original parts, so that two different inputs do
    not collide because of it. Parts that are short DNS labels are unchanged: ("a-b",) and ("a", "b") are both `a-b`,
    which the planner reports as a collision.
    """
    if limit <= HASH_LENGTH + 5:
        raise ValueError(f"a limit of {limit} leaves no room for a readable name")
    plain = "-".join(parts)
    readable = _FOREIGN.sub("-", plain.lower()).strip("-")
    if not readable[:1].isalpha():
        readable = f"x-{readable}".strip("-")
    if readable == plain and len(plain) <= limit:
        return plain
    return f"{readable[: limit - HASH_LENGTH - 1].rstrip('-')}-{short_hash(*parts)}"


def short_hash(*parts: str) -> str:
    """The first characters of the SHA-256 of the parts, separated by their lengths."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_LENGTH]
