"""modelyard.lock: what the last compile of each environment was made from, beside the spec and part of its review.

It holds versions and hashes only, no date and no path, so that it changes when what comes out may change.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from modelyard import __version__
from modelyard.load import load
from modelyard.records import record
from modelyard.source import Json
from modelyard.stack import Value
from modelyard.yaml_text import comment, document

LOCK_NAME = "modelyard.lock"


@record
class Locked:
    """One environment as it was compiled: the hash of its inputs, its targets, and what these pin by name."""

    inputs: str
    targets: tuple[str, ...]
    charts: Mapping[str, str]
    images: Mapping[str, str]


def digest(*parts: str | bytes) -> str:
    """`sha256:` and the hash over all parts, each with its length, so that no two lists of parts agree by chance."""
    total = sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return f"sha256:{total.hexdigest()}"


def environments(text: str | bytes) -> dict[str, Json]:
    """The environments of a lock as they stand in it; none where it cannot be read: it is written anew."""
    found, _ = load(text, LOCK_NAME)
    entries = found.value.get("environments") if found is not None else None
    return dict(entries) if isinstance(entries, dict) else {}


def targets_locked(text: str | bytes, environment: str, inputs: str) -> tuple[str, ...]:
    """The targets that an environment was compiled to from just these inputs; empty when they were others."""
    entry = environments(text).get(environment)
    if not isinstance(entry, dict) or entry.get("inputs") != inputs:
        return ()
    targets = entry.get("targets")
    return tuple(str(target) for target in targets) if isinstance(targets, list) else ()


def lock_text(before: str | bytes, environment: str, locked: Locked, schema: str) -> str:
    """The lock with one environment set and the others as they were, sorted by name."""
    entries: dict[str, Value] = {**environments(before), environment: _entry(locked)}
    written: dict[str, Value] = {
        "lockVersion": 1,
        "modelyard": __version__,
        "schema": digest(schema),
        "environments": {name: entries[name] for name in sorted(entries)},
    }
    return comment("Written by modelyard; part of the review, never edited by hand.") + document(written)


def _entry(locked: Locked) -> dict[str, Value]:
    pins = {"charts": locked.charts, "images": locked.images}
    filled: dict[str, Value] = {name: dict(sorted(pinned.items())) for name, pinned in pins.items() if pinned}
    return {"inputs": locked.inputs, "targets": list(locked.targets), **filled}
