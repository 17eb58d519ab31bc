"""Create readable, deterministic object names of limited length for a platform."""

from __future__ import annotations

from typing import Final

from modelyard.hashing import sha256
from modelyard.patterns import pattern

LONGEST: Final = 47
"""The maximum length of the name of a RayService or RayJob. KubeRay appends six characters, and a RayCluster's name may
have at most 53 (v1.7.0, read 2026-11-24).
"""

HASH_LENGTH: Final = 10
"""The number of hash digits, which give 40 bits. Among ten thousand shortened names with the same beginning, the chance
of a collision is 1 in 20,000.
"""

_FOREIGN = pattern("[^a-z0-9]+")


def object_name(*parts: str, limit: int = LONGEST) -> str:
    """Join the parts with dashes into a DNS label of at most `limit` (≥ 16) characters, starting with a letter.

    A name that must be shortened or respelled ends in a hash of the original parts, so different inputs don't collide.
    Parts that are short DNS labels are unchanged: ("a-b",) and ("a", "b") both become `a-b`, which the planner reports
    as a collision.
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
    """Return the first characters of a SHA-256 hash of the parts and their lengths."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_LENGTH]
